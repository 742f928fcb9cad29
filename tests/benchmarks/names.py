"""Screening of names against 100,000 listed ones: how long a question takes on one core, how much memory, and the bars
of recall on larger samples than the tests take."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

from compliance.lists.entries import ListEntry
from compliance.names.match import NameIndex
from contracts.terms.parties import Party
from serving.lasting import spare_what_lasts
from tests.benchmarks.tables import Table, verdict
from tests.names import bars, clerks, sources, variants

NAMES, QUESTIONS, AGAIN = 100_000, 4_000, 20_000
P50, P99, PER_SECOND, MEMORY = 2.0, 5.0, 450.0, 1_536.0
"""Milliseconds, milliseconds, questions a second, MiB."""

STRANGERS, EACH = 6_000, 300


def tables() -> Iterator[Table]:
    if not sources.present():
        yield Table("Names: skipped, the shared data is absent", ("what",), ())
        return
    yield _speed()
    yield _recall()


def _speed() -> Table:
    before, start = _resident(), time.process_time()
    entries = _many()
    index = NameIndex(entries)
    spare_what_lasts()  # as a service does when lists come into force
    built = time.process_time() - start
    names = sum(1 + len(entry.aliases) for entry in entries)
    times = sorted(_taken(index, party) for party in _asked())
    again = [Party(f"Somchai Jaidee {number % 50}", "person") for number in range(AGAIN)]
    start = time.process_time()
    for party in again:
        index.matches(party)
    known = (time.process_time() - start) / AGAIN
    p50, p99, rate = 1e3 * times[len(times) // 2], 1e3 * times[len(times) * 99 // 100], len(times) / sum(times)
    memory = _resident() - before
    return Table(
        f"Names: {names:,} listed, one core",
        ("what", "figure", "target"),
        (
            ("half of the questions, ms", p50, verdict(p50, P50)),
            ("99 of 100 questions, ms", p99, verdict(p99, P99)),
            ("new names a second", rate, f">= {PER_SECOND:,g}: {'holds' if rate >= PER_SECOND else 'MISSED'}"),
            ("a name seen before, µs", 1e6 * known, ""),
            ("memory, MiB", memory, verdict(memory, MEMORY)),
            ("built in, s", built, ""),
        ),
        note="processor time; half of the questions are customers on no list, half spoiled listed names",
    )


def _many() -> list[ListEntry]:
    """OFAC's and the UN's lists, and made-up names until there are enough."""
    entries = [*sources.ofac_2026(), *sources.un_entries()]
    missing = NAMES - sum(1 + len(entry.aliases) for entry in entries)
    made_up = sources.customers(training=True) + sources.customers(training=False)
    entries += [
        ListEntry("MADE UP", str(number), "person", each.name, (), (), ())
        for number, each in enumerate(made_up[:missing])
    ]
    return entries


def _asked() -> list[Party]:
    dice = random.Random(bars.SEED)
    spoiled = [
        query.party
        for kind in ("person", "organization")
        for each in bars.perturbed(kind, EACH).values()
        for query in each
    ]
    asked = bars.strangers(QUESTIONS // 2) + dice.sample(spoiled, min(len(spoiled), QUESTIONS // 2))
    return dice.sample(asked, len(asked))


def _taken(index: NameIndex, party: Party) -> float:
    start = time.thread_time()
    index.matches(party)
    return time.thread_time() - start


def _recall() -> Table:
    index = NameIndex(sources.ofac_2026(), least=0)
    least = bars.threshold(index, bars.strangers(STRANGERS), 0.01)
    rows = [
        (f"{kind}, {name} ({made})", bars.recall(index, queries, least))
        for kind in ("person", "organization")
        for made, by in (("variants", variants), ("clerks", clerks))
        for name, queries in bars.perturbed(kind, EACH, by).items()
    ]
    delisted = bars.delisted()
    rows += [
        (
            "delisted organisations taken for a listed one",
            sum(bars.top(index, each) >= least for each in delisted) / len(delisted),
        )
    ]
    native = bars.threshold(index, bars.strangers(STRANGERS, native=True), 0.02)
    rows += [(f"persons, {script}", bars.recall(index, made(EACH), native)) for script, made in bars.SCRIPTS.items()]
    pairs, entities = bars.name_bench(), bars.entity_bench()
    rows += [
        ("name_bench: average precision", pairs.average_precision),
        ("name_bench: best F1", pairs.best_f1),
        ("name_bench: recall at precision .95", pairs.recall_at(0.95)),
        ("entity_bench: accuracy", entities.best_accuracy()),
        ("entity_bench: recall at precision .90", entities.recall_at(0.90)),
        ("UN fixtures, treated, at first rank", bars.un_at_first_rank(treated=True)),
    ]
    return Table(
        "Names: found, at 1 % of customers reported (2 % for other scripts)",
        ("what", "share"),
        tuple(rows),
        note=f"{STRANGERS:,} customers, {EACH} names a kind; whole list of OFAC",
    )


def _resident() -> float:
    """MiB of this process."""
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1024
