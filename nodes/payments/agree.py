"""Step 4: the creditor agents agree, then the FX providers reserve. Each answers a list with one signature."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection

from bridge.client import BridgeClient, ReservationRequest, Reserved
from contracts.terms.attestation import Agreement
from contracts.terms.commitments import agreement_hash, typed_digest
from contracts.terms.errors import FeiqianError, PeerUnavailable
from contracts.terms.identifiers import Address
from contracts.terms.merkle import MerkleTree
from contracts.terms.payment import Event
from contracts.terms.signing import recover
from nodes.claims import claimed
from nodes.context import NodeContext
from nodes.payments import agreements, end, repository
from nodes.payments.record import PaymentRecord
from nodes.payments.repository import Move
from nodes.peers.client import AgreementAnswer, NodeClient, Proposal
from nodes.steps import Errands
from serving.client import Peer, PeerRefusal

MAX_LIST = 500
Answer = TypeVar("Answer")
Group = tuple[Address, list[PaymentRecord]]


def propose_screened(node: NodeContext, errands: Errands) -> bool:
    """Ask every creditor agent that has payments waiting, as one list each. False: what comes back says what moved.

    A peer that is slow, or does not answer, delays only its own payments.
    """
    with node.database.read() as connection:
        waiting = repository.to_propose(connection, node.clock.now(), _accounts(errands), MAX_LIST)
    for group in _by(lambda payment: payment.creditor_agent, claimed(node, "agree", waiting)):
        errands.send(group[0], partial(_ask, node, group, _propose, _record_agreement))
    return False


def reserve_answered(node: NodeContext, errands: Errands) -> bool:
    """Ask every provider that has payments waiting to which the creditor agent agreed, as `propose_screened`."""
    with node.database.read() as connection:
        waiting = repository.to_reserve(connection, node.clock.now(), _accounts(errands), MAX_LIST)
    for group in _by(lambda payment: payment.provider, claimed(node, "reserve", waiting)):
        errands.send(group[0], partial(_ask, node, group, _reserve, _record_reservation))
    return False


def _accounts(errands: Errands) -> list[Address]:
    return [str(key) for key in errands.busy()]


def _ask(
    node: NodeContext,
    group: Group,
    ask: Callable[[NodeContext, Group], Answer],
    record: Callable[[Connection, NodeContext, Group, Answer], int],
) -> bool:
    """Ask a group's peer and record its answer; True when at least one payment moved."""
    try:
        answer = ask(node, group)
        node.troubles.worked(("agree", group[0]))
    except FeiqianError as failure:
        said = {"peer": group[0], "payments": len(group[1]), "why": failure.detail}
        node.troubles.failed(("agree", group[0]), "peer did not agree", **said)
        return _refuse_all(node, group, failure) > 0
    return node.database.write(lambda connection: record(connection, node, group, answer)) > 0


def _refuse_all(node: NodeContext, group: Group, failure: FeiqianError) -> int:
    """A peer that refuses the whole request ends its payments; one that is away leaves them to their deadline."""
    if not isinstance(failure, PeerRefusal):
        return 0

    def work(connection: Connection) -> int:
        end.refuse_all(connection, [end.Refusal(each, failure.iso_reason, failure.detail) for each in group[1]])
        return len(group[1])

    return node.database.write(work)


def _propose(node: NodeContext, group: Group) -> AgreementAnswer:
    agent, payments = group
    proposals = [Proposal(p.terms, p.quote, p.payee_key, p.reference, p.debtor) for p in payments]
    return NodeClient(node.peers, peer_of(node, agent)).agree(proposals)


def _record_agreement(connection: Connection, node: NodeContext, group: Group, answer: AgreementAnswer) -> int:
    agent, payments = group
    by_uetr = {payment.uetr: payment for payment in payments}
    agreed = [
        replace(
            by_uetr[item.uetr],
            creditor_commitment=item.creditor_commitment,
            creditor_decision=item.creditor_decision,
        )
        for item in answer.agreed
    ]
    if agreed:
        _keep_agreement(connection, node, agent, agreed, answer.agreement, answer.signature)
    repository.complete(connection, agreed)
    held = [end.Hold(by_uetr[item.uetr], agent, item.held_until) for item in answer.not_agreed if item.held_until]
    end.hold_all(connection, held)
    no = [item for item in answer.not_agreed if not item.pending]
    refused = [end.Refusal(by_uetr[item.uetr], item.reason, item.detail) for item in no]
    end.refuse_all(connection, refused)
    return len(agreed) + len(refused) + len(held)


def _reserve(node: NodeContext, group: Group) -> list[Reserved]:
    provider, payments = group
    requests = [ReservationRequest(payment.terms, payment.quote) for payment in payments]
    return BridgeClient(node.peers, peer_of(node, provider)).reserve(requests)


def _record_reservation(connection: Connection, node: NodeContext, group: Group, answers: list[Reserved]) -> int:
    provider, payments = group
    by_uetr = {payment.uetr: payment for payment in payments}
    for answer in answers:
        if answer.agreement is not None:
            reserved = [by_uetr[uetr] for uetr in answer.uetrs]
            signed = answer.agreement
            _keep_agreement(connection, node, provider, reserved, signed.agreement, signed.signature)
        repository.move_all(connection, [Move.of(by_uetr[uetr], Event.AGREE) for uetr in answer.uetrs])
        refused = [end.Refusal(by_uetr[each.item], each.reason, each.detail) for each in answer.refused]
        end.refuse_all(connection, refused)
    return len(payments)


def _keep_agreement(
    connection: Connection,
    node: NodeContext,
    account: Address,
    payments: Sequence[PaymentRecord],
    agreement: Agreement | None,
    signature: bytes,
) -> None:
    """Keep a peer's signature over the leaves it agreed to, after checking that it is that. Raises PeerUnavailable."""
    tree = MerkleTree([payment.leaf for payment in payments])
    keys = node.directory.keys(account)
    if agreement is None or (agreement.root, agreement.count) != (tree.root, len(payments)) or keys is None:
        raise PeerUnavailable("the peer's agreement is not about the payments that it says it agreed to")
    if recover(typed_digest(node.domain, agreement_hash(agreement)), signature) not in keys.settlement:
        raise PeerUnavailable("the peer's agreement is not signed by its settlement key")
    paths = [(payment.uetr, tree.path(index)) for index, payment in enumerate(payments)]
    agreements.keep(connection, account, agreement, signature, paths)


def _by(key: Callable[[PaymentRecord], Address], payments: Iterable[PaymentRecord]) -> list[Group]:
    groups: dict[Address, list[PaymentRecord]] = {}
    for payment in payments:
        groups.setdefault(key(payment), []).append(payment)
    return sorted(groups.items())


def peer_of(node: NodeContext, account: Address) -> Peer:
    participant = node.directory.participant(account)
    if participant is None:
        raise PeerUnavailable(f"{account} is not in the registry")
    return Peer(account, participant.endpoint)
