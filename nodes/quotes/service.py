"""From a scanned code to an exact price: read it, find the payee, ask every FX provider."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from contracts.terms.documents import from_document, to_document
from contracts.terms.errors import BadAmount, Conflict, NotFound, QuoteAlreadyUsed, QuoteExpired, Unsupported
from contracts.terms.identifiers import Address
from contracts.terms.money import Currency, Money, currency, payable
from contracts.terms.parties import Party
from contracts.terms.quote import Quote
from nodes import qr
from nodes.accounts import service as accounts
from nodes.context import NodeContext
from nodes.peers.client import Payee
from nodes.quotes import repository
from nodes.quotes.payees import find_payee
from nodes.quotes.pricing import price_payment
from serving.jsontext import dump, load

USED = "this quote paid another payment; ask for a new one"


@dataclass(frozen=True)
class PriceRequest:
    """What the customer scanned; `amount` (minor units of the merchant's currency) only where the code has none."""

    caller: str
    account: str
    code: str
    amount: int | None


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


def quote(node: NodeContext, request: PriceRequest) -> CustomerQuote:
    """Price a scanned code firmly, and remember the price until it expires.

    Raises what is wrong with the code, the account, the payee or the amount; NoPrice when no
    provider has a price, PeerUnavailable when none answers.
    """
    node.require_chain()
    with node.database.read() as connection:
        account = accounts.find_own(connection, request.account, request.caller)
    code = qr.read(request.code)
    target = Money(payable(_amount(code, request.amount)), code.currency)
    agent, payee = find_payee(node, code)
    return quote_payee(node, request.caller, account, agent.account, payee, target, code.reference.of_payment)


def quote_payee(
    node: NodeContext,
    caller: str,
    account: accounts.Account,
    creditor_agent: Address,
    payee: Payee,
    target: Money,
    reference: str,
) -> CustomerQuote:
    """Price an amount to a known payee, and remember the price until it expires.

    Raises Unsupported, Conflict, NoPrice, PeerUnavailable.
    """
    if target.currency == account.currency:
        raise Unsupported("the payee holds the account's own currency; this network settles cross-currency payments")
    if payee.currency != target.currency.numeric:
        raise Conflict("the code's currency is not the one that the merchant is paid in")
    price = price_payment(node, account.currency, target)
    priced = CustomerQuote(
        id=str(uuid.uuid4()),
        account=account.id,
        creditor_agent=creditor_agent,
        payee_key=payee.lookup_key,
        payee=payee.party,
        reference=reference,
        fee=price.fee,
        quote=price.firm.quote,
        signature=price.firm.signature,
        rate=price.firm.rate,
        rate_date=price.firm.rate_date,
        expires=price.firm.quote.expires - node.settings.payment_lifetime,
        contract=price.contract,
    )
    node.database.write(lambda connection: _remember(connection, caller, priced))
    return priced


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


def _remember(connection: Connection, caller: str, priced: CustomerQuote) -> None:
    values = vars(priced) | {
        "caller": caller,
        "payee": dump(to_document(priced.payee)),
        "quote": dump(to_document(priced.quote)),
    }
    repository.add(connection, **values)
