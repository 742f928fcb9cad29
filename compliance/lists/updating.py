"""The thread that keeps lists up to date while the service runs."""

from __future__ import annotations

import threading

import structlog

from compliance.lists.keeping import ListKeeper
from compliance.lists.rescreening import Rescreening
from contracts.terms.errors import FeiqianError
from serving.troubles import Troubles

_log = structlog.get_logger(__name__)
_TICK = 1.0
"""Seconds between looks at what is due."""


class ListUpdater:
    """Looks at sources when their time has come, takes up what officers judged, and screens customers again."""

    def __init__(self, keeper: ListKeeper, rescreening: Rescreening) -> None:
        self._keeper, self._rescreening = keeper, rescreening
        self._troubles, self._stopped = Troubles(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="lists", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._keeper.look()
                self._keeper.recount()
                while not self._stopped.is_set() and self._rescreening.step():
                    pass
                self._troubles.worked("lists")
            except FeiqianError as failure:
                self._troubles.failed("lists", "lists cannot be kept up to date", why=failure.detail)
            except Exception as bug:  # a dead thread must be seen: the lists grow old, and then nothing is cleared
                _log.error("bug", where="lists", exc_info=bug)
            self._stopped.wait(_TICK)
