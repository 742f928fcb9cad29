"""Promise 7: leaving a batch or a payment out shows; and the sums agree to the minor unit, or it shows."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn
from typer.testing import CliRunner

from audit.cli import app
from audit.completeness import check_completeness
from audit.sums import check_sums
from contracts.chain.ledger import Ledger
from contracts.terms.documents import to_document
from contracts.terms.identifiers import Address
from contracts.terms.payment import PaymentTerms
from devnet.chain.server import ChainServer
from tests.unit.audit.changes import lied_to

if TYPE_CHECKING:
    from tests.unit.audit.conftest import AuditCommand, Stage

CNY, THB = 156, 764


def test_promise_7_nothing_missing(stage: Stage) -> None:
    report = check_completeness(stage.client, stage.network, [stage.leaves(0), stage.leaves(2)])
    assert report.problems == ()
    assert [(lane.batches, lane.payments) for lane in report.lanes] == [(3, 8)]
    assert report.participants == len(stage.accounts)


def of_batches(stage: Stage, logs: list[Any]) -> list[Any]:
    address = stage.network.contracts.settlement.address
    return [log for log in logs if log["address"].lower() == address]


@pytest.mark.parametrize("hidden", [0, 1, 2])
def test_promise_7_a_hidden_batch_shows(stage: Stage, hidden: int) -> None:
    def hide(logs: list[Any]) -> list[Any]:
        batches = of_batches(stage, logs)
        return [log for log in logs if log not in batches or batches.index(log) != hidden]

    report = check_completeness(lied_to(stage, hide), stage.network)
    assert report.problems == (f"{stage.account('wallet')} lane 0: no event of batch {hidden} (1 missing of 3)",)


def test_promise_7_an_invented_batch_shows(stage: Stage) -> None:
    def invent(logs: list[Any]) -> list[Any]:
        return [*logs, of_batches(stage, logs)[0]]

    assert check_completeness(lied_to(stage, invent), stage.network).problems


def test_promise_7_a_changed_batch_shows(stage: Stage) -> None:
    def change(logs: list[Any]) -> list[Any]:
        batches = of_batches(stage, logs)
        return [log | {"data": "0x" + "11" * 32 + log["data"][66:]} if log in batches[:1] else log for log in logs]

    [problem] = check_completeness(lied_to(stage, change), stage.network).problems
    assert "the stored hash of batch 0 is not that of its event" in problem


def drop_all(payments: tuple[PaymentTerms, ...]) -> tuple[PaymentTerms, ...]:
    return ()


def drop_one(payments: tuple[PaymentTerms, ...]) -> tuple[PaymentTerms, ...]:
    return payments[1:]


def reverse(payments: tuple[PaymentTerms, ...]) -> tuple[PaymentTerms, ...]:
    return payments[::-1]


def edit(payments: tuple[PaymentTerms, ...]) -> tuple[PaymentTerms, ...]:
    return (replace(payments[0], deadline=1), *payments[1:])


def test_promise_7_a_strangers_batch_shows(stage: Stage) -> None:
    def invent(logs: list[Any]) -> list[Any]:
        log = of_batches(stage, logs)[0]
        stranger = "0x" + stage.account("stranger")[2:].rjust(64, "0")
        return [*logs, log | {"topics": [log["topics"][0], stranger, *log["topics"][2:]]}]

    problems = check_completeness(lied_to(stage, invent), stage.network).problems
    assert problems == (f"{stage.account('stranger')} settled batches and is no participant",)


@pytest.mark.parametrize("change", [drop_all, drop_one, reverse, edit])
def test_promise_7_leaves_that_are_not_the_batch_show(
    stage: Stage, change: Callable[[tuple[PaymentTerms, ...]], tuple[PaymentTerms, ...]]
) -> None:
    wrong = replace(stage.leaves(0), payments=change(stage.payments[0]))
    assert len(check_completeness(stage.client, stage.network, [wrong]).problems) == 1


def test_leaves_of_no_batch_or_given_twice_show(stage: Stage) -> None:
    unknown = replace(stage.leaves(0), sequence=9)
    problems = check_completeness(stage.client, stage.network, [stage.leaves(1), stage.leaves(1), unknown]).problems
    assert [problem.rpartition(": ")[2] for problem in problems] == ["no such batch was settled", "given twice"]


def test_a_payment_settled_twice_shows(scratch: Stage) -> None:
    again = scratch.payments[0][0]
    scratch.settle(3, (again,))
    problems = check_completeness(scratch.client, scratch.network, [scratch.leaves(0), scratch.leaves(3)]).problems
    assert problems == (f"payment {again.uetr} was settled 2 times",)


def books(stage: Stage) -> dict[Address, dict[int, int]]:
    ledger = Ledger(stage.client, stage.network.contracts.ledger.address)
    return {who: {currency: ledger.net_position(who, currency) for currency in (CNY, THB)} for who in stage.accounts}


def test_the_sums_agree(stage: Stage) -> None:
    report = check_sums(stage.client, stage.network, books(stage))
    assert report.problems == ()
    cny, thb = report.sums
    assert (cny.issued, cny.redeemed, cny.positions, cny.books) == (1_000_000, 0, 1_000_000, 1_000_000)
    assert (thb.issued, thb.redeemed, thb.total_supply, thb.books) == (2_000_000, 300_000, 1_700_000, 1_700_000)


def test_two_wrong_books_do_not_cancel_out(stage: Stage) -> None:
    wrong = books(stage)
    wrong[stage.account("wallet")][CNY] += 1
    wrong[stage.account("provider")][CNY] -= 1
    assert len(check_sums(stage.client, stage.network, wrong).problems) == 2


def test_a_strangers_book_shows(stage: Stage) -> None:
    with_stranger = books(stage) | {stage.account("stranger"): {}}
    [problem] = check_sums(stage.client, stage.network, with_stranger).problems
    assert problem == f"{stage.account('stranger')} has a book and is no participant"


def test_a_hidden_issue_shows(stage: Stage) -> None:
    ledger = stage.network.contracts.ledger.address
    client = lied_to(stage, lambda logs: [log for log in logs if log["address"].lower() != ledger])
    assert [each.balanced for each in check_sums(client, stage.network).sums] == [False, False]


@pytest.fixture
def chain_url(stage: Stage) -> Iterator[str]:
    """The stage's chain behind HTTP, as an auditor reaches it."""
    config = uvicorn.Config(lambda: ChainServer(stage.chain).app(), factory=True, log_level="error")
    server = uvicorn.Server(config)
    # With the protocol named, asyncio sets TCP_NODELAY; without, each answer waits for an acknowledgement.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join()


def test_the_commands_over_a_chain_node(feiqian_audit: AuditCommand, stage: Stage, files: Path, chain_url: str) -> None:
    common = ("--network", files / "genesis.json", "--chain-url", chain_url, "--json")
    leaves = [to_document(stage.leaves(sequence)) for sequence in (0, 1, 2)]
    (files / "leaves.json").write_text(json.dumps(leaves))
    complete = feiqian_audit("completeness", *common, "--leaves", files / "leaves.json")
    assert (complete.returncode, json.loads(complete.stdout)["leaves_checked"]) == (0, 3), complete.stderr
    written = {who: {"CNY": str(book[CNY]), "THB": str(book[THB])} for who, book in books(stage).items()}
    (files / "books.json").write_text(json.dumps(written))
    assert feiqian_audit("sums", *common, "--books", files / "books.json").returncode == 0
    written[stage.account("wallet")]["CNY"] = "0"
    (files / "books.json").write_text(json.dumps(written))
    wrong = feiqian_audit("sums", *common, "--books", files / "books.json")
    assert (wrong.returncode, json.loads(wrong.stdout)["balanced"]) == (1, False)


@pytest.mark.parametrize("content", ["{", "[]", '{"0x12": {}}', '{"%s": {"CNY": 5}}', '{"%s": {"XYZ": "5"}}'])
def test_a_book_that_cannot_be_read_is_named(stage: Stage, files: Path, content: str) -> None:
    path = files / "bad.json"
    path.write_text(content.replace("%s", stage.account("wallet")))
    arguments = ["sums", "--network", files / "genesis.json", "--chain-url", "http://127.0.0.1:9", "--books", path]
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exit_code == 1
    assert isinstance(done.exception, SystemExit), done.exception
    assert done.stderr
