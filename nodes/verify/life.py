"""What must hold of a node's payments: how each came to its state, what it moved, and in which batches it stands."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, and_, case, func, select

from contracts.terms.payment import TRANSITIONS, State
from nodes.accounts.service import RECEIVABLES
from nodes.accounts.tables import accounts, entries, postings
from nodes.batches.repository import SETTLED
from nodes.batches.tables import batches
from nodes.metadata import signed
from nodes.payments.tables import feeds, payment_events, payments
from nodes.recovery.tables import doubtful_payments
from serving.cosigning import DEAD, LIVE
from serving.jsontext import load

_FIRST = ("accept", State.ACCEPTED.value)
_LEGAL = {(source.value, event.value, target.value) for (source, event), target in TRANSITIONS.items()}


def states(connection: Connection) -> Iterator[str]:
    """Every payment came to its state by its event rows, which have no gap, by ways that there are."""
    yield from _illegal(connection)
    p, e = payments.c, payment_events.c
    rows = select(e.uetr, func.count().label("count"), func.max(e.number).label("last")).group_by(e.uetr).subquery()
    last = and_(e.uetr == p.uetr, e.number == rows.c.last)
    chosen = select(p.uetr, p.state, rows.c.count, rows.c.last, e.state.label("said"))
    chosen = chosen.join_from(payments, rows, rows.c.uetr == p.uetr, isouter=True).join(
        payment_events, last, isouter=True
    )
    wrong = rows.c.count.is_(None) | (rows.c.last + 1 != rows.c.count) | (e.state != p.state)
    for uetr, state, count, number, said in connection.execute(chosen.where(wrong).order_by(p.uetr)):
        if count is None or number + 1 != count:
            yield f"payment {uetr}: event rows are missing; there are {count or 0}"
        else:
            yield f"payment {uetr}: is {state}, but its last event made it {said}"


def _illegal(connection: Connection) -> Iterator[str]:
    """Each kind of step that was taken and is not in the table, with one payment that took it."""
    e = payment_events.c
    before = func.lag(e.state).over(partition_by=e.uetr, order_by=e.number).label("before")
    steps = select(e.uetr, before, e.event, e.state).subquery().c
    kinds = select(steps.before, steps.event, steps.state, func.count(), func.min(steps.uetr))
    for source, event, target, count, uetr in connection.execute(
        kinds.group_by(steps.before, steps.event, steps.state).order_by(func.min(steps.uetr))
    ):
        legal = (event, target) == _FIRST if source is None else (source, event, target) in _LEGAL
        if not legal:
            yield f"payment {uetr}: no way leads from {source or 'nothing'} by {event} to {target} ({count} times)"


def events(connection: Connection) -> Iterator[str]:
    """Each owner's events are counted from one on without a gap: who follows them misses none."""
    e = payment_events.c
    counted = select(e.owner, func.count().label("count"), func.max(e.place).label("last")).group_by(e.owner).subquery()
    chosen = select(feeds.c.owner, feeds.c.last, counted.c.count, counted.c.last)
    chosen = chosen.join_from(feeds, counted, counted.c.owner == feeds.c.owner, isouter=True)
    gaps = counted.c.count.is_(None) | (counted.c.count != feeds.c.last) | (counted.c.last != feeds.c.last)
    for owner, told, count, last in connection.execute(chosen.where(gaps)):
        yield f"owner {owner}: {told} events were counted, there are {count or 0}, the last at place {last or 0}"


def settlements(connection: Connection) -> Iterator[str]:
    """Every settled payment is in the journal exactly once, with its amounts, and no other payment is."""
    p = payments.c
    booked = entries.c.key == "payment:" + p.uetr
    missing = select(p.uetr).join_from(payments, entries, booked, isouter=True)
    for (uetr,) in connection.execute(missing.where(p.state == State.SETTLED.value, entries.c.id.is_(None))):
        yield f"payment {uetr}: is settled and not in the journal"
    surplus = select(entries.c.key, p.state).join_from(entries, payments, booked, isouter=True)
    wrong = entries.c.key.startswith("payment:", autoescape=True) & (func.coalesce(p.state, "") != State.SETTLED.value)
    for key, state in connection.execute(surplus.where(wrong)):
        yield f"entry {key}: the payment is {state or 'not there'}, and booked"
    yield from _amounts(connection)


def _amounts(connection: Connection) -> Iterator[str]:
    """A customer's part may be a claim on it instead, where a restored book had no money of its any more."""
    p, line, c = payments.c, postings.c, accounts.c
    own = (line.account == p.account) | line.account.startswith(f"{RECEIVABLES}:", autoescape=True)
    person = func.sum(case((own, line.amount), else_=0))
    chain = func.sum(case((c.kind == "settlement", line.amount), else_=0))
    to_person = case((p.side == "debtor", -(p.source_amount + p.fee)), else_=p.target_amount)
    on_chain = case((p.side == "debtor", p.source_amount), else_=-p.target_amount)
    lines = select(p.uetr, person, to_person, chain, on_chain).join_from(
        payments, entries, entries.c.key == "payment:" + p.uetr
    )
    lines = lines.join(postings, line.entry == entries.c.id).join(accounts, c.id == line.account)
    grouped = lines.group_by(p.uetr, to_person, on_chain)
    for uetr, moved, due, settled, agreed in connection.execute(
        grouped.having((person != to_person) | (chain != on_chain)).order_by(p.uetr)
    ):
        yield f"payment {uetr}: booked {moved} on the account and {settled} on chain, not {due} and {agreed}"


def live_batches(connection: Connection) -> Iterator[str]:
    """No payment stands in two batches that may both settle, and what may settle is committing, and nothing else is."""
    b, s, p = signed.batches.c, signed.payments.c, payments.c
    signed_in = select(s.uetr, b.contract, b.debtor_agent, b.lane, b.sequence)
    signed_in = signed_in.join_from(signed.payments, signed.batches, b.batch_hash == s.batch_hash)
    places = signed_in.where(b.state != DEAD).distinct().subquery().c
    several = select(places.uetr, func.count()).group_by(places.uetr).having(func.count() > 1)
    for uetr, count in connection.execute(several):
        yield f"payment {uetr}: is signed for {count} places that may all settle"
    live = select(s.uetr).join_from(signed.payments, signed.batches, b.batch_hash == s.batch_hash)
    live = live.where(b.state == LIVE)
    doubtful = select(doubtful_payments.c.uetr)
    committing = p.state == State.COMMITTING.value
    wrong = (committing & p.uetr.not_in(live)) | (~committing & p.uetr.in_(live))
    for uetr, state in connection.execute(select(p.uetr, p.state).where(wrong, p.uetr.not_in(doubtful))):
        stands = "in no batch that may settle" if state == State.COMMITTING else "in a batch that may still settle"
        yield f"payment {uetr}: is {state} and {stands}"


def settled_batches(connection: Connection) -> Iterator[str]:
    """Our settled batches hold exactly our settled payments, each once."""
    p, total = payments.c, 0
    ours = (p.side == "debtor") & (p.state == State.SETTLED.value)
    rows = select(batches.c.batch_hash, batches.c.uetrs).where(batches.c.state == SETTLED)
    for name, text in connection.execute(rows).all():
        uetrs = load(text)
        total += len(uetrs)
        found = connection.execute(select(func.count()).where(ours, p.uetr.in_(uetrs))).scalar_one()
        if found != len(uetrs):
            yield f"batch 0x{name.hex()}: {len(uetrs) - found} of its {len(uetrs)} payments are not settled here"
    settled = connection.execute(select(func.count()).select_from(payments).where(ours)).scalar_one()
    if settled != total:
        yield f"{settled} payments are settled, settled batches hold {total}"
