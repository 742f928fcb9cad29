"""Keeping lists: looking at their sources on schedule, storing every version, and putting a new one in force.

All that takes long is done aside; then one reference is swapped. A source that fails leaves what was in force in force,
until it is older than its limit: from then on nothing is cleared by it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import structlog
from sqlalchemy import Connection

from compliance.lists import repository
from compliance.lists.catalogue import ConfiguredList
from compliance.lists.entries import SanctionsList
from compliance.lists.listed import Listed
from compliance.lists.loader import joined
from compliance.lists.sources import read_copy, take_copy
from compliance.names.match import NameIndex
from compliance.policy import Policy
from compliance.screening.in_force import InForce
from compliance.screening.rulebook import RuleBook, rule_book
from contracts.terms.errors import ComplianceUnavailable, FeiqianError
from serving.database import Database, DatabaseReader
from serving.lasting import spare_what_lasts
from serving.troubles import Troubles

_log = structlog.get_logger(__name__)
_AHEAD = 86400
"""Seconds that a source's clock may be ahead of ours. What is dated later has no age that could be told."""


@dataclass(frozen=True)
class KeptList:
    """A configured list as it stands. Times are seconds of the machine's clock; `trouble` says why the last look at its
    source failed, and is empty when it did not."""

    configured: ConfiguredList
    listed: SanctionsList | None = None
    digest: str = ""
    loaded_at: int = 0
    fresh_at: int = 0
    looked_at: int = 0
    trouble: str = ""

    def missing(self, now: int) -> str:
        """Why nothing may be cleared by it; empty when all is well."""
        name, limit, age = self.configured.name, self.configured.max_age, now - self.fresh_at
        last = f"; the last look failed: {self.trouble}" if self.trouble else ""
        if self.listed is None:
            return f"the list {name} was never loaded{last}"
        if limit and age < -_AHEAD:
            return f"the list {name} is dated in the future: set the clock of this machine or its source right{last}"
        if limit and age > limit:
            return f"the list {name} is {age} s old, over its limit of {limit} s{last}"
        return ""


class ListKeeper:
    """Keeps the lists of one institution. Usable from several threads."""

    def __init__(
        self,
        database: Database,
        policy: Policy,
        catalogue: Iterable[ConfiguredList],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database, self._policy, self._clock = database, policy, clock
        self._looking, self._swapping = threading.Lock(), threading.Lock()
        self._troubles = Troubles()
        self._lists = {each.configured.name: each for each in opened(catalogue, database, self.now())}
        self._listed = self._together(self._lists.values())
        self.rules = InForce(rule_book(policy, self._listed), self.require_fresh)
        self._store(self._lists.values(), self._listed)

    @property
    def lists(self) -> Sequence[KeptList]:
        return tuple(self._lists.values())

    @property
    def listed(self) -> Listed:
        """What is in force."""
        return self._listed

    def now(self) -> int:
        return int(self._clock())

    def require_fresh(self) -> None:
        """Raises ComplianceUnavailable when a list is missing, or older than its limit."""
        require_fresh(self._lists.values(), self.now())

    def look(self, everything: bool = False) -> None:
        """Look at the sources whose time has come, or at all, and put in force what they have."""
        with self._looking:
            now, lists = self.now(), self._lists.values()
            due = [each for each in lists if everything or now >= each.looked_at + each.configured.refresh]
            seen = [self._seen(each, now) for each in due]
            if seen:
                with self._swapping:
                    self._put_in_force(seen)

    def recount(self) -> None:
        """Put in force what officers judged since, in this process or in another."""
        with self._swapping:
            with self._database.read() as connection:
                counted = repository.counted(connection)
            if counted != self._listed.counted:
                self._put_in_force([])

    def _seen(self, kept: KeptList, now: int) -> KeptList:
        """A list after a look at its source, which may have failed."""
        name, seen = kept.configured.name, _tried(kept, now)
        if seen.trouble:
            self._troubles.failed(name, "a list cannot be loaded", list=name, why=seen.trouble)
        else:
            self._troubles.worked(name)
        return seen

    def _put_in_force(self, seen: Sequence[KeptList]) -> None:
        """All of what was seen, or nothing of it if it does not go together."""
        lists = self._lists | {each.configured.name: each for each in seen}
        try:
            listed = self._together(lists.values())
            book = self._book(listed)
        except FeiqianError as failure:
            self._troubles.failed("together", "the lists cannot be put in force", why=failure.detail)
            for each in seen:
                before = self._lists[each.configured.name]
                self._lists[each.configured.name] = replace(before, looked_at=each.looked_at, trouble=failure.detail)
            return
        self._troubles.worked("together")
        self._store(seen, listed)
        self._lists, self._listed = lists, listed
        if book is not self.rules.latest():
            replaced = book.names is not self.rules.latest().names
            self.rules.put(book)
            if replaced:
                spare_what_lasts()
            _log.info("lists in force", version=listed.version, entries=len(listed.entries))

    def _together(self, lists: Iterable[KeptList]) -> Listed:
        with self._database.read() as connection:
            counted = repository.counted(connection)
            pairs = tuple(repository.counting(connection, counted))
        return replace(together(lists), false_positives=pairs, counted=counted)

    def _book(self, listed: Listed) -> RuleBook:
        """The book of these lists; its index is built anew only if another entry stands in it."""
        latest = self.rules.latest()
        if listed.version == latest.versions.lists:
            return latest
        same = listed.versions == self._listed.versions
        return rule_book(self._policy, listed, latest.names if same else NameIndex(listed.entries))

    def _store(self, seen: Iterable[KeptList], listed: Listed) -> None:
        """Record what came, and that it is in force, before anything is decided by it."""
        now, came = self.now(), [each for each in seen if each.listed is not None]

        def record(connection: Connection) -> None:
            for each in came:
                assert each.listed is not None
                repository.keep(connection, each.listed)
                repository.record_issue(
                    connection, each.configured.name, each.listed.version, each.loaded_at, each.fresh_at
                )
            first = repository.newest_set(connection) is None and repository.newest_decided_under(connection) is None
            repository.put_in_force(connection, listed, now, baseline=first)

        self._database.write(record)


def require_fresh(lists: Iterable[KeptList], now: int) -> None:
    """Raises ComplianceUnavailable when a list is missing, or older than its limit."""
    if missing := [why for each in lists if (why := each.missing(now))]:
        raise ComplianceUnavailable(f"nothing is cleared: {'; '.join(missing)}")


def together(lists: Iterable[KeptList]) -> Listed:
    """The lists that are loaded, as one, in the order of their names, as a replay joins them too."""
    named = sorted(lists, key=lambda each: each.configured.name)
    loaded = {each.configured.name: each.listed for each in named if each.listed is not None}
    versions = {name: listed.version for name, listed in loaded.items()}
    return Listed(versions, joined(listed.entries for listed in loaded.values()))


def opened(catalogue: Iterable[ConfiguredList], database: DatabaseReader | None, now: int) -> list[KeptList]:
    """Every list as a process begins with it: what stands in files now, and what a URL gave last, else gives now.

    Raises Malformed for a wrong file; a URL that fails is told by the list.
    """
    return [_begun(KeptList(each), database, now) for each in catalogue]


def _begun(kept: KeptList, database: DatabaseReader | None, now: int) -> KeptList:
    if not kept.configured.remote:
        return _looked_at(kept, now)
    if database is not None:
        with database.read() as connection:
            issue = repository.newest_issues(connection).get(kept.configured.name)
            listed = repository.kept(connection, issue.version) if issue else None
        if issue and listed:
            return replace(kept, listed=listed, loaded_at=issue.loaded_at, fresh_at=issue.fresh_at)
    return _tried(kept, now)


def _tried(kept: KeptList, now: int) -> KeptList:
    """A list after a look that may have failed, which it then tells."""
    try:
        return _looked_at(kept, now)
    except FeiqianError as failure:
        return replace(kept, looked_at=now, trouble=failure.detail)


def _looked_at(kept: KeptList, now: int) -> KeptList:
    """A list as its source has it now. Raises Malformed and Unavailable."""
    copy = take_copy(kept.configured, now)
    seen = replace(kept, digest=copy.digest, fresh_at=copy.fresh_at, looked_at=now, trouble="")
    if copy.digest == kept.digest:
        return seen
    return replace(seen, listed=read_copy(kept.configured, copy), loaded_at=now)
