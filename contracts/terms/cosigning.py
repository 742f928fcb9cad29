"""What a member checks before it puts its name to a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.terms.batch import LANES, MAX_BATCH_LIFETIME, MAX_MEMBERS, MAX_POSITIONS, Batch, net_positions
from contracts.terms.commitments import payment_leaf
from contracts.terms.errors import DeadlinePassed, NotAgreed
from contracts.terms.identifiers import Address
from contracts.terms.merkle import InclusionPath, includes
from contracts.terms.payment import PaymentTerms


@dataclass(frozen=True)
class IncludedPayment:
    """A payment and where its leaf stands in a batch's tree."""

    terms: PaymentTerms
    path: InclusionPath


def check_batch(batch: Batch, own: Sequence[IncludedPayment], member: Address, now: int) -> None:
    """Refuse a batch that does not do for `member` exactly what its `own` payments say. `now` is chain time.

    Raises NotAgreed with what differs, DeadlinePassed when the batch is already over.
    """
    _check_shape(batch, member)
    _check_deadline(batch, own, now)
    for payment in own:
        _check_included(batch, payment, member)
    if not own:
        raise NotAgreed("the batch has no payment of this member")
    if len({payment.path.index for payment in own}) != len(own):
        raise NotAgreed("two payments claim one place in the tree")
    if len({payment.terms.uetr for payment in own}) != len(own):
        raise NotAgreed("a payment stands twice in the tree")
    ours = tuple(position for position in batch.positions if position.account == member)
    summed = tuple(p for p in net_positions(payment.terms for payment in own) if p.account == member)
    if ours != summed:
        raise NotAgreed("the batch's positions for this member are not the sum of its payments")


def _check_shape(batch: Batch, member: Address) -> None:
    if not 0 <= batch.lane < LANES:
        raise NotAgreed(f"there are lanes 0 to {LANES - 1}")
    if len(batch.members) > MAX_MEMBERS or len(batch.positions) > MAX_POSITIONS:
        raise NotAgreed(f"a batch has at most {MAX_MEMBERS} members and {MAX_POSITIONS} positions; split it")
    if tuple(sorted(set(batch.members))) != batch.members:
        raise NotAgreed("the members must be ascending and unique")
    if not {member, batch.debtor_agent} <= set(batch.members):
        raise NotAgreed("this member or the debtor agent is not among the members")


def _check_deadline(batch: Batch, own: Sequence[IncludedPayment], now: int) -> None:
    if batch.deadline < now:
        raise DeadlinePassed("the batch's deadline has passed")
    if batch.deadline > now + MAX_BATCH_LIFETIME:
        raise NotAgreed(f"the batch's deadline is more than {MAX_BATCH_LIFETIME} s away")
    if any(batch.deadline > payment.terms.deadline for payment in own):
        raise NotAgreed("the batch's deadline is later than that of one of its payments")


def _check_included(batch: Batch, payment: IncludedPayment, member: Address) -> None:
    terms, path = payment.terms, payment.path
    if path.count != batch.payment_count or not includes(batch.payments_root, payment_leaf(terms), path):
        raise NotAgreed("the payment is not in the batch's tree", uetr=terms.uetr)
    if terms.debtor_agent != batch.debtor_agent:
        raise NotAgreed("the payment is another debtor agent's", uetr=terms.uetr)
    if member not in terms.members() or not terms.members() <= set(batch.members):
        raise NotAgreed("an institution that the payment names is not a member of the batch", uetr=terms.uetr)
