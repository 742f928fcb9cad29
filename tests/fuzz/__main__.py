"""`make fuzz`: mutated payment codes, steered by what they reach in our reader, each read beside the slow one."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["nodes.qr"]):
    from tests.fuzz.beside import compare
    from tests.fuzz.mutations import mutated
    from tests.fuzz.seeds import seeds


class Steered:
    """Choices made by the fuzzer's bytes."""

    def __init__(self, data: bytes) -> None:
        self._provider = atheris.FuzzedDataProvider(data)

    def below(self, bound: int) -> int:
        return int(self._provider.ConsumeIntInRange(0, bound - 1))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    known, ends = seeds(), Counter[str]()

    def one_input(data: bytes) -> None:
        text = mutated(known, Steered(data))
        try:
            ends[compare(text)] += 1
        except Exception:
            print(f"found: {text!r}", flush=True)
            raise
        if ends.total() == arguments.runs:  # the fuzzer leaves without a word
            print(
                f"{arguments.runs:,} mutated codes, {ends['read']:,} of them read; by end: {dict(ends.most_common())}"
            )
            sys.stdout.flush()

    Path("build").mkdir(exist_ok=True)
    options = [
        f"-runs={arguments.runs}",
        f"-seed={arguments.seed}",
        "-max_len=64",
        "-len_control=0",
        "-timeout=10",
        "-artifact_prefix=build/",
    ]
    atheris.Setup([sys.argv[0], *options], one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
