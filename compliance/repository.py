"""The SQL of the compliance service. All functions take a connection and leave the transaction to the caller."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Table, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from compliance.screening.decide import PartyMatch, Verdict
from compliance.screening.questions import Inputs
from compliance.screening.record import FIRST_HEAD, Decided, Salts, Versions
from compliance.tables import day_totals, decisions, final_blocks, lists, policies
from contracts.chain.follower import FinalBlock
from contracts.terms.documents import from_document, to_document
from serving.jsontext import dump, load

Key = tuple[str, str]
"""A UETR and a side: one decision, for ever."""


def remember_version(connection: Connection, table: Table, version: str, content: str) -> None:
    """Keep the content of a policy or list version, so that decisions made under it can be run again."""
    connection.execute(upsert(table).values(version=version, content=content).on_conflict_do_nothing())


def policy_content(connection: Connection, version: str) -> str:
    return str(connection.execute(select(policies.c.content).where(policies.c.version == version)).scalar_one())


def list_content(connection: Connection, version: str) -> str:
    return str(connection.execute(select(lists.c.content).where(lists.c.version == version)).scalar_one())


def decided(connection: Connection, uetrs: Sequence[str]) -> dict[Key, Decided]:
    """The decisions about these payments, by UETR and side."""
    rows = connection.execute(select(decisions).where(decisions.c.uetr.in_(uetrs)))
    return {(row.uetr, row.side): _decided(row) for row in rows}


def decided_after(
    connection: Connection, before: int | None, outcome: str | None, limit: int
) -> list[tuple[int, Decided]]:
    """Decisions with their sequence numbers, newest first, older than the sequence `before`."""
    query = select(decisions).order_by(decisions.c.sequence.desc()).limit(limit)
    if before is not None:
        query = query.where(decisions.c.sequence < before)
    if outcome is not None:
        query = query.where(decisions.c.outcome == outcome)
    return [(row.sequence, _decided(row)) for row in connection.execute(query)]


def all_decided(connection: Connection) -> Iterator[tuple[int, Decided]]:
    """The whole log in its order."""
    for row in connection.execute(select(decisions).order_by(decisions.c.sequence)):
        yield row.sequence, _decided(row)


def log_end(connection: Connection) -> tuple[int, bytes]:
    """How many decisions the log has, and its head."""
    newest = select(decisions.c.sequence, decisions.c.head).order_by(decisions.c.sequence.desc()).limit(1)
    row = connection.execute(newest).one_or_none()
    return (0, FIRST_HEAD) if row is None else (row.sequence, row.head)


def append(connection: Connection, after: int, new: Sequence[Decided]) -> None:
    """Add decisions to the log behind the sequence number `after`."""
    if new:
        connection.execute(insert(decisions), [_row(after + place, each) for place, each in enumerate(new, start=1)])


def totals_of_day(connection: Connection, day: int, tags: Iterable[bytes]) -> dict[tuple[bytes, int], int]:
    """What accounts moved on a chain day, by account tag and currency."""
    query = select(day_totals).where(day_totals.c.day == day, day_totals.c.account_tag.in_(list(tags)))
    return {(row.account_tag, row.currency): row.amount for row in connection.execute(query)}


def set_totals(connection: Connection, day: int, totals: Mapping[tuple[bytes, int], int]) -> None:
    """Write what accounts moved on a chain day, replacing what stood there."""
    rows = [
        {"account_tag": tag, "day": day, "currency": unit, "amount": amount} for (tag, unit), amount in totals.items()
    ]
    if rows:
        statement = upsert(day_totals)
        keys = [day_totals.c.account_tag, day_totals.c.day, day_totals.c.currency]
        connection.execute(statement.on_conflict_do_update(keys, set_={"amount": statement.excluded.amount}), rows)


def last_final_block(connection: Connection) -> FinalBlock | None:
    """The last final block that was acted on."""
    row = connection.execute(select(final_blocks)).one_or_none()
    return None if row is None else FinalBlock(row.number, row.block_hash, row.timestamp)


def set_final_block(connection: Connection, block: FinalBlock) -> None:
    values = {"number": block.number, "block_hash": block.block_hash, "timestamp": block.timestamp}
    if connection.execute(update(final_blocks).values(values)).rowcount == 0:
        connection.execute(insert(final_blocks).values(id=1, **values))


def _row(sequence: int, new: Decided) -> dict[str, Any]:
    document = to_document(new.inputs)
    question = document["screening"]
    parties = {role: question.pop(role) for role in ("debtor", "creditor")}
    return {
        "sequence": sequence,
        "uetr": new.inputs.screening.uetr,
        "side": new.inputs.screening.side,
        "outcome": new.verdict.outcome,
        "reason": new.verdict.reason,
        "detail": new.verdict.detail,
        "score": new.verdict.score,
        "matches": dump([to_document(match) for match in new.verdict.matches]),
        "parties": dump(parties),
        "inputs": dump(document),
        "policy_version": new.versions.policy,
        "list_version": new.versions.lists,
        "hold_until": new.hold_until,
        "party_salt": new.salts.party,
        "inputs_salt": new.salts.inputs,
        "decision_salt": new.salts.decision,
        "party_commitment": new.party_commitment,
        "decision_commitment": new.decision_commitment,
        "record": new.record,
        "previous_head": new.previous_head,
        "head": new.head,
    }


def _decided(row: Row[Any]) -> Decided:
    document = load(row.inputs)
    document["screening"] |= load(row.parties)
    matches = tuple(from_document(PartyMatch, each) for each in load(row.matches))
    return Decided(
        inputs=from_document(Inputs, document),
        verdict=Verdict(row.outcome, row.reason, row.detail, row.score, matches),
        versions=Versions(row.policy_version, row.list_version),
        salts=Salts(row.party_salt, row.inputs_salt, row.decision_salt),
        hold_until=row.hold_until,
        party_commitment=row.party_commitment,
        decision_commitment=row.decision_commitment,
        record=row.record,
        previous_head=row.previous_head,
        head=row.head,
    )
