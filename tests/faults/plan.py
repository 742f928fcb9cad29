"""What goes wrong on a connection, and when: chosen by a seed, a link's name and the connection's number alone."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """One way in which a network fails."""

    REFUSE = "refuse"
    RESET = "reset"
    CUT = "cut"
    SILENCE = "silence"
    DELAY = "delay"
    DUPLICATE = "duplicate"


"""REFUSE: nobody listens for a while. RESET: the connection is torn down at a byte, without a farewell. CUT: it is
closed in order, at a byte: whoever reads gets half of an answer and its end. SILENCE: nothing more arrives, for longer
than most will wait, then a reset. DELAY: what is sent arrives late. DUPLICATE: some bytes arrive twice."""

ON_CONNECTIONS = tuple(fault for fault in Fault if fault is not Fault.REFUSE)
LONGEST_SILENCE, LONGEST_DELAY = 6.0, 1.0
LONGEST_REFUSAL, BETWEEN_REFUSALS = 0.5, 10.0
MOST_REPEATED = 400


@dataclass(frozen=True)
class Fate:
    """The next fault of a connection: in what comes `after` so many pieces, both directions counted, at that `share`
    of its bytes. `seconds` is how long it lasts; `size` how many bytes before it are repeated, 0 for all that came at
    once; `late` says that they are only before the next piece, when somebody waits for that."""

    after: int
    share: float
    fault: Fault
    seconds: float
    size: int
    late: bool


@dataclass(frozen=True)
class Plan:
    """Faults come every `mean` pieces of a connection on average (a message is one piece or a few), anywhere in them.

    Not every so many bytes: what is long would never arrive, and a network does not see how much it still has to carry.
    """

    seed: int
    mean: int = 60
    faults: Sequence[Fault] = ON_CONNECTIONS

    def fates(self, link: str, number: int) -> Iterator[Fate]:
        """What happens to a link's connection of that number, one after the other."""
        chooses = random.Random(f"{self.seed} {link} {number}")
        while True:
            fault = chooses.choice(self.faults)
            longest = LONGEST_SILENCE if fault is Fault.SILENCE else LONGEST_DELAY
            after, share = int(chooses.expovariate(1 / self.mean)), chooses.random()
            size = chooses.choice((0, chooses.randint(1, MOST_REPEATED)))
            yield Fate(after, share, fault, chooses.uniform(0, longest), size, chooses.random() < 0.5)

    def refusals(self, link: str) -> Iterator[tuple[float, float]]:
        """When nobody listens at a link: seconds until it begins, and for how long."""
        chooses = random.Random(f"{self.seed} {link} refusals")
        for _ in itertools.count():
            yield chooses.expovariate(1 / BETWEEN_REFUSALS), chooses.uniform(0, LONGEST_REFUSAL)
