"""What a new version of a list costs: every customer is screened again, from the log, and who matches is an alert.

The new version has the size of OFAC's whole list. All of its entries are new, which is the most that can change, or a
hundred, as in a usual week.
"""

from __future__ import annotations

import gzip
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from compliance.client import Screening
from compliance.lists.catalogue import load_catalogue
from compliance.lists.keeping import ListKeeper
from compliance.lists.rescreening import Rescreening
from tests.benchmarks.tables import Table
from tests.desk import Desk, payment
from tests.list_files import FOLDER
from tests.names import sources

CUSTOMERS, AT_ONCE, FEW = 4_000, 500, 100
LIST = "ofac_sdn_20260803.jsonl.gz"


def table(desk: Desk) -> Table:
    """Decide about customers by the shipped list, then screen them again by the long one."""
    columns = ("what", "figure")
    if FOLDER is None or not sources.present():
        return Table("Rescreening: skipped, the shared data is absent", columns, ())
    asked = _customers()
    for start in range(0, len(asked), AT_ONCE):
        desk.decide(*asked[start : start + AT_ONCE])
    with tempfile.TemporaryDirectory() as folder:
        file, lines = Path(folder) / "list.jsonl", gzip.decompress((FOLDER / LIST).read_bytes()).splitlines(True)
        file.write_bytes(b"".join(lines[:-FEW]))
        loaded = time.process_time()
        keeper = ListKeeper(desk.database, desk.policy, load_catalogue(file))
        loaded = time.process_time() - loaded
        rescreening = Rescreening(desk.database, keeper.rules, desk.time)
        everything = _steps(rescreening)
        file.write_bytes(b"".join(lines))
        keeper.look(everything=True)
        few = _steps(rescreening)
    rows = (
        ("all entries new: customers a second and core", len(asked) / sum(everything)),
        (f"{FEW} entries new: customers a second and core", len(asked) / sum(few)),
        ("customers", len(asked)),
        ("entries of the new version", len(keeper.listed.entries)),
        ("reading and indexing it, s of a core", loaded),
        ("the longest step, s of a core", max(everything + few)),
    )
    return Table(
        "Rescreening under a new version of a list", columns, rows, "processor time; each name for the first time"
    )


def _customers() -> Sequence[Screening]:
    """A payment of each customer, all of different names."""
    names = list(dict.fromkeys(each.name for each in sources.customers(training=False)))
    assert len(names) >= CUSTOMERS, "there are fewer names than are wanted"
    return [payment(name, 100, f"rescreened-{place}") for place, name in enumerate(names[:CUSTOMERS])]


def _steps(rescreening: Rescreening) -> list[float]:
    """Seconds of a core that each step took."""
    taken, more = list[float](), True
    while more:
        start = time.process_time()
        more = rescreening.step()
        taken.append(time.process_time() - start)
    return taken
