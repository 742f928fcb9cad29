"""The SQL of lists. All functions take a connection and leave the transaction to the caller."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from compliance.lists.entries import SanctionsList
from compliance.lists.listed import FalsePositive, Listed, read_manifest
from compliance.lists.loader import joined, read_list
from compliance.lists.tables import false_positives, list_contents, list_issues, list_sets
from compliance.tables import decisions, lists
from serving.upsert import upsert


@dataclass(frozen=True)
class Issue:
    """A version of a list as it came. Times are seconds of the machine's clock, `fresh_at` that from which its age
    counts."""

    sequence: int
    name: str
    version: str
    loaded_at: int
    fresh_at: int


@dataclass(frozen=True)
class ListSet:
    """Lists that were in force together. `rescreened_down_to` is the decision (by its number in the log) down to which
    existing customers were screened again; None before that began, 0 when it is done."""

    sequence: int
    version: str
    in_force_at: int
    rescreened_down_to: int | None


@dataclass(frozen=True)
class Judgement:
    """A false positive with its life: proposed, approved by another officer, withdrawn. `note` is the commitment to
    what the first officer wrote, `uetr` and `side` tell the decision that has the party (empty where it was proposed
    before that was kept), `alert` the one from which it was proposed."""

    number: int
    pair: FalsePositive
    proposed_by: str
    proposed_at: int
    note: bytes
    uetr: str
    side: str
    approved_by: str | None = None
    withdrawn_by: str | None = None
    alert: int | None = None


def keep(connection: Connection, listed: SanctionsList) -> None:
    """Keep a version of a list for ever."""
    if connection.execute(select(list_contents.c.entries).where(list_contents.c.version == listed.version)).scalar():
        return
    packed = zlib.compress(listed.content.encode())
    values = {"version": listed.version, "content": packed, "entries": len(listed.entries)}
    connection.execute(upsert(connection, list_contents).values(values).on_conflict_do_nothing())


def kept(connection: Connection, version: str) -> SanctionsList | None:
    """A version of a list, None for one that never was."""
    query = select(list_contents.c.content).where(list_contents.c.version == version)
    packed = connection.execute(query).scalar_one_or_none()
    return None if packed is None else read_list(zlib.decompress(packed).decode())


def kept_versions(connection: Connection) -> list[str]:
    return list(connection.execute(select(list_contents.c.version)).scalars())


def newest_issues(connection: Connection) -> dict[str, Issue]:
    """The newest issue of each list that ever was, by its configured name."""
    newest = select(func.max(list_issues.c.sequence)).group_by(list_issues.c.name)
    rows = connection.execute(select(list_issues).where(list_issues.c.sequence.in_(newest)))
    return {row.name: Issue(**row._mapping) for row in rows}


def issues(connection: Connection, before: int | None, limit: int) -> list[tuple[Issue, int]]:
    """Issues with their numbers of entries, the newest first, older than the one with the sequence `before`."""
    query = select(list_issues, list_contents.c.entries).join(list_contents)
    query = query.order_by(list_issues.c.sequence.desc()).limit(limit)
    if before is not None:
        query = query.where(list_issues.c.sequence < before)
    return [(Issue(*row[:-1]), row.entries) for row in connection.execute(query)]


def record_issue(connection: Connection, name: str, version: str, loaded_at: int, fresh_at: int) -> None:
    """That a list came, or was found unchanged. The version must be kept already."""
    newest = newest_issues(connection).get(name)
    if newest is not None and newest.version == version:
        same = list_issues.c.sequence == newest.sequence
        connection.execute(update(list_issues).where(same).values(fresh_at=fresh_at))
        return
    values = {"name": name, "version": version, "loaded_at": loaded_at, "fresh_at": fresh_at}
    connection.execute(insert(list_issues).values(values))


def put_in_force(connection: Connection, listed: Listed, now: int, baseline: bool) -> None:
    """Record that these lists are in force from now on, if they are not yet. A baseline has nothing before it, so that
    no customer needs to be screened again."""
    newest = newest_set(connection)
    values = {"version": listed.version, "content": listed.content}
    connection.execute(upsert(connection, lists).values(values).on_conflict_do_nothing())
    if newest is None or newest.version != listed.version:
        down_to = 0 if baseline else None
        row = {"version": listed.version, "in_force_at": now, "rescreened_down_to": down_to}
        connection.execute(insert(list_sets).values(row))


def newest_set(connection: Connection) -> ListSet | None:
    query = select(list_sets).order_by(list_sets.c.sequence.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return None if row is None else ListSet(**row._mapping)


def versions_since_rescreened(connection: Connection, sequence: int) -> list[str]:
    """The versions in force one after the other up to this set: from the newest one under which all customers were
    screened, or from that of the newest decision when there is none."""
    done = (list_sets.c.sequence < sequence) & (list_sets.c.rescreened_down_to == 0)
    since = connection.execute(select(func.max(list_sets.c.sequence)).where(done)).scalar_one()
    later = (list_sets.c.sequence >= (since or 0)) & (list_sets.c.sequence <= sequence)
    query = select(list_sets.c.version).where(later).order_by(list_sets.c.sequence)
    versions = list(connection.execute(query).scalars())
    first = newest_decided_under(connection) if since is None else None
    return versions if first is None else [first, *versions]


def newest_decided_under(connection: Connection) -> str | None:
    query = select(decisions.c.list_version).order_by(decisions.c.sequence.desc()).limit(1)
    return connection.execute(query).scalar_one_or_none()


def mark_rescreened(connection: Connection, sequence: int, down_to: int) -> None:
    where = list_sets.c.sequence == sequence
    connection.execute(update(list_sets).where(where).values(rescreened_down_to=down_to))


def listed_under(connection: Connection, version: str) -> Listed:
    """What was screened against under a version, with every list that it leads to."""
    content = connection.execute(select(lists.c.content).where(lists.c.version == version)).scalar_one()
    manifest = read_manifest(content)
    if manifest is None:
        return Listed({}, read_list(content).entries)
    versions, counted = manifest
    found = [kept(connection, each) for each in versions.values()]
    assert None not in found, "a list that was in force is kept for ever"
    entries = joined(each.entries for each in found if each is not None)
    return Listed(versions, entries, tuple(counting(connection, counted)), counted)


def counted(connection: Connection) -> int:
    """The number of the last act that changed which false positives count."""
    columns = (func.max(false_positives.c.counted_from), func.max(false_positives.c.counted_until))
    return max(0, *(number or 0 for number in connection.execute(select(*columns)).one()))


def counting(connection: Connection, number: int) -> list[FalsePositive]:
    """The false positives that count after the act of that number."""
    table = false_positives
    began = table.c.counted_from <= number
    not_over = table.c.counted_until.is_(None) | (table.c.counted_until > number)
    rows = connection.execute(select(table).where(began, not_over).order_by(table.c.number))
    return [_pair(row) for row in rows]


def propose(connection: Connection, new: Judgement) -> int:
    """Add a proposed false positive; its number."""
    values = {
        **vars(new.pair),
        "proposed_by": new.proposed_by,
        "proposed_at": new.proposed_at,
        "note": new.note,
        "uetr": new.uetr,
        "side": new.side,
        "alert": new.alert,
    }
    added = connection.execute(insert(false_positives).values(values).returning(false_positives.c.number))
    return int(added.scalar_one())


def judgement(connection: Connection, number: int) -> Judgement | None:
    row = connection.execute(select(false_positives).where(false_positives.c.number == number)).one_or_none()
    return None if row is None else _judgement(row)


def judgements(connection: Connection, after: int, limit: int) -> list[Judgement]:
    """In the order in which they were proposed, behind the one numbered `after`."""
    query = select(false_positives).where(false_positives.c.number > after)
    return [_judgement(row) for row in connection.execute(query.order_by(false_positives.c.number).limit(limit))]


def judgements_of(connection: Connection, alert: int) -> list[Judgement]:
    """Those that were proposed from an alert and stand, in the order of their proposals."""
    standing = (false_positives.c.alert == alert) & false_positives.c.withdrawn_by.is_(None)
    query = select(false_positives).where(standing).order_by(false_positives.c.number)
    return [_judgement(row) for row in connection.execute(query)]


def set_judged(connection: Connection, number: int, values: Mapping[str, str | int]) -> None:
    connection.execute(update(false_positives).where(false_positives.c.number == number).values(dict(values)))


def _pair(row: Row[Any]) -> FalsePositive:
    return FalsePositive(row.reference, row.entry_digest, row.salt, row.tag, row.expires)


def _judgement(row: Row[Any]) -> Judgement:
    return Judgement(
        number=row.number,
        pair=_pair(row),
        proposed_by=row.proposed_by,
        proposed_at=row.proposed_at,
        note=row.note,
        uetr=row.uetr,
        side=row.side,
        approved_by=row.approved_by,
        withdrawn_by=row.withdrawn_by,
        alert=row.alert,
    )
