"""The SQL of the compliance service. All functions take a connection and leave the transaction to the caller."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Table, bindparam, exists, insert, select, update

from compliance import tables
from compliance.screening.decide import PartyMatch, Verdict
from compliance.screening.questions import Inputs, Review
from compliance.screening.record import Decided, Note, Salts, Screened, Versions, new_note
from compliance.tables import decisions, final_blocks, policies
from contracts.chain.follower import FinalBlock
from contracts.terms.documents import from_document, to_document
from contracts.terms.payment import Leg
from serving.jsontext import dump, load
from serving.rows import at_most, insert_all
from serving.upsert import replace_all, upsert

Key = tuple[str, str]
"""A UETR and a side. Of the decisions about them the newest counts."""

Total = tuple[bytes, str, int]
"""The tag of whose limits, a day or a year, and a currency."""

Tags = tuple[bytes | None, bytes | None]
"""The tags of a debtor and a creditor."""


def remember_version(connection: Connection, table: Table, version: str, content: str) -> None:
    """Keep the content of a policy or list version, so that decisions made under it can be run again."""
    connection.execute(upsert(connection, table).values(version=version, content=content).on_conflict_do_nothing())


def policy_content(connection: Connection, version: str) -> str:
    return str(connection.execute(select(policies.c.content).where(policies.c.version == version)).scalar_one())


def decided(connection: Connection, uetrs: Sequence[str]) -> dict[Key, Decided]:
    """The newest decisions about these payments, by UETR and side."""
    return {(row.uetr, row.side): _decided(row) for row in connection.execute(_NEWEST, {"uetrs": uetrs})}


def screened(connection: Connection, uetrs: Sequence[str]) -> dict[Key, Screened]:
    """As `decided`, with no more of each decision than an attestation looks at: no person, no match."""
    return {(row.uetr, row.side): _screened(row) for row in connection.execute(_SCREENED, {"uetrs": uetrs})}


def history(connection: Connection, uetr: str) -> list[Decided]:
    """All decisions about a payment, in the order of the log."""
    query = select(decisions).where(decisions.c.uetr == uetr).order_by(decisions.c.sequence)
    return [_decided(row) for row in connection.execute(query)]


def of_party(connection: Connection, tag: bytes, limit: int) -> list[tuple[Key, Tags, Decided]]:
    """The newest decisions about a party's last `limit` payments, paid or received, the newest first."""
    found: list[tuple[int, Key, Tags, Decided]] = []
    for statement in (_PAID, _RECEIVED):
        for row in connection.execute(at_most(limit, statement), {"tag": tag}):
            key, tags = (row.uetr, row.side), (row.debtor_tag, row.creditor_tag)
            found.append((row.sequence, key, tags, _decided(row)))
    newest = sorted(found, key=lambda each: -each[0])[:limit]
    return [(key, tags, decided) for _, key, tags, decided in newest]


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


def append(connection: Connection, after: int, new: Sequence[tuple[Decided, Tags]]) -> None:
    """Keep decisions as the log's entries behind the one numbered `after`."""
    rows = [_row(after + place, each, tags) for place, (each, tags) in enumerate(new, start=1)]
    insert_all(connection, decisions, rows)


def totals(connection: Connection, periods: Iterable[str], tags: Iterable[bytes]) -> dict[Total, int]:
    """What counts against limits in days and years."""
    rows = connection.execute(_TOTALS, {"periods": list(periods), "tags": list(tags)})
    return {(row.tag, row.period, row.currency): row.amount for row in rows}


def set_totals(connection: Connection, new: Mapping[Total, int]) -> None:
    """Write what counts against limits, replacing what stood there."""
    rows = [
        {"tag": tag, "period": period, "currency": unit, "amount": amount}
        for (tag, period, unit), amount in new.items()
    ]
    replace_all(connection, tables.totals, "amount", rows)


def keep_note(connection: Connection, content: str) -> bytes:
    """Keep what somebody wrote; the commitment to it."""
    note = new_note(content)
    add_note(connection, note)
    return note.commitment


def add_note(connection: Connection, note: Note) -> None:
    """Keep what an officer wrote."""
    values = {"commitment": note.commitment, "salt": note.salt, "content": note.content}
    connection.execute(insert(tables.notes).values(values))


def notes_of(connection: Connection, reviews: Iterable[Review]) -> dict[bytes, Note]:
    """What the officers wrote, by the commitment in the review."""
    return notes(connection, [review.note for review in reviews])


def notes(connection: Connection, commitments: Iterable[bytes]) -> dict[bytes, Note]:
    """What was written, by the commitment to it."""
    asked = list(commitments)
    rows = connection.execute(_NOTES, {"commitments": asked}) if asked else ()
    return {row.commitment: Note(row.commitment, row.salt, row.content) for row in rows}


def last_final_block(connection: Connection) -> FinalBlock | None:
    """The last final block that was acted on."""
    row = connection.execute(select(final_blocks)).one_or_none()
    return None if row is None else FinalBlock(row.number, row.block_hash, row.timestamp)


def set_final_block(connection: Connection, block: FinalBlock) -> None:
    values = {"number": block.number, "block_hash": block.block_hash, "timestamp": block.timestamp}
    if connection.execute(update(final_blocks).values(values)).rowcount == 0:
        connection.execute(insert(final_blocks).values(id=1, **values))


def _followed() -> Any:
    later = decisions.alias()
    same = (later.c.uetr == decisions.c.uetr) & (later.c.side == decisions.c.side)
    return exists().where(same, later.c.number == decisions.c.number + 1)


_TOTALS = select(tables.totals).where(
    tables.totals.c.period.in_(bindparam("periods", expanding=True)),
    tables.totals.c.tag.in_(bindparam("tags", expanding=True)),
)
_PAID, _RECEIVED = (
    select(decisions).where(column == bindparam("tag"), ~_followed()).order_by(decisions.c.sequence.desc())
    for column in (decisions.c.debtor_tag, decisions.c.creditor_tag)
)
_NOTES = select(tables.notes).where(tables.notes.c.commitment.in_(bindparam("commitments", expanding=True)))
_ABOUT = bindparam("uetrs", expanding=True)
_NEWEST = select(decisions).where(decisions.c.uetr.in_(_ABOUT), ~_followed())
_SCREENED = _NEWEST.with_only_columns(
    decisions.c.uetr,
    decisions.c.side,
    decisions.c.outcome,
    decisions.c.policy_version,
    decisions.c.names_version,
    decisions.c.list_version,
    decisions.c.inputs,
    decisions.c.party_commitment,
    decisions.c.decision_commitment,
)


def _row(sequence: int, new: Decided, tags: Tags) -> dict[str, Any]:
    question = dict(new.inputs.document["screening"])
    parties = {role: question.pop(role) for role in ("debtor", "creditor")}
    return {
        "sequence": sequence,
        "uetr": new.inputs.screening.uetr,
        "side": new.inputs.screening.side,
        "number": new.number,
        "outcome": new.verdict.outcome,
        "reason": new.verdict.reason,
        "detail": new.verdict.detail,
        "score": new.verdict.score,
        "matches": dump([to_document(match) for match in new.verdict.matches]),
        "parties": dump(parties),
        "inputs": dump({**new.inputs.document, "screening": question}),
        "policy_version": new.versions.policy,
        "names_version": new.versions.names,
        "list_version": new.versions.lists,
        "hold_until": new.hold_until,
        "party_salt": new.salts.party,
        "inputs_salt": new.salts.inputs,
        "decision_salt": new.salts.decision,
        "party_commitment": new.party_commitment,
        "decision_commitment": new.decision_commitment,
        "record": new.record,
        "rule": new.verdict.rule,
        "debtor_tag": tags[0],
        "creditor_tag": tags[1],
    }


def _screened(row: Row[Any]) -> Screened:
    question = load(row.inputs)["screening"]
    return Screened(
        outcome=row.outcome,
        versions=Versions(row.policy_version, row.list_version, row.names_version),
        debtor_agent=question["debtor_agent"],
        creditor_agent=question["creditor_agent"],
        legs=tuple(from_document(Leg, each) for each in question["legs"]),
        party_commitment=row.party_commitment,
        decision_commitment=row.decision_commitment,
    )


def _decided(row: Row[Any]) -> Decided:
    document = load(row.inputs)
    document["screening"] |= load(row.parties)
    matches = tuple(from_document(PartyMatch, each) for each in load(row.matches))
    return Decided(
        number=row.number,
        inputs=from_document(Inputs, document),
        verdict=Verdict(row.outcome, row.reason, row.detail, row.score, matches, row.rule),
        versions=Versions(row.policy_version, row.list_version, row.names_version),
        salts=Salts(row.party_salt, row.inputs_salt, row.decision_salt),
        hold_until=row.hold_until,
        party_commitment=row.party_commitment,
        decision_commitment=row.decision_commitment,
        record=row.record,
    )
