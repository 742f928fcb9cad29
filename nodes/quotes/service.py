"""From a scanned code to an exact price: read it, find the creditor agent, ask the payee, ask every FX provider."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction

import structlog
from sqlalchemy import Connection

from bridge.client import BridgeClient, FirmQuote, QuoteRequest
from contracts.terms.commitments import quote_hash, typed_digest
from contracts.terms.documents import from_document, to_document
from contracts.terms.errors import (
    BadAmount,
    Conflict,
    FeiqianError,
    NoPrice,
    NotFound,
    PeerUnavailable,
    QuoteAlreadyUsed,
    QuoteExpired,
    UnknownInstitution,
    UnknownMerchant,
    Unsupported,
)
from contracts.terms.money import Currency, currency, payable, round_up
from contracts.terms.parties import Participant, Party, Role
from contracts.terms.quote import Quote
from contracts.terms.signing import recover
from nodes import qr
from nodes.accounts import service as accounts
from nodes.context import NodeContext
from nodes.peers.client import NodeClient, Payee
from nodes.quotes import repository
from serving.client import Peer
from serving.jsontext import dump, load

_log = structlog.get_logger(__name__)
_pool = ThreadPoolExecutor(max_workers=16, thread_name_prefix="ask")


@dataclass(frozen=True)
class PriceRequest:
    """What the customer scanned; `amount` (minor units of the merchant's currency) only where the code has none."""

    caller: str
    account: str
    code: str
    amount: int | None


@dataclass(frozen=True)
class CustomerQuote:
    """What the customer is shown. `fee` is in the currency of the source; `expires` is chain time in seconds."""

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

    Raises what is wrong with the code, the account, the payee or the amount; NoPrice when no provider answers.
    """
    node.require_chain()
    with node.database.read() as connection:
        account = accounts.find_own(connection, request.account, request.caller)
    code = qr.read(request.code)
    target = payable(_amount(code, request.amount))
    if code.currency == account.currency:
        raise Unsupported("the code is in the account's own currency; this network settles cross-currency payments")
    agent, payee = _find_payee(node, code)
    if payee.currency != code.currency.numeric:
        raise Conflict("the code's currency is not the one that the merchant is paid in")
    firm = _best_price(node, account.currency, code.currency, target)
    priced = CustomerQuote(
        id=str(uuid.uuid4()),
        account=account.id,
        creditor_agent=agent.account,
        payee_key=payee.lookup_key,
        payee=payee.party,
        reference=code.reference.bill_number or code.reference.ref1,
        fee=round_up(Fraction(firm.quote.source_amount * node.settings.fee_basis_points, 10_000)).minor,
        quote=firm.quote,
        signature=firm.signature,
        rate=firm.rate,
        rate_date=firm.rate_date,
        expires=firm.quote.expires - node.settings.payment_lifetime,
    )
    node.database.write(lambda connection: _remember(connection, request.caller, priced))
    return priced


def take(connection: Connection, quote_id: str, caller: str, uetr: str, now: int) -> CustomerQuote:
    """Use a quote for a payment, once. Raises NotFound, QuoteExpired, QuoteAlreadyUsed."""
    row = repository.find(connection, quote_id)
    if row is None or row.caller != caller:
        raise NotFound("there is no such quote of yours; ask for a new one")
    if row.expires < now:
        raise QuoteExpired("the price was valid until an earlier time; ask for a new quote")
    if not repository.use(connection, quote_id, uetr):
        raise QuoteAlreadyUsed("this quote paid another payment; ask for a new one")
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
    )


def _amount(code: qr.PaymentCode, asked: int | None) -> int:
    if code.amount is None:
        if asked is None:
            raise BadAmount("the code names no amount; send one")
        return asked
    if asked not in (None, code.amount) and not code.amount_editable:
        raise BadAmount("the code names another amount, which the payer cannot change")
    return code.amount if asked is None else asked


def _find_payee(node: NodeContext, code: qr.PaymentCode) -> tuple[Participant, Payee]:
    """Ask the institution that answers for the code; of a proxy scheme, every member, side by side."""
    unreachable: PeerUnavailable | None = None
    for account in code.accounts:
        kind, _, identifier = account.lookup_key.partition(":")
        agents = [agent for agent in node.directory.answering(kind, identifier) if agent.account != node.account]
        asked = list(_pool.map(lambda agent: _ask_payee(node, agent, account.lookup_key), agents))  # noqa: B023
        for agent, answer in zip(agents, asked, strict=True):
            if isinstance(answer, Payee):
                return agent, answer
            unreachable = answer if isinstance(answer, PeerUnavailable) else unreachable
        if agents and unreachable is None:
            raise UnknownMerchant("the institution that answers for this code does not know the merchant")
    if unreachable is not None:
        raise unreachable
    raise UnknownInstitution("no member of this network answers for this code")


def _ask_payee(node: NodeContext, agent: Participant, lookup_key: str) -> Payee | FeiqianError:
    try:
        return NodeClient(node.peers, Peer(agent.account, agent.endpoint)).payee(lookup_key)
    except FeiqianError as failure:
        return failure


def _best_price(node: NodeContext, source: Currency, target: Currency, amount: int) -> FirmQuote:
    """The cheapest firm quote of all FX providers, asked side by side. Raises NoPrice."""
    request = QuoteRequest(str(uuid.uuid4()), source.numeric, target.numeric, target_amount=amount)
    providers = node.directory.with_role(Role.FX_PROVIDER)
    answers = _pool.map(lambda provider: _ask_price(node, provider, request), providers)
    prices = [answer for answer in answers if answer is not None]
    if not prices:
        raise NoPrice(f"no FX provider sells {target.alpha} for {source.alpha} now; try again later")
    return min(prices, key=lambda price: (price.quote.source_amount, price.quote.provider))


def _ask_price(node: NodeContext, provider: Participant, request: QuoteRequest) -> FirmQuote | None:
    try:
        [answer] = BridgeClient(node.peers, Peer(provider.account, provider.endpoint)).quote([request])
    except FeiqianError as failure:
        _log.warning("no price", provider=provider.account, why=failure.detail)
        return None
    if not isinstance(answer, FirmQuote):
        _log.warning("no price", provider=provider.account, why=answer.detail)
        return None
    return answer if _is_firm(node, provider, request, answer) else None


def _is_firm(node: NodeContext, provider: Participant, request: QuoteRequest, answer: FirmQuote) -> bool:
    """A price counts only if it answers the question, outlives a payment and is signed by the provider's key."""
    quote = answer.quote
    asked = (provider.account, node.account, request.source_currency, request.target_currency, request.target_amount)
    offered = (quote.provider, quote.buyer, quote.source_currency, quote.target_currency, quote.target_amount)
    keys = node.directory.keys(provider.account)
    signer = recover(typed_digest(node.domain, quote_hash(quote)), answer.signature)
    long_enough = quote.expires > node.clock.now() + node.settings.payment_lifetime
    own_key = keys is not None and signer == keys.settlement
    return asked == offered and quote.source_amount > 0 and long_enough and own_key


def _remember(connection: Connection, caller: str, priced: CustomerQuote) -> None:
    values = vars(priced) | {
        "caller": caller,
        "payee": dump(to_document(priced.payee)),
        "quote": dump(to_document(priced.quote)),
    }
    repository.add(connection, **values)


