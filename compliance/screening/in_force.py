"""The rule book in force, which changes while payments are decided by it."""

from __future__ import annotations

from collections.abc import Callable

from compliance.screening.rulebook import RuleBook


class InForce:
    """One reference that is swapped as a whole: whoever took a book goes on with it, the next one takes the new.

    `require_fresh` raises ComplianceUnavailable when a list is older than its limit.
    """

    def __init__(self, book: RuleBook, require_fresh: Callable[[], None]) -> None:
        self._book, self._require_fresh = book, require_fresh

    def take(self) -> RuleBook:
        self._require_fresh()
        return self._book

    def latest(self) -> RuleBook:
        return self._book

    def put(self, book: RuleBook) -> None:
        self._book = book
