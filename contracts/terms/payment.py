"""One payment: its terms, its states, and the only ways from one state to the next."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from contracts.terms.errors import WrongState
from contracts.terms.identifiers import Address, Hash, OptionalUetr, Uetr
from contracts.terms.money import MinorUnits


@dataclass(frozen=True)
class Leg:
    """One movement of a settlement balance: `amount` minor units of an ISO 4217 numeric currency."""

    source: Address
    target: Address
    currency: int
    amount: MinorUnits


@dataclass(frozen=True)
class PaymentTerms:
    """What the agents and the FX provider agree on: the EIP-712 struct `Payment`, the leaf of a batch's tree.

    Hashes and commitments are 32 bytes. `deadline` is in seconds of chain time. `original_uetr` is empty unless
    the payment returns another one.
    """

    uetr: Uetr
    debtor_agent: Address
    creditor_agent: Address
    legs: tuple[Leg, ...]
    quotes_hash: Hash
    debtor_commitment: Hash
    creditor_commitment: Hash
    debtor_decision: Hash
    creditor_decision: Hash
    deadline: int
    original_uetr: OptionalUetr = ""

    def members(self) -> frozenset[Address]:
        """Every institution that the payment names: both agents and whoever stands on a leg."""
        named = {self.debtor_agent, self.creditor_agent}
        return frozenset(named.union(*((leg.source, leg.target) for leg in self.legs)))


class State(StrEnum):
    """Where a payment stands at one institution."""

    ACCEPTED = "accepted"
    HELD = "held"
    SCREENED = "screened"
    AGREED = "agreed"
    COSIGNING = "cosigning"
    COMMITTING = "committing"
    SETTLED = "settled"
    REFUSED = "refused"
    EXPIRED = "expired"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        """True when nothing leads out of this state."""
        return not any(source is self for source, _ in TRANSITIONS)

    @property
    def iso20022(self) -> str:
        """The payment transaction status of pacs.002 (ExternalPaymentTransactionStatus1Code)."""
        return _ISO20022_STATUS[self]


class Event(StrEnum):
    """What moves a payment from one state to the next."""

    CLEAR = "clear"
    HOLD = "hold"
    RELEASE = "release"
    REFUSE = "refuse"
    AGREE = "agree"
    BATCH = "batch"
    SIGN = "sign"
    DROP = "drop"
    SETTLE = "settle"
    EXPIRE = "expire"
    CANCEL = "cancel"


TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.ACCEPTED, Event.CLEAR): State.SCREENED,
    (State.ACCEPTED, Event.HOLD): State.HELD,
    (State.ACCEPTED, Event.REFUSE): State.REFUSED,
    (State.ACCEPTED, Event.EXPIRE): State.EXPIRED,
    (State.ACCEPTED, Event.CANCEL): State.CANCELLED,
    (State.HELD, Event.RELEASE): State.ACCEPTED,
    (State.HELD, Event.REFUSE): State.REFUSED,
    (State.HELD, Event.EXPIRE): State.EXPIRED,
    (State.HELD, Event.CANCEL): State.CANCELLED,
    (State.SCREENED, Event.HOLD): State.HELD,
    (State.SCREENED, Event.AGREE): State.AGREED,
    (State.SCREENED, Event.REFUSE): State.REFUSED,
    (State.SCREENED, Event.EXPIRE): State.EXPIRED,
    (State.SCREENED, Event.CANCEL): State.CANCELLED,
    (State.AGREED, Event.BATCH): State.COSIGNING,
    (State.AGREED, Event.SIGN): State.COMMITTING,
    (State.AGREED, Event.EXPIRE): State.EXPIRED,
    (State.COSIGNING, Event.SIGN): State.COMMITTING,
    (State.COSIGNING, Event.DROP): State.AGREED,
    (State.COSIGNING, Event.EXPIRE): State.EXPIRED,
    (State.COMMITTING, Event.SETTLE): State.SETTLED,
    (State.COMMITTING, Event.DROP): State.AGREED,
    (State.COMMITTING, Event.EXPIRE): State.EXPIRED,
}
"""The whole life of a payment, at the debtor agent and at the creditor agent.

HELD: an officer of either agent's compliance must decide; what is released is priced anew and screened at that price.
COSIGNING: the debtor agent has formed a batch and gathers the members' signatures; its own is not given, so the
batch cannot settle. COMMITTING: this institution's signature is out; only a final block decides. DROP: the batch is
certainly dead (re-formed before the debtor agent signed, or its deadline is past in a final block without it).
"""

_ISO20022_STATUS = {
    State.ACCEPTED: "RCVD",
    State.HELD: "PDNG",
    State.SCREENED: "ACTC",
    State.AGREED: "ACSP",
    State.COSIGNING: "ACSP",
    State.COMMITTING: "ACSP",
    State.SETTLED: "ACSC",
    State.REFUSED: "RJCT",
    State.EXPIRED: "RJCT",
    State.CANCELLED: "CANC",
}


def advance(state: State, event: Event) -> State:
    """The state after `event`. Raises WrongState when the table has no such way."""
    target = TRANSITIONS.get((state, event))
    if target is None:
        raise WrongState(f"a payment that is {state} cannot {event}", state=state.value, event=event.value)
    return target
