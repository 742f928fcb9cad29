"""The worker that moves payments: its steps overlap, each takes whatever is in its state as a list.

    accepted --screen--> screened --agree, reserve--> agreed --form--> cosigning, committing --commit--> (chain)
    (chain) --follow--> settled, expired, or agreed again          held --release--> accepted

A payment is in one step at a time because its state says so, and a state moves by compare-and-set. A step that fails
is tried again and stops no other.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from contracts.terms.errors import ChainUnavailable, FeiqianError, MustHalt
from nodes.batches.commit import Committer
from nodes.batches.form import Former
from nodes.batches.lanes import Troubled
from nodes.context import NodeContext
from nodes.follow import follow
from nodes.payments.agree import propose_screened, reserve_answered
from nodes.payments.release import release_held
from nodes.payments.screen import screen_accepted
from nodes.recovery.service import recover
from nodes.steps import FALLBACK, Errands, Step
from serving.claims import Lease
from serving.halt import halt

BUSY_PAUSE = 0.05
"""Seconds between looks at the chain while a batch waits to be final."""
MOST_AHEAD = 2
"""Seconds that a block's time may be ahead of the clock, at most: each has a second of its own, so the one after a
block that is as far ahead comes a second later."""
OFFICERS_PAUSE = 1.0
"""Seconds between asking whether officers have decided about held payments: they think in minutes."""
RECOVERING = 10
"""Seconds for which one of several workers asks for lost payments, and the others do not."""
PEERS_PAUSE = 2.0
"""Seconds between asking peers for payments that were lost with a restored backup."""

_WHEN_QUIET = ("follow", "recover")
"""The steps of a node that was restored from a backup and signs nothing yet."""
_log = structlog.get_logger(__name__)


class Worker:
    """Runs in threads of a node's process; `node.wake` is set by whoever has accepted payments."""

    def __init__(self, node: NodeContext) -> None:
        self._node = node
        troubled = Troubled()
        committer = Committer(node, troubled)
        former = Former(node, troubled, committer.refused, Errands("form", self._guard))
        proposals, reservations = Errands("agree", self._guard), Errands("reserve", self._guard)
        recovers = Lease(node.claims, "recover", RECOVERING)
        self._to_close = (proposals, reservations, former)
        steps = (
            Step("follow", lambda: follow(node), ("agree", "form"), self._chain_pause),
            Step("recover", lambda: recovers.held() and recover(node), (), lambda: PEERS_PAUSE),
            Step("release", lambda: release_held(node), ("screen",), lambda: OFFICERS_PAUSE),
            Step("screen", lambda: screen_accepted(node), ("agree",), woken=node.wake),
            Step("agree", lambda: propose_screened(node, proposals), ("agree", "reserve")),
            Step("reserve", lambda: reserve_answered(node, reservations), ("reserve", "form")),
            Step("form", former.form, ("form", "commit")),
            Step("commit", lambda: former.leads and committer.commit(time.monotonic()), ("follow", "form")),
        )
        self._steps = {step.name: step for step in steps}

    def start(self) -> None:
        for step in self._steps.values():
            step.start(self._guard)

    def stop(self) -> None:
        """Finish what is under way and end."""
        for step in self._steps.values():
            step.stop()
        for step in self._steps.values():
            step.join()
        for each in self._to_close:
            each.close()

    def _guard(self, step: str, run: Callable[[], bool]) -> bool:
        """Run a step once, whatever comes; when it moved something, wake those behind it and those who wait."""
        if self._node.signed.quiet and step not in _WHEN_QUIET:
            return False
        if not self._try(step, run):
            return False
        self._node.bell.ring()
        for name in self._steps[step].then:
            self._steps[name].wake()
        return True

    def _try(self, step: str, run: Callable[[], bool]) -> bool:
        troubles = self._node.troubles
        try:
            moved = run()
            troubles.worked(step)
            if step == "follow":  # it asks the chain each time
                troubles.worked("chain")
            return moved
        except MustHalt as failure:
            halt(failure)
        except ChainUnavailable as failure:
            troubles.failed("chain", "chain does not answer", step=step, why=failure.detail)
        except FeiqianError as failure:
            troubles.failed(step, "step will be tried again", step=step, why=failure.detail)
        except Exception:
            _log.exception("bug: step will be tried again", step=step)
        return False

    def _chain_pause(self) -> float:
        """Seconds until the next look: no longer than without a batch under way, whatever our clock says."""
        with self._node.database.read() as connection:
            if not self._node.signed.any_live(connection):
                return FALLBACK
        soonest = self._node.clock.final_time() + 1 - MOST_AHEAD
        return min(max(soonest - time.time(), BUSY_PAUSE), FALLBACK)
