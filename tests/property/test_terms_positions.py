"""A batch's positions are exactly the sum of its payments' legs."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.terms.batch import Batch, Place, members_of, net_positions
from contracts.terms.payment import Leg, PaymentTerms

ACCOUNTS = st.integers(1, 6).map(lambda number: "0x" + f"{number * 0x2B:040x}")
LEGS = st.builds(Leg, ACCOUNTS, ACCOUNTS, st.sampled_from([156, 702, 764]), st.integers(0, 10**15))
PAYMENTS = st.lists(
    st.builds(
        PaymentTerms,
        uetr=st.uuids(version=4).map(str),
        debtor_agent=ACCOUNTS,
        creditor_agent=ACCOUNTS,
        legs=st.lists(LEGS, max_size=3).map(tuple),
        quotes_hash=st.just(b"\1" * 32),
        debtor_commitment=st.just(b"\2" * 32),
        creditor_commitment=st.just(b"\3" * 32),
        debtor_decision=st.just(b"\4" * 32),
        creditor_decision=st.just(b"\5" * 32),
        deadline=st.just(1_000),
    ),
    max_size=6,
)


@settings(max_examples=40)
@given(PAYMENTS)
def test_positions_of_any_payments_sum_to_zero_per_currency(payments: list[PaymentTerms]) -> None:
    sums = Counter[int]()
    for position in net_positions(payments):
        sums[position.currency] += position.delta
    assert not any(sums.values())


@settings(max_examples=40)
@given(PAYMENTS)
def test_positions_stand_in_the_contracts_order_and_move_something(payments: list[PaymentTerms]) -> None:
    positions = net_positions(payments)
    places = [(position.currency, int(position.account, 16)) for position in positions]
    assert all(left < right for left, right in pairwise(places))
    assert all(position.delta for position in positions)


@settings(max_examples=40)
@given(PAYMENTS)
def test_each_position_is_what_came_in_less_what_went_out(payments: list[PaymentTerms]) -> None:
    expected = Counter[tuple[int, str]]()
    for leg in (leg for payment in payments for leg in payment.legs):
        expected[leg.currency, leg.target] += leg.amount
        expected[leg.currency, leg.source] -= leg.amount
    found = {(position.currency, position.account): position.delta for position in net_positions(payments)}
    assert found == {place: delta for place, delta in expected.items() if delta}


@settings(max_examples=40)
@given(PAYMENTS)
def test_members_are_everyone_named_ascending_and_once(payments: list[PaymentTerms]) -> None:
    members = members_of(payments)
    assert [int(member, 16) for member in members] == sorted({int(member, 16) for member in members})
    named = {agent for payment in payments for agent in (payment.debtor_agent, payment.creditor_agent)}
    assert set(members) == named | {end for p in payments for leg in p.legs for end in (leg.source, leg.target)}
    assert {position.account for position in net_positions(payments)} <= set(members)


def test_the_place_of_a_batch_is_the_key_of_its_hash_on_chain() -> None:
    assert Batch("0x1", 2, 3, b"", 1, (), (), 9).place == Place("0x1", 2, 3)
