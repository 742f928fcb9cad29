"""Returns: who may give a payment back through the provider that converted it, how much of it, and at what price.

The price is the original payment's own rate, without a spread. Whatever is given back in parts is rounded as one: all
returns together pay back the exact amount at that rate, rounded down. The fraction of a minor unit that this leaves is
the provider's until the last return, which pays back the rest to the minor unit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from bridge.rates.pricing import Pair, Price
from bridge.reservations.states import State
from contracts.terms.errors import (
    BadAmount,
    LimitExceeded,
    NotAgreed,
    NotFound,
    QuoteExpired,
    Unsupported,
    WrongState,
)
from contracts.terms.identifiers import Address
from contracts.terms.money import Currency, Money, currency, payable
from contracts.terms.payment import PaymentTerms
from contracts.terms.quote import Quote

WRONG_AMOUNT = "AM09"
"""ISO 20022: the amount is not the one agreed or expected, here more than is left of the original."""


@dataclass(frozen=True)
class Original:
    """A payment that the provider converted, and what was given back of it. Amounts are minor units.

    Its debtor agent gave `paid` of `source` and its creditor agent got `received` of `target`. Its returns, settled or
    still reserved, gave back `returned` of `target`, for which `repaid` of `source` went back.
    """

    state: State
    is_return: bool
    debtor_agent: Address
    creditor_agent: Address
    source: Currency
    paid: int
    target: Currency
    received: int
    rate_date: str
    returned: int = 0
    repaid: int = 0

    @property
    def pair(self) -> Pair:
        """The currencies of a return: the original's, the other way round."""
        return Pair(self.target, self.source)

    @property
    def rate(self) -> Fraction:
        """The rate of its returns, target per source in major units: its own, the other way round, exact."""
        return Fraction(self.paid, self.received) * Fraction(10) ** (self.target.decimals - self.source.decimals)

    def after(self, quote: Quote) -> Original:
        """The payment once a return at this quote is reserved too."""
        return replace(self, returned=self.returned + quote.source_amount, repaid=self.repaid + quote.target_amount)


def price_of_return(original: Original, amount: int) -> Price:
    """What giving `amount` minor units back repays. The residue is what this return adds to the provider's; it is
    negative where it gives an earlier one's back.

    Raises LimitExceeded when less is left to return, BadAmount when so little repays nothing.
    """
    returned = original.returned + payable(amount)
    if returned > original.received:
        raise _over(original)
    repaid = original.paid * returned // original.received - original.repaid
    if repaid <= 0:
        raise BadAmount(f"so little repays no {original.source} at the original rate; return more at once")
    exact = Fraction(original.paid * amount, original.received)
    return Price(amount, repaid, exact - repaid, original.source)


def returnable(original: Original | None, asker: Address, pair: Pair) -> Original:
    """`original`, if `asker` may return it in these currencies (given, repaid).

    Raises NotFound, Unsupported, WrongState or NotAgreed.
    """
    if original is None or original.creditor_agent != asker:
        # The same to everybody else: no member learns what others pay each other.
        raise NotFound("no payment to you with this UETR was converted here; ask the provider that converted it")
    if original.is_return:
        # Back and forth at one rate for ever would be an option on the currencies that nobody paid for.
        raise Unsupported("a return is not itself returned; make a new payment")
    if original.state is not State.SETTLED:
        raise WrongState(f"only a settled payment is returned; this one is {original.state}", state=original.state)
    if original.pair != pair:
        raise NotAgreed(f"a return of this payment gives {original.target} back for {original.source}")
    return original


def check_return(original: Original | None, terms: PaymentTerms, quote: Quote) -> None:
    """Refuse a return that does not go from the original's creditor agent back to its debtor agent."""
    pair = Pair(currency(quote.source_currency), currency(quote.target_currency))
    if returnable(original, terms.debtor_agent, pair).debtor_agent != terms.creditor_agent:
        raise NotAgreed("a return goes back to the debtor agent of the original payment")


def check_still_due(original: Original, quote: Quote) -> None:
    """Refuse a return whose price other returns have changed since it was quoted, or that is now more than is left.

    Only so do all returns together pay back exactly what was paid. Raises QuoteExpired or LimitExceeded.
    """
    try:
        due = price_of_return(original, quote.source_amount).target_amount
    except BadAmount:
        due = 0
    if quote.target_amount != due:
        raise QuoteExpired("other returns of the payment came or went meanwhile; ask for a new quote")


def _over(original: Original) -> LimitExceeded:
    left = Money(original.received - original.returned, original.target)
    refusal = LimitExceeded(f"{left} of the original payment are left to return", currency=original.target.alpha)
    refusal.iso_reason = WRONG_AMOUNT
    return refusal
