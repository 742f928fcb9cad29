"""What the demo's steps share: whom they pay, and how they say that something is not as it must be."""

from __future__ import annotations

from devnet.network.people import MERCHANTS, Merchant


class DemoFailed(Exception):
    """Something was not as it must be; the text says what."""


def require(holds: bool, otherwise: str) -> None:
    """Raises DemoFailed."""
    if not holds:
        raise DemoFailed(otherwise)


def merchant_of(country: str) -> Merchant:
    """The first merchant of a country of the cast."""
    return next(each for each in MERCHANTS if each.country == country)
