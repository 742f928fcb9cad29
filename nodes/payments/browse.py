"""Lists of payments, the newest first, page by page: a page's end is a place between two payments, not a number, so
that payments that arrive meanwhile move nothing."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from contracts.terms.errors import Malformed
from contracts.terms.payment import State
from nodes.accounts import service as accounts
from nodes.payments import repository
from nodes.payments.record import PaymentRecord
from nodes.payments.repository import Place

_PLACE = re.compile(r"(0|[1-9][0-9]{0,15}) ([0-9a-f-]{36})", re.ASCII)
_WHAT_TO_SEND = 'cursor: send what a page of this list gave as "next", as it is, or leave it out'


@dataclass(frozen=True)
class Wanted:
    """Which page: behind the place of `cursor` (empty: from the newest on), of one state, none before `since` (ms)."""

    limit: int
    cursor: str = ""
    status: State | None = None
    since: int = 0


@dataclass(frozen=True)
class Page:
    """Payments, and the cursor of the next page where there are more."""

    payments: Sequence[PaymentRecord]
    next: str | None


def page_of_owner(connection: Connection, owner: str, wanted: Wanted) -> Page:
    """What the owner's accounts paid, returns of merchants among it, and what came back to its customers' accounts.

    Raises Malformed for a cursor that is none.
    """
    owned = accounts.owned_by(connection, owner)
    sides = [(each.id, "debtor") for each in owned]
    return _page(connection, sides + [(each.id, "creditor") for each in owned if each.kind == "customer"], wanted)


def page_received(connection: Connection, account: str, wanted: Wanted) -> Page:
    """What a merchant's account was paid. Raises as `page_of_owner`."""
    return _page(connection, [(account, "creditor")], wanted)


def _page(connection: Connection, sides: Sequence[tuple[str, str]], wanted: Wanted) -> Page:
    before, status = _read(wanted.cursor) if wanted.cursor else None, wanted.status
    found = [
        place
        for account, side in sides
        for place in repository.places(connection, account, side, status, wanted.since, before, wanted.limit + 1)
    ]
    found.sort(reverse=True)
    chosen = found[: wanted.limit]
    known = {each.uetr: each for each in repository.find_all(connection, [uetr for _, uetr in chosen])}
    more = len(found) > wanted.limit
    return Page([known[uetr] for _, uetr in chosen], _cursor(chosen[-1]) if more else None)


def _cursor(place: Place) -> str:
    return base64.urlsafe_b64encode(f"{place[0]} {place[1]}".encode()).rstrip(b"=").decode()


def _read(cursor: str) -> Place:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except (binascii.Error, ValueError) as failure:
        raise Malformed(_WHAT_TO_SEND) from failure
    if not (match := _PLACE.fullmatch(text)) or _cursor((int(match[1]), match[2])) != cursor:
        raise Malformed(_WHAT_TO_SEND)
    return int(match[1]), match[2]
