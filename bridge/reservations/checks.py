"""What a payment must be before the provider sets its currency aside for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bridge.client import ReservationRequest
from contracts.terms.commitments import quotes_hash
from contracts.terms.errors import DeadlinePassed, Forbidden, InsufficientFunds, LimitExceeded, NotAgreed, QuoteExpired
from contracts.terms.identifiers import Address
from contracts.terms.money import Money, currency
from contracts.terms.payment import Leg, PaymentTerms
from contracts.terms.quote import Quote

MAX_RESERVED = 300
"""Seconds of chain time: no stock is set aside for longer."""


def check_request(
    request: ReservationRequest, ours: Quote | None, sender: Address, now: int, original_uetr: str = ""
) -> None:
    """Refuse a payment that is not exactly what `ours`, the quote kept under its nonce, promised to `sender`.

    `original_uetr` is the payment that this quote was given to return, if it was.
    """
    terms, quote = request.terms, request.quote
    if terms.debtor_agent != sender or quote.buyer != sender:
        raise Forbidden("only the debtor agent that bought the quote can have it reserved")
    if quote != ours:
        raise NotAgreed("the quote is not one of ours")
    if quote.expires < now:
        raise QuoteExpired("the quote has expired; ask for a new one")
    if terms.quotes_hash != quotes_hash([quote]):
        raise NotAgreed("the payment does not bind this quote")
    if terms.original_uetr != original_uetr:
        raise NotAgreed("the payment does not return the one that its quote was given for")
    if quote.provider in (terms.debtor_agent, terms.creditor_agent):
        raise NotAgreed("the provider is no agent of a payment that it converts")
    if terms.legs != quoted_legs(terms, quote):
        raise NotAgreed("the legs are not the quoted amounts: source to the provider, target to the creditor agent")
    if terms.deadline <= now:
        raise DeadlinePassed("the payment's deadline has passed")
    if terms.deadline > now + MAX_RESERVED:
        raise NotAgreed(f"the payment's deadline is more than {MAX_RESERVED} s away")


def quoted_legs(terms: PaymentTerms, quote: Quote) -> tuple[Leg, ...]:
    """The legs of a payment that this quote converts."""
    return (
        Leg(terms.debtor_agent, quote.provider, quote.source_currency, quote.source_amount),
        Leg(quote.provider, terms.creditor_agent, quote.target_currency, quote.target_amount),
    )


@dataclass(frozen=True)
class Caps:
    """What one counterparty may have reserved: minor units by currency (none: the stock alone bounds it), and how many
    payments."""

    values: Mapping[int, int]
    unsettled: int


class Capacity:
    """What is left for one counterparty while a list of its payments is decided.

    `available` is stock less everything reserved, `reserved` and `unsettled` are the counterparty's own.
    """

    def __init__(self, caps: Caps, available: Mapping[int, int], reserved: Mapping[int, int], unsettled: int) -> None:
        self._caps = caps
        self._available, self._reserved, self._unsettled = dict(available), dict(reserved), unsettled

    def take(self, code: int, amount: int) -> None:
        """Set `amount` minor units of a currency aside. Raises InsufficientFunds or LimitExceeded, taking nothing."""
        unit = currency(code)
        available, reserved = self._available.get(code, 0), self._reserved.get(code, 0)
        cap = self._caps.values.get(code)
        if self._unsettled >= self._caps.unsettled:
            raise LimitExceeded(f"{self._unsettled} payments are reserved and not yet settled; settle some first")
        if cap is not None and reserved + amount > cap:
            raise LimitExceeded(f"at most {Money(cap, unit)} may be reserved at a time", currency=unit.alpha)
        if amount > available:
            raise InsufficientFunds(f"the provider has not enough {unit.alpha} left", currency=unit.alpha)
        self._available[code] = available - amount
        self._reserved[code] = reserved + amount
        self._unsettled += 1
