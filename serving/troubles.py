"""What a loop tries again and again is logged twice: when it stops working, and when it works again."""

from __future__ import annotations

import threading
from collections.abc import Hashable

import structlog

_log = structlog.get_logger(__name__)


class Troubles:
    """What does not work now. Each thing is named by whoever tries it, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[Hashable, tuple[str, int]] = {}

    def failed(self, what: Hashable, event: str, **details: object) -> None:
        """It does not work: said once, and again when `event` is another one than before."""
        with self._lock:
            known, tries = self._known.get(what, ("", 0))
            self._known[what] = event, tries + 1
        if known != event:
            _log.warning(event, **details)

    def worked(self, what: Hashable) -> None:
        """It works, which is said if it did not."""
        with self._lock:
            event, tries = self._known.pop(what, ("", 0))
        if event:
            _log.info(f"over: {event}", tries=tries)
