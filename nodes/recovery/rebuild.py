"""A lost payment as a record again, from what the other agent knows of it and the terms that the chain proves."""

from __future__ import annotations

import time

from sqlalchemy import Connection

from contracts.terms.errors import NotAgreed, NotFound, UnknownMerchant
from contracts.terms.money import Money, currency
from contracts.terms.payment import State
from nodes.accounts import service as accounts
from nodes.context import NodeContext
from nodes.merchants import service as merchants
from nodes.payments import repository as payments
from nodes.payments.record import PaymentRecord
from nodes.peers.client import SettledPayment
from nodes.quotes.pricing import fee_on


def rebuild(
    connection: Connection, node: NodeContext, lost: SettledPayment, known: PaymentRecord | None
) -> PaymentRecord:
    """The payment in the state that it was `known` in, or as newly accepted.

    Raises NotAgreed when the quote is not the one in the terms or the account cannot be meant, and UnknownAccount,
    UnknownMerchant or NotFound when what it belongs to was lost too: it is booked once that exists again.
    """
    terms, quote = lost.terms, lost.quote
    source = Money(quote.source_amount, currency(quote.source_currency))
    target = Money(quote.target_amount, currency(quote.target_currency))
    is_debtor = terms.debtor_agent == node.account
    account = accounts.find(connection, lost.debtor.account) if is_debtor else _payee(connection, lost)
    unit = source.currency if is_debtor else target.currency
    if account.kind not in ("customer", "merchant") or account.currency != unit:
        raise NotAgreed(f"the payment is not one of the account {account.id}", uetr=terms.uetr)
    fee = fee_on(node, source) if is_debtor and not terms.original_uetr else 0
    payment = PaymentRecord(
        uetr=terms.uetr,
        side="debtor" if is_debtor else "creditor",
        state=State.ACCEPTED if known is None else known.state,
        account=account.id,
        debtor_agent=terms.debtor_agent,
        creditor_agent=terms.creditor_agent,
        provider=quote.provider,
        source=source,
        target=target,
        fee=known.fee if known and known.quote == quote else fee,
        payee_key=lost.payee_key,
        reference=lost.reference,
        debtor=account.party if is_debtor else lost.debtor,
        creditor=lost.creditor if is_debtor else account.party,
        quote=quote,
        quote_signature=known.quote_signature if known and known.quote == quote else b"",
        deadline=terms.deadline,
        accepted_at=known.accepted_at if known else time.time_ns() // 1_000_000,
        debtor_commitment=terms.debtor_commitment,
        debtor_decision=terms.debtor_decision,
        creditor_commitment=terms.creditor_commitment,
        creditor_decision=terms.creditor_decision,
        original_uetr=terms.original_uetr,
        attempt=known.attempt if known else 0,
        most=max(known.most if known else 0, source.minor + fee),
    )
    if payment.terms != terms:
        raise NotAgreed("the quote is not the one in the terms", uetr=terms.uetr)
    if known is not None and (known.account, known.side) != (payment.account, payment.side):
        raise NotAgreed("the payment is known to be another account's", uetr=terms.uetr)
    return payment


def _payee(connection: Connection, lost: SettledPayment) -> accounts.Account:
    """A merchant by its code, or, for a return, the customer who paid the original."""
    if not lost.terms.original_uetr:
        payee = merchants.payees(connection, [lost.payee_key]).get(lost.payee_key)
        if payee is None:
            raise UnknownMerchant("no merchant here has the code that was paid", uetr=lost.terms.uetr)
        return payee
    original = payments.find(connection, lost.terms.original_uetr)
    if original is None or original.side != "debtor":
        raise NotFound("the payment that this one returns is not known here", uetr=lost.terms.uetr)
    return accounts.find(connection, original.account)
