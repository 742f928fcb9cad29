"""Step 5: agreed payments become a batch; every member signs it, the debtor agent last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import structlog
from sqlalchemy import Connection

from bridge.client import BridgeClient, Cosignature, CosignRequest
from compliance.client import AttestationRequest, SignedAttestation
from contracts.terms.attestation import Attestation
from contracts.terms.batch import (
    MAX_BATCH_LIFETIME,
    MAX_MEMBERS,
    MAX_POSITIONS,
    Batch,
    Endorsement,
    members_of,
    net_positions,
)
from contracts.terms.commitments import attestation_hash, batch_hash, payment_leaf, typed_digest
from contracts.terms.cosigning import IncludedPayment
from contracts.terms.errors import FeiqianError, NotAgreed, PeerUnavailable
from contracts.terms.identifiers import Address
from contracts.terms.merkle import MerkleTree
from contracts.terms.payment import Event, PaymentTerms, State
from contracts.terms.signing import recover
from nodes.batches import repository
from nodes.context import NodeContext
from nodes.payments import repository as payments
from nodes.payments.record import PaymentRecord
from serving.client import Peer

LANE = 0
MAX_PAYMENTS = 1000
LIFETIME = MAX_BATCH_LIFETIME - 3
"""Seconds of chain time a batch may take: less than the members allow, because their clocks differ a little."""

_log = structlog.get_logger(__name__)
_pool = ThreadPoolExecutor(max_workers=16, thread_name_prefix="cosign")


def form_batch(node: NodeContext, avoid: set[Address]) -> bool:
    """Form one batch of whatever is agreed, unless one is under way in the lane. False when nothing was done.

    `avoid` names members that did not sign lately: their payments wait, and a member that does not sign now is added,
    so that it delays nobody else's payments.
    """
    with node.database.read() as connection:
        if repository.in_state(connection, repository.SIGNED) or repository.in_state(connection, repository.FORMING):
            return False
        agreed = payments.in_state(connection, State.AGREED, "debtor", MAX_PAYMENTS)
    current = [payment for payment in agreed if payment.contract in (node.office.incumbent, "")]
    chosen = _choose([payment for payment in current if not avoid & payment.terms.members()])
    if not chosen:
        return False
    batch = _batch(node, chosen)
    if not node.database.write(lambda connection: _record_forming(connection, batch, chosen)):
        return False
    endorsements, failed = _gather(node, batch, chosen)
    if failed:
        avoid |= failed
        node.database.write(lambda connection: drop_batch(connection, batch))
        return True
    node.database.write(lambda connection: _record_signed(connection, node, batch, endorsements))
    return True


def drop_batch(connection: Connection, batch: Batch) -> None:
    """Give up a batch that this debtor agent has not signed: it cannot settle, its payments go on at once."""
    name = batch_hash(batch)
    repository.bury(connection, name)
    for payment in payments.find_all(connection, repository.uetrs_of(connection, name)):
        if payment.state is State.COSIGNING:
            payments.move(connection, payment, Event.DROP, detail="a member did not sign")


def _choose(agreed: Sequence[PaymentRecord]) -> list[PaymentRecord]:
    """As many of the oldest as fit the contract's bounds."""
    chosen: list[PaymentRecord] = []
    members: set[Address] = set()
    balances: set[tuple[Address, int]] = set()
    for payment in agreed:
        more_members = members | payment.terms.members()
        touched = {(account, leg.currency) for leg in payment.legs for account in (leg.source, leg.target)}
        more_balances = balances | touched
        if len(more_members) <= MAX_MEMBERS and len(more_balances) <= MAX_POSITIONS:
            members, balances = more_members, more_balances
            chosen.append(payment)
    return chosen


def _batch(node: NodeContext, chosen: Sequence[PaymentRecord]) -> Batch:
    terms = [payment.terms for payment in chosen]
    earliest = min(payment.deadline for payment in chosen)
    return Batch(
        debtor_agent=node.account,
        lane=LANE,
        sequence=node.settlement.next_sequence(node.account, LANE),
        payments_root=MerkleTree([payment_leaf(each) for each in terms]).root,
        payment_count=len(terms),
        members=members_of(terms),
        positions=net_positions(terms),
        deadline=min(earliest, node.clock.now() + LIFETIME),
    )


def _record_forming(connection: Connection, batch: Batch, chosen: Sequence[PaymentRecord]) -> bool:
    moved = [payments.move(connection, payment, Event.BATCH) for payment in chosen]
    if not all(moved):
        # One of them ended meanwhile: the tree no longer fits, so put the others back and form anew.
        for payment in payments.find_all(connection, [payment.uetr for payment in chosen]):
            if payment.state is State.COSIGNING:
                payments.move(connection, payment, Event.DROP, detail="the batch changed before it was proposed")
        return False
    repository.add(connection, batch, [payment.uetr for payment in chosen])
    return True


def _gather(
    node: NodeContext, batch: Batch, chosen: Sequence[PaymentRecord]
) -> tuple[Mapping[Address, Endorsement], set[Address]]:
    """Ask all members side by side; what they signed, and who did not sign what was asked."""
    tree = MerkleTree([payment_leaf(payment.terms) for payment in chosen])
    included = [IncludedPayment(payment.terms, tree.path(index)) for index, payment in enumerate(chosen)]

    def ask(member: Address) -> Endorsement | None:
        own = tuple(each for each in included if member in each.terms.members())
        try:
            return _attest_own(node, batch, own) if member == node.account else _ask(node, member, batch, own)
        except FeiqianError as failure:
            _log.warning("member did not sign", member=member, payments=len(own), why=failure.detail)
            return None

    answers = dict(zip(batch.members, _pool.map(ask, batch.members), strict=True))
    signed = {member: endorsement for member, endorsement in answers.items() if endorsement is not None}
    return signed, set(batch.members) - set(signed)


def _ask(node: NodeContext, member: Address, batch: Batch, own: tuple[IncludedPayment, ...]) -> Endorsement:
    participant, keys = node.directory.participant(member), node.directory.keys(member)
    if participant is None or keys is None:
        raise PeerUnavailable(f"{member} is not in the registry")
    # A creditor agent's node answers this question in the same form as a provider's bridge.
    [answer] = BridgeClient(node.peers, Peer(member, participant.endpoint)).cosign([CosignRequest(batch, own)])
    if not isinstance(answer, Cosignature):
        raise NotAgreed(answer.detail)
    name = batch_hash(batch)
    _check_attestation(node, batch, answer.attestation, answer.attestation_signature, keys.compliance)
    if recover(typed_digest(node.domain, name), answer.settlement_signature) not in keys.settlement:
        raise NotAgreed("the signature is not by the member's settlement key")
    return answer.endorsement


def _attest_own(node: NodeContext, batch: Batch, own: tuple[IncludedPayment, ...]) -> Endorsement:
    """This institution's compliance attests now; its settlement key signs last, when the batch is submitted."""
    [answer] = node.compliance.attest([AttestationRequest(batch, own)])
    if not isinstance(answer, SignedAttestation):
        raise NotAgreed(answer.detail)
    keys = node.directory.keys(node.account)
    # Around an upgrade our compliance may be a final block ahead of us, or behind: it signs for another Settlement.
    _check_attestation(node, batch, answer.attestation, answer.signature, keys.compliance if keys else frozenset())
    return Endorsement(b"", answer.attestation, answer.signature)


def _check_attestation(
    node: NodeContext, batch: Batch, attestation: Attestation, signature: bytes, keys: frozenset[Address]
) -> None:
    if attestation.batch_hash != batch_hash(batch) or attestation.valid_until < batch.deadline:
        raise NotAgreed("the attestation is about another batch or ends before the batch")
    if recover(typed_digest(node.domain, attestation_hash(attestation)), signature) not in keys:
        raise NotAgreed("the attestation is not by the member's compliance key")


def _record_signed(
    connection: Connection, node: NodeContext, batch: Batch, endorsements: Mapping[Address, Endorsement]
) -> None:
    """The durable record before the own signature: from here on only a final block decides about these payments."""
    name = batch_hash(batch)
    members = payments.find_all(connection, repository.uetrs_of(connection, name))
    if any(payment.state is not State.COSIGNING for payment in members):
        drop_batch(connection, batch)
        return
    node.signed.record(connection, batch, [payment.uetr for payment in members], node.office.incumbent)
    for payment in members:
        payments.move(connection, payment, Event.SIGN)
    repository.sign(connection, name, endorsements)


def leaves_of(connection: Connection, formed: repository.FormedBatch) -> list[PaymentTerms]:
    """The terms of a batch's payments in the order of its leaves."""
    by_uetr = {payment.uetr: payment.terms for payment in payments.find_all(connection, formed.uetrs)}
    return [by_uetr[uetr] for uetr in formed.uetrs]
