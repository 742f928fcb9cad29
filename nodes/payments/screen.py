"""Step 3: the debtor side is screened by the institution's own compliance."""

from __future__ import annotations

import structlog
from sqlalchemy import Connection

from compliance.client import Decision, Refusal, Screening
from contracts.terms.payment import Event
from nodes.claims import claimed
from nodes.context import NodeContext
from nodes.payments import end, repository
from nodes.payments.record import PaymentRecord
from nodes.payments.repository import Move

MAX_LIST = 500
_log = structlog.get_logger(__name__)


def screen_accepted(node: NodeContext) -> bool:
    """Have everything that was accepted screened as one list. False when nothing was waiting.

    Raises ComplianceUnavailable: without an answer nothing moves on.
    """
    with node.database.read() as connection:
        waiting = repository.to_screen(connection, node.clock.now(), MAX_LIST)
    waiting = claimed(node, "screen", waiting)
    if not waiting:
        return False
    answers = node.compliance.screen([screening_of(payment) for payment in waiting])
    outcomes = list(zip(waiting, answers, strict=True))
    node.database.write(lambda connection: _record(connection, node, outcomes))
    return True


def screening_of(payment: PaymentRecord) -> Screening:
    """What the compliance of this payment's side is asked: its own legs, and both parties."""
    agent = payment.debtor_agent if payment.side == "debtor" else payment.creditor_agent
    own = tuple(leg for leg in payment.legs if agent in (leg.source, leg.target))
    return Screening(
        uetr=payment.uetr,
        side=payment.side,
        debtor=payment.debtor,
        creditor=payment.creditor,
        debtor_agent=payment.debtor_agent,
        creditor_agent=payment.creditor_agent,
        legs=own,
        attempt=payment.attempt,
    )


def _record(
    connection: Connection, node: NodeContext, outcomes: list[tuple[PaymentRecord, Decision | Refusal]]
) -> None:
    """Move each payment as compliance decided."""
    cleared: list[Move] = []
    held: list[end.Hold] = []
    refused: list[end.Refusal] = []
    for payment, answer in outcomes:
        if isinstance(answer, Refusal):
            _log.error("compliance could not screen", uetr=payment.uetr, why=answer.detail)
            refused.append(end.Refusal(payment, answer.reason, answer.detail))
        elif answer.outcome == "refuse":
            refused.append(end.Refusal(payment, answer.reason, "compliance of the debtor agent refused"))
        elif not answer.clear:
            deadline = answer.hold_until or node.clock.now() + node.settings.hold_lifetime
            held.append(end.Hold(payment, payment.debtor_agent, deadline))
        else:
            commitments = {"debtor_commitment": answer.party_commitment, "debtor_decision": answer.decision_commitment}
            cleared.append(Move.of(payment, Event.CLEAR, commitments))
    repository.move_all(connection, cleared)
    end.hold_all(connection, held)
    end.refuse_all(connection, refused)
