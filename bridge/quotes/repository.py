"""Quotes in SQL. They are never changed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction

from sqlalchemy import Connection, Row, insert, select

from bridge.tables import quotes, reservations
from contracts.terms.identifiers import Address
from contracts.terms.quote import Quote


@dataclass(frozen=True)
class StoredQuote:
    """A signed quote with the exact figures behind it. The residue is the provider's, in `residue_currency`.

    `original_uetr` is the payment that a payment at this quote returns, empty unless it is one.
    """

    quote: Quote
    signature: bytes
    rate: Fraction
    rate_date: str
    spread_bp: int
    residue: Fraction
    residue_currency: int
    original_uetr: str = ""


def add(connection: Connection, stored: Sequence[StoredQuote]) -> None:
    """Remember quotes, before they are told to anybody."""
    if stored:
        connection.execute(insert(quotes), [_values(each) for each in stored])


def find(connection: Connection, nonces: Collection[bytes], provider: Address) -> dict[bytes, StoredQuote]:
    """The quotes with these nonces, by nonce. `provider` is the own account, the one that all quotes are of."""
    rows = connection.execute(select(quotes).where(quotes.c.nonce.in_(nonces)))
    return {row.nonce: _stored(row, provider) for row in rows}


def promised(connection: Connection, nonces: Collection[bytes], provider: Address) -> dict[bytes, tuple[Quote, str]]:
    """The quotes with these nonces, by nonce, with the payment that each was given to return, empty unless one."""
    c = quotes.c
    promise = select(
        c.nonce,
        c.buyer,
        c.source_currency,
        c.source_amount,
        c.target_currency,
        c.target_amount,
        c.expires,
        c.original_uetr,
    )
    rows = connection.execute(promise.where(c.nonce.in_(nonces)))
    return {row.nonce: (_quote(row, provider), row.original_uetr or "") for row in rows}


def used_by(connection: Connection, nonce: bytes) -> str | None:
    """The UETR of the payment that reserved this quote."""
    used: str | None = connection.execute(
        select(reservations.c.uetr).where(reservations.c.quote_nonce == nonce)
    ).scalar()
    return used


def _values(stored: StoredQuote) -> dict[str, object]:
    quote = stored.quote
    return {
        "nonce": quote.nonce,
        "buyer": quote.buyer,
        "source_currency": quote.source_currency,
        "source_amount": quote.source_amount,
        "target_currency": quote.target_currency,
        "target_amount": quote.target_amount,
        "expires": quote.expires,
        "signature": stored.signature,
        "rate": str(stored.rate),
        "rate_date": stored.rate_date,
        "spread_bp": stored.spread_bp,
        "residue": str(stored.residue),
        "residue_currency": stored.residue_currency,
        "original_uetr": stored.original_uetr or None,
    }


def _stored(row: Row[tuple[object, ...]], provider: Address) -> StoredQuote:
    return StoredQuote(
        _quote(row, provider),
        row.signature,
        Fraction(row.rate),
        row.rate_date,
        row.spread_bp,
        Fraction(row.residue),
        row.residue_currency,
        row.original_uetr or "",
    )


def _quote(row: Row[tuple[object, ...]], provider: Address) -> Quote:
    return Quote(
        provider=provider,
        buyer=row.buyer,
        source_currency=row.source_currency,
        source_amount=row.source_amount,
        target_currency=row.target_currency,
        target_amount=row.target_amount,
        expires=row.expires,
        nonce=row.nonce,
    )
