"""A return that arrives at the agent of the customer who paid: to whom it belongs, and whether there is room for it."""

from __future__ import annotations

from sqlalchemy import Connection

from contracts.terms.errors import AlreadyReturned, Busy, NotAgreed, NotFound
from contracts.terms.identifiers import Address
from contracts.terms.payment import PaymentTerms, State
from nodes.accounts import service as accounts
from nodes.payments import repository
from nodes.returns.keys import payee_key


def customer_of(connection: Connection, sender: Address, terms: PaymentTerms, key: str) -> accounts.Account:
    """The account that paid the original of this return.

    Raises NotFound, NotAgreed, AlreadyReturned, and Busy while we have not followed the chain as far as the sender has.
    """
    original = repository.find(connection, terms.original_uetr)
    if original is None or original.side != "debtor" or original.creditor_agent != sender:
        raise NotFound("we have no payment to you with this UETR that could be returned")
    if original.state is State.COMMITTING:
        raise Busy("we have not seen the original payment in a final block yet")
    if original.state is not State.SETTLED or key != payee_key(original.uetr):
        raise NotAgreed("only a settled payment is returned, to the account that paid it")
    taken, given = repository.returned(connection, original.uetr)
    known = repository.find(connection, terms.uetr)
    if known is None:
        taken += sum(leg.amount for leg in terms.legs if leg.source == sender)
        given += sum(leg.amount for leg in terms.legs if leg.target == original.debtor_agent)
    if taken > original.target.minor or given > original.source.minor:
        raise AlreadyReturned("the returns of this payment would exceed what was paid", uetr=original.uetr)
    return accounts.find(connection, original.account)
