"""Batches at the door, for auditors."""

from __future__ import annotations

from contracts.terms.payment import PaymentTerms
from nodes.batches.repository import FormedBatch
from serving.bodies import Schema
from serving.documents import BatchField, PaymentTermsField


class SettledBatchBody(Schema):
    """A settled batch of this debtor agent. `transaction` is the one that settled it."""

    batch_hash: str
    batch: BatchField
    block_number: int
    transaction: str

    @classmethod
    def of(cls, formed: FormedBatch) -> SettledBatchBody:
        assert formed.block_number is not None, "a settled batch stands in a block"
        assert formed.transaction_hash is not None, "a settled batch has a transaction"
        return cls(
            batch_hash="0x" + formed.name.hex(),
            batch=formed.batch,
            block_number=formed.block_number,
            transaction="0x" + formed.transaction_hash.hex(),
        )


class LeavesBody(Schema):
    """All payments of a batch in the order of its leaves: their tree has the batch's root."""

    lane: int
    sequence: int
    payments: list[PaymentTermsField]

    @classmethod
    def of(cls, formed: FormedBatch, leaves: list[PaymentTerms]) -> LeavesBody:
        return cls(lane=formed.batch.lane, sequence=formed.batch.sequence, payments=leaves)
