"""The SQL of the compliance service. All functions take a connection and leave the transaction to the caller."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Table, bindparam, exists, insert, select, update

from compliance.screening.decide import HOLD, PartyMatch, Verdict
from compliance.screening.questions import Inputs, Review
from compliance.screening.record import FIRST_HEAD, Decided, Note, Salts, Screened, Versions
from compliance.tables import day_totals, decisions, final_blocks, notes, policies
from contracts.chain.follower import FinalBlock
from contracts.terms.documents import from_document, to_document
from contracts.terms.payment import Leg
from serving.jsontext import dump, load
from serving.rows import at_most
from serving.upsert import replace_all, upsert

Key = tuple[str, str]
"""A UETR and a side. Of the decisions about them the newest counts."""

Total = tuple[bytes, int, int]
"""The tag of an account, a chain day and a currency."""


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


def held(connection: Connection, after: int, now: int, limit: int) -> list[tuple[int, Decided]]:
    """What waits for officers at chain time `now`, those asked about first in front, each with its place in the
    queue: the sequence number of the first decision about the payment and side. Places are above `after`."""
    rows = connection.execute(_WAITING, {"now": now, "after": after, "most": limit})
    return [(row.place, _decided(row)) for row in rows]


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
    row = connection.execute(_LOG_END).one_or_none()
    return (0, FIRST_HEAD) if row is None else (row.sequence, row.head)


def append(connection: Connection, after: int, new: Sequence[Decided]) -> None:
    """Add decisions to the log behind the sequence number `after`."""
    if new:
        connection.execute(insert(decisions), [_row(after + place, each) for place, each in enumerate(new, start=1)])


def totals(connection: Connection, days: Iterable[int], tags: Iterable[bytes]) -> dict[Total, int]:
    """What accounts moved on chain days."""
    rows = connection.execute(_TOTALS, {"days": list(days), "tags": list(tags)})
    return {(row.account_tag, row.day, row.currency): row.amount for row in rows}


def set_totals(connection: Connection, new: Mapping[Total, int]) -> None:
    """Write what accounts moved on chain days, replacing what stood there."""
    rows = [
        {"account_tag": tag, "day": day, "currency": unit, "amount": amount} for (tag, day, unit), amount in new.items()
    ]
    replace_all(connection, day_totals, "amount", rows)


def add_note(connection: Connection, note: Note) -> None:
    """Keep what an officer wrote."""
    values = {"commitment": note.commitment, "salt": note.salt, "content": note.content}
    connection.execute(insert(notes).values(values))


def notes_of(connection: Connection, reviews: Iterable[Review]) -> dict[bytes, Note]:
    """What the officers wrote, by the commitment in the review."""
    query = select(notes).where(notes.c.commitment.in_([review.note for review in reviews]))
    return {row.commitment: Note(row.commitment, row.salt, row.content) for row in connection.execute(query)}


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


_LOG_END = at_most(1, select(decisions.c.sequence, decisions.c.head).order_by(decisions.c.sequence.desc()))
_TOTALS = select(day_totals).where(
    day_totals.c.day.in_(bindparam("days", expanding=True)),
    day_totals.c.account_tag.in_(bindparam("tags", expanding=True)),
)
_first = decisions.alias()
_same = (_first.c.uetr == decisions.c.uetr) & (_first.c.side == decisions.c.side) & (_first.c.number == 0)
_WAITING = (
    select(_first.c.sequence.label("place"), decisions)
    .join(_first, _same)
    .where(decisions.c.outcome == HOLD, decisions.c.hold_until >= bindparam("now"), ~_followed())
    .where(_first.c.sequence > bindparam("after"))
    .order_by(_first.c.sequence)
    .limit(bindparam("most"))
)
_ABOUT = bindparam("uetrs", expanding=True)
_NEWEST = select(decisions).where(decisions.c.uetr.in_(_ABOUT), ~_followed())
_SCREENED = _NEWEST.with_only_columns(
    decisions.c.uetr,
    decisions.c.side,
    decisions.c.outcome,
    decisions.c.policy_version,
    decisions.c.list_version,
    decisions.c.inputs,
    decisions.c.party_commitment,
    decisions.c.decision_commitment,
)


def _row(sequence: int, new: Decided) -> dict[str, Any]:
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


def _screened(row: Row[Any]) -> Screened:
    question = load(row.inputs)["screening"]
    return Screened(
        outcome=row.outcome,
        versions=Versions(row.policy_version, row.list_version),
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
