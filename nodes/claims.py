"""Which payments this worker acts on, when several processes of one node do."""

from __future__ import annotations

from collections.abc import Sequence

from nodes.context import NodeContext
from nodes.payments.record import PaymentRecord

SECONDS = 10
"""How long a claim lasts: longer than a step takes with a slow peer, shorter than most payments live."""


def claimed(node: NodeContext, step: str, waiting: Sequence[PaymentRecord]) -> list[PaymentRecord]:
    """Those that no other worker has in this step; they are this one's for a while."""
    mine = node.claims.take([f"{step}:{payment.uetr}" for payment in waiting], SECONDS)
    return [payment for payment in waiting if f"{step}:{payment.uetr}" in mine]
