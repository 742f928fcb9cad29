"""The table of a payment's life, held against the promises it must keep."""

from __future__ import annotations

import itertools

import pytest

from contracts.terms.errors import WrongState
from contracts.terms.payment import TRANSITIONS, Event, State, advance

FINAL = {State.SETTLED, State.REFUSED, State.EXPIRED, State.CANCELLED}


def reachable(start: State, without: frozenset[Event] = frozenset()) -> set[State]:
    found, waiting = {start}, [start]
    while waiting:
        state = waiting.pop()
        following = {
            target for (source, event), target in TRANSITIONS.items() if source is state and event not in without
        }
        waiting += following - found
        found |= following
    return found


def test_every_state_is_reachable_from_accepted() -> None:
    assert reachable(State.ACCEPTED) == set(State)


def test_nothing_leads_out_of_a_final_state() -> None:
    assert {state for state in State if state.final} == FINAL
    assert all(not reachable(state) - {state} for state in FINAL)


@pytest.mark.parametrize("state", sorted(set(State) - FINAL))
def test_time_alone_ends_every_other_state(state: State) -> None:
    """Promise 4: every earmark ends on time, without anyone's help."""
    assert advance(state, Event.EXPIRE) is State.EXPIRED


@pytest.mark.parametrize(("state", "event"), sorted(set(itertools.product(State, Event)) - set(TRANSITIONS)))
def test_a_way_that_the_table_has_not_is_refused(state: State, event: Event) -> None:
    with pytest.raises(WrongState) as refusal:
        advance(state, event)
    assert refusal.value.fields == {"state": state.value, "event": event.value}


def test_a_payment_settles_only_out_of_committing() -> None:
    assert [source for (source, _), target in TRANSITIONS.items() if target is State.SETTLED] == [State.COMMITTING]


def test_nothing_settles_unscreened() -> None:
    """Promise 2: without the answer *clear* (at once or by an officer's release) no way leads to settled."""
    assert State.SETTLED not in reachable(State.ACCEPTED, frozenset({Event.CLEAR, Event.RELEASE}))


def test_paid_and_cancelled_is_unreachable() -> None:
    """Once a signature of this institution may be out, neither its customer nor its officers can end the payment."""
    for state in (State.AGREED, State.COSIGNING, State.COMMITTING):
        for event in (Event.CANCEL, Event.REFUSE):
            with pytest.raises(WrongState):
                advance(state, event)


def test_iso_statuses_tell_the_end_from_the_way() -> None:
    """ExternalPaymentTransactionStatus1Code: ACSC, RJCT and CANC are ends, everything else is on its way."""
    assert {state for state in State if state.iso20022 in {"ACSC", "RJCT", "CANC"}} == FINAL
    assert State.SETTLED.iso20022 == "ACSC"
    assert {state.iso20022 for state in State} - {"ACSC", "RJCT", "CANC"} == {"RCVD", "PDNG", "ACTC", "ACSP"}
