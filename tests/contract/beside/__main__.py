"""`python -m tests.contract.beside 1 8` runs the seeds from 1 to 8; the last line is what they met, in JSON.

Hypothesis draws constants of whatever modules are loaded, so the same seed makes the same moves only in a process that
loads the same ones.
"""

from __future__ import annotations

import argparse
import os
import sys


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.contract.beside", description=__doc__)
    parser.add_argument("first", type=int)
    parser.add_argument("last", type=int)
    asked = parser.parse_args()
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.execve(
            sys.executable,
            [sys.executable, "-m", "tests.contract.beside", *sys.argv[1:]],
            os.environ | {"PYTHONHASHSEED": "0"},
        )
    from tests.contract.beside.ground import found
    from tests.contract.beside.machine import campaign

    tally = campaign(found(), range(asked.first, asked.last + 1))
    print(tally.table())
    print(tally.to_json())


if __name__ == "__main__":
    main()
