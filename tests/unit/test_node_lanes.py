"""Who travels in which lane: troubled peers apart, what was given up at its own place, nobody in two batches."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contracts.terms.batch import LANES
from contracts.terms.identifiers import Address
from contracts.terms.money import Money, currency
from contracts.terms.parties import Party
from contracts.terms.payment import State
from contracts.terms.quote import Quote
from nodes.batches.lanes import APART, COMMON, QUIET_WHILE, Troubled, depart
from nodes.payments.record import PaymentRecord

US, SHOP, SLOW, BANK, OTHER_BANK = (Address("0x" + f"{number:02x}" * 20) for number in range(1, 6))
EVERY_LANE = frozenset(range(LANES))
THB, CNY = currency("THB"), currency("CNY")
PARTY = Party("Somchai Jaidee", "person", "TH")
QUOTE = Quote(BANK, US, THB.numeric, 100, CNY.numeric, 20, 99, bytes(32))
PAYMENT = PaymentRecord(
    uetr="",
    side="debtor",
    state=State.AGREED,
    account="somchai",
    debtor_agent=US,
    creditor_agent=SHOP,
    provider=BANK,
    source=Money(100, THB),
    target=Money(20, CNY),
    fee=0,
    payee_key="",
    reference="",
    debtor=PARTY,
    creditor=PARTY,
    quote=QUOTE,
    quote_signature=b"",
    deadline=30,
    accepted_at=0,
)


def paying(uetr: str, creditor_agent: Address = SHOP, provider: Address = BANK) -> PaymentRecord:
    return replace(PAYMENT, uetr=uetr, creditor_agent=creditor_agent, provider=provider)


def gone(*departures: object) -> dict[int, list[str]]:
    return {each.lane: [payment.uetr for payment in each.payments] for each in departures}  # type: ignore[attr-defined]


FOUR = [paying("a"), paying("b", SLOW), paying("c"), paying("d", SLOW, OTHER_BANK)]


def test_without_trouble_all_go_together_in_a_common_lane() -> None:
    assert gone(*depart(FOUR, frozenset(), EVERY_LANE, {}, ())) == {COMMON[0]: ["a", "b", "c", "d"]}
    assert gone(*depart(FOUR, frozenset(), EVERY_LANE - {COMMON[0]}, {}, ())) == {COMMON[1]: ["a", "b", "c", "d"]}


def test_no_common_lane_is_free_while_two_batches_are_under_way() -> None:
    assert depart(FOUR, frozenset(), set(APART), {}, ()) == []


def test_a_troubled_peer_goes_apart_with_its_own_payments_alone() -> None:
    [common, apart] = depart(FOUR, frozenset({SLOW}), EVERY_LANE, {}, ())
    assert gone(common, apart) == {COMMON[0]: ["a", "c"], APART[0]: ["b", "d"]}
    assert (common.company, apart.company) == (frozenset(), {SLOW})


def test_two_troubled_peers_do_not_delay_each_other() -> None:
    sent = depart(FOUR, frozenset({SLOW, OTHER_BANK}), EVERY_LANE, {}, ())
    assert gone(*sent) == {COMMON[0]: ["a", "c"], APART[0]: ["b"], APART[1]: ["d"]}


def test_who_is_busy_waits_and_the_others_go() -> None:
    assert gone(*depart(FOUR, frozenset({SLOW}), EVERY_LANE, {}, {frozenset({SLOW})})) == {COMMON[0]: ["a", "c"]}
    assert gone(*depart(FOUR, frozenset({SLOW}), EVERY_LANE, {}, {frozenset()})) == {APART[0]: ["b", "d"]}


def test_troubled_peers_never_take_a_common_lane() -> None:
    assert gone(*depart(FOUR, frozenset({SLOW}), set(COMMON), {}, ())) == {COMMON[0]: ["a", "c"]}


def test_what_was_given_up_goes_at_its_own_place_alone() -> None:
    """The peer failed a batch in lane 0: the others go there again at once, and its payments wait for that place."""
    tied = {"a": 0, "b": 0, "c": 0, "d": 0}
    assert gone(*depart(FOUR, frozenset({SLOW}), EVERY_LANE, tied, ())) == {0: ["a", "c"]}
    new = [*FOUR, paying("e"), paying("f", SLOW)]
    assert gone(*depart(new, frozenset({SLOW}), EVERY_LANE, tied, ())) == {0: ["a", "c", "e"], APART[0]: ["f"]}


def test_where_nobody_else_waits_the_peer_takes_the_place_and_others_another_lane() -> None:
    spoilt = [paying("b", SLOW)]
    assert gone(*depart(spoilt, frozenset({SLOW}), EVERY_LANE, {"b": 0}, ())) == {0: ["b"]}
    assert gone(*depart([*spoilt, paying("e")], frozenset({SLOW}), EVERY_LANE, {"b": 0}, {frozenset({SLOW})})) == {
        1: ["e"]
    }


@pytest.mark.parametrize("troubled", [(), (SLOW,), (BANK,), (SLOW, BANK), (SLOW, BANK, OTHER_BANK)])
@pytest.mark.parametrize("tied", [{}, {"a": 0}, {"a": 0, "b": 1}, {"a": 3, "b": 3, "c": 3, "d": 3}])
@pytest.mark.parametrize("free", [EVERY_LANE, {0}, {3}, {1, 4}, set()])
def test_nobody_stands_twice_and_no_lane_is_used_twice(
    troubled: tuple[Address, ...], tied: dict[str, int], free: set[int]
) -> None:
    sent = depart(FOUR, frozenset(troubled), free, tied, ())
    uetrs = [payment.uetr for each in sent for payment in each.payments]
    lanes = [each.lane for each in sent]
    assert len(set(uetrs)) == len(uetrs)
    assert len(set(lanes)) == len(lanes)
    assert set(lanes) <= set(free)
    assert all(each.payments for each in sent)
    for each in sent:
        assert all(tied.get(payment.uetr, each.lane) == each.lane for payment in each.payments)
        assert all(payment.terms.members() & frozenset(troubled) == each.company for payment in each.payments)


def test_a_peer_comes_back_after_a_quiet_while() -> None:
    now = [0.0]
    troubled = Troubled(clock=lambda: now[0])
    assert troubled.blame([SLOW], "late")
    now[0] = QUIET_WHILE - 1
    assert not troubled.blame([SLOW], "late again"), "it was troubled already"
    assert troubled.blame([SLOW, BANK], "both late")
    now[0] = QUIET_WHILE + 1
    assert troubled.now() == {SLOW, BANK}
    now[0] = 2 * QUIET_WHILE
    assert troubled.now() == frozenset()
