"""How much a network of real processes settles, how fast, and where the time goes.

Everything runs on this machine with the settings of `feiqian network found`: three institutions and their compliance,
the FX provider and its own, the embedded chain, SQLite with every commit written through, every signature and every
screening. Each payment crosses currencies and is counted from the wallet's scan to the final state on chain that the
wallet is shown.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from devnet.network.cast import INSTITUTIONS
from tests.benchmarks import book, runs, wallets, watch
from tests.benchmarks.city import NODES, City, city
from tests.benchmarks.runs import STEPS, WALLETS, Run, percentile, steps_of
from tests.benchmarks.tables import Table
from tests.benchmarks.wallets import BEAT, Report, Task

CUSTOMERS, ALONE = 100, 50
APART = 2
"""Seconds between payments that are alone: each block has a second of its own, so one that follows at once waits for
the chain's clock."""
CROWDS = (16, 48, 96, 192, 384)
"""How many wallets pay at once while the most that settles is looked for."""
LISTS = (100, 250, 500)
"""How many payments a platform sends as one list while the most that settles is looked for."""
SHARES = (0.8, 0.4, 0.2)
"""Of the most that settles: rates at which payments begin, whatever becomes of those before."""
SETTLED, LATE_P99, ALONE_P50, ALONE_P95 = 300.0, 2000.0, 400.0, 800.0
ACCEPTED = {"accept": 1000.0, "bulk": 2500.0}
MEMORY_MIB = 250.0
HAND_OVER = 16
"""Requests at once where a node is to do nothing but accept."""


@dataclass(frozen=True)
class Extent:
    """How long a steady state lasts, in seconds, and the load before it that does not count; how many payments are made
    alone, of how many customers in each country, how many wallets and how long lists are tried, and at which shares of
    what settles most the time to final is measured."""

    seconds: float = 60
    warm_up: float = 8
    alone: int = ALONE
    customers: int = CUSTOMERS
    crowds: Sequence[int] = CROWDS
    lists: Sequence[int] = LISTS
    shares: Sequence[float] = SHARES


@dataclass(frozen=True)
class Kind:
    """How a load is made: the modes of a task in which as much as possible settles, and at a fixed rate."""

    most: str
    steady: str
    title: str
    sizes: Callable[[Extent], Sequence[int]]
    """How much at once is tried."""


ONE_BY_ONE = Kind("closed", "open", "", lambda extent: extent.crowds)
IN_LISTS = Kind("lists", "steady lists", " in lists", lambda extent: extent.lists)
"""A platform in each country prices and pays in lists."""


def tables(extent: Extent) -> Iterator[Table]:
    """Start a network, measure, and yield each table when its figures are there."""
    with city(extent.customers) as here:
        disk = watch.fsync_ms(here.folder.path)
        runs.load(here, "warm-up", Task("closed", here.everybody, seconds=extent.warm_up, many=8))
        alone = runs.load(here, "alone", Task("count", here.everybody, seconds=APART, many=extent.alone))
        in_a_row = runs.load(here, "in a row", Task("count", here.everybody, many=extent.alone))
        yield _alone(alone, in_a_row)
        crowd, most, slower = _saturate(here, extent, ONE_BY_ONE)
        size, most_lists, slower_lists = _saturate(here, extent, IN_LISTS)
        yield _settled(crowd, size, [(most, *slower), (most_lists, *slower_lists)])
        steady, steady_lists = slower[0], slower_lists[0]
        accepted = [_accept(here, extent, mode) for mode in ACCEPTED]
        yield _accepted(accepted, disk, watch.fsync_ms(here.folder.path))
        yield _steps(here, [alone, steady, steady_lists])
        yield _processes(here, [alone, steady, steady_lists])
        many = [alone, most, steady, most_lists, steady_lists]
        here.batch_one_by_one()
        _, single_most, [single_steady, *_] = _saturate(here, replace(extent, shares=extent.shares[:1]), ONE_BY_ONE)
        yield _batches(here, {"": many, ", batches of one": (single_most, single_steady)})


def _saturate(here: City, extent: Extent, kind: Kind) -> tuple[int, Run, list[Run]]:
    """How much at once settles most, that most, and how it looks at shares of it, at a fixed rate."""
    payers = here.platforms if kind is IN_LISTS else here.everybody
    tried = {}
    for many in kind.sizes(extent):
        task = Task(kind.most, payers, seed=many, seconds=extent.warm_up, many=many)
        tried[many] = runs.load(here, "trial", task).overall
    many = max(tried, key=lambda each: tried[each])
    task = Task(kind.most, payers, seed=2, seconds=extent.seconds, many=many)
    most = runs.load(here, f"most{kind.title}", task, extent.warm_up)
    slower = []
    for share in extent.shares:
        rate = max(share * most.per_second, 2 / extent.seconds)
        task = Task(kind.steady, payers, seed=3, seconds=extent.seconds, rate=rate)
        slower.append(runs.load(here, f"{share:.0%}{kind.title}".replace("%", " %"), task, extent.warm_up))
    return many, most, slower


def _alone(alone: Run, in_a_row: Run) -> Table:
    rows = []
    for how, run in ((f"every {APART} s", alone), ("in a row", in_a_row)):
        p50, p95, p99 = (percentile(run.latencies, each) for each in (50, 95, 99))
        met = (_at_most(p50, ALONE_P50), _at_most(p95, ALONE_P95)) if run is alone else ("", "")
        rows.append((len(run.settled), how, p50, p95, p99, *met, _ended(run), _loads(run)))
    columns = (
        "payments",
        "made",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "p50 target",
        "p95 target",
        "not settled",
        "load average",
    )
    return Table("Alone in the network, one payment at a time: scan to final", columns, tuple(rows))


def _settled(crowd: int, size: int, found: Sequence[Sequence[Run]]) -> Table:
    rows = []
    for most, *slower in found:
        for run in (most, *slower):
            late = [percentile(run.latencies, each) for each in (50, 95, 99)]
            target = _at_least(run.per_second, SETTLED) if run is most else "p99 " + _at_most(late[2], LATE_P99)
            rows.append((run.name, run.offered, run.per_second, *late, target, _ended(run), _loads(run)))
    columns = "run", "begun/s", "settled/s", "p50 ms", "p95 ms", "p99 ms", "target", "not settled", "load average"
    note = (
        f"{most.seconds:g} s each after {most.lead:g} s. Most: {crowd} wallets pay again and again; in lists: "
        f"platforms, one a country, price and pay {size} at once, two lists on their way. Shares of it: payments begin "
        f"at a fixed rate (a platform sends what was due every {BEAT:g} s, once its last list is taken), and each "
        f"counts from when it was due. Nothing of the load before is under way when one begins."
    )
    return Table("Payments settled, scan to final", columns, tuple(rows), note)


def _accept(here: City, extent: Extent, mode: str) -> tuple[str, int, float, float]:
    """One node accepts with prices gathered before. Its compliance stands still, so it moves nothing meanwhile."""
    institution, port = INSTITUTIONS[0], here.platforms[0].port
    platform = [wallet for wallet in here.platforms if wallet.port == port]
    book.wait_until_all_ended(here)
    gathered = wallets.run(Task("quote", platform, seconds=extent.seconds / 4, many=max(extent.lists)))
    quotes = [paid.quote for paid in gathered.paid if paid.quote]
    with here.room_for(institution.node, len(quotes) or 1):
        pids = here.processes.pids()
        node = {institution.node: pids[institution.node]}
        with _standing_still(pids[institution.compliance]):
            cpu = watch.cpu_seconds(node)
            many = HAND_OVER if mode == "accept" else 2
            report = wallets.run(Task(mode, platform, many=many, quotes=quotes))
            spent = watch.cpu_seconds(node)[institution.node] - cpu[institution.node]
        book.wait_until_all_ended(here)
    return mode, len(report.paid), _lasted(report), spent


@contextmanager
def _standing_still(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def _lasted(report: Report) -> float:
    return max(report.ended - report.began, 1e-9)


def _accepted(found: Sequence[tuple[str, int, float, float]], before: list[float], after: list[float]) -> Table:
    names = {"accept": f"single requests, {HAND_OVER} at once", "bulk": "POST /v1/payments/bulk, 1,000 a request"}
    rows = []
    for mode, count, seconds, cpu in found:
        on_a_core = count / cpu if cpu else 0.0
        target = _at_least(count / seconds, ACCEPTED[mode])
        rows.append((names[mode], count, count / seconds, on_a_core, target))
    disk = "; ".join(
        f"{when} p50 {percentile(taken, 50):.2f}, p95 {percentile(taken, 95):.2f}"
        for when, taken in (("before", before), ("now", after))
    )
    note = f"Each commit is written through. fsync of 4 KiB in ms, {disk}."
    columns = "one node accepts", "payments", "payments/s", "per s of its processor time", "target"
    return Table("Durable accept", columns, tuple(rows), note)


def _steps(here: City, found: Sequence[Run]) -> Table:
    taken = [steps_of(here, run) for run in found]
    rows = tuple(
        (step, *(percentile(steps.get(step, []), each) for steps in taken for each in (50, 95))) for step in STEPS
    )
    columns = tuple(f"{run.name} p{each}" for run in found for each in (50, 95))
    return Table("Where the time goes, ms: between what wallets see and banks record", ("step", *columns), rows)


def _processes(here: City, found: Sequence[Run]) -> Table:
    memory = watch.memory_mib(here.processes.pids())
    rows = []
    for process in (*memory, WALLETS):
        figures = [figure for run in found for figure in (run.cpu_ms[process], run.cpu_share[process])]
        target = _at_most(memory[process], MEMORY_MIB) if process in NODES else ""
        rows.append((process, *figures, memory.get(process, ""), target))
    totals = [figure for run in found for figure in (sum(run.cpu_ms.values()), sum(run.cpu_share.values()))]
    rows.append(("all together", *totals, sum(memory.values()), ""))
    columns = [f"{run.name}: {unit}" for run in found for unit in ("ms", "%")]
    note = "ms of processor time a payment, % of one core."
    return Table(
        "Processor time, and memory at the end",
        ("process", *columns, "memory MiB", "target"),
        tuple(rows),
        note,
    )


def _batches(here: City, found: Mapping[str, Sequence[Run]]) -> Table:
    rows = []
    for kind, several in found.items():
        for run in several:
            batches = book.batches_of(here, run.uetrs)
            payments, gas = sum(batches.payments), sum(batches.gas)
            sizes = [float(each) for each in batches.payments]
            mean, largest = payments / max(len(sizes), 1), int(max(sizes, default=0))
            late, cpu = percentile(run.latencies, 99), sum(run.cpu_ms.values())
            middle, each = percentile(sizes, 50), gas // max(payments, 1)
            rows.append((run.name + kind, run.per_second, late, cpu, mean, middle, largest, each, _ended(run)))
    payment = "payments a batch", "median", "largest", "gas a payment"
    columns = "run", "settled/s", "p99 ms", "CPU ms a payment", *payment, "not settled"
    note = "Batches of one: the nodes were started again with their bound on a batch at one payment."
    return Table("Batches, and one transaction a payment beside them", columns, tuple(rows), note)


def _at_most(figure: float, target: float) -> str:
    return f"<= {target:,g}: {'holds' if 0 < figure <= target else 'MISSED'}"


def _at_least(figure: float, target: float) -> str:
    return f">= {target:,g}: {'holds' if figure >= target else 'MISSED'}"


def _ended(run: Run) -> str:
    return ", ".join(f"{count} {why}" for why, count in sorted(run.others.items())) or "none"


def _loads(run: Run) -> str:
    return f"{run.loads[0]:.1f}, then {run.loads[1]:.1f}"
