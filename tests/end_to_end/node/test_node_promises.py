"""Promises that only the chain as a whole can show: private, in batches, provable."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from audit.completeness import BatchLeaves, check_completeness
from audit.verify import verify
from contracts.terms.batch import Batch
from contracts.terms.commitments import batch_hash, payment_leaf
from contracts.terms.documents import from_document
from contracts.terms.evidence import read_evidence
from contracts.terms.merkle import root_of
from contracts.terms.payment import PaymentTerms
from devnet.network.people import CUSTOMERS, MERCHANTS

from .conftest import RESEMBLING

PAYMENTS = 30


@pytest.fixture(scope="module")
def burst(stage: Any) -> list[str]:
    """Payments of one direction, of amounts that nothing else has, that wallets made side by side."""
    payers = [each for each in CUSTOMERS if each.country == "TH"]
    shops = [each for each in MERCHANTS if each.country == "CN"]

    def pay(number: int) -> str:
        payer = payers[number % len(payers)]
        uetr = stage.start(payer, shops[number % len(shops)], 123_457 + 1_009 * number, f"burst-{number}")
        ended = stage.end(payer, uetr)
        assert ended.status == "settled", ended
        return str(uetr)

    with ThreadPoolExecutor(PAYMENTS) as wallets:
        return list(wallets.map(pay, range(PAYMENTS)))


@pytest.fixture(scope="module")
def settled(stage: Any, burst: list[str]) -> list[tuple[Batch, list[PaymentTerms], dict[str, Any]]]:
    """All batches of all institutions: the batch, its leaves, and what the API says of it."""
    assert burst
    return [
        (
            from_document(Batch, each["batch"]),
            [from_document(PaymentTerms, leaf) for leaf in node.leaves(each)["payments"]],
            each,
        )
        for node in stage.apis.nodes.values()
        for each in node.batches()
    ]


def test_promise_10_batches_all_the_way(burst: list[str], settled: list[Any]) -> None:
    """Payments that come together go together: one transaction a batch, and far fewer than payments."""
    holding = [(batch, each) for batch, leaves, each in settled if {leaf.uetr for leaf in leaves} & set(burst)]
    assert len({each["transaction"] for _, each in holding}) <= len(holding) <= PAYMENTS // 2
    assert len({batch.place for batch, _ in holding}) == len(holding)


def test_promise_7_each_batch_is_what_its_leaves_are(settled: list[Any], stage: Any) -> None:
    for batch, leaves, each in settled:
        assert root_of([payment_leaf(leaf) for leaf in leaves]) == batch.payments_root
        assert len(leaves) == batch.payment_count
        assert "0x" + batch_hash(batch).hex() == each["batch_hash"]
    given = [BatchLeaves(batch.debtor_agent, batch.lane, batch.sequence, tuple(leaves)) for batch, leaves, _ in settled]
    report = check_completeness(stage.chain, stage.folder.network, given)
    assert (report.problems, report.leaves_checked) == ((), len(given))
    assert sum(lane.batches for lane in report.lanes) == len(settled), "no batch is kept from the auditor"
    given[0] = replace(given[0], payments=given[0].payments[:-1])
    assert check_completeness(stage.chain, stage.folder.network, given).problems


def test_promise_6_the_evidence_of_a_settled_payment_is_proven(burst: list[str], stage: Any) -> None:
    network = stage.folder.network
    for uetr in burst[:: PAYMENTS // 3]:
        evidence = read_evidence(stage.node("TH").evidence(uetr))
        verified = verify(evidence, network)
        assert verified.payment.uetr == uetr
    other = stage.send("GET", "CN", f"/v1/payments/{burst[0]}/evidence", "auditor", "audit")
    assert other.status_code == 404, "only the debtor agent has gathered the signatures"


def chain_bytes(stage: Any) -> bytes:
    """Everything that stands on chain: blocks with their transactions, receipts with their logs, all code."""
    top = stage.chain.final_header().number
    parts: list[bytes] = []
    for number in range(top + 1):
        block = stage.chain.request("eth_getBlockByNumber", hex(number), True)
        receipts = stage.chain.request("eth_getBlockReceipts", hex(number))
        parts += [bytes.fromhex(each["input"][2:]) for each in block["transactions"]]
        parts += [bytes.fromhex(part[2:]) for part in _hex_of(receipts)]
        parts.append(bytes.fromhex(block["extraData"][2:]))
    contracts = stage.folder.network.contracts
    for each in (contracts.council, contracts.participants, contracts.ledger, contracts.settlement):
        parts.append(stage.chain.code(each.address))
    return b"\n".join(parts)


def _hex_of(receipts: list[Any]) -> Iterator[str]:
    for receipt in receipts:
        for log in receipt["logs"]:
            yield log["data"]
            yield from log["topics"]


def test_promise_8_private(burst: list[str], settled: list[Any], stage: Any) -> None:
    """No name, account, merchant, code, UETR or amount of one among several payments is on chain, in any form."""
    written = chain_bytes(stage)
    assert len(written) > 50_000
    folded = written.lower()
    words, uetrs = private_words(stage), set(stage.column("SELECT uetr FROM payments"))
    assert set(burst) <= uetrs
    assert len(words) > 40
    assert [word for word in words if word.encode().lower() in folded] == []
    assert [uetr for uetr in uetrs if uetr.encode() in folded or bytes.fromhex(uetr.replace("-", "")) in written] == []
    amounts = {
        leg.amount
        for _, leaves, _ in settled
        for leaf in leaves
        if len(leaves) > 1 and leaf.uetr in burst
        for leg in _hidden(leaf, leaves)
    }
    assert len(amounts) > PAYMENTS
    assert [amount for amount in amounts if amount.to_bytes(32, "big") in written] == []


def private_words(stage: Any) -> set[str]:
    """Names, accounts, merchants, what their codes say, references."""
    words = {each.name for each in (*CUSTOMERS, *MERCHANTS, RESEMBLING)}
    words |= set(stage.column("SELECT id FROM accounts WHERE kind <> 'settlement'"))
    words |= set(stage.column("SELECT lookup_key FROM merchants"))
    words |= {word.partition(":")[2] for word in words if ":" in word}
    words |= set(stage.column("SELECT reference FROM payments"))
    # Shorter ones, such as a currency's code, stand in many bytes by chance.
    return {word for word in words if len(word) >= 5}


def _hidden(leaf: PaymentTerms, leaves: list[PaymentTerms]) -> list[Any]:
    """The legs of a payment in whose position another payment of the batch stands, too."""
    out, back = leaf.legs
    alone = sum(other.creditor_agent == leaf.creditor_agent for other in leaves) == 1
    return [out] if alone else [out, back]
