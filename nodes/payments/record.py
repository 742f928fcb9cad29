"""One payment as this institution knows it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

from contracts.terms.commitments import payment_leaf, quotes_hash
from contracts.terms.identifiers import Address
from contracts.terms.money import Money
from contracts.terms.parties import Party
from contracts.terms.payment import Leg, PaymentTerms, State
from contracts.terms.quote import Quote

UNKNOWN = bytes(32)
"""A commitment or decision that its side has not made yet."""


@dataclass(frozen=True)
class PaymentRecord:
    """A payment at the debtor agent (`side` "debtor") or at the creditor agent ("creditor").

    `account` is the customer's or the merchant's; `source` what the debtor agent gives, `target` what the creditor
    agent gets; `fee` (source currency) what the customer pays the debtor agent on top. `deadline` is chain time.
    `attempt` counts how often it was priced: it rises when a held payment is released. `most` is what the customer
    accepted to pay in all, tolerance included; `held_by` the institution whose officers hold it; `original_uetr` the
    payment that this one returns, or empty; `contract` the Settlement that its quote was signed for, where this is the
    debtor agent.
    """

    uetr: str
    side: str
    state: State
    account: str
    debtor_agent: Address
    creditor_agent: Address
    provider: Address
    source: Money
    target: Money
    fee: int
    payee_key: str
    reference: str
    debtor: Party
    creditor: Party
    quote: Quote
    quote_signature: bytes
    deadline: int
    accepted_at: int
    debtor_commitment: bytes = UNKNOWN
    debtor_decision: bytes = UNKNOWN
    creditor_commitment: bytes = UNKNOWN
    creditor_decision: bytes = UNKNOWN
    original_uetr: str = ""
    attempt: int = 0
    held_by: Address = ""
    most: int = 0
    reason: str = ""
    detail: str = ""
    contract: Address = ""

    @property
    def earmark(self) -> int:
        """What is set aside on the customer's account: the source amount and the fee."""
        return self.source.minor + self.fee

    @property
    def legs(self) -> tuple[Leg, Leg]:
        """Debtor agent to FX provider in one currency, FX provider to creditor agent in the other."""
        return (
            Leg(self.debtor_agent, self.provider, self.source.currency.numeric, self.source.minor),
            Leg(self.provider, self.creditor_agent, self.target.currency.numeric, self.target.minor),
        )

    @cached_property
    def terms(self) -> PaymentTerms:
        """The terms as far as they are known; complete once both sides have screened."""
        return PaymentTerms(
            uetr=self.uetr,
            debtor_agent=self.debtor_agent,
            creditor_agent=self.creditor_agent,
            legs=self.legs,
            quotes_hash=_hash_of(self.quote),
            debtor_commitment=self.debtor_commitment,
            creditor_commitment=self.creditor_commitment,
            debtor_decision=self.debtor_decision,
            creditor_decision=self.creditor_decision,
            deadline=self.deadline,
            original_uetr=self.original_uetr,
        )

    @cached_property
    def leaf(self) -> bytes:
        """The hash of the terms, as a batch's tree and an agreement's have it."""
        return payment_leaf(self.terms)


@lru_cache(maxsize=8192)
def _hash_of(quote: Quote) -> bytes:
    """Each step of a payment asks for it anew."""
    return quotes_hash([quote])
