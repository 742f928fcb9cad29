"""Cases: what officers see of a hold, and what they do about it beside deciding it. Each act is an entry of the log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from compliance import repository
from compliance.cases import repository as cases
from compliance.cases.acts import ASSIGN, ATTACH, ESCALATE, NOTE, PRIORITISE, Act
from compliance.cases.neighbours import Neighbourhood, neighbourhood, own_tags
from compliance.cases.repository import PRIORITIES, URGENT, Case
from compliance.chaintime import ChainTime
from compliance.holds.service import Hold, HoldsService
from compliance.repository import Key
from compliance.screening.record import Note
from serving.database import Database

MOST_EARLIER = 50


@dataclass(frozen=True)
class CaseFile:
    """A hold with all that is known around it: what officers did and wrote, the parties' other payments by role, and
    their earlier cases, the newest first."""

    hold: Hold
    acts: tuple[Act, ...]
    notes: Mapping[bytes, Note]
    neighbourhoods: Mapping[str, Neighbourhood]
    earlier: tuple[Case, ...]


class CasesService:
    """The officers' desk of one institution. Everything raises ChainUnavailable when chain time is not known, NotFound
    for what was never held; acts raise Conflict with what happened when nothing waits (any more)."""

    def __init__(self, database: Database, holds: HoldsService, time: ChainTime) -> None:
        self._database, self._holds, self._time = database, holds, time

    def file(self, key: Key) -> CaseFile:
        """Everything about one case."""
        hold = self._holds.one(key)
        with self._database.read() as connection:
            done = cases.acts_of(connection, key)
            notes = repository.notes(connection, [each.note for each in done if each.note is not None])
            tags = own_tags(cases.tags_of(connection, key))
            around = {role: neighbourhood(connection, key, tag) for role, tag in tags}
            earlier = cases.earlier(connection, key, [tag for _, tag in tags], MOST_EARLIER)
        return CaseFile(hold, tuple(done), notes, around, tuple(earlier))

    def assign(self, key: Key, officer: str, to: str) -> CaseFile:
        """Give the case to an officer; to nobody with an empty name."""
        return self._act(key, officer, ASSIGN, {"officer": to}, changes={"assigned": to})

    def prioritise(self, key: Key, officer: str, priority: str) -> CaseFile:
        """Say how urgent it is: one of PRIORITIES."""
        changes = {"priority": PRIORITIES.index(priority)}
        return self._act(key, officer, PRIORITISE, {"priority": priority}, changes=changes)

    def note(self, key: Key, officer: str, text: str) -> CaseFile:
        """Write something down for the other officers; also about a case that has ended."""
        return self._act(key, officer, NOTE, {}, text, ended=True)

    def attach(self, key: Key, officer: str, sha256: str, size: int, called: str) -> CaseFile:
        """Note a document that is kept elsewhere, by its hash; also for a case that has ended."""
        return self._act(key, officer, ATTACH, {"sha256": sha256, "size": size}, called, ended=True)

    def escalate(self, key: Key, officer: str, why: str) -> CaseFile:
        """Leave the decision to leads: the case is urgent and nobody's. It is not taken back."""
        changes = {"escalated": 1, "priority": URGENT, "assigned": ""}
        return self._act(key, officer, ESCALATE, {}, why, changes=changes)

    def _act(
        self,
        key: Key,
        officer: str,
        what: str,
        about: dict[str, Any],
        text: str = "",
        *,
        changes: Mapping[str, Any] | None = None,
        ended: bool = False,
    ) -> CaseFile:
        now = self._time.now()
        self._holds.one(key)

        def act(connection: Connection) -> None:
            if not ended:
                self._holds.open_hold(connection, key, now)
            note = repository.keep_note(connection, text) if text else None
            cases.add_act(connection, Act(*key, what, officer, now, note, about))
            if changes:
                cases.change(connection, key, **changes)

        self._database.write(act)
        return self.file(key)
