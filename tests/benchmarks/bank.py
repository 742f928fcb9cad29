"""A node's own steps for a list of payments over a real database, without the chain and the other parties: what they
would answer is there already, so that all that is measured is the node's book.

Signatures and roots are of the right length and nobody's: a node's database never asks what they say.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from sqlalchemy import Connection

from compliance.client import Decision, Screening
from contracts.chain.events import BatchSettled, Origin
from contracts.chain.follower import FinalBlock, FinalBlocks
from contracts.terms.attestation import Agreement, Attestation
from contracts.terms.batch import Batch, Endorsement, members_of, net_positions
from contracts.terms.commitments import batch_hash
from contracts.terms.identifiers import new_uetr
from contracts.terms.merkle import InclusionPath
from contracts.terms.parties import Party
from contracts.terms.payment import Event, State
from nodes.accounts import service as accounts
from nodes.app import MIGRATIONS
from nodes.batches import repository as batches
from nodes.batches.form import leaves_of
from nodes.context import NodeContext
from nodes.follow import apply
from nodes.metadata import final_blocks
from nodes.payments import agreements
from nodes.payments import repository as payments
from nodes.payments.accept import Order, accept_all
from nodes.payments.browse import Wanted
from nodes.payments.repository import Move
from nodes.payments.screen import screen_accepted
from nodes.payments.service import browse
from nodes.quotes import repository as quotes
from serving.database import Database
from serving.final_blocks import last_final_block
from tests import databases
from tests.node_door import NOW, PEER, PROVIDER, SETTLEMENT, THB, US, node_over, price

OWNER = "platform"
CUSTOMERS = 10
RICH = 10**12
AMOUNT = 1_000
PAGE = 50
_SIGNED = bytes(65)
ENDORSED = Endorsement(_SIGNED, Attestation(bytes(32), bytes(32), bytes(32), NOW + 60), _SIGNED)


@dataclass
class Bank:
    """A debtor agent's book. Each step takes everything that waits for it, as the worker's does."""

    node: NodeContext
    sequence: int
    block: int

    def quote(self, count: int) -> list[str]:
        """Prices that a platform was shown for its customers, remembered as one list."""
        names = [new_uetr() for _ in range(count)]
        rows = [
            price(name, "malee", AMOUNT, NOW + 60) | {"caller": OWNER, "account": f"customer-{number % CUSTOMERS}"}
            for number, name in enumerate(names)
        ]
        self.node.database.write(lambda connection: quotes.add_all(connection, rows))
        return names

    def accept(self, names: Sequence[str]) -> list[str]:
        """UETRs of the payments with these quotes."""
        answers = accept_all(self.node, OWNER, [Order(new_uetr(), name, 0) for name in names])
        return [cast(dict[str, str], answer)["uetr"] for answer in answers]

    def screen(self) -> None:
        """Compliance clears all."""
        assert screen_accepted(self.node)

    def agree(self, count: int) -> None:
        """The creditor agent agrees to all, and the FX provider reserves."""
        self.node.database.write(lambda connection: _agree(connection, count))

    def form(self, count: int) -> Batch:
        """One batch of all that is agreed."""
        with self.node.database.read() as connection:
            chosen = payments.to_batch(connection, NOW, SETTLEMENT, (), False, count)
        terms = [payment.terms for payment in chosen]
        root = secrets.token_bytes(32)
        batch = Batch(US, 0, self.sequence, root, len(terms), members_of(terms), net_positions(terms), NOW + 12)
        self.sequence += 1

        def work(connection: Connection) -> None:
            payments.move_all(connection, [Move.of(payment, Event.BATCH) for payment in chosen])
            batches.add(connection, batch, [payment.uetr for payment in chosen])

        self.node.database.write(work)
        return batch

    def sign(self, batch: Batch) -> None:
        """Every member has signed: recorded before the own signature."""
        name = batch_hash(batch)

        def work(connection: Connection) -> None:
            uetrs = batches.uetrs_of(connection, name)
            standing = payments.standing_of(connection, uetrs)
            assert all(standing[uetr].state is State.COSIGNING for uetr in uetrs)
            self.node.signed.record(connection, batch, uetrs, SETTLEMENT)
            payments.move_all(connection, [Move(uetr, State.COSIGNING, Event.SIGN) for uetr in uetrs])
            batches.sign(connection, name, dict.fromkeys(batch.members, ENDORSED))

        self.node.database.write(work)

    def settle(self, batch: Batch) -> None:
        """A final block with the batch."""
        origin = Origin(SETTLEMENT, self.block, bytes(32), secrets.token_bytes(32), 0)
        self._follow(BatchSettled(origin, batch.place, batch_hash(batch), batch.payments_root, batch.payment_count))

    def idle(self) -> None:
        """A final block without anything."""
        self._follow()

    def page(self) -> None:
        """What `GET /v1/payments` answers with."""
        assert len(browse(self.node, OWNER, Wanted(PAGE)).payments) == PAGE

    def look_up(self, uetr: str) -> None:
        """What evidence of a payment is made of, before anything is asked of the chain."""
        with self.node.database.read() as connection:
            formed = batches.settled_with(connection, uetr)
            assert formed is not None
            assert payments.find(connection, uetr) is not None
            assert len(leaves_of(connection, formed)) == len(formed.uetrs)
            assert len(agreements.of_payment(connection, uetr)) == 2

    def _follow(self, *events: BatchSettled) -> None:
        blocks = FinalBlocks(FinalBlock(self.block, secrets.token_bytes(32), NOW), events, (SETTLEMENT,))
        self.node.database.write(lambda connection: apply(connection, self.node, blocks, ()))
        self.block += 1


@contextmanager
def opened(path: Path) -> Iterator[Bank]:
    """The bank whose book is that file, with customers who have money."""
    if not path.exists():
        path.write_bytes(databases.migrated_file(MIGRATIONS))
    with closing(Database(path, path.parent)) as database:
        database.write(_furnish)
        node = replace(node_over(database), compliance=cast(Any, SimpleNamespace(screen=_clear)))
        with database.read() as connection:
            last = last_final_block(connection, final_blocks)
            sequence = connection.exec_driver_sql("SELECT coalesce(max(sequence), -1) + 1 FROM batches").scalar_one()
        yield Bank(node, sequence, last.number + 1 if last else 1)
        node.bell.close()


def settle_list(bank: Bank, count: int) -> list[str]:
    """Take a list of payments all the way; their UETRs in the order of their batch's leaves."""
    bank.accept(bank.quote(count))
    bank.screen()
    bank.agree(count)
    batch = bank.form(count)
    bank.sign(batch)
    bank.settle(batch)
    with bank.node.database.read() as connection:
        return batches.uetrs_of(connection, batch_hash(batch))


def _furnish(connection: Connection) -> None:
    accounts.open_own_accounts(connection, THB, Party("Bank", "organization"))
    for number in range(CUSTOMERS):
        account = f"customer-{number}"
        party = Party(f"Customer {number}", "person", "TH", account=account)
        accounts.open_account(connection, account, "customer", OWNER, THB, party)
        accounts.deposit(connection, f"first:{account}", account, RICH, NOW)


def _clear(asked: Sequence[Screening]) -> list[Decision]:
    return [
        Decision(each.uetr, "clear", "", "", secrets.token_bytes(32), secrets.token_bytes(32), "1", "1")
        for each in asked
    ]


def _agree(connection: Connection, count: int) -> None:
    for account, waiting in ((PEER, payments.to_propose), (PROVIDER, payments.to_reserve)):
        found = waiting(connection, NOW, (), count)
        agreement = Agreement(secrets.token_bytes(32), len(found), NOW + 30)
        path = InclusionPath(0, len(found), tuple(secrets.token_bytes(32) for _ in range(len(found).bit_length())))
        agreements.keep(connection, account, agreement, _SIGNED, [(each.uetr, path) for each in found])
        if account == PEER:
            said = {"creditor_commitment": secrets.token_bytes(32), "creditor_decision": secrets.token_bytes(32)}
            payments.complete(connection, [replace(each, **said) for each in found])
        else:
            payments.move_all(connection, [Move.of(each, Event.AGREE) for each in found])
