"""Step 6: one transaction to Settlement for a batch that every member has signed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import structlog

from contracts.chain.ledger import Ledger
from contracts.chain.settlement import gas_limit
from contracts.terms.batch import Position, SignedBatch
from contracts.terms.commitments import attestation_hash, batch_hash, typed_digest
from contracts.terms.errors import ChainUnavailable, FeiqianError
from contracts.terms.identifiers import Address
from contracts.terms.parties import Status
from contracts.terms.signing import recover
from nodes.batches import repository
from nodes.batches.lanes import Troubled
from nodes.batches.repository import FormedBatch
from nodes.context import NodeContext

RESEND_AFTER = 2.0
"""Seconds after which a batch that is in no final block is sent again; the contract skips one that it has stored."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Sent:
    """A batch on its way: when it was sent (monotonic seconds), and in which transaction, None if it is refused."""

    at: float
    transaction: bytes | None


class Committer:
    """Sends signed batches until a final block decides. The outcome is read from the chain, never assumed.

    Running a batch costs the chain's node as much as settling it, so it is sent at once, and simulated for the reason
    only when its transaction has failed or is in no final block for long.
    """

    def __init__(self, node: NodeContext, troubled: Troubled) -> None:
        self._node, self._troubled = node, troubled
        self._sent: dict[bytes, _Sent] = {}
        self.refused: set[bytes] = set()
        """Batches that the contract refuses because of peers that are troubled for it."""

    def commit(self, now: float) -> bool:
        """Send what is signed and was not sent lately; `now` is monotonic seconds. False when nothing was due.

        One batch that the contract refuses does not keep the others from being sent.
        """
        with self._node.database.read() as connection:
            signed = repository.in_state(connection, repository.SIGNED)
        self.refused &= {formed.name for formed in signed}
        self._sent = {formed.name: self._sent[formed.name] for formed in signed if formed.name in self._sent}
        due = [formed for formed in signed if self._is_due(formed, now)]
        for formed in due:
            first = formed.name not in self._sent
            self._sent[formed.name] = _Sent(now, None)
            self._sent[formed.name] = _Sent(now, self._send(formed, first))
        return bool(due)

    def _is_due(self, formed: FormedBatch, now: float) -> bool:
        sent = self._sent.get(formed.name)
        return sent is None or now - sent.at >= RESEND_AFTER or self._has_failed(sent.transaction)

    def _has_failed(self, transaction: bytes | None) -> bool:
        receipt = None if transaction is None else self._node.chain.receipt(transaction)
        return receipt is not None and not receipt.succeeded

    def _send(self, formed: FormedBatch, first: bool) -> bytes | None:
        """The transaction's hash, None when the contract refuses the batch now."""
        node, settlement = self._node, self._node.settlement
        signed = complete(node, formed, settlement.address)
        try:
            if not first:
                settlement.simulate([signed])
            return node.sender.send(settlement.address, settlement.settle_call([signed]), gas_limit([signed]))
        except ChainUnavailable:
            raise
        except FeiqianError as failure:
            place = formed.batch.place
            _log.warning("batch not taken yet", lane=place.lane, sequence=place.sequence, why=failure.detail)
            spoilers = _spoilers(node, signed)
            if spoilers:
                self.refused.add(formed.name)
                self._troubled.blame(spoilers, f"a batch reverts: {failure.detail}")
            return None


def _spoilers(node: NodeContext, signed: SignedBatch) -> set[Address]:
    """The other members because of whom the contract refuses a batch now: their signatures no longer count, or they
    have not what they give. Raises ChainUnavailable."""
    node.directory.refresh()
    batch, ledger = signed.batch, Ledger(node.chain, node.network.contracts.ledger.address)
    found = {position.account for position in batch.positions if _lacks(ledger, position)}
    for member, endorsement in zip(batch.members, signed.endorsements, strict=True):
        participant, keys = node.directory.participant(member), node.directory.keys(member)
        attested = typed_digest(node.domain, attestation_hash(endorsement.attestation))
        if (
            participant is None
            or participant.status != Status.ACTIVE
            or keys is None
            or recover(typed_digest(node.domain, batch_hash(batch)), endorsement.settlement_signature)
            not in keys.settlement
            or recover(attested, endorsement.attestation_signature) not in keys.compliance
        ):
            found.add(member)
    return found - {node.account}


def _lacks(ledger: Ledger, position: Position) -> bool:
    account, unit = position.account, position.currency
    if position.delta >= 0:
        return False
    return ledger.net_position(account, unit) + position.delta < -ledger.cap(account, unit)


def complete(node: NodeContext, formed: FormedBatch, settlement: Address) -> SignedBatch:
    """The batch with all signatures for a Settlement; the debtor agent's own is given here, last."""
    own = replace(
        formed.endorsements[node.account],
        settlement_signature=node.signer.sign(typed_digest(node.office.domain_of(settlement), formed.name)),
    )
    endorsements = {**formed.endorsements, node.account: own}
    return SignedBatch(formed.batch, tuple(endorsements[member] for member in formed.batch.members))
