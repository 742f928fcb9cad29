"""Step 6: one transaction to Settlement for a batch that every member has signed."""

from __future__ import annotations

from dataclasses import replace

import structlog

from contracts.chain.settlement import gas_limit
from contracts.terms.batch import SignedBatch
from contracts.terms.commitments import typed_digest
from contracts.terms.errors import ChainUnavailable, FeiqianError
from contracts.terms.identifiers import Address
from nodes.batches import repository
from nodes.batches.repository import FormedBatch
from nodes.context import NodeContext

RESEND_AFTER = 2.0
"""Seconds after which a batch that is in no final block is sent again; the contract skips one that it has stored."""

_log = structlog.get_logger(__name__)


class Committer:
    """Sends signed batches until a final block decides. The outcome is read from the chain, never assumed."""

    def __init__(self, node: NodeContext) -> None:
        self._node = node
        self._sent: dict[bytes, float] = {}

    def commit(self, now: float) -> bool:
        """Send what is signed and was not sent lately; `now` is monotonic seconds. False when nothing was due."""
        with self._node.database.read() as connection:
            signed = repository.in_state(connection, repository.SIGNED)
        self._sent = {formed.name: self._sent[formed.name] for formed in signed if formed.name in self._sent}
        due = [formed for formed in signed if now - self._sent.get(formed.name, -RESEND_AFTER) >= RESEND_AFTER]
        for formed in due:
            self._sent[formed.name] = now
            self._send(formed)
        return bool(due)

    def _send(self, formed: FormedBatch) -> None:
        node, settlement = self._node, self._node.settlement
        signed = complete(node, formed, settlement.address)
        try:
            settlement.simulate([signed])
            node.sender.send(settlement.address, settlement.settle_call([signed]), gas_limit([signed]))
        except ChainUnavailable:
            raise
        except FeiqianError as failure:
            _log.warning("batch not taken yet", sequence=formed.batch.sequence, why=failure.detail)


def complete(node: NodeContext, formed: FormedBatch, settlement: Address) -> SignedBatch:
    """The batch with all signatures for a Settlement; the debtor agent's own is given here, last."""
    own = replace(
        formed.endorsements[node.account],
        settlement_signature=node.signer.sign(typed_digest(node.office.domain_of(settlement), formed.name)),
    )
    endorsements = {**formed.endorsements, node.account: own}
    return SignedBatch(formed.batch, tuple(endorsements[member] for member in formed.batch.members))
