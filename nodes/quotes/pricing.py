"""Firm prices: asked of every FX provider side by side, believed only when they are signed answers to the question."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction

import structlog

from bridge.client import BridgeClient, FirmQuote, QuoteRequest, Refusal
from contracts.terms.commitments import quote_hash, typed_digest
from contracts.terms.errors import FeiqianError, NoPrice, PeerUnavailable, Refused, Unavailable, WrongState
from contracts.terms.identifiers import Address
from contracts.terms.money import Currency, Money, round_up
from contracts.terms.parties import Participant, Role
from contracts.terms.signing import recover
from nodes.context import NodeContext
from serving.client import Peer

_log = structlog.get_logger(__name__)
_pool = ThreadPoolExecutor(max_workers=16, thread_name_prefix="price")


@dataclass(frozen=True)
class Price:
    """A firm quote, signed for the Settlement `contract`, and the debtor agent's own fee on top, in minor units of the
    source currency."""

    firm: FirmQuote
    fee: int
    contract: Address

    @property
    def total(self) -> int:
        return self.firm.quote.source_amount + self.fee


@dataclass(frozen=True)
class Wanted:
    """What a price is wanted for: `target` for money in `source`."""

    source: Currency
    target: Money

    @property
    def request(self) -> QuoteRequest:
        source, target = self.source.numeric, self.target
        return QuoteRequest(str(uuid.uuid4()), source, target.currency.numeric, target_amount=target.minor)


def price_payment(node: NodeContext, source: Currency, target: Money, provider: Address = "") -> Price:
    """The cheapest firm price of all FX providers for `target`, or of the one named.

    Raises NoPrice, and PeerUnavailable when a provider that might have had one is away: that is no answer for ever.
    """
    [price] = price_payments(node, [Wanted(source, target)], provider)
    if isinstance(price, FeiqianError):
        raise price
    return price


def price_payments(node: NodeContext, wanted: Sequence[Wanted], provider: Address = "") -> list[Price | FeiqianError]:
    """As `price_payment` for each: all that is asked of a provider in the same moment is one list."""
    if not wanted:
        return []
    requests, contract = [each.request for each in wanted], node.office.incumbent
    members = node.directory.with_role(Role.FX_PROVIDER)
    providers = [each for each in members if provider in ("", each.account)]
    answers = list(_pool.map(lambda provider: _ask_all(node, provider, requests, contract), providers))
    return [
        _cheapest(node, each, [of_provider[place] for of_provider in answers], contract)
        for place, each in enumerate(wanted)
    ]


def _cheapest(
    node: NodeContext, wanted: Wanted, answers: Sequence[FirmQuote | FeiqianError], contract: Address
) -> Price | FeiqianError:
    target, source = wanted.target.currency, wanted.source
    prices = [answer for answer in answers if isinstance(answer, FirmQuote)]
    if not prices:
        if any(isinstance(answer, Unavailable) for answer in answers):
            return PeerUnavailable(f"no FX provider answers that sells {target} for {source}; try again")
        return NoPrice(f"no FX provider sells {target} for {source} now; try again later")
    firm = min(prices, key=lambda price: (price.quote.source_amount, price.quote.provider))
    return Price(firm, fee_on(node, Money(firm.quote.source_amount, source)), contract)


def fee_on(node: NodeContext, source: Money) -> int:
    """What this institution's customer pays on top of a payment, in minor units of its own currency."""
    return round_up(Fraction(source.minor * node.settings.fee_basis_points, 10_000)).minor


def price_return(node: NodeContext, provider: Address, original_uetr: str, source: Money, target: Currency) -> Price:
    """The original payment's own rate, which its own provider alone can give; a return has no fee.

    Raises PeerUnavailable, NoPrice, or the provider's refusal (more than the original is returned).
    """
    found = node.directory.participant(provider)
    if found is None:
        raise NoPrice("the FX provider of the original payment is no member any more")
    request = QuoteRequest(
        str(uuid.uuid4()),
        source.currency.numeric,
        target.numeric,
        source_amount=source.minor,
        original_uetr=original_uetr,
    )
    contract = node.office.incumbent
    return Price(_ask(node, found, request, contract), 0, contract)


def _ask_all(
    node: NodeContext, provider: Participant, requests: Sequence[QuoteRequest], contract: Address
) -> list[FirmQuote | FeiqianError]:
    """What a provider answers to each, asked with what other requests ask it in the same moment."""
    client = BridgeClient(node.peers, Peer(provider.account, provider.endpoint))
    try:
        answers = node.gatherer.ask(("prices", provider.account), requests, client.quote)
    except FeiqianError as failure:
        _log.warning("no price", provider=provider.account, why=failure.detail)
        return [failure] * len(requests)
    pairs = zip(requests, answers, strict=True)
    return [_firm_or_why(node, provider, request, answer, contract) for request, answer in pairs]


def _firm_or_why(
    node: NodeContext, provider: Participant, request: QuoteRequest, answer: FirmQuote | Refusal, contract: Address
) -> FirmQuote | FeiqianError:
    try:
        return _firm(node, provider, request, answer, contract)
    except FeiqianError as failure:
        _log.warning("no price", provider=provider.account, why=failure.detail)
        return failure


def _ask(node: NodeContext, provider: Participant, request: QuoteRequest, contract: Address) -> FirmQuote:
    [answer] = BridgeClient(node.peers, Peer(provider.account, provider.endpoint)).quote([request])
    return _firm(node, provider, request, answer, contract)


def _firm(
    node: NodeContext, provider: Participant, request: QuoteRequest, answer: FirmQuote | Refusal, contract: Address
) -> FirmQuote:
    """The answer, if it is a firm quote to the question, signed for the Settlement in office."""
    if not isinstance(answer, FirmQuote):
        if request.original_uetr and answer.problem == WrongState.kind():
            # We have seen the original in a final block; the provider will in a moment.
            raise PeerUnavailable("the FX provider does not know yet that the payment settled; try again")
        raise Refused(answer.detail, peer_reason=answer.reason)
    keys = node.directory.keys(provider.account)
    signer = recover(typed_digest(node.office.domain_of(contract), quote_hash(answer.quote)), answer.signature)
    if keys is None or signer not in keys.settlement:
        # Around an upgrade the provider may be a final block ahead of us, or behind.
        raise PeerUnavailable(
            "the quote is not signed by the FX provider's settlement key for the Settlement in office"
        )
    if not _is_firm(node, provider, request, answer):
        raise NoPrice("the FX provider's answer is not a firm quote to the question")
    return answer


def _is_firm(node: NodeContext, provider: Participant, request: QuoteRequest, answer: FirmQuote) -> bool:
    """A price counts only if it answers the question and outlives a payment."""
    quote = answer.quote
    asked = (provider.account, node.account, request.source_currency, request.target_currency)
    offered = (quote.provider, quote.buyer, quote.source_currency, quote.target_currency)
    given = (
        request.source_amount in (None, quote.source_amount),
        request.target_amount in (None, quote.target_amount),
    )
    long_enough = quote.expires > node.clock.now() + node.settings.payment_lifetime
    paid = quote.source_amount > 0 and quote.target_amount > 0
    return asked == offered and all(given) and paid and long_enough
