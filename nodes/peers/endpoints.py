"""HTTP between institutions: each message signed, each a list, each harmless when it comes again."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from contracts.terms.documents import to_document
from contracts.terms.errors import Forbidden
from contracts.terms.parties import Participant, Role
from nodes.batches.cosign import cosign
from nodes.consumer_codes.charge import answer_charge
from nodes.context import NodeContext, context
from nodes.merchants import service as merchants
from nodes.payments import repository as payments
from nodes.payments.answer import answer_proposals
from nodes.peers.client import Payee, PaymentStatus
from nodes.peers.schemas import (
    BatchQuestion,
    ChargeQuestion,
    CosignBody,
    InquiriesBody,
    PayeesQuestion,
    ProposalsBody,
    StatusQuestion,
    agreement_document,
    cosignatures_document,
    payees_document,
)
from nodes.recovery.answer import settled_payments
from serving.peers import SignedRoute, sender

router = APIRouter(tags=["institutions"], route_class=SignedRoute)
Node = Annotated[NodeContext, Depends(context)]
Sender = Annotated[Participant, Depends(sender)]


@router.post("/peer/v1/payees")
def payees(body: PayeesQuestion, node: Node, _: Sender) -> dict[str, Any]:
    """Who is paid under each lookup key of a code, or null (signed look-up among members)."""
    with node.database.read() as connection:
        found = merchants.payees(connection, body.lookup_keys)
    told = {key: Payee(key, account.party, account.currency.numeric) for key, account in found.items()}
    return payees_document([told.get(key) for key in body.lookup_keys])


@router.post("/peer/v1/agreements")
def agreements(body: ProposalsBody, node: Node, asker: Sender) -> dict[str, Any]:
    """A debtor agent proposes payments; this creditor agent answers for its merchants."""
    if Role.DEBTOR_AGENT not in asker.roles:
        raise Forbidden("only a debtor agent proposes payments")
    node.require_whole()
    return agreement_document(answer_proposals(node, asker, body.proposals))


@router.post("/peer/v1/payments/status")
def status(body: StatusQuestion, node: Node, asker: Sender) -> dict[str, Any]:
    """A debtor agent asks where its payments stand here; payments of others are left out."""
    with node.database.read() as connection:
        found = payments.find_all(connection, body.uetrs)
    own = [payment for payment in found if payment.side == "creditor" and payment.debtor_agent == asker.account]
    statuses = [PaymentStatus(p.uetr, p.state.value, p.reason, p.detail) for p in own]
    return {"payments": [to_document(each) for each in statuses]}


@router.post("/peer/v1/batches/payments")
def batch_payments(body: BatchQuestion, node: Node, asker: Sender) -> dict[str, Any]:
    """A member that restored a backup asks for its payments of a settled batch; only those between it and us."""
    found = settled_payments(node, asker.account, bytes.fromhex(body.batch_hash[2:]))
    return {"payments": [to_document(each) for each in found]}


@router.post("/peer/v1/charges")
def charges(body: ChargeQuestion, node: Node, asker: Sender) -> dict[str, str]:
    """A merchant of the asking acquirer scanned one of our customers' codes."""
    return answer_charge(node, asker.account, body.root)


@router.post("/peer/v1/inquiries")
def inquiries(body: InquiriesBody, node: Node, asker: Sender) -> dict[str, Any]:
    """Officers of another institution ask our officers about a payment; our compliance keeps the question."""
    return {"answers": [to_document(each) for each in node.compliance.inquire(asker.account, body.inquiries)]}


@router.post("/peer/v1/cosignatures")
def cosignatures(body: CosignBody, node: Node, asker: Sender) -> dict[str, Any]:
    """A debtor agent proposes a batch; this member signs what it agreed to."""
    return cosignatures_document(cosign(node, asker, body.requests))
