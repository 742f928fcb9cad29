"""What a node does with payments that its peers tell it after a backup was restored: booked once, provably, or not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Connection

from contracts.terms.commitments import quotes_hash
from contracts.terms.errors import FeiqianError, NotAgreed, NotFound, Unavailable, UnknownAccount, WrongState
from contracts.terms.merkle import InclusionPath
from contracts.terms.money import currency
from contracts.terms.parties import Party
from contracts.terms.payment import Event, Leg, PaymentTerms, State
from contracts.terms.quote import Quote
from nodes.accounts import service as accounts
from nodes.app import MIGRATIONS
from nodes.payments import end, repository
from nodes.payments import events as payment_events
from nodes.payments.record import PaymentRecord
from nodes.peers.client import SettledPayment
from nodes.recovery import repository as recovery
from nodes.recovery.rebuild import rebuild
from nodes.recovery.service import require_certain
from nodes.recovery.settle import settle_recovered
from serving.database import Database
from serving.migrations import migrate
from tests import databases

THB, CNY = currency("THB"), currency("CNY")
US, PEER, PROVIDER = ("0x" + digit * 40 for digit in "123")
UETR = "00000000-0000-4000-8000-000000000001"
MALEE, TEA = Party("Malee", "person", "TH", account="malee"), Party("Tea House", "organization", "CN", account="tea")
NODE: Any = SimpleNamespace(account=US, settings=SimpleNamespace(fee_basis_points=50))
"""All that rebuilding asks of a node: who it is and what it charges."""
NOW = 1_000


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = databases.opened(tmp_path / "node.db")
    migrate(opened, MIGRATIONS)

    def work(connection: Connection) -> None:
        accounts.open_own_accounts(connection, THB, Party("Bank", "organization"))
        accounts.open_account(connection, "malee", "customer", "malee", THB, MALEE)
        accounts.deposit(connection, "first", "malee", 50_000, NOW)

    opened.write(work)
    yield opened
    opened.close()


def told(source: int = 10_000, **changes: Any) -> SettledPayment:
    """A payment of ours to the peer's merchant, as the peer tells it."""
    quote = Quote(PROVIDER, US, THB.numeric, source, CNY.numeric, 2_000, NOW + 60, bytes(32))
    terms = PaymentTerms(
        uetr=UETR,
        debtor_agent=US,
        creditor_agent=PEER,
        legs=(Leg(US, PROVIDER, THB.numeric, source), Leg(PROVIDER, PEER, CNY.numeric, 2_000)),
        quotes_hash=quotes_hash([quote]),
        debtor_commitment=b"\1" * 32,
        creditor_commitment=b"\2" * 32,
        debtor_decision=b"\3" * 32,
        creditor_decision=b"\4" * 32,
        deadline=NOW + 30,
    )
    return replace(SettledPayment(terms, quote, "TEA:1", "", MALEE, TEA, InclusionPath(0, 1, ())), **changes)


def book(database: Database, lost: SettledPayment) -> None:
    """As the node does it: one transaction, undone by any refusal."""

    def work(connection: Connection) -> None:
        known = repository.find(connection, lost.terms.uetr)
        settle_recovered(connection, rebuild(connection, NODE, lost, known), known, NOW)

    database.write(work)


def accept(database: Database, lost: SettledPayment, *way: Event) -> PaymentRecord:
    """The payment as it stood in the backup: accepted and earmarked, or further on its way."""

    def work(connection: Connection) -> PaymentRecord:
        payment = rebuild(connection, NODE, lost, None)
        accounts.earmark(connection, payment.account, payment.earmark)
        repository.add(connection, payment)
        for event in way:
            repository.move(connection, payment, event)
            found = repository.find(connection, payment.uetr)
            assert found is not None
            payment = found
        return payment

    return database.write(work)


def look(database: Database) -> tuple[State | None, int, int]:
    """The payment's state, the customer's balance, and what is earmarked."""
    with database.read() as connection:
        payment, account = repository.find(connection, UETR), accounts.find(connection, "malee")
    return payment.state if payment else None, account.balance, account.earmarked


def own(database: Database, name: str) -> int:
    with database.read() as connection:
        accounts.book_sums(connection)  # every balance is the sum of its postings
        return accounts.find(connection, accounts.own_account(name, THB)).balance


def test_a_payment_that_was_lost_is_booked_with_its_fee_once(database: Database) -> None:
    for _ in range(2):
        book(database, told())
    assert look(database) == (State.SETTLED, 50_000 - 10_050, 0)
    assert (own(database, "settlement"), own(database, "fees")) == (10_000, 50)
    with database.read() as connection:
        events = payment_events.of_payment(connection, UETR)
    assert [each.state for each in events] == ["accepted", "screened", "agreed", "committing", "settled"]
    assert all("recovered" in each.detail for each in events[1:])


@pytest.mark.parametrize(
    "way",
    [
        (),
        (Event.HOLD,),
        (Event.CLEAR,),
        (Event.CLEAR, Event.AGREE),
        (Event.CLEAR, Event.AGREE, Event.BATCH),
        (Event.CLEAR, Event.AGREE, Event.SIGN),
    ],
)
def test_one_that_was_open_goes_on_from_where_it_stood_at_the_price_it_settled_at(
    database: Database, way: tuple[Event, ...]
) -> None:
    accept(database, told(9_000), *way)
    assert look(database)[2] == 9_045
    book(database, told(10_000))
    assert look(database) == (State.SETTLED, 50_000 - 10_050, 0)


def test_what_the_account_lacks_is_a_claim_and_nobody_is_overdrawn(database: Database) -> None:
    book(database, told(60_000))
    assert look(database) == (State.SETTLED, 0, 0)
    assert own(database, "receivables") == -(60_000 + 300 - 50_000)
    assert own(database, "settlement") == 60_000


def test_what_is_earmarked_for_another_payment_is_not_touched(database: Database) -> None:
    database.write(lambda connection: accounts.earmark(connection, "malee", 45_000))
    book(database, told(10_000))
    assert look(database) == (State.SETTLED, 45_000, 45_000)
    assert own(database, "receivables") == -(10_050 - 5_000)


@pytest.mark.parametrize("ending", [lambda c, payment: end.expire(c, [payment]), end.cancel])
def test_one_that_ended_otherwise_here_is_left_to_people(database: Database, ending: Any) -> None:
    payment = accept(database, told())
    database.write(lambda connection: ending(connection, payment))
    before = look(database)
    with pytest.raises(WrongState, match="settled on chain"):
        book(database, told())
    assert look(database) == before


@pytest.mark.parametrize(
    ("lie", "refusal"),
    [
        ({"quote": replace(told().quote, source_amount=10_001)}, NotAgreed),
        ({"quote": replace(told().quote, nonce=b"\1" * 32)}, NotAgreed),
        ({"debtor": replace(MALEE, account="capital:THB")}, NotAgreed),
        ({"debtor": replace(MALEE, account="nobody")}, UnknownAccount),
        ({"terms": replace(told().terms, deadline=NOW, quotes_hash=bytes(32))}, NotAgreed),
    ],
)
def test_what_contradicts_the_terms_or_the_accounts_is_not_booked(
    database: Database, lie: dict[str, Any], refusal: type[FeiqianError]
) -> None:
    with pytest.raises(refusal):
        book(database, told(**lie))
    assert look(database) == (None, 50_000, 0)


def test_a_known_payment_stays_its_own_customers(database: Database) -> None:
    accept(database, told())
    other = replace(MALEE, account="anan")
    database.write(lambda c: accounts.open_account(c, "anan", "customer", "anan", THB, other))
    with pytest.raises(NotAgreed, match="another account"):
        book(database, told(debtor=other))
    assert look(database) == (State.ACCEPTED, 50_000, 10_050)


def test_a_return_needs_the_payment_that_it_returns(database: Database) -> None:
    original = UETR.replace("1", "2")
    back = replace(told().terms, debtor_agent=PEER, creditor_agent=US, original_uetr=original)
    with pytest.raises(NotFound, match="returns"):
        book(database, told(terms=back))


def test_doubtful_payments_wait_as_they_are(database: Database) -> None:
    payment = accept(database, told())
    database.write(lambda connection: recovery.doubt(connection, repository.open_of(connection, US)))
    with database.read() as connection:
        assert repository.in_state(connection, State.ACCEPTED) == set()
        assert repository.overdue(connection, payment.deadline + 1) == []
        with pytest.raises(Unavailable, match="may be settled"):
            require_certain(connection, [UETR])
    database.write(lambda connection: recovery.trust(connection, {US}))
    with database.read() as connection, pytest.raises(Unavailable):
        require_certain(connection, [UETR])
    database.write(lambda connection: recovery.trust(connection, {PEER}))
    with database.read() as connection:
        require_certain(connection, [UETR])
        assert [each.uetr for each in repository.overdue(connection, payment.deadline + 1)] == [UETR]
