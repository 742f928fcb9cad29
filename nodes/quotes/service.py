"""From a scanned code to an exact price: read it, find the payee, ask every FX provider."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row

from contracts.terms.documents import from_document, to_document
from contracts.terms.errors import (
    BadAmount,
    Conflict,
    FeiqianError,
    NotFound,
    QuoteAlreadyUsed,
    QuoteExpired,
    Unsupported,
)
from contracts.terms.identifiers import Address
from contracts.terms.money import Currency, Money, currency, parse_minor, payable
from contracts.terms.parties import Participant, Party
from contracts.terms.quote import Quote
from nodes import qr
from nodes.accounts import service as accounts
from nodes.context import NodeContext
from nodes.peers.client import Payee
from nodes.quotes import repository
from nodes.quotes.payees import find_payees, only_agent
from nodes.quotes.pricing import Price, Wanted, price_payments
from serving.jsontext import dump, load

USED = "this quote paid another payment; ask for a new one"


@dataclass(frozen=True)
class PriceRequest:
    """What the customer scanned; `amount` (digits: minor units of the merchant's currency) where the code has none."""

    caller: str
    account: str
    code: str
    amount: str | None


@dataclass(frozen=True)
class CustomerQuote:
    """What the customer is shown. `fee` is in the currency of the source; `expires` is chain time in seconds;
    `contract` is the Settlement that the price was signed for."""

    id: str
    account: str
    creditor_agent: str
    payee_key: str
    payee: Party
    reference: str
    fee: int
    quote: Quote
    signature: bytes
    rate: str
    rate_date: str
    expires: int
    contract: Address

    @property
    def source_currency(self) -> Currency:
        return currency(self.quote.source_currency)

    @property
    def target_currency(self) -> Currency:
        return currency(self.quote.target_currency)

    @property
    def total(self) -> int:
        """What the customer pays, in minor units of the source currency."""
        return self.quote.source_amount + self.fee


@dataclass(frozen=True)
class Purchase:
    """An amount to a known payee that `caller` wants to pay from its account."""

    caller: str
    account: accounts.Account
    creditor_agent: Address
    payee: Payee
    target: Money
    reference: str


def quote(node: NodeContext, request: PriceRequest) -> CustomerQuote:
    """Price a scanned code firmly, and remember the price until it expires.

    Raises what is wrong with the code, the account, the payee or the amount; NoPrice when no
    provider has a price, PeerUnavailable when none answers, Busy when a payment could not settle in time now.
    """
    return _one(quote_all(node, [request]))


def quote_all(node: NodeContext, requests: Sequence[PriceRequest]) -> list[CustomerQuote | FeiqianError]:
    """As `quote` for each: its price, or its refusal, which stops no other. Each peer is asked with one list.

    Raises ChainUnavailable, Unavailable for all.
    """
    node.require_chain()
    with node.database.read() as connection:
        held = accounts.find_all(connection, {request.account for request in requests})
    node.admission.look(node.database)
    scanned = [_scan(node, request, held) for request in requests]
    found = iter(find_payees(node, [each.code for each in scanned if isinstance(each, _Scanned)]))
    purchases = [
        each if isinstance(each, FeiqianError) else _purchase(request, each, next(found))
        for request, each in zip(requests, scanned, strict=True)
    ]
    return _price_all(node, purchases)


def quote_purchase(node: NodeContext, purchase: Purchase) -> CustomerQuote:
    """Price an amount to a known payee, and remember the price until it expires.

    Raises Unsupported, Conflict, NoPrice, PeerUnavailable.
    """
    return _one(_price_all(node, [purchase]))


def _one(answers: Sequence[CustomerQuote | FeiqianError]) -> CustomerQuote:
    [answer] = answers
    if isinstance(answer, FeiqianError):
        raise answer
    return answer


@dataclass(frozen=True)
class _Scanned:
    """A code that was read, the account that pays, and the exact amount."""

    code: qr.PaymentCode
    account: accounts.Account
    target: Money


def _scan(node: NodeContext, request: PriceRequest, held: Mapping[str, accounts.Account]) -> _Scanned | FeiqianError:
    try:
        account = accounts.own(held.get(request.account), request.account, request.caller)
        code = qr.read_to_pay(request.code)
        for agent in only_agent(node, code):
            node.admission.require_room(agent.account)
        asked = None if request.amount is None else parse_minor(request.amount)
        return _Scanned(code, account, Money(payable(_amount(code, asked)), code.currency))
    except FeiqianError as refusal:
        return refusal


def _purchase(
    request: PriceRequest, scanned: _Scanned, found: tuple[Participant, Payee] | FeiqianError
) -> Purchase | FeiqianError:
    if isinstance(found, FeiqianError):
        return found
    agent, payee = found
    reference = scanned.code.reference.of_payment
    return Purchase(request.caller, scanned.account, agent.account, payee, scanned.target, reference)


def _price_all(node: NodeContext, purchases: Sequence[Purchase | FeiqianError]) -> list[CustomerQuote | FeiqianError]:
    checked = [_check(each) if isinstance(each, Purchase) else each for each in purchases]
    sound = [each for each in checked if isinstance(each, Purchase)]
    prices = iter(price_payments(node, [Wanted(each.account.currency, each.target) for each in sound]))
    answers = [_quoted(node, each, next(prices)) if isinstance(each, Purchase) else each for each in checked]
    kept = [(p.caller, a) for p, a in zip(checked, answers, strict=True) if isinstance(p, Purchase) and _is_quote(a)]
    if kept:
        node.gatherer.ask("quotes", kept, partial(_remember_all, node))
    return answers


def _check(purchase: Purchase) -> Purchase | FeiqianError:
    if purchase.target.currency == purchase.account.currency:
        return Unsupported("the payee holds the account's own currency; this network settles cross-currency payments")
    if purchase.payee.currency != purchase.target.currency.numeric:
        return Conflict("the code's currency is not the one that the merchant is paid in")
    return purchase


def _quoted(node: NodeContext, purchase: Purchase, price: Price | FeiqianError) -> CustomerQuote | FeiqianError:
    if isinstance(price, FeiqianError):
        return price
    return CustomerQuote(
        id=str(uuid.uuid4()),
        account=purchase.account.id,
        creditor_agent=purchase.creditor_agent,
        payee_key=purchase.payee.lookup_key,
        payee=purchase.payee.party,
        reference=purchase.reference,
        fee=price.fee,
        quote=price.firm.quote,
        signature=price.firm.signature,
        rate=price.firm.rate,
        rate_date=price.firm.rate_date,
        expires=price.firm.quote.expires - node.settings.payment_lifetime,
        contract=price.contract,
    )


def _is_quote(answer: CustomerQuote | FeiqianError) -> bool:
    return isinstance(answer, CustomerQuote)


@dataclass(frozen=True)
class Offered:
    """A quote that was given to `caller`, and the payment that took it, if one did."""

    priced: CustomerQuote
    caller: str
    used_by: str | None


def find_all(connection: Connection, ids: Collection[str]) -> dict[str, Offered]:
    """Quotes by identifier."""
    return {row.id: Offered(_priced(row), row.caller, row.used_by) for row in repository.find_all(connection, ids)}


def usable(offered: Offered | None, caller: str, now: int, contract: Address) -> CustomerQuote:
    """The quote, if a payment may take it; `contract` is the Settlement in office. Raises NotFound, QuoteExpired,
    QuoteAlreadyUsed."""
    if offered is None or offered.caller != caller:
        raise NotFound("there is no such quote of yours; ask for a new one")
    priced = offered.priced
    if priced.expires < now:
        raise QuoteExpired("the price was valid until an earlier time; ask for a new quote")
    if priced.contract not in (contract, ""):
        raise QuoteExpired("the price was given before the network's contracts were upgraded; ask for a new quote")
    if offered.used_by is not None:
        raise QuoteAlreadyUsed(USED)
    return priced


def use_all(connection: Connection, uses: Mapping[str, str]) -> None:
    """Give quotes that are usable in this transaction to payments: UETRs by quote."""
    used = repository.use_all(connection, uses)
    assert used, "a quote that is unused in this transaction stays so until its end"


def _priced(row: Row[Any]) -> CustomerQuote:
    return CustomerQuote(
        id=row.id,
        account=row.account,
        creditor_agent=row.creditor_agent,
        payee_key=row.payee_key,
        payee=from_document(Party, load(row.payee)),
        reference=row.reference,
        fee=row.fee,
        quote=from_document(Quote, load(row.quote)),
        signature=row.signature,
        rate=row.rate,
        rate_date=row.rate_date,
        expires=row.expires,
        contract=row.contract,
    )


def _amount(code: qr.PaymentCode, asked: int | None) -> int:
    if code.amount is None:
        if asked is None:
            raise BadAmount("the code names no amount; send one")
        return asked
    if asked not in (None, code.amount) and not code.amount_editable:
        raise BadAmount("the code names another amount, which the payer cannot change")
    return code.amount if asked is None else asked


def _remember_all(node: NodeContext, kept: Sequence[tuple[str, CustomerQuote]]) -> list[None]:
    """Remember each caller's quote until it expires."""
    rows = [
        vars(priced)
        | {"caller": caller, "payee": dump(to_document(priced.payee)), "quote": dump(to_document(priced.quote))}
        for caller, priced in kept
    ]
    node.database.write(lambda connection: repository.add_all(connection, rows))
    return [None] * len(kept)
