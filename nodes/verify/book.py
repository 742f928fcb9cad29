"""What must hold of a node's money: the journal, the balances that follow from it, what is earmarked and given back."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, func, select

from contracts.terms.payment import State
from nodes.accounts.tables import accounts, entries, postings
from nodes.payments.tables import payments

_OPEN = [state.value for state in State if not state.final]
_GIVEN_BACK = [State.REFUSED.value, State.EXPIRED.value, State.CANCELLED.value]


def journal(connection: Connection) -> Iterator[str]:
    """Every entry's postings sum to zero in each currency, and it has some."""
    lines = select(postings.c.entry, accounts.c.currency, func.sum(postings.c.amount).label("total"))
    sums = lines.join_from(postings, accounts).group_by(postings.c.entry, accounts.c.currency).subquery()
    chosen = select(entries.c.key, sums.c.currency, sums.c.total)
    chosen = chosen.join_from(entries, sums, sums.c.entry == entries.c.id, isouter=True)
    for key, unit, total in connection.execute(
        chosen.where(func.coalesce(sums.c.total, 1) != 0).order_by(entries.c.id)
    ):
        yield f"entry {key}: has no postings" if unit is None else f"entry {key}: its postings in {unit} sum to {total}"


def balances(connection: Connection) -> Iterator[str]:
    """Every balance is the sum of its account's postings, and those of a currency sum to zero."""
    c = accounts.c
    posted = func.coalesce(func.sum(postings.c.amount), 0)
    chosen = select(c.id, c.balance, posted).join_from(accounts, postings, postings.c.account == c.id, isouter=True)
    for account, balance, total in connection.execute(chosen.group_by(c.id, c.balance).having(posted != c.balance)):
        yield f"account {account}: its balance is {balance}, its postings sum to {total}"
    whole = select(c.currency, func.sum(c.balance)).group_by(c.currency).having(func.sum(c.balance) != 0)
    for unit, total in connection.execute(whole):
        yield f"the book in {unit}: all balances sum to {total}"


def earmarks(connection: Connection) -> Iterator[str]:
    """On every account is earmarked exactly what its open payments may cost."""
    p, c = payments.c, accounts.c
    cost = select(p.account, func.sum(p.source_amount + p.fee).label("total"))
    wanted = cost.where(p.side == "debtor", p.state.in_(_OPEN)).group_by(p.account).subquery()
    total = func.coalesce(wanted.c.total, 0)
    chosen = select(c.id, c.earmarked, total).join_from(accounts, wanted, wanted.c.account == c.id, isouter=True)
    for account, earmarked, needed in connection.execute(chosen.where(total != c.earmarked).order_by(c.id)):
        yield f"account {account}: {earmarked} is earmarked, its open payments need {needed}"


def returns(connection: Connection) -> Iterator[str]:
    """What was returned of a payment, or is on its way, is at most what was paid."""
    original, back = payments.alias(), payments.alias()
    sent = original.c.side == "creditor"
    joined = (back.c.original_uetr == original.c.uetr) & back.c.state.not_in(_GIVEN_BACK)
    total = func.sum(back.c.source_amount)
    chosen = select(original.c.uetr, original.c.target_amount, total).join_from(original, back, joined).where(sent)
    chosen = chosen.group_by(original.c.uetr, original.c.target_amount).having(total > original.c.target_amount)
    for uetr, paid, returned in connection.execute(chosen):
        yield f"payment {uetr}: {returned} is returned of {paid}"
