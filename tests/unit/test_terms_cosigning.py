"""What a member refuses to sign: each guard tripped alone, from a batch that is otherwise right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from contracts.terms.batch import LANES, MAX_BATCH_LIFETIME, Batch, Position, members_of, net_positions
from contracts.terms.commitments import payment_leaf
from contracts.terms.cosigning import IncludedPayment, check_batch
from contracts.terms.errors import DeadlinePassed, FeiqianError, NotAgreed
from contracts.terms.merkle import InclusionPath, MerkleTree
from contracts.terms.payment import Leg, PaymentTerms

NOW = 1_800_000_000
DEBTOR, CREDITOR, PROVIDER, OTHER, STRANGER = ("0x" + f"{number:040x}" for number in (0x11, 0x22, 0x33, 0x44, 0x55))
CNY, THB = 156, 764


def payment(number: int, creditor: str = CREDITOR, debtor: str = DEBTOR, deadline: int = NOW + 30) -> PaymentTerms:
    mark = bytes([number]) * 32
    legs = (Leg(debtor, PROVIDER, CNY, 100 + number), Leg(PROVIDER, creditor, THB, 500 + number))
    uetr = f"00000000-0000-4000-8000-{number:012d}"
    return PaymentTerms(uetr, debtor, creditor, legs, mark, mark, mark, mark, mark, deadline)


Case = tuple[Batch, list[IncludedPayment]]


def case(payments: list[PaymentTerms], member: str = CREDITOR, deadline: int = NOW + 10) -> Case:
    """A right batch of these payments, and the payments of `member` with their paths."""
    tree = MerkleTree([payment_leaf(terms) for terms in payments])
    batch = Batch(DEBTOR, 0, 7, tree.root, len(payments), members_of(payments), net_positions(payments), deadline)
    own = [IncludedPayment(t, tree.path(index)) for index, t in enumerate(payments) if member in t.members()]
    return batch, own


def good() -> Case:
    return case([payment(1), payment(2, OTHER), payment(3)])


@pytest.mark.parametrize("member", [DEBTOR, CREDITOR, PROVIDER, OTHER])
def test_each_member_accepts_a_right_batch_with_only_its_own_payments(member: str) -> None:
    batch, own = case([payment(1), payment(2, OTHER), payment(3)], member)
    check_batch(batch, own, member, NOW)


@pytest.mark.parametrize("deadline", [NOW, NOW + 1, NOW + MAX_BATCH_LIFETIME])
def test_deadlines_from_now_to_a_batch_lifetime_ahead_are_accepted(deadline: int) -> None:
    check_batch(*case([payment(1)], deadline=deadline), CREDITOR, NOW)


def test_the_last_lane_is_accepted() -> None:
    batch, own = good()
    check_batch(replace(batch, lane=LANES - 1), own, CREDITOR, NOW)


Alter = Callable[[Batch, list[IncludedPayment]], Case]


def _in_batch(**changes: object) -> Alter:
    return lambda batch, own: (replace(batch, **changes), own)  # type: ignore[arg-type]


def _positions(change: Callable[[tuple[Position, ...]], tuple[Position, ...]]) -> Alter:
    return lambda batch, own: (replace(batch, positions=change(batch.positions)), own)


def _more_of_mine(positions: tuple[Position, ...]) -> tuple[Position, ...]:
    return tuple(replace(p, delta=p.delta + 1) if p.account == CREDITOR else p for p in positions)


def _none_of_mine(positions: tuple[Position, ...]) -> tuple[Position, ...]:
    return tuple(p for p in positions if p.account != CREDITOR)


def _one_more_of_mine(positions: tuple[Position, ...]) -> tuple[Position, ...]:
    return (Position(CREDITOR, CNY, -1), *positions)


def _other_terms(**changes: object) -> Alter:
    def alter(batch: Batch, own: list[IncludedPayment]) -> Case:
        return batch, [IncludedPayment(replace(own[0].terms, **changes), own[0].path), *own[1:]]  # type: ignore[arg-type]

    return alter


def _moved(batch: Batch, own: list[IncludedPayment]) -> Case:
    path = own[0].path
    return batch, [replace(own[0], path=InclusionPath(path.index + 1, path.count, path.siblings)), *own[1:]]


def _other_count(batch: Batch, own: list[IncludedPayment]) -> Case:
    path = own[0].path
    return batch, [replace(own[0], path=InclusionPath(path.index, path.count + 1, path.siblings)), *own[1:]]


def _same_payment_twice(batch: Batch, own: list[IncludedPayment]) -> Case:
    """One payment at two places of the tree would move its money twice."""
    return case([payment(1), payment(1)])


def _same_place_twice(batch: Batch, own: list[IncludedPayment]) -> Case:
    return batch, [*own, own[0]]


def _without_a_named_institution(batch: Batch, own: list[IncludedPayment]) -> Case:
    return replace(batch, members=tuple(sorted({CREDITOR, DEBTOR, OTHER}))), own


def _of_another_debtor_agent(batch: Batch, own: list[IncludedPayment]) -> Case:
    return case([payment(1), payment(2, debtor=OTHER)])


def _with_a_short_lived_payment(batch: Batch, own: list[IncludedPayment]) -> Case:
    return case([payment(1), payment(2, deadline=NOW + 9)])


def _of_strangers(batch: Batch, own: list[IncludedPayment]) -> Case:
    """A payment in the tree that does not name this member."""
    return case([payment(1), payment(2, OTHER)], DEBTOR)


def _many_members(batch: Batch, own: list[IncludedPayment]) -> Case:
    crowd = {"0x" + f"{number:040x}" for number in range(0x100, 0x110)}
    return replace(batch, members=tuple(sorted({*batch.members, *crowd}))), own


def _many_positions(batch: Batch, own: list[IncludedPayment]) -> Case:
    return replace(batch, positions=batch.positions + tuple(Position(OTHER, code, 1) for code in range(1, 66))), own


GUARDS: list[tuple[str, Alter, str]] = [
    ("lane below", _in_batch(lane=-1), "lanes 0 to 7"),
    ("lane above", _in_batch(lane=LANES), "lanes 0 to 7"),
    ("too many members", _many_members, "at most 16 members"),
    ("too many positions", _many_positions, "64 positions"),
    ("members not ascending", _in_batch(members=(CREDITOR, DEBTOR, PROVIDER, OTHER)), "ascending"),
    ("members not unique", _in_batch(members=(DEBTOR, CREDITOR, CREDITOR, PROVIDER, OTHER)), "ascending"),
    ("member missing", _in_batch(members=(DEBTOR, PROVIDER, OTHER)), "not among the members"),
    ("debtor agent missing", _in_batch(members=(CREDITOR, PROVIDER, OTHER)), "not among the members"),
    ("too far a deadline", _in_batch(deadline=NOW + MAX_BATCH_LIFETIME + 1), "more than 15 s"),
    ("deadline after a payment's", _with_a_short_lived_payment, "later than that of one of its payments"),
    ("other root", _in_batch(payments_root=b"\0" * 32), "not in the batch's tree"),
    ("other payment count", _in_batch(payment_count=4), "not in the batch's tree"),
    ("other amount", _other_terms(legs=(Leg(DEBTOR, PROVIDER, CNY, 1),)), "not in the batch's tree"),
    ("other decision", _other_terms(creditor_decision=b"\0" * 32), "not in the batch's tree"),
    ("other index", _moved, "not in the batch's tree"),
    ("other count in the path", _other_count, "not in the batch's tree"),
    ("another debtor agent's payment", _of_another_debtor_agent, "another debtor agent's"),
    ("named institution left out", _without_a_named_institution, "not a member of the batch"),
    ("payment of others", _of_strangers, "not a member of the batch"),
    ("none of its payments", lambda batch, own: (batch, []), "no payment of this member"),
    ("one place claimed twice", _same_place_twice, "one place in the tree"),
    ("one payment twice", _same_payment_twice, "twice in the tree"),
    ("own position larger", _positions(_more_of_mine), "not the sum"),
    ("own position left out", _positions(_none_of_mine), "not the sum"),
    ("own position invented", _positions(_one_more_of_mine), "not the sum"),
    ("own payment kept back", lambda batch, own: (batch, own[:1]), "not the sum"),
]


@pytest.mark.parametrize(("alter", "why"), [guard[1:] for guard in GUARDS], ids=[guard[0] for guard in GUARDS])
def test_each_guard_refuses_alone(alter: Alter, why: str) -> None:
    batch, own = alter(*good())
    with pytest.raises(NotAgreed, match=why):
        check_batch(batch, own, CREDITOR, NOW)


def test_a_batch_that_is_over_is_refused_as_such() -> None:
    with pytest.raises(DeadlinePassed):
        check_batch(*case([payment(1)], deadline=NOW - 1), CREDITOR, NOW)


def test_who_is_no_member_signs_nothing() -> None:
    batch, own = good()
    with pytest.raises(FeiqianError):
        check_batch(batch, own, STRANGER, NOW)


def test_the_refused_payment_is_named() -> None:
    batch, own = good()
    with pytest.raises(NotAgreed) as refusal:
        check_batch(replace(batch, payments_root=b"\0" * 32), own, CREDITOR, NOW)
    assert refusal.value.fields == {"uetr": own[0].terms.uetr}
