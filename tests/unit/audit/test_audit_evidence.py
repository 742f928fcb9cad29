"""Promise 6: one file proves one settled payment, offline, and nothing but exactly this file does."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.errors import (
    AgreementMissing,
    BatchNotStored,
    NotAMember,
    NotEndorsed,
    NotInOffice,
    NotProven,
    NotSealed,
    PaymentNotIncluded,
    QuoteDiffers,
    StateNotProven,
    WrongForm,
    WrongNetwork,
)
from audit.verify import STEPS, verify
from contracts.chain.participants import Participants, Purpose
from contracts.chain.settlement import Settlement
from contracts.terms.commitments import attestation_hash, batch_hash, payment_leaf, quote_hash, quotes_hash
from contracts.terms.documents import to_document
from contracts.terms.errors import Malformed
from contracts.terms.evidence import Evidence, read_evidence, write_evidence
from contracts.terms.payment import Leg, PaymentTerms
from tests.unit.audit.changes import changed_at, holds, nudged, places

if TYPE_CHECKING:
    from tests.unit.audit.conftest import AuditCommand, Stage

ROOT = Path(__file__).resolve().parents[3]
CNY = 156


def audit_file(feiqian_audit: AuditCommand, files: Path, content: bytes) -> dict[str, Any]:
    (files / "changed.json").write_bytes(content)
    done = feiqian_audit("verify", files / "changed.json", "--network", files / "genesis.json", "--json")
    answer: dict[str, Any] = json.loads(done.stdout)
    assert (done.returncode == 0) is answer["verified"], done.stderr
    return answer


def test_promise_6_provable_offline(feiqian_audit: AuditCommand, files: Path, evidence: Evidence) -> None:
    """In a process of its own that has neither network nor database; one flipped byte is refused."""
    content = write_evidence(evidence)
    answer = audit_file(feiqian_audit, files, content)
    assert answer["checks"] == list(STEPS)
    assert answer["payment"] == to_document(evidence.payment)
    place = content.index(b'"debtor_decision": "0x') + 30
    flipped = bytes([content[place] ^ 1])
    refusal = audit_file(feiqian_audit, files, content[:place] + flipped + content[place + 1 :])
    assert refusal["step"] == "payment"
    assert refusal["problem"] == "payment-not-included"


def test_every_payment_of_every_batch_is_provable(stage: Stage) -> None:
    for sequence, payments in stage.payments.items():
        for index, payment in enumerate(payments):
            verified = verify(stage.evidence(sequence, index), stage.network)
            assert verified.payment == payment
            assert verified.providers == (stage.account("provider"),)
            assert verified.block_number == stage.blocks[sequence]
            assert verified.place == stage.batches[sequence].batch.place


def test_a_file_reads_back_as_it_was_written(evidence: Evidence) -> None:
    assert read_evidence(write_evidence(evidence)) == evidence


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_promise_6_any_changed_byte_is_refused(stage: Stage, evidence: Evidence, data: st.DataObject) -> None:
    """Unless the file still says the same, as with another kind of white space."""
    content = write_evidence(evidence)
    place = data.draw(st.integers(0, len(content) - 1))
    changed = data.draw(st.integers(0, 255).filter(lambda byte: byte != content[place]))
    found = holds(content[:place] + bytes([changed]) + content[place + 1 :], stage.network)
    assert found is None or found == evidence


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_cut_or_repeated_part_is_refused(stage: Stage, evidence: Evidence, data: st.DataObject) -> None:
    content = write_evidence(evidence)
    start = data.draw(st.integers(0, len(content) - 1))
    end = data.draw(st.integers(start + 1, min(start + 400, len(content))))
    middle = data.draw(st.sampled_from([b"", content[start:end] * 2]))
    found = holds(content[:start] + middle + content[end:], stage.network)
    assert found is None or found == evidence


def test_promise_6_each_field_is_bound(stage: Stage, evidence: Evidence) -> None:
    """Whatever single value is another one, the evidence is refused."""
    for path in places(evidence):
        with pytest.raises(NotProven):
            verify(changed_at(evidence, path, nudged), stage.network)


def test_a_shifted_boundary_between_two_hashes_is_refused(stage: Stage, evidence: Evidence) -> None:
    """The struct hash of these bytes is the same; the evidence would be another file with the same proof."""
    payment = evidence.payment
    both = payment.debtor_commitment + payment.creditor_commitment
    shifted = replace(payment, debtor_commitment=both[:31], creditor_commitment=both[31:])
    assert payment_leaf(shifted) == payment_leaf(payment)
    with pytest.raises(WrongForm):
        verify(replace(evidence, payment=shifted), stage.network)


@pytest.mark.parametrize("spelling", [str.upper, lambda text: "1x" + text[2:], lambda text: text + " "])
def test_an_address_has_one_spelling(stage: Stage, evidence: Evidence, spelling: Callable[[str], str]) -> None:
    changed = changed_at(evidence, ("batch", "positions", 0, "account"), spelling)
    assert batch_hash(changed.batch) == batch_hash(evidence.batch)
    with pytest.raises(WrongForm):
        verify(changed, stage.network)


def drop(count: int) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    return lambda items: items[count:]


FORGERIES: dict[str, tuple[type[NotProven], Callable[[Stage, Evidence], Evidence]]] = {
    "another network's": (WrongNetwork, lambda _, e: replace(e, chain_id=1)),
    "no seals": (NotSealed, lambda _, e: replace(e, seals=())),
    "sealed by a stranger": (NotSealed, lambda s, e: replace(e, seals=(s.sign("wallet", bytes(32)),))),
    "another block": (NotSealed, lambda s, e: replace(e, header=s.client.sealed_header(1).encoded)),
    "a block before": (
        StateNotProven,
        lambda s, e: replace(e, header=s.before(0).encoded, seals=s.before(0).seals),
    ),
    "another contract": (NotInOffice, lambda _, e: replace(e, settlement_proof=e.participants_proof)),
    "a slot twice": (
        StateNotProven,
        lambda _, e: changed_at(e, ("participants_proof", "slots"), lambda slots: (*slots, slots[0])),
    ),
    "a node too many": (
        StateNotProven,
        lambda _, e: changed_at(e, ("settlement_proof", "account_proof"), lambda nodes: (*nodes, nodes[-1])),
    ),
    "another slot": (
        BatchNotStored,
        lambda s, e: replace(e, settlement_proof=s.prove(replace(e.batch.place, sequence=1), 0).settlement_proof),
    ),
    "another batch": (BatchNotStored, lambda s, e: replace(e, batch=s.batches[1].batch)),
    "another payment": (PaymentNotIncluded, lambda s, e: replace(e, payment=s.payments[1][0])),
    "no agreements": (AgreementMissing, lambda _, e: replace(e, agreements=())),
    "one agreement": (AgreementMissing, lambda _, e: changed_at(e, ("agreements",), drop(1))),
    "an agreement twice": (
        AgreementMissing,
        lambda _, e: replace(e, agreements=(*e.agreements, e.agreements[0])),
    ),
    "another's agreement": (
        AgreementMissing,
        lambda _, e: changed_at(e, ("agreements", 0, "signature"), lambda _: e.agreements[1].signature),
    ),
    "agreed to another list": (
        AgreementMissing,
        lambda s, e: replace(e, agreements=s.evidence(1, 0).agreements),
    ),
    "a void agreement": (
        AgreementMissing,
        lambda s, e: changed_at(
            e,
            ("agreements", 0),
            lambda one: s.agreed("acquirer", replace(one.agreement, deadline=e.batch.deadline - 1), s.tree(0), 3),
        ),
    ),
    "no quotes": (QuoteDiffers, lambda _, e: replace(e, quotes=())),
    "another quote": (QuoteDiffers, lambda s, e: replace(e, quotes=(s.quotes[s.payments[1][0].uetr],))),
    "a quote the buyer signed": (
        QuoteDiffers,
        lambda s, e: changed_at(
            e, ("quotes", 0, "signature"), lambda _: s.sign("wallet/settlement", quote_hash(e.quotes[0].quote))
        ),
    ),
    "no endorsements": (NotEndorsed, lambda _, e: replace(e, endorsements=())),
    "endorsements out of order": (NotEndorsed, lambda _, e: replace(e, endorsements=e.endorsements[::-1])),
    "another batch's endorsements": (
        NotEndorsed,
        lambda s, e: replace(e, endorsements=s.batches[1].endorsements),
    ),
    "an attestation of another batch": (
        NotEndorsed,
        lambda s, e: changed_at(
            e,
            ("endorsements", 0),
            lambda one: replace(s.batches[1].endorsements[0], settlement_signature=one.settlement_signature),
        ),
    ),
    "an attestation that ended": (
        NotEndorsed,
        lambda s, e: replace(
            e,
            endorsements=tuple(
                s.endorsement(e.batch, name, valid_until=e.batch.deadline - 15) for name in s.names(e.batch.members)
            ),
        ),
    ),
    "attested by the settlement key": (
        NotEndorsed,
        lambda s, e: changed_at(
            e,
            ("endorsements", 0, "attestation_signature"),
            lambda _: s.sign("wallet/settlement", attestation_hash(e.endorsements[0].attestation)),
        ),
    ),
    "a key that nobody proved": (
        AgreementMissing,
        lambda _, e: changed_at(e, ("participants_proof", "slots"), drop(6)),
    ),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_promise_6_forged_evidence_is_refused_at_its_step(stage: Stage, evidence: Evidence, forgery: str) -> None:
    refusal, forge = FORGERIES[forgery]
    with pytest.raises(NotProven) as failure:
        verify(forge(stage, evidence), stage.network)
    assert type(failure.value) is refusal, failure.value


def legs_with(payment: PaymentTerms, place: int, **changes: object) -> tuple[Leg, ...]:
    changed = replace(payment.legs[place], **changes)  # type: ignore[arg-type]
    return (*payment.legs[:place], changed, *payment.legs[place + 1 :])


BAD_PAYMENTS: dict[str, tuple[type[NotProven], Callable[[Stage, PaymentTerms], PaymentTerms]]] = {
    "more than quoted": (QuoteDiffers, lambda _, p: replace(p, legs=legs_with(p, 1, amount=p.legs[1].amount + 1))),
    "less than quoted": (QuoteDiffers, lambda _, p: replace(p, legs=legs_with(p, 0, amount=p.legs[0].amount - 1))),
    "another currency": (QuoteDiffers, lambda _, p: replace(p, legs=legs_with(p, 1, currency=CNY))),
    "a leg more": (QuoteDiffers, lambda _, p: replace(p, legs=(*p.legs, p.legs[0]))),
    "no quotes": (QuoteDiffers, lambda _, p: replace(p, quotes_hash=quotes_hash([]))),
    "a stranger": (NotAMember, lambda s, p: replace(p, creditor_agent=s.account("stranger"))),
    "another debtor agent": (PaymentNotIncluded, lambda s, p: replace(p, debtor_agent=s.account("acquirer"))),
    "another buyer": (QuoteDiffers, lambda s, p: s.bought(p, "acquirer")),
    "settled late": (PaymentNotIncluded, lambda _, p: replace(p, deadline=p.deadline - 25)),
}


@pytest.mark.parametrize("name", BAD_PAYMENTS)
def test_a_batch_settled_with_a_wrong_payment_does_not_prove_it(scratch: Stage, name: str) -> None:
    """All members may sign a leaf that says what it must not: it counts for nothing."""
    refusal, spoil = BAD_PAYMENTS[name]
    good, bad = scratch.payment("good"), spoil(scratch, scratch.payment("bad"))
    scratch.settle(3, (good, bad))
    assert verify(scratch.evidence(3, 0), scratch.network).payment == good
    with pytest.raises(NotProven) as failure:
        verify(scratch.evidence(3, 1), scratch.network)
    assert type(failure.value) is refusal, failure.value


@pytest.mark.parametrize(
    ("contract", "changes", "refusal"),
    [
        ("settlement", {"address": "0x" + "12" * 20}, NotInOffice),
        ("settlement", {"code_hash": bytes(32)}, StateNotProven),
        ("participants", {"address": "0x" + "12" * 20}, StateNotProven),
        ("participants", {"code_hash": bytes(32)}, StateNotProven),
    ],
)
def test_the_network_file_decides_which_contracts_count(
    stage: Stage, evidence: Evidence, contract: str, changes: dict[str, Any], refusal: type[NotProven]
) -> None:
    pins = stage.network.contracts
    other = replace(pins, **{contract: replace(getattr(pins, contract), **changes)})
    with pytest.raises(refusal):
        verify(evidence, replace(stage.network, contracts=other))


def test_the_network_file_decides_who_validates(stage: Stage, evidence: Evidence) -> None:
    validator, other = stage.account("validator"), stage.account("other")
    with pytest.raises(NotSealed):
        verify(evidence, replace(stage.network, validators=(other,)))
    with pytest.raises(NotSealed, match="too few"):
        verify(evidence, replace(stage.network, validators=(validator, other)))


@pytest.mark.parametrize("content", [b"", b"[]", b"[" * 100_000, b"\xff", b"NaN", b"1e999", b"{}", b'{"format":1}'])
def test_hostile_files_are_malformed(content: bytes) -> None:
    with pytest.raises(Malformed):
        read_evidence(content)


def test_a_header_nested_deep_is_refused(stage: Stage, evidence: Evidence) -> None:
    nested = b"\xc0"
    while len(nested) < 1000:
        nested = rlp_list(nested)
    for header in (nested, b"\xf8\xff" * 500, rlp_list(nested * 0)):
        with pytest.raises(NotSealed):
            verify(replace(evidence, header=header), stage.network)


def rlp_list(payload: bytes) -> bytes:
    if len(payload) < 56:
        return bytes([0xC0 + len(payload)]) + payload
    size = len(payload).to_bytes((len(payload).bit_length() + 7) // 8, "big")
    return bytes([0xF7 + len(size)]) + size + payload


def test_a_dead_key_proves_nothing(scratch: Stage) -> None:
    """The signatures hold at the block that settled; a block after the revocation does not show it."""
    revocation = Participants.revoke_key_call(scratch.account("provider/settlement"))
    scratch.send("provider/settlement", "participants", revocation)
    verify(scratch.evidence(2, 0), scratch.network)
    scratch.client.request("evm_mine")
    scratch.blocks[2] = int(scratch.client.request("eth_blockNumber"), 16)
    with pytest.raises(AgreementMissing, match="is not its settlement key"):
        verify(scratch.evidence(2, 0), scratch.network)


@pytest.mark.parametrize("how", ["revoked", "replaced"])
def test_a_key_that_ends_in_the_block_that_settles_proves_it_still(scratch: Stage, how: str) -> None:
    """Both transactions in one block, the settlement first: a payment that settled must not lose its proof."""
    provider = scratch.account("provider")
    ending = {
        "revoked": Participants.revoke_key_call(scratch.account("provider/settlement")),
        "replaced": Participants.rotate_key_call(provider, Purpose.SETTLEMENT, scratch.account("newcomer"), 0),
    }[how]
    signed = scratch.signed(3, (scratch.payment("payment 3.0"),))
    settlement, registry = Settlement(scratch.client, scratch.settlement), scratch.network.contracts.participants
    scratch.client.request("evm_setAutomine", False)
    wallet, own = scratch.sender("wallet"), scratch.sender("provider/settlement")
    sent = [
        wallet.send(settlement.address, settlement.settle_call([signed]), 3_000_000),
        own.send(registry.address, ending, 300_000),
    ]
    scratch.client.request("evm_mine")
    scratch.client.request("evm_setAutomine", True)
    receipts = [scratch.client.receipt(each) for each in sent]
    assert all(each.succeeded for each in receipts)
    assert len({each.block_number for each in receipts}) == 1
    scratch.blocks[3] = receipts[0].block_number
    verify(scratch.evidence(3, 0), scratch.network)


def test_offline_means_offline() -> None:
    """In a process that went offline, nothing reaches a network, a database or another program."""
    attempts = {
        "socket": "import socket; socket.socket()",
        "name": "import socket; socket.getaddrinfo('localhost', 1)",
        "program": "import subprocess; subprocess.run(['true'])",
        "shell": "import os; os.system('true')",
        "fork": "import os; os.fork()",
        "exec": "import os; os.execv('/bin/true', ['true'])",
        "sqlite": "import sqlite3",
        "pysqlite": "import pysqlite3",
        "web3": "import web3",
        "sqlalchemy": "import sqlalchemy",
    }
    script = (
        "import json, sys\nfrom audit.cli import app\nfrom audit.offline import OfflineViolation, go_offline\n"
        "go_offline()\nrefused = []\n"
        "for name, attempt in json.loads(sys.argv[1]).items():\n"
        "    try: exec(attempt)\n"
        "    except OfflineViolation: refused.append(name)\n"
        "print(json.dumps(refused))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, json.dumps(attempts)],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout) == list(attempts)


def test_the_command_speaks_to_people(feiqian_audit: AuditCommand, files: Path) -> None:
    done = feiqian_audit("verify", files / "evidence.json", "--network", files / "genesis.json")
    assert done.returncode == 0
    assert "proven: this payment was settled" in done.stdout
    assert "CNY 1.03" in done.stdout
    missing = feiqian_audit("verify", files / "none.json", "--network", files / "genesis.json")
    assert missing.returncode == 1
    assert "refused at step 'form'" in missing.stdout
