"""A reservation's life, declared once: the database check, the repository and the tests derive from this table."""

from __future__ import annotations

from enum import StrEnum

from contracts.terms.errors import WrongState


class State(StrEnum):
    """RESERVED: the stock is set aside. SIGNED: co-signed in a batch that may settle. Only final blocks decide."""

    RESERVED = "reserved"
    SIGNED = "signed"
    SETTLED = "settled"
    RELEASED = "released"


class Event(StrEnum):
    """What moves a reservation. `drop`: every batch that holds it is dead. `expire`: so it is, past its deadline."""

    SIGN = "sign"
    DROP = "drop"
    SETTLE = "settle"
    RELEASE = "release"
    EXPIRE = "expire"


TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.RESERVED, Event.SIGN): State.SIGNED,
    (State.RESERVED, Event.RELEASE): State.RELEASED,
    (State.RESERVED, Event.EXPIRE): State.RELEASED,
    (State.SIGNED, Event.DROP): State.RESERVED,
    (State.SIGNED, Event.SETTLE): State.SETTLED,
}
"""A signed reservation that is over is dropped first and expires then: it never goes while a batch may settle."""

LIVE = (State.RESERVED, State.SIGNED)
"""The states in which a reservation counts against the stock and the counterparty's caps."""


def advance(state: State, event: Event) -> State:
    """The state after `event`. Raises WrongState when the table has no such way."""
    target = TRANSITIONS.get((state, event))
    if target is None:
        raise WrongState(f"a reservation that is {state} cannot {event}", state=state.value, event=event.value)
    return target
