"""The ways in which a batch may be wrong, one at a time. What each is refused for, the model says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from contracts.terms.batch import Batch, Position
from tests.contract.beside.drafts import EDGE, FORMS, LOG_HEAD, Book, pick
from tests.contract.beside.ground import BANKS, CURRENCIES
from tests.contract.beside.wire import address
from tests.contract.model.settlement import Attestation, Endorsement, Settlement, Signed
from tests.contract.model.world import NOBODY, Domain

Misdraft = Callable[[Random, Settlement, Batch], Batch]
Missign = Callable[[Random, Settlement, Signed], Signed]


# Wrong when it was drafted


def place(luck: Random, settlement: Settlement, batch: Batch) -> Batch:
    """Another lane, another place in it, a place that is taken, or too late."""
    taken = [(lane, sequence) for agent, lane, sequence in settlement.batches if agent == batch.debtor_agent]
    lane, sequence = pick(luck, *taken, (batch.lane, batch.sequence + 1))
    return pick(  # type: ignore[no-any-return]
        luck,
        replace(batch, lane=pick(luck, 8, 255)),
        replace(batch, sequence=pick(luck, batch.sequence + 1, 2**64 - 1)),
        replace(batch, lane=lane, sequence=sequence, payment_count=99),
        replace(batch, deadline=settlement.world.now - 1),
        replace(batch, debtor_agent=address("stranger")),
    )


def members(luck: Random, settlement: Settlement, batch: Batch) -> Batch:
    """None, in disorder, twice, without the debtor agent, or with one who stands in no batch."""
    listed, agent = batch.members, batch.debtor_agent
    outsider = address(pick(luck, BANKS[CURRENCIES[0]], "stranger", "applicant_1"))
    return pick(  # type: ignore[no-any-return]
        luck,
        replace(batch, members=()),
        replace(batch, payment_count=0),
        replace(batch, members=listed[::-1]),
        replace(batch, members=(listed[0], *listed)),
        replace(batch, members=tuple(each for each in listed if each != agent)),
        replace(batch, members=(NOBODY, *listed)),
        replace(batch, members=tuple(sorted({*listed, outsider}))),
    )


def positions(luck: Random, settlement: Settlement, batch: Batch) -> Batch:
    """In disorder, twice, of an outsider, or money made of nothing."""
    listed = batch.positions
    outsider = address(pick(luck, BANKS[CURRENCIES[0]], "stranger"))
    return pick(  # type: ignore[no-any-return]
        luck,
        replace(batch, positions=listed[::-1]),
        replace(batch, positions=(*listed[:1], *listed)),
        _with(batch, Position(outsider, pick(luck, *CURRENCIES), pick(luck, 0, 1))),
        _shifted(batch, 0, pick(luck, 1, -1)),
        _shifted(batch, -1, 1),
        _shifted(_shifted(batch, 0, 1), -1, -1),
    )


def liquidity(luck: Random, settlement: Settlement, batch: Batch) -> Batch:
    """One unit more than there is, or all that a position can say."""
    return drained(settlement, batch, pick(luck, *CURRENCIES), pick(luck, 1, EDGE))


def drained(settlement: Settlement, batch: Batch, currency: int, excess: int) -> Batch:
    """All that the debtor agent may pay in a currency and `excess` more, to another member."""
    agent = batch.debtor_agent
    payee = next((each for each in batch.members if each != agent), address("acquirer"))
    moved = min(Book(settlement.ledger).room(agent, currency) + excess, EDGE - 1)
    alone = replace(batch, positions=(), members=tuple(sorted({agent, payee, *batch.members})))
    return _with(alone, Position(agent, currency, -moved), Position(payee, currency, moved))


# Wrong when it was signed, or after


def form(luck: Random, settlement: Settlement, signed: Signed) -> Signed:
    """The other form of the same signature, and what is none."""
    return _respelt(luck, signed, form=pick(luck, *FORMS))


def key(luck: Random, settlement: Settlement, signed: Signed) -> Signed:
    """Somebody else's key, the other purpose's, a dead one."""
    number, one = _drawn(luck, signed)
    keys, member = settlement.participants.keys, signed.batch.members[number]
    known = [each for each in keys if isinstance(each, str)]
    dead = [each for each in known if keys[each].account == member and keys[each].valid_until <= settlement.world.now]
    wrong = pick(luck, *dead * 3, address("nobody's key"), pick(luck, *known), one.settlement.key, one.compliance.key)
    return _respelt(luck, signed, number, key=wrong)


def content(luck: Random, settlement: Settlement, signed: Signed) -> Signed:
    """A signature of something else: another chain, contract or batch; or a batch changed since."""
    number, one = _drawn(luck, signed)
    world = settlement.world
    return pick(  # type: ignore[no-any-return]
        luck,
        _respelt(luck, signed, number, domain=Domain(world.chain_id + 1, settlement.address)),
        _respelt(luck, signed, number, domain=Domain(world.chain_id, settlement.council.address)),
        _respelt(luck, signed, number, content=replace(signed.batch, payment_count=98)),
        _respelt(luck, signed, number, content=replace(one.compliance.content, policy=LOG_HEAD)),  # type: ignore[type-var]
        replace(signed, batch=replace(signed.batch, deadline=signed.batch.deadline + 1)),
        replace(signed, batch=_shifted(_shifted(signed.batch, 0, 1), -1, -1)),
    )


def attestation(luck: Random, settlement: Settlement, signed: Signed) -> Signed:
    """Expired, or saying what its key did not."""
    number, one = _drawn(luck, signed)
    past = settlement.world.now - 1
    said = Attestation(signed.batch, one.policy, one.log_head, past)
    expired = replace(one, valid_until=past, compliance=replace(one.compliance, content=said))
    stretched = replace(expired, valid_until=past + 60)
    return _with_one(signed, number, pick(luck, expired, expired, stretched, replace(one, policy=LOG_HEAD)))


def number(luck: Random, settlement: Settlement, signed: Signed) -> Signed:
    """One endorsement missing, one too many, or each at another's place."""
    all_of_them = signed.endorsements
    wrong = pick(luck, all_of_them[1:], (*all_of_them, all_of_them[0]), all_of_them[::-1])
    return replace(signed, endorsements=wrong)


MISDRAFTS: Sequence[Misdraft] = (place, members, positions, liquidity)
MISSIGNS: Sequence[Missign] = (form, key, content, attestation, number)


def _drawn(luck: Random, signed: Signed) -> tuple[int, Endorsement]:
    number = luck.randint(0, len(signed.endorsements) - 1)
    return number, signed.endorsements[number]


def _with_one(signed: Signed, number: int, changed: Endorsement) -> Signed:
    before, after = signed.endorsements[:number], signed.endorsements[number + 1 :]
    return replace(signed, endorsements=(*before, changed, *after))


def _respelt(luck: Random, signed: Signed, number: int | None = None, **changes: Any) -> Signed:
    """One of a member's two signatures changed."""
    chosen = _drawn(luck, signed)[0] if number is None else number
    one, which = signed.endorsements[chosen], pick(luck, "settlement", "compliance")
    return _with_one(signed, chosen, replace(one, **{which: replace(getattr(one, which), **changes)}))


def _shifted(batch: Batch, place: int, more: int) -> Batch:
    listed = list(batch.positions)
    if listed and abs(listed[place].delta + more) < EDGE:
        listed[place] = replace(listed[place], delta=listed[place].delta + more)
    return replace(batch, positions=tuple(listed))


def _with(batch: Batch, *more: Position) -> Batch:
    ordered = sorted((*batch.positions, *more), key=lambda each: (each.currency, each.account))
    return replace(batch, positions=tuple(ordered))
