"""False positives: a party and an entry that two different officers judged to be different, for a time.

The pair counts until it expires, is withdrawn, or the list says something else of the entry.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from compliance import repository as decisions
from compliance.chaintime import ChainTime
from compliance.lists import repository
from compliance.lists.entries import ListEntry
from compliance.lists.keeping import ListKeeper
from compliance.lists.listed import FalsePositive, entry_digest, party_tag
from compliance.lists.repository import Judgement
from compliance.screening.record import new_note
from contracts.terms.errors import Conflict, Forbidden, NotFound
from serving.database import Database

LONGEST = 366 * 86400
_SALT = 32


@dataclass(frozen=True)
class Proposal:
    """What an officer proposes: that the match of a party with an entry, in the newest decision about a payment and
    side, is none. `role` is "debtor" or "creditor"; it counts for `seconds` of chain time."""

    uetr: str
    side: str
    role: str
    list_name: str
    entry_id: str
    seconds: int
    note: str


class FalsePositivesService:
    """The officers' side. Everything raises ChainUnavailable when chain time is not known."""

    def __init__(self, database: Database, keeper: ListKeeper, time: ChainTime) -> None:
        self._database, self._keeper, self._time = database, keeper, time

    def page(self, after: int, limit: int) -> Sequence[Judgement]:
        with self._database.read() as connection:
            return repository.judgements(connection, after, limit)

    def propose(self, proposal: Proposal, officer: str) -> Judgement:
        """It counts once another officer has approved it. Raises NotFound when there is no such match or entry."""
        now, entry = self._time.now(), self._entry(proposal)
        salt, note = secrets.token_bytes(_SALT), new_note(proposal.note)

        def record(connection: Connection) -> Judgement:
            known = decisions.decided(connection, [proposal.uetr]).get((proposal.uetr, proposal.side))
            reference = f"{proposal.role} {entry.reference}"
            if known is None or all(found.reference != reference for found in known.verdict.matches):
                raise NotFound("the newest decision about this payment and side has no such match")
            screening = known.inputs.screening
            party = screening.debtor if proposal.role == "debtor" else screening.creditor
            assert party is not None, "who matched is known"
            expires = now + proposal.seconds
            pair = FalsePositive(entry.reference, entry_digest(entry), salt, party_tag(salt, party), expires)
            decisions.add_note(connection, note)
            number = repository.propose(connection, pair, officer, now, note.commitment)
            return _found(connection, number)

        return self._database.write(record)

    def approve(self, number: int, officer: str) -> Judgement:
        """The same officer's approval again changes nothing. Raises NotFound, Conflict, and Forbidden for the officer
        who proposed it."""

        def values(connection: Connection, known: Judgement) -> dict[str, str | int]:
            if known.withdrawn_by is not None:
                raise Conflict(f"it was withdrawn by {known.withdrawn_by}; propose it anew")
            if officer == known.proposed_by:
                raise Forbidden("who proposed it does not approve it: another officer must")
            if known.approved_by is not None:
                return {}
            return {"approved_by": officer, "counted_from": repository.counted(connection) + 1}

        return self._judge(number, values)

    def withdraw(self, number: int, officer: str) -> Judgement:
        """From now on it counts no more; again changes nothing. Raises NotFound."""

        def values(connection: Connection, known: Judgement) -> dict[str, str | int]:
            if known.withdrawn_by is not None:
                return {}
            if known.approved_by is None:
                return {"withdrawn_by": officer}
            return {"withdrawn_by": officer, "counted_until": repository.counted(connection) + 1}

        return self._judge(number, values)

    def _judge(self, number: int, values: Callable[[Connection, Judgement], dict[str, str | int]]) -> Judgement:
        def record(connection: Connection) -> Judgement:
            if new := values(connection, _found(connection, number)):
                repository.set_judged(connection, number, new)
            return _found(connection, number)

        judged = self._database.write(record)
        self._keeper.recount()
        return judged

    def _entry(self, proposal: Proposal) -> ListEntry:
        for entry in self._keeper.listed.entries:
            if (entry.list_name, entry.entry_id) == (proposal.list_name, proposal.entry_id):
                return entry
        raise NotFound("no list in force has this entry")


def _found(connection: Connection, number: int) -> Judgement:
    known = repository.judgement(connection, number)
    if known is None:
        raise NotFound("no false positive has this number")
    return known
