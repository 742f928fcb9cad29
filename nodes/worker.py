"""The one loop that moves payments: each step takes whatever is waiting as a list."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog
from sqlalchemy import Connection

from contracts.terms.errors import ChainUnavailable, FeiqianError, MustHalt
from contracts.terms.identifiers import Address
from nodes.batches import repository as batches
from nodes.batches.commit import Committer
from nodes.batches.form import drop_batch, form_batch
from nodes.context import NodeContext
from nodes.follow import follow
from nodes.payments.agree import agree_screened
from nodes.payments.release import release_held
from nodes.payments.screen import screen_accepted
from nodes.recovery.service import recover
from serving.halt import halt

IDLE_PAUSE, BUSY_PAUSE = 0.5, 0.05
"""Seconds between looks at the chain: when nothing is under way, and while a batch waits to be final."""
AVOID_SECONDS = 2.0
"""How long a member that did not sign is left out of new batches."""
OFFICERS_PAUSE = 1.0
"""Seconds between asking whether officers have decided about held payments."""
PEERS_PAUSE = 2.0
"""Seconds between asking peers for payments that were lost with a restored backup."""

_log = structlog.get_logger(__name__)


class Worker:
    """Runs in one thread of a node's process; `node.wake` is set by whoever has new work."""

    def __init__(self, node: NodeContext) -> None:
        self._node = node
        self._committer = Committer(node)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)
        self._chain_answers = True
        self._avoid: set[Address] = set()
        self._avoid_until = 0.0
        self._ask_officers_at = 0.0
        self._ask_peers_at = 0.0

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Finish the step under way and end."""
        self._stopping.set()
        self._node.wake.set()
        self._thread.join()

    def _run(self) -> None:
        self._abandon_forming()
        while not self._stopping.is_set():
            self._node.wake.clear()
            self._chain_answers = True
            moved = self._step()
            if self._chain_answers:
                self._node.troubles.worked("chain")
            if not moved:
                self._node.wake.wait(self._pause())

    def _abandon_forming(self) -> None:
        """A batch that was being formed when the process ended was not signed by us: it cannot settle."""

        def work(connection: Connection) -> None:
            for formed in batches.in_state(connection, batches.FORMING):
                drop_batch(connection, formed.batch)

        self._node.database.write(work)

    def _step(self) -> bool:
        """Every step once; True when something moved and the next round should follow at once."""
        node = self._node
        moved = self._try("follow", lambda: follow(node))
        moved |= self._try("recover", self._recover)
        if node.signed.quiet:
            return moved
        moved |= self._try("release", self._release)
        moved |= self._try("screen", lambda: screen_accepted(node))
        moved |= self._try("agree", lambda: agree_screened(node))
        moved |= self._try("form", self._form)
        moved |= self._try("commit", lambda: self._committer.commit(time.monotonic()))
        return moved

    def _recover(self) -> bool:
        now = time.monotonic()
        if now < self._ask_peers_at:
            return False
        moved = recover(self._node)
        self._ask_peers_at = now if moved else now + PEERS_PAUSE
        return moved

    def _release(self) -> bool:
        """Officers think in minutes: asking once a second is soon enough."""
        now = time.monotonic()
        if now < self._ask_officers_at:
            return False
        self._ask_officers_at = now + OFFICERS_PAUSE
        return release_held(self._node)

    def _form(self) -> bool:
        now = time.monotonic()
        if now >= self._avoid_until:
            self._avoid, self._avoid_until = set(), now + AVOID_SECONDS
        return form_batch(self._node, self._avoid)

    def _try(self, step: str, run: Callable[[], bool]) -> bool:
        try:
            moved = run()
            self._node.troubles.worked(step)
            if moved:
                self._node.bell.ring()
            return moved
        except MustHalt as failure:
            halt(failure)
        except ChainUnavailable as failure:
            self._chain_answers = False
            self._node.troubles.failed("chain", "chain does not answer", step=step, why=failure.detail)
        except FeiqianError as failure:
            self._node.troubles.failed(step, "step will be tried again", step=step, why=failure.detail)
        except Exception:
            _log.exception("bug: step will be tried again", step=step)
        return False

    def _pause(self) -> float:
        with self._node.database.read() as connection:
            waiting = self._node.signed.any_live(connection)
        return BUSY_PAUSE if waiting else IDLE_PAUSE
