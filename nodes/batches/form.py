"""Step 5: agreed payments become a batch; every member signs it, the debtor agent last."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial

import structlog
from sqlalchemy import Connection

from bridge.client import BridgeClient, Cosignature, CosignRequest
from compliance.client import AttestationRequest, SignedAttestation
from contracts.terms.attestation import Attestation
from contracts.terms.batch import (
    LANES,
    MAX_BATCH_LIFETIME,
    MAX_MEMBERS,
    MAX_POSITIONS,
    Batch,
    Endorsement,
    members_of,
    net_positions,
)
from contracts.terms.commitments import attestation_hash, batch_hash, typed_digest
from contracts.terms.cosigning import IncludedPayment
from contracts.terms.errors import AlreadySigned, FeiqianError, NotAgreed, PeerUnavailable
from contracts.terms.identifiers import Address
from contracts.terms.merkle import MerkleTree
from contracts.terms.payment import Event, PaymentTerms, State
from contracts.terms.signing import recover
from nodes.batches import repository
from nodes.batches.lanes import COSIGN_TIMEOUT, NOBODY, SLOW, Departure, Troubled, depart
from nodes.context import NodeContext
from nodes.payments import repository as payments
from nodes.payments.record import PaymentRecord
from nodes.payments.repository import Move
from nodes.steps import Errands
from serving.claims import Lease
from serving.client import Peer

MAX_PAYMENTS = 1000
LIFETIME = MAX_BATCH_LIFETIME - 3
"""Seconds of chain time a batch may take: less than the members allow, because their clocks differ a little."""
MOST_LIVE = 2
"""Batches of one company that may be under way: one commits while the next is signed."""
BATCHES, LEASE = "batches", 6
"""The claim of the worker that forms and sends batches, and its seconds: half a batch's lifetime."""
LEAST_LEFT = 2
"""Seconds of chain time that a payment must have left: its batch ends with it, for all."""

_log = structlog.get_logger(__name__)


class Former:
    """Forms batches of whatever is agreed, one a lane, and gathers the members' signatures beside each other.

    `refused` are the batches that the contract refused because of a peer that is troubled since: until a final block
    decides about their place, the payments of the other peers go there once more, in a batch without that peer's.
    """

    def __init__(self, node: NodeContext, troubled: Troubled, refused: Collection[bytes], errands: Errands) -> None:
        self._node, self._troubled, self._refused, self._errands = node, troubled, refused, errands
        self._members = ThreadPoolExecutor(max_workers=32, thread_name_prefix="cosign")
        self._lease, self._held = Lease(node.claims, BATCHES, LEASE), False
        self._given_up: dict[bytes, tuple[Batch, Sequence[str]]] = {}
        """By batch hash, what members may hold for live, and its UETRs."""

    def abandon(self) -> None:
        """A batch that was being formed when the process ended was not signed by us: it cannot settle."""

        def work(connection: Connection) -> list[repository.FormedBatch]:
            for formed in repository.in_state(connection, repository.FORMING):
                drop_batch(connection, formed.batch)
            return repository.in_state(connection, repository.DEAD)

        dead = self._node.database.write(work)
        self._given_up = {formed.name: (formed.batch, formed.uetrs) for formed in dead}

    def form(self) -> bool:
        """Send off what waits in the lanes that are free. False: what comes back says what moved.

        Of several workers one forms batches: places in lanes and the settlement key's transactions have an order. What
        the last one was forming when it ended is given up.
        """
        held, self._held = self._held, self._lease.held()
        if not self._held:
            return False
        if not held:
            self.abandon()
        for departure in self._departures():
            chosen = _choose(departure.payments)
            batch = _batch(self._node, departure.lane, chosen)
            if self._node.database.write(partial(_record_forming, batch=batch, chosen=chosen)):
                self._errands.send(departure.company, partial(self._cosign, batch, chosen))
        return False

    @property
    def leads(self) -> bool:
        """Whether this worker forms and sends the batches now."""
        return self._held

    def close(self) -> None:
        """Wait for what is under way."""
        self._errands.close()
        self._members.shutdown(cancel_futures=True)

    def _departures(self) -> list[Departure]:
        node, troubled, under_way = self._node, self._troubled.now(), self._errands.busy()
        if not troubled and NOBODY in under_way:
            return []  # everybody's batch is being signed: no need to look
        now, incumbent = node.clock.now() + LEAST_LEFT - 1, node.office.incumbent
        with node.database.read() as connection:
            forming = repository.in_state(connection, repository.FORMING)
            signed = repository.in_state(connection, repository.SIGNED)
            spoilt = [formed for formed in signed if formed.name in self._refused]
            waiting = payments.to_batch(connection, now, incumbent, troubled, False, MAX_PAYMENTS)
            waiting += payments.to_batch(connection, now, incumbent, troubled, True, MAX_PAYMENTS) if troubled else []
            again = {each.uetr: each for formed in spoilt for each in payments.find_all(connection, formed.uetrs)}
        waiting += [each for each in again.values() if each.deadline > now and not each.terms.members() & troubled]
        tied = self._tied() | {uetr: formed.batch.lane for formed in spoilt for uetr in formed.uetrs}
        taken = {formed.batch.lane for formed in [*forming, *signed] if formed not in spoilt}
        live = Counter(frozenset(formed.batch.members) & troubled for formed in signed)
        busy = under_way | {company for company, batches in live.items() if batches >= MOST_LIVE}
        return depart(waiting, troubled, set(range(LANES)) - taken, tied, busy)

    def _tied(self) -> dict[str, int]:
        """The lane of each payment (by UETR) that members signed for its next place, in a batch that was given up."""
        node, given_up = self._node, self._given_up.copy()
        lanes = {batch.lane for batch, _ in given_up.values()}
        next_sequence = {lane: node.settlement.next_sequence(node.account, lane) for lane in lanes}
        tied: dict[str, int] = {}
        for name, (batch, uetrs) in given_up.items():
            if batch.deadline < node.clock.final_time() or batch.sequence < next_sequence[batch.lane]:
                self._given_up.pop(name)
            else:
                tied |= dict.fromkeys(uetrs, batch.lane)
        return tied

    def _cosign(self, batch: Batch, chosen: Sequence[PaymentRecord]) -> bool:
        """Gather what the members sign. True when the batch is signed, or is to be formed anew without a peer."""
        node = self._node
        self._given_up[batch_hash(batch)] = batch, [payment.uetr for payment in chosen]
        try:
            answers, slow = self._gather(batch, chosen)
            signed = {member: each for member, each in answers.items() if isinstance(each, Endorsement)}
            if len(signed) == len(batch.members):
                self._troubled.blame(slow - {node.account}, "slow to co-sign")
                return node.database.write(partial(_record_signed, node=node, batch=batch, endorsements=signed))
        except BaseException:
            node.database.write(lambda connection: drop_batch(connection, batch))
            raise
        # Who has signed another batch with a payment is not to blame: that one is not over in its own view.
        kept = {member for member, each in answers.items() if isinstance(each, AlreadySigned)}
        new = self._troubled.blame(set(batch.members) - set(signed) - kept - {node.account}, "did not co-sign")
        node.database.write(lambda connection: drop_batch(connection, batch))
        return new

    def _gather(
        self, batch: Batch, chosen: Sequence[PaymentRecord]
    ) -> tuple[Mapping[Address, Endorsement | FeiqianError], set[Address]]:
        """Ask all members side by side; what they answered in time, and who took long."""
        tree = MerkleTree([payment.leaf for payment in chosen])
        included = [IncludedPayment(payment.terms, tree.path(index)) for index, payment in enumerate(chosen)]
        began, took = time.monotonic(), dict[Address, float]()

        def ask(member: Address) -> Endorsement | FeiqianError:
            own = tuple(each for each in included if member in each.terms.members())
            answer = _endorsement(self._node, member, batch, own)
            took[member] = time.monotonic() - began
            return answer

        asked = {member: self._members.submit(ask, member) for member in batch.members}
        wait(asked.values(), COSIGN_TIMEOUT)
        answers = {member: each.result() for member, each in asked.items() if each.done()}
        late = sorted(set(asked) - set(answers))
        if late:
            _log.warning("members did not sign in time", members=late, payments=len(chosen))
        return answers, {member for member, seconds in dict(took).items() if seconds > SLOW}


def drop_batch(connection: Connection, batch: Batch) -> None:
    """Give up a batch that this debtor agent has not signed: it cannot settle, its payments go on at once."""
    name = batch_hash(batch)
    repository.bury(connection, name)
    _put_back(connection, repository.uetrs_of(connection, name), "a member did not sign")


def _put_back(connection: Connection, uetrs: Sequence[str], why: str) -> None:
    """Those of these payments that are being co-signed are agreed again."""
    payments.move_all(connection, [Move(uetr, State.COSIGNING, Event.DROP, {"detail": why}) for uetr in uetrs])


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


def _batch(node: NodeContext, lane: int, chosen: Sequence[PaymentRecord]) -> Batch:
    terms = [payment.terms for payment in chosen]
    earliest = min(payment.deadline for payment in chosen)
    return Batch(
        debtor_agent=node.account,
        lane=lane,
        sequence=node.settlement.next_sequence(node.account, lane),
        payments_root=MerkleTree([payment.leaf for payment in chosen]).root,
        payment_count=len(terms),
        members=members_of(terms),
        positions=net_positions(terms),
        deadline=min(earliest, node.clock.now() + LIFETIME),
    )


def _record_forming(connection: Connection, batch: Batch, chosen: Sequence[PaymentRecord]) -> bool:
    """Those that are signed already stay as they are: one place decides about both batches."""
    agreed = [payment for payment in chosen if payment.state is State.AGREED]
    moved = payments.move_all(connection, [Move.of(payment, Event.BATCH) for payment in agreed])
    if len(moved) < len(agreed):
        # One of them ended meanwhile: the tree no longer fits, so put the others back and form anew.
        _put_back(connection, sorted(moved), "the batch changed before it was proposed")
        return False
    repository.add(connection, batch, [payment.uetr for payment in chosen])
    return True


def _endorsement(
    node: NodeContext, member: Address, batch: Batch, own: tuple[IncludedPayment, ...]
) -> Endorsement | FeiqianError:
    try:
        return _attest_own(node, batch, own) if member == node.account else _ask(node, member, batch, own)
    except FeiqianError as failure:
        _log.warning("member did not sign", member=member, payments=len(own), why=failure.detail)
        return failure


def _ask(node: NodeContext, member: Address, batch: Batch, own: tuple[IncludedPayment, ...]) -> Endorsement:
    participant, keys = node.directory.participant(member), node.directory.keys(member)
    if participant is None or keys is None:
        raise PeerUnavailable(f"{member} is not in the registry")
    # A creditor agent's node answers this question in the same form as a provider's bridge.
    [answer] = BridgeClient(node.peers, Peer(member, participant.endpoint)).cosign([CosignRequest(batch, own)])
    if not isinstance(answer, Cosignature):
        raise (AlreadySigned if answer.problem == AlreadySigned.kind() else NotAgreed)(answer.detail)
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
) -> bool:
    """The durable record before the own signature: from here on only a final block decides about these payments."""
    name = batch_hash(batch)
    if not repository.is_forming(connection, name):
        return False
    uetrs = repository.uetrs_of(connection, name)
    standing = payments.standing_of(connection, uetrs)
    if any(standing[uetr].state not in (State.COSIGNING, State.COMMITTING) for uetr in uetrs):
        drop_batch(connection, batch)
        return True
    node.signed.record(connection, batch, uetrs, node.office.incumbent)
    payments.move_all(connection, [Move(uetr, State.COSIGNING, Event.SIGN) for uetr in uetrs])
    repository.sign(connection, name, endorsements)
    return True


def leaves_of(connection: Connection, formed: repository.FormedBatch) -> list[PaymentTerms]:
    """The terms of a batch's payments in the order of its leaves."""
    by_uetr = {payment.uetr: payment.terms for payment in payments.find_all(connection, formed.uetrs)}
    return [by_uetr[uetr] for uetr in formed.uetrs]
