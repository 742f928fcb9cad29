"""The creditor agent's part of step 4: it answers for its merchant, has its own compliance screen, and signs."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from compliance.client import Decision, Refusal
from contracts.terms.attestation import Agreement
from contracts.terms.commitments import agreement_hash, quotes_hash, typed_digest
from contracts.terms.errors import DeadlinePassed, FeiqianError, Malformed, Unavailable, UnknownMerchant
from contracts.terms.errors import NotAgreed as TermsNotAgreed
from contracts.terms.merkle import root_of
from contracts.terms.money import Money, currency, payable
from contracts.terms.parties import Participant, Role
from contracts.terms.payment import Event, State
from nodes.accounts import service as accounts
from nodes.context import NodeContext
from nodes.merchants import service as merchants
from nodes.payments import end, repository
from nodes.payments.record import UNKNOWN, PaymentRecord
from nodes.payments.repository import Move
from nodes.payments.screen import screening_of
from nodes.peers.client import Agreed, AgreementAnswer, NotAgreed, Proposal
from nodes.returns import incoming as returns

_AGREED = (State.AGREED, State.COMMITTING, State.SETTLED)
MAX_PAYMENT_LIFETIME = 3600
"""Seconds of chain time: no payment is agreed to whose deadline is later than this from now."""


def answer_proposals(node: NodeContext, sender: Participant, proposals: Sequence[Proposal]) -> AgreementAnswer:
    """Agree to, refuse or keep pending each payment that a debtor agent proposes. Asking again changes nothing."""
    recorded = node.database.write(lambda connection: _record_all(connection, node, sender, proposals))
    screened = _screen(node, [each for each in recorded if isinstance(each, PaymentRecord)])
    agreed = [payment for payment in screened if payment.state in _AGREED]
    others = [_not_agreed(payment) for payment in screened if payment.state not in _AGREED]
    others += [each for each in recorded if isinstance(each, NotAgreed)]
    answers = tuple(Agreed(p.uetr, p.creditor_commitment, p.creditor_decision) for p in agreed)
    if not agreed:
        return AgreementAnswer((), tuple(others), None, b"")
    agreement = Agreement(
        root_of([payment.leaf for payment in agreed]),
        len(agreed),
        max(payment.deadline for payment in agreed),
    )
    signature = node.signer.sign(typed_digest(node.domain, agreement_hash(agreement)))
    return AgreementAnswer(answers, tuple(others), agreement, signature)


def _record_all(
    connection: Connection, node: NodeContext, sender: Participant, proposals: Sequence[Proposal]
) -> list[PaymentRecord | NotAgreed]:
    """Each payment as recorded, or why not. A proposal that was recorded before must be the same."""
    known = {each.uetr: each for each in repository.find_all(connection, [each.terms.uetr for each in proposals])}
    payees = merchants.payees(connection, {each.payee_key for each in proposals})
    new: list[PaymentRecord] = []
    recorded: list[PaymentRecord | NotAgreed] = []
    for proposal in proposals:
        uetr = proposal.terms.uetr
        try:
            account = _payee(connection, sender, proposal, payees)
            payment = _payment(node, sender, proposal, account)
            if uetr in known:
                payment = _proposed_again(connection, known[uetr], payment)
            else:
                new.append(payment)
            known[uetr] = payment
            recorded.append(payment)
        except FeiqianError as error:
            recorded.append(NotAgreed(uetr, isinstance(error, Unavailable), error.reason, error.detail))
    repository.add_all(connection, new)
    return recorded


def _payment(node: NodeContext, sender: Participant, proposal: Proposal, account: accounts.Account) -> PaymentRecord:
    terms, quote, now = proposal.terms, proposal.quote, node.clock.now()
    if terms.deadline <= now:
        raise DeadlinePassed("the payment's deadline has passed")
    if terms.deadline > now + MAX_PAYMENT_LIFETIME:
        raise Malformed("the payment's deadline is too far away")
    payment = PaymentRecord(
        uetr=terms.uetr,
        side="creditor",
        state=State.ACCEPTED,
        account=account.id,
        debtor_agent=sender.account,
        creditor_agent=node.account,
        provider=quote.provider,
        source=Money(quote.source_amount, currency(quote.source_currency)),
        target=Money(quote.target_amount, currency(quote.target_currency)),
        fee=0,
        payee_key=proposal.payee_key,
        reference=proposal.reference,
        debtor=proposal.debtor,
        creditor=account.party,
        quote=quote,
        quote_signature=b"",
        deadline=terms.deadline,
        accepted_at=time.time_ns() // 1_000_000,
        debtor_commitment=terms.debtor_commitment,
        debtor_decision=terms.debtor_decision,
        original_uetr=terms.original_uetr,
    )
    provider = node.directory.participant(quote.provider)
    if provider is None or Role.FX_PROVIDER not in provider.roles:
        raise TermsNotAgreed("the quote is of no FX provider of this network")
    for amount in (quote.source_amount, quote.target_amount):
        payable(amount)
    if payment.target.currency != account.currency or terms.quotes_hash != quotes_hash([quote]):
        raise TermsNotAgreed("the quote is not the one in the terms, or not in the merchant's currency")
    if quote.buyer != sender.account or payment.terms != terms:
        raise TermsNotAgreed("the terms are not those of a payment from you to this merchant by this quote")
    return payment


def _payee(
    connection: Connection, sender: Participant, proposal: Proposal, payees: Mapping[str, accounts.Account]
) -> accounts.Account:
    """Whom the payment credits: a merchant by its code, or, for a return, the customer who paid the original."""
    if proposal.terms.original_uetr:
        return returns.customer_of(connection, sender.account, proposal.terms, proposal.payee_key)
    if proposal.payee_key not in payees:
        raise UnknownMerchant("no merchant here has this code; ask the merchant for a new one")
    return payees[proposal.payee_key]


def _proposed_again(connection: Connection, known: PaymentRecord, proposed: PaymentRecord) -> PaymentRecord:
    """The same proposal again, or, once our officers released it, the same payment at a new price."""
    unsigned = replace(known, creditor_commitment=UNKNOWN, creditor_decision=UNKNOWN)
    if _lasting(known) != _lasting(proposed):
        raise TermsNotAgreed("another payment was proposed with this UETR")
    if unsigned.terms == proposed.terms:
        return known
    if not (known.state is State.ACCEPTED and known.attempt):
        raise TermsNotAgreed("this payment was proposed with other terms")
    priced_anew = replace(proposed, attempt=known.attempt, accepted_at=known.accepted_at)
    repository.price_anew(connection, priced_anew)
    return priced_anew


def _lasting(payment: PaymentRecord) -> tuple[object, ...]:
    """What stays the same when a payment is priced anew: also what the merchant gets, or gives back."""
    fixed = payment.source if payment.original_uetr else payment.target
    where = payment.side, payment.debtor_agent, payment.original_uetr, payment.payee_key
    return (*where, payment.debtor, payment.reference, fixed)


def _screen(node: NodeContext, payments: Sequence[PaymentRecord]) -> list[PaymentRecord]:
    """Have those screened that were not yet; the payments as they stand afterwards."""
    waiting = [payment for payment in payments if payment.state is State.ACCEPTED]
    if not waiting:
        return list(payments)
    answers = node.compliance.screen([screening_of(payment) for payment in waiting])
    outcomes = list(zip(waiting, answers, strict=True))
    decided = node.database.write(lambda connection: _record_decisions(connection, outcomes))
    return [decided.get(payment.uetr, payment) for payment in payments]


def _record_decisions(
    connection: Connection, outcomes: Sequence[tuple[PaymentRecord, Decision | Refusal]]
) -> dict[str, PaymentRecord]:
    """Move each payment as compliance decided; the payments as they stand afterwards, by UETR."""
    cleared: dict[str, PaymentRecord] = {}
    held: list[end.Hold] = []
    refused: list[end.Refusal] = []
    for payment, answer in outcomes:
        if isinstance(answer, Refusal):
            refused.append(end.Refusal(payment, answer.reason, answer.detail))
        elif answer.outcome == "refuse":
            refused.append(end.Refusal(payment, answer.reason, "compliance of the creditor agent refused"))
        elif not answer.clear:
            held.append(end.Hold(payment, payment.creditor_agent, answer.hold_until))
        else:
            said = {"creditor_commitment": answer.party_commitment, "creditor_decision": answer.decision_commitment}
            cleared[payment.uetr] = replace(payment, state=State.AGREED, **said)
    agreed = _agree(connection, cleared)
    end.hold_all(connection, held)
    end.refuse_all(connection, refused)
    others = repository.find_all(connection, [payment.uetr for payment, _ in outcomes if payment.uetr not in agreed])
    return {uetr: cleared[uetr] for uetr in agreed} | {payment.uetr: payment for payment in others}


def _agree(connection: Connection, cleared: Mapping[str, PaymentRecord]) -> set[str]:
    """The creditor side has cleared these, and so it agrees to those that are still open."""
    moves = [
        Move(
            payment.uetr,
            State.ACCEPTED,
            Event.CLEAR,
            {"creditor_commitment": payment.creditor_commitment, "creditor_decision": payment.creditor_decision},
        )
        for payment in cleared.values()
    ]
    screened = repository.move_all(connection, moves)
    return repository.move_all(connection, [Move(uetr, State.SCREENED, Event.AGREE) for uetr in sorted(screened)])


def _not_agreed(payment: PaymentRecord) -> NotAgreed:
    pending = payment.state in (State.ACCEPTED, State.HELD, State.SCREENED)
    reason, detail = payment.reason or "AB09", payment.detail or f"the payment is {payment.state}"
    held_until = payment.deadline if payment.state is State.HELD else 0
    return NotAgreed(payment.uetr, pending, "" if pending else reason, detail, held_until)
