"""What a node's book makes of a replaced Settlement: nothing under way is lost, doubled, or released too early."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import Connection

from contracts.chain.clock import ChainClock
from contracts.chain.council import Call
from contracts.chain.deploy import addresses_of, settlement_creation
from contracts.chain.directory import ChainKeyDirectory
from contracts.chain.ledger import Ledger
from contracts.chain.network import Network, PinnedContract
from contracts.chain.office import Office
from contracts.chain.settlement import Settlement
from contracts.terms.batch import Batch
from contracts.terms.commitments import batch_hash
from contracts.terms.documents import to_document
from contracts.terms.errors import QuoteExpired, UnknownSuccessor
from contracts.terms.identifiers import Address, new_uetr
from contracts.terms.money import Money, currency
from contracts.terms.parties import Party
from contracts.terms.payment import Event, State
from contracts.terms.quote import Quote
from nodes.accounts import service as accounts
from nodes.app import MIGRATIONS
from nodes.batches import repository as batches
from nodes.context import NodeContext
from nodes.follow import follow, resume
from nodes.metadata import claims, final_blocks, signed
from nodes.payments import repository as payments
from nodes.payments.admission import Admission
from nodes.payments.record import PaymentRecord
from nodes.quotes import repository as quotes
from nodes.quotes import service as quoting
from nodes.recovery import repository as recovery
from serving.claims import Claims
from serving.cosigning import SignedRecord
from serving.database import Database
from serving.final_blocks import last_final_block
from serving.jsontext import dump
from serving.migrations import migrate
from tests import databases
from tests.contract.conftest import CHAIN_ID, Stage, embedded, found

CNY, THB = currency("CNY"), currency("THB")
LI = Party("Li", "person", "CN", account="li")
LIVE, LATER = 15, 60
"""Seconds that a batch and a payment have."""
WAY = {
    State.ACCEPTED: (),
    State.SCREENED: (Event.CLEAR,),
    State.AGREED: (Event.CLEAR, Event.AGREE),
    State.COMMITTING: (Event.CLEAR, Event.AGREE, Event.SIGN),
}


@dataclass
class Bank:
    """The wallet's node as far as it follows the chain, and the network that it follows."""

    stage: Stage
    database: Database
    node: NodeContext
    settlements: list[Address] = field(default_factory=list)

    def replace_settlement(self) -> Address:
        """The council puts a successor in office; the node has not seen it."""
        contracts, old = self.stage.contracts, self.settlements[-1]
        new = self.stage.sender("relayer").transact(None, settlement_creation(addresses_of(contracts), old)).contract
        assert new is not None
        self.stage.govern(Call(self.stage.ledger.address, Ledger.replace_settlement_call(old, new)))
        self.settlements.append(new)
        return new

    def in_office(self) -> Stage:
        """The stage as the Settlement in office sees it."""
        pin = PinnedContract(self.settlements[-1], b"")
        return replace(self.stage, contracts=replace(self.stage.contracts, settlement=pin))

    def catch_up(self) -> None:
        while follow(self.node):
            pass

    def payment(self, way: State, side: str = "debtor", contract: Address = "") -> PaymentRecord:
        """A payment on its way, priced for the Settlement in office."""
        now, them = self.stage.now(), self.stage.account("acquirer")
        us, provider = self.stage.account("wallet"), self.stage.account("provider")
        payment = PaymentRecord(
            uetr=new_uetr(),
            side=side,
            state=State.ACCEPTED,
            account="li",
            debtor_agent=us if side == "debtor" else them,
            creditor_agent=them if side == "debtor" else us,
            provider=provider,
            source=Money(100, CNY),
            target=Money(500, THB),
            fee=1,
            payee_key="",
            reference="",
            debtor=LI,
            creditor=LI,
            quote=Quote(provider, us, CNY.numeric, 100, THB.numeric, 500, now + LATER, bytes(32)),
            quote_signature=b"signed",
            deadline=now + LATER,
            accepted_at=0,
            contract=contract or (self.settlements[-1] if side == "debtor" else ""),
        )

        def work(connection: Connection) -> None:
            if side == "debtor":
                accounts.earmark(connection, "li", payment.earmark)
            payments.add(connection, payment)
            for event in WAY[way]:
                known = payments.find(connection, payment.uetr)
                assert known is not None
                assert payments.move(connection, known, event)

        self.database.write(work)
        return payment

    def sign(self, payment: PaymentRecord, stage: Stage | None = None, sequence: int = 0) -> Batch:
        """The payment's batch, as it stands once every member has signed it for a Settlement."""
        stage = stage or self.stage
        batch = stage.batch(sequence=sequence, payment_count=1, deadline=stage.now() + LIVE)

        def work(connection: Connection) -> None:
            if payment.side == "debtor":
                batches.add(connection, batch, [payment.uetr])
                batches.sign(connection, batch_hash(batch), {})
            self.node.signed.record(connection, batch, [payment.uetr], stage.settlement.address)

        self.database.write(work)
        return batch

    def state(self, payment: PaymentRecord) -> State:
        with self.database.read() as connection:
            known = payments.find(connection, payment.uetr)
            assert known is not None
            return known.state

    def batch_state(self, batch: Batch) -> str:
        with self.database.read() as connection:
            formed = batches.find(connection, batch_hash(batch))
            assert formed is not None
            return formed.state

    def earmarked(self) -> int:
        with self.database.read() as connection:
            return accounts.find(connection, "li").earmarked


@pytest.fixture(scope="module")
def founded() -> Iterator[Stage]:
    with embedded() as transport:
        yield found(transport, "seals")


@pytest.fixture
def bank(founded: Stage, tmp_path: Path) -> Iterator[Bank]:
    snapshot = founded.client.request("evm_snapshot")
    database = databases.opened(tmp_path / "node.db")
    migrate(database, MIGRATIONS)
    network = Network("test", CHAIN_ID, 0, 60_000_000, tuple(founded.validators), {}, founded.contracts)
    nothing = cast(Any, None)
    node = NodeContext(
        settings=cast(Any, SimpleNamespace(account=founded.account("wallet"), name="Bank", country="CN")),
        database=database,
        network=network,
        chain=founded.client,
        office=Office(network),
        sender=nothing,
        clock=ChainClock(),
        directory=ChainKeyDirectory(founded.participants),
        signer=nothing,
        peers=nothing,
        compliance=nothing,
        signed=SignedRecord(signed),
        idempotency=nothing,
        claims=Claims(database, claims),
        admission=Admission(30, 100),
    )

    def work(connection: Connection) -> None:
        accounts.open_own_accounts(connection, CNY, Party("Bank", "organization", "CN"))
        accounts.open_account(connection, "li", "customer", "li", CNY, LI)
        accounts.deposit(connection, "first", "li", 10_000, 0)

    database.write(work)
    opened = Bank(founded, database, node, [founded.contracts.settlement.address])
    opened.catch_up()
    yield opened
    database.close()
    assert founded.client.request("evm_revert", snapshot)


@pytest.mark.parametrize("state", WAY)
def test_what_was_priced_for_the_old_one_ends_at_once(bank: Bank, state: State) -> None:
    payment = bank.payment(state)
    batch = bank.sign(payment) if state is State.COMMITTING else None
    bank.catch_up()
    assert bank.state(payment) == state
    successor = bank.replace_settlement()
    bank.catch_up()
    assert bank.state(payment) is State.EXPIRED
    assert bank.earmarked() == 0
    assert bank.node.office.incumbent == successor
    if batch is not None:
        assert bank.batch_state(batch) == batches.DEAD


def test_what_settled_before_the_replacement_is_settled(bank: Bank) -> None:
    """Batch and replacement stand in one range of final blocks."""
    payment = bank.payment(State.COMMITTING)
    batch = bank.sign(payment)
    bank.stage.settle(bank.stage.endorse(batch))
    bank.replace_settlement()
    bank.catch_up()
    assert bank.state(payment) is State.SETTLED
    assert bank.batch_state(batch) == batches.SETTLED
    assert bank.earmarked() == 0


def test_the_first_batches_of_successors_stand_in_the_blocks_that_replace(bank: Bank) -> None:
    """Two replacements and a batch of each successor, read in one step by a node that was away."""
    first = last_of(bank)
    placed = []
    for sequence in range(2):
        bank.replace_settlement()
        stage = bank.in_office()
        payment = bank.payment(State.COMMITTING)
        batch = bank.sign(payment, stage, sequence)
        stage.settle(stage.endorse(batch))
        placed.append((payment, batch))
    assert follow(bank.node)
    assert last_of(bank) > first + 4
    assert [bank.state(payment) for payment, _ in placed] == [State.SETTLED] * 2
    assert bank.node.office.settlements == tuple(bank.settlements)


def last_of(bank: Bank) -> int:
    with bank.database.read() as connection:
        last = last_final_block(connection, final_blocks)
    assert last is not None
    return last.number


def test_what_is_held_waits_for_its_officers(bank: Bank) -> None:
    payment = bank.payment(State.ACCEPTED)
    bank.database.write(lambda connection: payments.move(connection, payment, Event.HOLD))
    bank.replace_settlement()
    bank.catch_up()
    assert bank.state(payment) is State.HELD
    assert bank.earmarked() == payment.earmark


def test_a_creditor_agent_leaves_the_end_to_the_deadline(bank: Bank) -> None:
    """Its batch is dead; whether there is another is for the debtor agent to say."""
    payment = bank.payment(State.COMMITTING, side="creditor")
    bank.sign(payment)
    bank.replace_settlement()
    bank.catch_up()
    assert bank.state(payment) is State.AGREED
    bank.stage.pass_time(LATER + 1)
    bank.catch_up()
    assert bank.state(payment) is State.EXPIRED


@pytest.mark.parametrize("state", [State.ACCEPTED, State.AGREED])
def test_what_is_priced_for_the_successor_goes_on(bank: Bank, state: State) -> None:
    bank.replace_settlement()
    bank.catch_up()
    payment = bank.payment(state)
    bank.stage.pass_time(1)
    bank.catch_up()
    assert bank.state(payment) == state


def test_what_was_accepted_before_contracts_were_recorded_goes_on(bank: Bank) -> None:
    payment = bank.payment(State.AGREED)

    def forget(connection: Connection) -> None:
        payments.replace_open(connection, replace(payment, state=State.AGREED, contract=""))

    bank.database.write(forget)
    bank.stage.pass_time(1)
    bank.catch_up()
    assert bank.state(payment) is State.AGREED


def test_a_restarted_node_signs_for_the_one_that_it_had_seen(bank: Bank) -> None:
    for _ in range(2):
        bank.replace_settlement()
    bank.catch_up()
    seen = tuple(bank.settlements)
    bank.replace_settlement()
    restarted = replace(bank.node, office=Office(bank.node.network), clock=ChainClock())
    resume(restarted)
    assert restarted.office.settlements == seen
    assert follow(restarted)
    assert restarted.office.settlements == tuple(bank.settlements)


def test_a_settlement_of_another_release_changes_nothing(bank: Bank) -> None:
    payment = bank.payment(State.AGREED)
    before = last_of(bank)
    other = bank.stage.contracts.council.address
    bank.stage.govern(Call(bank.stage.ledger.address, Ledger.replace_settlement_call(bank.settlements[0], other)))
    with pytest.raises(UnknownSuccessor, match="install the release that knows it"):
        follow(bank.node)
    assert (last_of(bank), bank.state(payment)) == (before, State.AGREED)
    assert bank.node.office.incumbent == bank.settlements[0]


def test_a_price_for_the_old_one_is_not_taken_any_more(bank: Bank) -> None:
    priced = bank.payment(State.AGREED)
    row = {"id": "q", "caller": "li", "account": "li", "creditor_agent": "", "payee_key": "", "reference": ""}
    row |= {"rate": "", "rate_date": "", "contract": bank.settlements[0]}
    terms = {"payee": dump(to_document(priced.creditor)), "quote": dump(to_document(priced.quote))}
    kept = [row | terms | {"fee": 0, "signature": b"", "expires": 10**12}]
    bank.database.write(lambda connection: quotes.add_all(connection, kept))
    successor = bank.replace_settlement()
    with bank.database.read() as connection:
        offered = quoting.find_all(connection, ["q"])["q"]
    assert quoting.usable(offered, "li", 0, bank.settlements[0]).id == "q"
    with pytest.raises(QuoteExpired, match="upgraded"):
        quoting.usable(offered, "li", 0, successor)


def test_the_same_batch_is_formed_again_after_it_was_given_up(bank: Bank) -> None:
    """The same payments at the same place with the same deadline have the same hash."""
    payment = bank.payment(State.AGREED)
    batch = bank.stage.batch(payment_count=1)

    def form(connection: Connection) -> None:
        batches.add(connection, batch, [payment.uetr])

    bank.database.write(form)
    bank.database.write(lambda connection: batches.bury(connection, batch_hash(batch)))
    bank.database.write(form)
    assert bank.batch_state(batch) == batches.FORMING


def test_a_successor_reads_its_predecessors_sequences(bank: Bank) -> None:
    payment = bank.payment(State.COMMITTING)
    bank.stage.settle(bank.stage.endorse(bank.sign(payment)))
    bank.replace_settlement()
    bank.catch_up()
    settlement = Settlement(bank.stage.client, bank.node.office.incumbent)
    assert settlement.next_sequence(bank.stage.account("wallet"), 0) == 1
    assert bank.node.settlement.address == settlement.address


def test_a_batch_of_a_successor_that_a_restored_book_lacks_is_noticed(bank: Bank) -> None:
    bank.replace_settlement()
    stage = bank.in_office()
    signed_elsewhere = stage.endorse(stage.batch())
    stage.settle(signed_elsewhere)
    bank.catch_up()
    with bank.database.read() as connection:
        assert [each.signed for each in recovery.lost(connection)] == [signed_elsewhere]
