"""SQL of agreements: what creditor agents and FX providers signed over payments, part of their evidence."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from contracts.terms.attestation import Agreement
from contracts.terms.documents import from_document, to_document
from contracts.terms.merkle import InclusionPath
from nodes.payments.tables import agreements
from serving.jsontext import dump, load
from serving.rows import insert_all


def keep(
    connection: Connection,
    account: str,
    agreement: Agreement,
    signature: bytes,
    paths: Sequence[tuple[str, InclusionPath]],
) -> None:
    """Keep what a peer signed over payments, each (UETR, path). A later agreement of it replaces the earlier."""
    c = agreements.c
    uetrs = [uetr for uetr, _ in paths]
    connection.execute(agreements.delete().where(c.uetr.in_(uetrs), c.account == account))
    text = dump(to_document(agreement))
    rows = [
        {"uetr": uetr, "account": account, "agreement": text, "path": dump(to_document(path)), "signature": signature}
        for uetr, path in paths
    ]
    insert_all(connection, agreements, rows)


def of_payment(connection: Connection, uetr: str) -> list[tuple[str, Agreement, InclusionPath, bytes]]:
    """(account, agreement, path, signature) of each peer that agreed to a payment."""
    rows = connection.execute(select(agreements).where(agreements.c.uetr == uetr).order_by(agreements.c.account))
    return [
        (
            row.account,
            from_document(Agreement, load(row.agreement)),
            from_document(InclusionPath, load(row.path)),
            row.signature,
        )
        for row in rows
    ]
