"""One stretch of load on a network, and what it took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import quantiles

from tests.benchmarks import book, wallets, watch
from tests.benchmarks.city import City
from tests.benchmarks.wallets import Paid, Report, Task

WALLETS = "wallets (load)"


@dataclass(frozen=True)
class Run:
    """A steady state of `seconds` after `lead` seconds of load that do not count. `cpu` is the processor time of each
    process over all of it, in seconds, the wallets' own among them; `loads` are the load averages before and after."""

    name: str
    lead: float
    seconds: float
    report: Report
    cpu: Mapping[str, float]
    loads: tuple[float, float]

    @property
    def begin(self) -> float:
        return self.report.began + self.lead

    @cached_property
    def counted(self) -> list[Paid]:
        """Payments that were due in the steady state."""
        return [paid for paid in self.report.paid if paid.due >= self.begin]

    @cached_property
    def settled(self) -> list[Paid]:
        return [paid for paid in self.counted if paid.ended == "settled"]

    @property
    def per_second(self) -> float:
        """Payments that were seen settled in the steady state, each second."""
        end = self.begin + self.seconds
        seen = [paid.shown for paid in self.report.paid if paid.ended == "settled"]
        return sum(self.begin <= shown <= end for shown in seen) / self.seconds

    @property
    def overall(self) -> float:
        """As `per_second`, from the first scan to the last end: a trial may be shorter than a payment."""
        settled = sum(paid.ended == "settled" for paid in self.report.paid)
        return settled / (self.report.ended - self.report.began)

    @property
    def offered(self) -> float:
        """Payments that were due, each second."""
        return len(self.counted) / self.seconds

    @cached_property
    def latencies(self) -> list[float]:
        """Milliseconds from the scan that was meant to be to the final state shown."""
        return [(paid.shown - paid.due) * 1000 for paid in self.settled]

    @property
    def others(self) -> Counter[str]:
        """How many payments did not settle, and why."""
        return Counter(paid.ended for paid in self.counted if paid.ended != "settled")

    @cached_property
    def uetrs(self) -> set[str]:
        return {paid.uetr for paid in self.settled}

    @property
    def cpu_ms(self) -> Mapping[str, float]:
        """Milliseconds of processor time that each payment took of each process."""
        settled = sum(paid.ended == "settled" for paid in self.report.paid) or 1
        return {process: 1000 * seconds / settled for process, seconds in self.cpu.items()}

    @property
    def cpu_share(self) -> Mapping[str, float]:
        """Hundredths of one core that each process took."""
        lasted = self.report.ended - self.report.began
        return {process: 100 * seconds / lasted for process, seconds in self.cpu.items()}


def load(city: City, name: str, task: Task, lead: float = 0) -> Run:
    """Have the wallets do a task, after `lead` seconds of the same, and look at every process before and after. It
    begins when nothing of another load is under way."""
    book.wait_until_all_ended(city)
    before, began = watch.load(), watch.cpu_seconds(city.processes.pids())
    report = wallets.run(replace(task, seconds=task.seconds + lead))
    after = watch.cpu_seconds(city.processes.pids())
    cpu = {service: after[service] - began[service] for service in after} | {WALLETS: report.cpu}
    lasted = task.seconds or report.ended - report.began
    return Run(name, lead, lasted, report, cpu, (before, watch.load()))


def percentile(values: Sequence[float], hundredth: int) -> float:
    """0 of no values."""
    if len(values) < 2:
        return values[0] if values else 0.0
    return quantiles(values, n=100, method="inclusive")[hundredth - 1]


def steps_of(city: City, run: Run) -> dict[str, list[float]]:
    """Milliseconds that each step took, by payment: what the wallet saw, and between what its bank recorded."""
    moved, wall = book.moved_at(city, run.uetrs), run.report.wall
    steps: dict[str, list[float]] = {}
    for paid in run.settled:
        at = moved[paid.uetr]
        times = {"due": paid.due, "began": paid.began, "quoted": paid.quoted, "accepted": paid.accepted}
        marks = {name: when + wall for name, when in times.items()} | {"shown": paid.shown + wall} | dict(at)
        for name, (first, last) in STEPS.items():
            steps.setdefault(name, []).append((marks[last] - marks[first]) * 1000)
    return steps


STEPS = {
    "begun later than due": ("due", "began"),
    "quote: code, payee, price": ("began", "quoted"),
    "accept: earmark, until recorded": ("quoted", "accept"),
    "screen: debtor side cleared": ("accept", "clear"),
    "agree: creditor side, provider": ("clear", "agree"),
    "batch: wait until one is formed": ("agree", "batch"),
    "co-sign: all members": ("batch", "sign"),
    "commit: block, final, booked": ("sign", "settle"),
    "told: from the book to the wallet": ("settle", "shown"),
    "scan to final": ("due", "shown"),
}
"""Each step with the two marks it lies between; the last is the sum of all."""
