"""A member's part of step 5: check, have compliance attest, record durably, sign."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from bridge.client import Cosignature, CosignRequest, Refusal
from compliance.client import AttestationRequest, SignedAttestation
from contracts.terms.batch import Batch
from contracts.terms.commitments import batch_hash, typed_digest
from contracts.terms.cosigning import IncludedPayment, check_batch
from contracts.terms.errors import AlreadySigned, FeiqianError, NotAgreed
from contracts.terms.identifiers import Address
from contracts.terms.parties import Participant
from contracts.terms.payment import Event, State
from nodes.context import NodeContext
from nodes.payments import repository as payments
from nodes.payments.record import PaymentRecord
from nodes.payments.repository import Move
from nodes.recovery.repository import add_paths
from nodes.recovery.service import require_certain


def cosign(node: NodeContext, sender: Participant, requests: Sequence[CosignRequest]) -> list[Cosignature | Refusal]:
    """Sign each batch that says of our payments exactly what was agreed. Asking again gives the same signature."""
    return [_answer(node, sender, request) for request in requests]


def _answer(node: NodeContext, sender: Participant, request: CosignRequest) -> Cosignature | Refusal:
    try:
        return _cosign(node, sender, request.batch, request.own)
    except FeiqianError as error:
        return Refusal("0x" + batch_hash(request.batch).hex(), error.kind(), error.reason, error.detail)


def _cosign(node: NodeContext, sender: Participant, batch: Batch, own: tuple[IncludedPayment, ...]) -> Cosignature:
    if sender.account != batch.debtor_agent:
        raise NotAgreed("a batch is proposed by its debtor agent")
    node.require_chain()
    settlement = node.office.incumbent
    check_batch(batch, own, node.account, node.clock.now())
    with node.database.read() as connection:
        _agreed(connection, own)
    [attested] = node.compliance.attest([AttestationRequest(batch, own)])
    if not isinstance(attested, SignedAttestation):
        kind = AlreadySigned if attested.problem == AlreadySigned.kind() else NotAgreed
        raise kind(f"compliance did not attest: {attested.detail}")
    node.database.write(lambda connection: _record(connection, node, settlement, batch, own))
    name = batch_hash(batch)
    signature = node.signer.sign(typed_digest(node.office.domain_of(settlement), name))
    return Cosignature(name, signature, attested.attestation, attested.signature)


def _record(
    connection: Connection, node: NodeContext, settlement: Address, batch: Batch, own: Sequence[IncludedPayment]
) -> None:
    """The durable record before the signature: from here on only a final block decides about these payments."""
    agreed = _agreed(connection, own)
    node.signed.record(connection, batch, [payment.uetr for payment in agreed], settlement)
    add_paths(connection, batch_hash(batch), own)
    payments.move_all(connection, [Move(payment.uetr, State.AGREED, Event.SIGN) for payment in agreed])


def _agreed(connection: Connection, own: Sequence[IncludedPayment]) -> list[PaymentRecord]:
    """Our records of these payments, if they are exactly what we agreed to and still open. Raises NotAgreed.

    Raises Unavailable for one that may be settled in a batch which a restored backup lacks.
    """
    uetrs = [each.terms.uetr for each in own]
    require_certain(connection, uetrs)
    known = {payment.uetr: payment for payment in payments.find_all(connection, uetrs)}
    for each in own:
        payment = known.get(each.terms.uetr)
        if payment is None or payment.terms != each.terms:
            raise NotAgreed("the batch holds a payment that was not agreed in this form", uetr=each.terms.uetr)
        if payment.state not in (State.AGREED, State.COMMITTING):
            raise NotAgreed(f"a payment of the batch is {payment.state}", uetr=payment.uetr)
    return list(known.values())
