"""Who travels in which lane: a peer that delays or spoils batches goes apart from the others.

The common lanes carry the payments of all peers that cause no trouble. A payment that names troubled peers travels
with those that name the same ones. What members signed for a place and was given up is tied to that place: they sign
its payments nowhere else, until a final block has another batch there or is later than the batch's deadline.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from contracts.terms.batch import LANES
from contracts.terms.identifiers import Address
from nodes.payments.record import PaymentRecord

COMMON = range(2)
"""Two lanes, so that the next batch is signed while the last one commits."""
APART = range(2, LANES)
COSIGN_TIMEOUT = 3.0
"""Seconds a member has for its co-signature: a quarter of a batch's lifetime, so that a batch is re-formed in time."""
SLOW = COSIGN_TIMEOUT / 2
"""Seconds after which a member has delayed the others, although it signed."""
QUIET_WHILE = 30.0
"""Seconds without trouble after which a peer travels with the others again."""

_log = structlog.get_logger(__name__)
Company = frozenset[Address]
"""The troubled peers that a batch names; empty for the common lanes."""
NOBODY: Company = frozenset()


class Troubled:
    """The peers that missed a co-sign time-out, were slow, or made a batch revert, not long ago. From any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._until: dict[Address, float] = {}

    def blame(self, peers: Iterable[Address], why: str) -> bool:
        """Remember trouble with these peers; True when one of them caused none before."""
        with self._lock:
            known = self._now()
            new = set(peers) - known
            self._until |= {peer: self._clock() + QUIET_WHILE for peer in {*peers}}
        for peer in sorted(new):
            _log.warning("peer gets a lane of its own", peer=peer, why=why)
        return bool(new)

    def now(self) -> Company:
        with self._lock:
            return self._now()

    def _now(self) -> Company:
        self._until = {peer: until for peer, until in self._until.items() if until > self._clock()}
        return frozenset(self._until)


@dataclass(frozen=True)
class Departure:
    """Payments that may go as one batch in a lane now."""

    lane: int
    company: Company
    payments: tuple[PaymentRecord, ...]


def depart(
    waiting: Sequence[PaymentRecord],
    troubled: Company,
    free: Collection[int],
    tied: Mapping[str, int],
    busy: Collection[object],
) -> list[Departure]:
    """What goes where: at most one batch for each company that is not `busy`, in lanes that are `free`.

    `tied` names the lane of each payment (by UETR) that may go at that lane's next place alone.
    """
    companies: dict[Company, list[PaymentRecord]] = {}
    for payment in waiting:
        companies.setdefault(frozenset(payment.terms.members() & troubled), []).append(payment)
    departures: list[Departure] = []
    left = sorted(free)
    for company in sorted((each for each in companies if each not in busy), key=lambda each: (len(each), sorted(each))):
        lane = _lane(companies[company], company, left, tied)
        if lane is not None:
            left.remove(lane)
            fitting = tuple(each for each in companies[company] if tied.get(each.uetr, lane) == lane)
            departures.append(Departure(lane, company, fitting))
    return departures


def _lane(
    payments: Sequence[PaymentRecord], company: Company, free: Sequence[int], tied: Mapping[str, int]
) -> int | None:
    """The lane that the first of these payments is tied to, else one of the company's kind that nobody is tied to."""
    own = [tied[each.uetr] for each in payments if each.uetr in tied and tied[each.uetr] in free]
    if own:
        return own[0]
    if all(each.uetr in tied for each in payments):
        return None
    taken = set(tied.values())
    return next((lane for lane in (APART if company else COMMON) if lane in free and lane not in taken), None)
