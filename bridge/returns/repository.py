"""What may be returned, in SQL: original payments and the sums of their returns."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Row, func, select

from bridge.reservations.states import LIVE, State
from bridge.returns.rules import Original
from bridge.tables import quotes, reservations
from contracts.terms.documents import from_document
from contracts.terms.money import currency
from contracts.terms.payment import PaymentTerms
from serving import jsontext

COUNTED = (*LIVE, State.SETTLED)
"""The states in which a return counts; one that was released has given its room back."""


def originals(connection: Connection, uetrs: Collection[str]) -> dict[str, Original]:
    """Those of these payments that were ever reserved here, by UETR, with what is returned of each."""
    if not uetrs:
        return {}
    r, q = reservations.c, quotes.c
    wanted = select(
        r.uetr,
        r.state,
        r.original_uetr,
        r.terms,
        q.source_currency,
        q.source_amount,
        q.target_currency,
        q.target_amount,
        q.rate_date,
    )
    rows = connection.execute(wanted.join(quotes, q.nonce == r.quote_nonce).where(r.uetr.in_(uetrs))).all()
    sums = _sums(connection, uetrs)
    return {row.uetr: _original(row, *sums.get(row.uetr, (0, 0))) for row in rows}


def _sums(connection: Connection, uetrs: Collection[str]) -> dict[str, tuple[int, int]]:
    """What the returns of each payment gave back and repaid."""
    r, q = reservations.c, quotes.c
    summed = select(
        r.original_uetr, func.sum(q.source_amount).label("returned"), func.sum(q.target_amount).label("repaid")
    )
    counted = summed.join(quotes, q.nonce == r.quote_nonce).where(r.original_uetr.in_(uetrs), r.state.in_(COUNTED))
    rows = connection.execute(counted.group_by(r.original_uetr))
    return {row.original_uetr: (int(row.returned), int(row.repaid)) for row in rows}


def _original(row: Row[*tuple[Any, ...]], returned: int, repaid: int) -> Original:
    terms = from_document(PaymentTerms, jsontext.load(row.terms))
    return Original(
        state=State(row.state),
        is_return=row.original_uetr is not None,
        debtor_agent=terms.debtor_agent,
        creditor_agent=terms.creditor_agent,
        source=currency(row.source_currency),
        paid=row.source_amount,
        target=currency(row.target_currency),
        received=row.target_amount,
        rate_date=row.rate_date,
        returned=returned,
        repaid=repaid,
    )
