"""What a compliance decision costs: one at a time, with the wait for the disk, and in lists of repeat customers.

The rooms of the service run in this process on a SQLite file that is written through at each commit; HTTP and its
signatures are the section `lists`. Customers' names were screened before: they are a look-up.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from compliance.app import MIGRATIONS
from serving.database import Database
from serving.migrations import migrate
from tests.benchmarks import rescreening
from tests.benchmarks.tables import Table, verdict
from tests.desk import LISTED, Desk, payments

PLACE = Path("build/bench")
CUSTOMERS, ALONE, LIST, LISTS = 200, 1_000, 500, 20
ALONE_MS, A_SECOND = 15, 2_000
"""Targets: milliseconds of the slowest but one in a hundred, alone; payments a second and core, in lists."""
_FIRST = ("Wang", "Li", "Zhang", "Chen", "Zhao", "Huang", "Zhou", "Wu", "Xu", "Sun")
_LAST = ("Xiaoming", "Meiling", "Jianguo", "Yulan", "Haoran", "Lihua", "Guoqiang", "Fang", "Weimin", "Xiulan")


def tables() -> Iterator[Table]:
    """Decide, replay, and yield the figures."""
    with _desk() as desk:
        desk.decide(*payments(CUSTOMERS, CUSTOMERS, _name))  # the names are known from now on
        alone = _alone(desk)
        in_lists = _in_lists(desk)
        worked, decided = time.process_time(), desk.replay().same
        replayed = decided / (time.process_time() - worked)
        file_ms = _case(desk)
    yield _table(alone, in_lists, replayed, file_ms)
    with _desk() as desk:
        yield rescreening.table(desk)


def _alone(desk: Desk) -> list[tuple[float, float]]:
    """Payments one at a time: seconds that passed, and seconds of a core, the shortest first."""
    taken = []
    for asked in payments(ALONE, CUSTOMERS, _name):
        start, worked = time.perf_counter(), time.process_time()
        desk.decide(asked)
        taken.append((time.perf_counter() - start, time.process_time() - worked))
    return sorted(taken)


def _in_lists(desk: Desk) -> float:
    """Payments a second of a core, in lists: the median of all."""
    worked = []
    for _ in range(LISTS):
        asked = payments(LIST, CUSTOMERS, _name)
        start = time.process_time()
        desk.decide(*asked)
        worked.append(time.process_time() - start)
    return LIST / median(worked)


def _case(desk: Desk) -> float:
    """Milliseconds of a core to show a case whose debtor paid two hundred times before."""
    desk.decide(*payments(200, 1, _name))
    key = desk.held(account="6222-0")
    start = time.process_time()
    desk.cases.file(key)
    return 1000 * (time.process_time() - start)


def _table(alone: Sequence[tuple[float, float]], in_lists: float, replayed: float, file_ms: float) -> Table:
    passed, worked = ([1000 * pair[each] for pair in alone] for each in (0, 1))
    worst = sorted(passed)[len(passed) * 99 // 100]
    per_list = 1000 / in_lists
    rows = (
        ("one decision, ms, median", sorted(passed)[len(passed) // 2], ""),
        ("one decision, ms, 99 of 100 within", worst, verdict(worst, ALONE_MS)),
        ("one decision, ms of a core, median", sorted(worked)[len(worked) // 2], ""),
        ("one decision, ms of a core, 99 of 100 within", sorted(worked)[len(worked) * 99 // 100], ""),
        (f"in lists of {LIST}, ms of a core a payment", per_list, verdict(per_list, 1000 / A_SECOND)),
        ("in lists, payments a second and core", in_lists, ""),
        ("replay, decisions a second and core", replayed, ""),
        ("the file of a case with 200 neighbours, ms of a core", file_ms, ""),
    )
    note = f"{CUSTOMERS} customers pay again and again. {LISTED} is held."
    return Table("Compliance decisions", ("what", "figure", "target"), rows, note)


def _name(customer: int) -> str:
    return f"{_FIRST[customer % 10]} {_LAST[customer // 10 % 10]}{customer // 100 or ''}"


@contextmanager
def _desk() -> Iterator[Desk]:
    PLACE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=PLACE) as folder:
        database = Database(Path(folder) / "compliance.db")
        migrate(database, MIGRATIONS)
        yield Desk(database)
        database.close()
