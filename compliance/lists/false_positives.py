"""False positives: a party and an entry that two different officers judged to be different, for a time.

The pair counts until it expires, is withdrawn, or the list says something else of the entry.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from compliance import repository as decisions
from compliance.cases import repository as cases
from compliance.cases.acts import APPROVE_PAIR, PROPOSE_PAIR, WITHDRAW_PAIR, Act
from compliance.chaintime import ChainTime
from compliance.lists import repository
from compliance.lists.entries import ListEntry
from compliance.lists.keeping import ListKeeper
from compliance.lists.listed import FalsePositive, entry_digest, party_tag
from compliance.lists.repository import Judgement
from compliance.repository import Key
from contracts.terms.errors import Conflict, Forbidden, NotFound
from contracts.terms.parties import Party
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


@dataclass(frozen=True)
class Proposed:
    """Who proposes false positives, at which second of chain time, until when they count, and the commitment to why;
    `alert` is the one about a customer from which they come."""

    officer: str
    at: int
    expires: int
    note: bytes
    alert: int | None = None


class FalsePositivesService:
    """The officers' side. Everything raises ChainUnavailable when chain time is not known. Each act is an entry of the
    log. The functions that take a connection leave `recount` to who calls them, after the transaction."""

    def __init__(self, database: Database, keeper: ListKeeper, time: ChainTime) -> None:
        self._database, self._keeper, self._time = database, keeper, time

    def page(self, after: int, limit: int) -> Sequence[Judgement]:
        with self._database.read() as connection:
            return repository.judgements(connection, after, limit)

    def propose(self, proposal: Proposal, officer: str) -> Judgement:
        """It counts once another officer has approved it. Raises NotFound when there is no such match or entry."""
        now, entry = self._time.now(), self.entry(proposal.list_name, proposal.entry_id)
        if entry is None:
            raise NotFound("no list in force has this entry")

        def record(connection: Connection) -> Judgement:
            key = proposal.uetr, proposal.side
            known = decisions.decided(connection, [proposal.uetr]).get(key)
            reference = f"{proposal.role} {entry.reference}"
            if known is None or all(found.reference != reference for found in known.verdict.matches):
                raise NotFound("the newest decision about this payment and side has no such match")
            party = known.inputs.screening.party(proposal.role)
            assert party is not None, "who matched is known"
            note = decisions.keep_note(connection, proposal.note)
            return self.add(connection, key, party, entry, Proposed(officer, now, now + proposal.seconds, note))

        return self._database.write(record)

    def add(self, connection: Connection, key: Key, party: Party, entry: ListEntry, proposed: Proposed) -> Judgement:
        """Propose that a party of a payment and side is not this entry."""
        salt = secrets.token_bytes(_SALT)
        tag = party_tag(salt, party)
        pair = FalsePositive(entry.reference, entry_digest(entry), salt, tag, proposed.expires)
        new = Judgement(0, pair, proposed.officer, proposed.at, proposed.note, *key, alert=proposed.alert)
        judged = replace(new, number=repository.propose(connection, new))
        about = {"number": judged.number, "pair": pair.digest}
        cases.add_act(connection, Act(*key, PROPOSE_PAIR, proposed.officer, proposed.at, proposed.note, about))
        return judged

    def approve(self, number: int, officer: str) -> Judgement:
        """The same officer's approval again changes nothing. Raises NotFound, Conflict, and Forbidden for the officer
        who proposed it."""
        now = self._time.now()
        judged = self._database.write(lambda connection: self.approve_in(connection, number, officer, now))
        self.recount()
        return judged

    def approve_in(self, connection: Connection, number: int, officer: str, now: int) -> Judgement:
        """As `approve`."""
        known = _found(connection, number)
        if known.withdrawn_by is not None:
            raise Conflict(f"it was withdrawn by {known.withdrawn_by}; propose it anew")
        if officer == known.proposed_by:
            raise Forbidden("who proposed it does not approve it: another officer must")
        if known.approved_by is not None:
            return known
        values = {"approved_by": officer, "counted_from": repository.counted(connection) + 1}
        return _judged(connection, known, values, APPROVE_PAIR, officer, now)

    def withdraw(self, number: int, officer: str) -> Judgement:
        """From now on it counts no more; again changes nothing. Raises NotFound."""
        now = self._time.now()
        judged = self._database.write(lambda connection: self.withdraw_in(connection, number, officer, now))
        self.recount()
        return judged

    def withdraw_in(self, connection: Connection, number: int, officer: str, now: int) -> Judgement:
        """As `withdraw`."""
        known = _found(connection, number)
        if known.withdrawn_by is not None:
            return known
        values: dict[str, str | int] = {"withdrawn_by": officer}
        if known.approved_by is not None:
            values["counted_until"] = repository.counted(connection) + 1
        return _judged(connection, known, values, WITHDRAW_PAIR, officer, now)

    def recount(self) -> None:
        """Put in force what was judged."""
        self._keeper.recount()

    def entry(self, list_name: str, entry_id: str) -> ListEntry | None:
        """As the lists in force have it."""
        for entry in self._keeper.listed.entries:
            if (entry.list_name, entry.entry_id) == (list_name, entry_id):
                return entry
        return None


def _judged(
    connection: Connection, known: Judgement, values: Mapping[str, str | int], what: str, officer: str, now: int
) -> Judgement:
    repository.set_judged(connection, known.number, values)
    cases.add_act(connection, Act(known.uetr, known.side, what, officer, now, None, {"number": known.number}))
    return _found(connection, known.number)


def _found(connection: Connection, number: int) -> Judgement:
    known = repository.judgement(connection, number)
    if known is None:
        raise NotFound("no false positive has this number")
    return known
