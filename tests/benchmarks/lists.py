"""What compliance and the bridge cost a payment, door by door, against the length of the list that they are asked with.

The services are processes of their own, asked through HTTP as nodes ask them: every message, agreement, batch and
attestation is signed and checked, every commit of SQLite is written through, every batch settles on the chain. Figures
are each process's own time on a processor, so that others on the machine hardly disturb them.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import TypeVar

from contracts.terms.parties import Party
from contracts.terms.payment import PaymentTerms
from devnet.network import cast
from devnet.network.establish import admit, deploy, issue
from devnet.network.folder import CHAIN, NetworkFolder
from devnet.network.found import found
from devnet.network.people import CUSTOMERS
from devnet.network.processes import Processes
from tests.benchmarks.agents import Agents, Payment
from tests.benchmarks.tables import Table, verdict
from tests.databases import looking

Result = TypeVar("Result")

PLACE = Path("build/bench")
SIZES = {1: 48, 10: 16, 100: 8, 500: 4}
"""Payments a list, and how many lists of that length are asked about."""
AT_ONCE = 4
"""Batches signed before they settle together, fewer when they are long: a batch lives for seconds only."""
IDLE_SECONDS = 5.0
TARGET_SIZE = 500
COMPLIANCE, BRIDGE = 0.25, 0.3
"""Milliseconds a payment that each may cost in a list of `TARGET_SIZE`."""

DEBTOR, CREDITOR = (cast.institution(country).compliance for country in ("CN", "TH"))
SERVICES = (DEBTOR, CREDITOR, cast.PROVIDER_COMPLIANCE, cast.PROVIDER_BRIDGE)
STEPS = {
    "screen": (DEBTOR, CREDITOR),
    "quote": (cast.PROVIDER_BRIDGE,),
    "reserve": (cast.PROVIDER_BRIDGE, cast.PROVIDER_COMPLIANCE),
    "attest": (DEBTOR, CREDITOR),
    "co-sign": (cast.PROVIDER_BRIDGE, cast.PROVIDER_COMPLIANCE),
    "book": SERVICES,
}
"""What is asked for, with the processes that work for it. Nobody asks for `book`: it is what final blocks bring."""
SUMS = {
    DEBTOR: (("screen", "attest", "book"), COMPLIANCE),
    CREDITOR: (("screen", "attest", "book"), COMPLIANCE),
    cast.PROVIDER_COMPLIANCE: (("reserve", "co-sign", "book"), COMPLIANCE),
    cast.PROVIDER_BRIDGE: (("reserve", "co-sign", "book"), BRIDGE),
}
"""The parts of a payment's cost that count towards each process's target."""


@dataclass(frozen=True)
class Meter:
    """Notes the processor time of processes, in seconds a payment, by step and process, less what they spend anyway:
    they look for blocks when nobody asks them anything, at so many seconds a second."""

    pids: Mapping[str, int]
    anyway: Mapping[str, float]
    spent: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))

    def over(self, step: str, payments: int, work: Callable[[], Result]) -> Result:
        """Do the work, and note what each process of the step spent meanwhile."""
        before = {name: _processor_time(self.pids[name]) for name in STEPS[step]}
        start = time.monotonic()
        result = work()
        lasted = time.monotonic() - start
        for name, began in before.items():
            spent = _processor_time(self.pids[name]) - began - lasted * self.anyway[name]
            self.spent[step, name].append(spent / payments)
        return result


@dataclass(frozen=True)
class Doors:
    """A network without nodes, and the two agents that ask it."""

    folder: NetworkFolder
    pids: Mapping[str, int]
    agents: Agents

    def followed(self, block: int) -> bool:
        """Whether every service has acted on this block; they are not asked, which would cost them."""
        return all(_last_block(self.folder, service) >= block for service in SERVICES)


def tables(sizes: Mapping[int, int] = SIZES) -> Iterator[Table]:
    """Start the services, ask with lists of each length, and yield the figures."""
    with _doors() as doors:
        _ask(doors, Meter(doors.pids, dict.fromkeys(SERVICES, 0.0)), 10, 2)  # connections, names of repeat customers
        anyway, spent = _spent_anyway(doors.pids), {}
        for size, count in sizes.items():
            meter = Meter(doors.pids, anyway)
            _ask(doors, meter, size, count)
            spent[size] = {key: 1000 * median(each) for key, each in meter.spent.items()}
        yield _table(spent, anyway)


def _ask(doors: Doors, meter: Meter, size: int, count: int) -> None:
    """So many lists of payments of one length, from their prices to the book."""
    agents, at_once = doors.agents, max(1, min(AT_ONCE, TARGET_SIZE // size))
    for start in range(0, count, at_once):
        lists = range(min(at_once, count - start))
        over = partial(meter.over, payments=size * len(lists))
        quotes = over("quote", work=lambda lists=lists: [agents.quote(size) for _ in lists])
        planned = [agents.planned(each) for each in quotes]
        decided = over(
            "screen", work=lambda asked=planned: [[agents.screen(side, each) for each in asked] for side in (0, 1)]
        )
        terms = [_agreed(*each) for each in zip(planned, *decided, strict=True)]
        priced = list(zip(terms, quotes, strict=True))
        over("reserve", work=lambda asked=priced: [agents.reserve(*each) for each in asked])
        requests = agents.batches(terms)
        attested = over(
            "attest", work=lambda asked=requests: [(agents.attest(0, each), agents.attest(1, each)) for each in asked]
        )
        cosigned = over("co-sign", work=lambda asked=requests: [agents.cosign(each) for each in asked])

        def settle(signed: Sequence[Sequence[object]] = (requests, attested, cosigned)) -> None:
            block = agents.settle(*signed)  # type: ignore[arg-type]
            agents.until(lambda: doors.followed(block))

        over("book", work=settle)


def _agreed(planned: Sequence[Payment], own: Sequence[object], others: Sequence[object]) -> list[PaymentTerms]:
    """The terms with both sides' commitments."""
    return [
        replace(
            payment.terms,
            debtor_commitment=debtor.party_commitment,
            debtor_decision=debtor.decision_commitment,
            creditor_commitment=creditor.party_commitment,
            creditor_decision=creditor.decision_commitment,
        )
        for payment, debtor, creditor in zip(planned, own, others, strict=True)
    ]


def _table(spent: Mapping[int, Mapping[tuple[str, str], float]], anyway: Mapping[str, float]) -> Table:
    rows: list[tuple[object, ...]] = []
    for step, processes in STEPS.items():
        for process in processes:
            rows.append((f"{step}: {process}", *(each[step, process] for each in spent.values()), ""))
    for process, (steps, target) in SUMS.items():
        sums = {size: sum(each[step, process] for step in steps) for size, each in spent.items()}
        judged = verdict(sums[TARGET_SIZE], target) if TARGET_SIZE in sums else ""
        rows.append((f"{' + '.join(steps)}: {process}", *sums.values(), judged))
    columns = ("ms of processor time a payment", *(f"in lists of {size}" for size in spent), "target, longest lists")
    idle = ", ".join(f"{name} {1000 * each:.1f}" for name, each in anyway.items())
    note = (
        f"The median of all goes. {len(_customers())} customers pay again and again; a list is one request, one batch. "
        f"Left out, because it is spent without payments too, in ms a second: {idle}."
    )
    return Table("Compliance and bridge, door by door", columns, tuple(rows), note)


@contextmanager
def _doors() -> Iterator[Doors]:
    PLACE.mkdir(parents=True, exist_ok=True)
    path = Path(tempfile.mkdtemp(prefix="lists-", dir=PLACE))
    folder = found(path)
    processes = Processes(folder, tied=True)
    try:
        processes.start([CHAIN])
        processes.wait([CHAIN])
        client = folder.chain()
        deploy(folder, client)
        processes.start(SERVICES)
        admit(folder, client)
        issue(folder, client)
        processes.wait(SERVICES)
        yield Doors(folder, processes.pids(), Agents(folder, client, _customers()))
    finally:
        processes.stop_all()
        shutil.rmtree(path)


def _customers() -> list[Party]:
    """A hundred people, with given names and family names of the cast anew together: none is on a list."""
    known = [each for each in CUSTOMERS if each.country == "CN"]
    names = [(first.name.split(), last.name.split()) for first in known for last in known]
    people = []
    for number in range(100):
        first, last = names[number % len(names)]
        born = known[number % len(known)].birth_date
        people.append(Party(" ".join([*first[:-1], last[-1]]), "person", "CN", born, "CN", f"account-{number}"))
    return people


def _last_block(folder: NetworkFolder, service: str) -> int:
    with looking(folder.database(service)) as connection:
        return int(connection.exec_driver_sql("SELECT coalesce(max(number), 0) FROM final_blocks").scalar_one())


def _spent_anyway(pids: Mapping[str, int]) -> dict[str, float]:
    """Seconds of processor time a second that each service spends while nobody asks."""
    before = {name: _processor_time(pids[name]) for name in SERVICES}
    start = time.monotonic()
    time.sleep(IDLE_SECONDS)
    lasted = time.monotonic() - start
    return {name: (_processor_time(pids[name]) - began) / lasted for name, began in before.items()}


def _processor_time(pid: int) -> float:
    """Seconds that a process has run, of all its threads, to the nanosecond (clock_getcpuclockid(3))."""
    return time.clock_gettime(~pid << 3 | 2)
