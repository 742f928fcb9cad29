"""What a payment costs a node as its database grows, step by step, and what memory its process takes.

The steps are the node's own, over SQLite files that are filled beforehand and measured side by side: each list of
payments goes through all of them before the next, so that what disturbs the machine disturbs them alike. Signatures
and messages, which no database makes dearer, are left out: the ratio is that of the book alone.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import choice
from statistics import median
from typing import TypeVar

from tests.benchmarks.bank import Bank, opened
from tests.benchmarks.filling import LIST, fill
from tests.benchmarks.memory import memory
from tests.benchmarks.tables import Table, verdict

Result = TypeVar("Result")

PLACE = Path("build/bench")
SIZES = (LIST, 100_000, 1_000_000)
"""Settled payments in the database: one list, which is as good as none, and many."""
TARGET = 1.3
"""Times what a payment costs with a database that is empty."""
PAYMENTS = 200
"""A list that is measured."""
ROUNDS = 15
ASKED = 10
"""How often a round asks for what is no payment's step."""
STEPS = QUOTE, ACCEPT, SCREEN, AGREE, FORM, SIGN, SETTLE = (
    "quote: remembered",
    "accept: in bulk",
    "screen: cleared",
    "agree: creditor agent, provider",
    "batch: formed",
    "co-sign: recorded",
    "settle: final, booked",
)


@dataclass(frozen=True)
class Meter:
    """Notes seconds of this process's time on a processor, all its threads together, by what was done."""

    spent: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def over(self, step: str, times: int, work: Callable[[], Result]) -> Result:
        """Do the work and note what it took, divided by `times`."""
        start = time.process_time()
        result = work()
        self.spent[step].append((time.process_time() - start) / times)
        return result

    def medians(self) -> dict[str, float]:
        """Milliseconds, those of all a payment's steps together among them."""
        found = {step: 1000 * median(each) for step, each in self.spent.items()}
        return {"a payment, all steps": sum(found[step] for step in STEPS), **found}


def tables(
    sizes: Sequence[int] = SIZES, rounds: int = ROUNDS, ended: int = 100_000, place: Path = PLACE
) -> Iterator[Table]:
    """Fill a database for each size, measure them side by side, and yield the figures; then the memory of a node that
    has `ended` payments in its book and behind it."""
    place.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="growth-", dir=place))
    try:
        known, began = {}, time.process_time()
        for size in sizes:
            known[size] = fill(folder / f"{size}.db", size)
        filling = time.process_time() - began
        yield _table(_measured(folder, known, rounds), filling)
    finally:
        shutil.rmtree(folder)
    yield memory(ended)


def _measured(folder: Path, known: Mapping[int, Sequence[str]], rounds: int) -> dict[int, dict[str, float]]:
    """Milliseconds by step, by size."""
    with ExitStack() as stack:
        banks = {size: stack.enter_context(opened(folder / f"{size}.db")) for size in known}
        for size, bank in banks.items():
            _take(bank, Meter(), known[size])  # caches, statements that are compiled once
        meters = {size: Meter() for size in known}
        for _ in range(rounds):
            for size, bank in banks.items():
                _take(bank, meters[size], known[size])
        return {size: meter.medians() for size, meter in meters.items()}


def _take(bank: Bank, meter: Meter, known: Sequence[str]) -> None:
    """A list of payments from its price to the book, and what people ask meanwhile."""
    quotes = meter.over(QUOTE, PAYMENTS, lambda: bank.quote(PAYMENTS))
    meter.over(ACCEPT, PAYMENTS, lambda: bank.accept(quotes))
    meter.over(SCREEN, PAYMENTS, bank.screen)
    meter.over(AGREE, PAYMENTS, lambda: bank.agree(PAYMENTS))
    batch = meter.over(FORM, PAYMENTS, lambda: bank.form(PAYMENTS))
    meter.over(SIGN, PAYMENTS, lambda: bank.sign(batch))
    meter.over(SETTLE, PAYMENTS, lambda: bank.settle(batch))
    meter.over("a final block without payments", ASKED, lambda: [bank.idle() for _ in range(ASKED)])
    meter.over("a page of GET /v1/payments", ASKED, lambda: [bank.page() for _ in range(ASKED)])
    meter.over("a payment's batch, for evidence", ASKED, lambda: [bank.look_up(choice(known)) for _ in range(ASKED)])


def _table(spent: Mapping[int, Mapping[str, float]], filling: float) -> Table:
    first, last = min(spent), max(spent)
    rows = []
    for step in spent[first]:
        figures = [spent[size][step] for size in spent]
        ratios = [figure / figures[0] for figure in figures[1:]]
        judged = verdict(round(ratios[-1], 2), TARGET) if last > first else ""
        rows.append((step, *figures, *ratios, judged))
    columns = ("ms of processor time", *(f"with {size:,} settled" for size in spent))
    columns += tuple(f"{size:,}: times the first" for size in list(spent)[1:])
    note = (
        f"The median of all rounds, side by side; steps are a payment's share of a list of {PAYMENTS}, every fsync "
        f"among it, without signatures and messages. Filling took {filling:.0f} s of processor time."
    )
    return Table("A node's book as it grows", (*columns, "target"), tuple(rows), note)
