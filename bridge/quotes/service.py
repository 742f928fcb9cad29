"""Quotes: firm prices, signed, and remembered before anybody hears them."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from bridge.client import FirmQuote, Refusal
from bridge.context import BridgeContext
from bridge.quotes import repository
from bridge.quotes.repository import StoredQuote
from bridge.rates.pricing import Pair, Price, buyer_rate, price_of_source, price_of_target, shown
from bridge.refusals import refusal_of
from bridge.returns.repository import originals
from bridge.returns.rules import Original, price_of_return, returnable
from contracts.terms.commitments import quote_hash
from contracts.terms.errors import FeiqianError, Malformed, NotFound, Unsupported
from contracts.terms.identifiers import Address
from contracts.terms.money import currency, parse_minor
from contracts.terms.quote import Quote


@dataclass(frozen=True)
class PriceAsked:
    """A price asked for, as it came in: the amounts are still text."""

    request_id: str
    source_currency: int
    target_currency: int
    target_amount: str | None
    source_amount: str | None
    original_uetr: str = ""


@dataclass(frozen=True)
class _Priced:
    """A price and what it is made from."""

    price: Price
    rate: Fraction
    rate_date: str
    spread_bp: int


class Quotes:
    """Makes and keeps the provider's quotes."""

    def __init__(self, bridge: BridgeContext) -> None:
        self._bridge = bridge

    def quote(self, buyer: Address, asked: Sequence[PriceAsked]) -> list[FirmQuote | Refusal]:
        """One firm quote or refusal per price asked for, in order. Raises ChainUnavailable while time stands still."""
        expires = self._bridge.chain_now() + self._bridge.settings.quote_lifetime
        with self._bridge.database.read() as connection:
            returned = originals(connection, {each.original_uetr for each in asked if each.original_uetr})
        made = [self._make(buyer, expires, each, returned.get(each.original_uetr)) for each in asked]
        stored = [each for each in made if isinstance(each, StoredQuote)]
        if stored:
            self._bridge.database.write(lambda connection: repository.add(connection, stored))
        return [
            _firm(each.request_id, quote) if isinstance(quote, StoredQuote) else quote
            for each, quote in zip(asked, made, strict=True)
        ]

    def stored(self, nonce: bytes) -> tuple[StoredQuote, str | None]:
        """A quote and the UETR that used it. Raises NotFound."""
        with self._bridge.database.read() as connection:
            found = repository.find(connection, [nonce], self._bridge.account).get(nonce)
            if found is None:
                raise NotFound("there is no quote with this nonce")
            return found, repository.used_by(connection, nonce)

    def _make(
        self, buyer: Address, expires: int, asked: PriceAsked, original: Original | None
    ) -> StoredQuote | Refusal:
        try:
            pair = _pair(asked)
            if asked.original_uetr:
                return self._sign(buyer, expires, asked, _priced_back(asked, returnable(original, buyer, pair)))
            return self._sign(buyer, expires, asked, self._priced(pair, asked))
        except FeiqianError as refused:
            return refusal_of(asked.request_id, refused)

    def _priced(self, pair: Pair, asked: PriceAsked) -> _Priced:
        rates, spread_bp = self._bridge.rates, self._bridge.settings.spread_bp
        rate = buyer_rate(rates.mid(pair.source, pair.target), spread_bp)
        return _Priced(_price(pair, rate, asked), rate, rates.business_date.isoformat(), spread_bp)

    def _sign(self, buyer: Address, expires: int, asked: PriceAsked, priced: _Priced) -> StoredQuote:
        price = priced.price
        quote = Quote(
            provider=self._bridge.account,
            buyer=buyer,
            source_currency=asked.source_currency,
            source_amount=price.source_amount,
            target_currency=asked.target_currency,
            target_amount=price.target_amount,
            expires=expires,
            nonce=secrets.token_bytes(32),
        )
        return StoredQuote(
            quote=quote,
            signature=self._bridge.sign(quote_hash(quote), self._bridge.office.incumbent),
            rate=priced.rate,
            rate_date=priced.rate_date,
            spread_bp=priced.spread_bp,
            residue=price.residue,
            residue_currency=price.residue_currency.numeric,
            original_uetr=asked.original_uetr,
        )


def _pair(asked: PriceAsked) -> Pair:
    pair = Pair(currency(asked.source_currency), currency(asked.target_currency))
    if pair.source == pair.target:
        raise Unsupported(f"{pair.source} for {pair.source} needs no FX provider")
    return pair


def _price(pair: Pair, rate: Fraction, asked: PriceAsked) -> Price:
    if asked.target_amount is not None and asked.source_amount is None:
        return price_of_target(pair, rate, parse_minor(asked.target_amount))
    if asked.source_amount is not None and asked.target_amount is None:
        return price_of_source(pair, rate, parse_minor(asked.source_amount))
    raise Malformed("give exactly one of target_amount and source_amount")


def _priced_back(asked: PriceAsked, original: Original) -> _Priced:
    if asked.source_amount is None or asked.target_amount is not None:
        raise Malformed("a return is priced from what is given back: give source_amount alone")
    price = price_of_return(original, parse_minor(asked.source_amount))
    return _Priced(price, original.rate, original.rate_date, spread_bp=0)


def _firm(request_id: str, stored: StoredQuote) -> FirmQuote:
    return FirmQuote(request_id, stored.quote, stored.signature, shown(stored.rate), stored.rate_date, stored.spread_bp)
