"""The hand-written EIP-712 hashes, against eth-account's encoder."""

from __future__ import annotations

from typing import Any

from eth_account.messages import encode_typed_data
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.terms.attestation import Agreement, Approval, Attestation
from contracts.terms.batch import Batch, Position
from contracts.terms.commitments import (
    AGREEMENT_TYPE,
    APPROVAL_TYPE,
    ATTESTATION_TYPE,
    BATCH_TYPE,
    LEG_TYPE,
    PAYMENT_TYPE,
    POSITION_TYPE,
    QUOTE_TYPE,
    agreement_hash,
    approval_hash,
    attestation_hash,
    batch_hash,
    canonical_json,
    commitment,
    domain_separator,
    keccak,
    payment_leaf,
    quote_hash,
    quotes_hash,
    typed_digest,
)
from contracts.terms.identifiers import NO_UETR, uetr_bytes
from contracts.terms.payment import Leg, PaymentTerms
from contracts.terms.quote import Quote

CHAIN_IDS = st.integers(1, 2**63 - 1)
ADDRESSES = st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex())
HASHES = st.binary(min_size=32, max_size=32)
UETRS = st.uuids(version=4).map(str)
TIMES = st.integers(0, 2**64 - 1)
CURRENCIES = st.integers(0, 2**16 - 1)
AMOUNTS = st.integers(0, 2**128 - 1)

POSITIONS = st.builds(Position, ADDRESSES, CURRENCIES, st.integers(-(2**127), 2**127 - 1))
LEGS = st.builds(Leg, ADDRESSES, ADDRESSES, CURRENCIES, AMOUNTS)
BATCHES = st.builds(
    Batch,
    debtor_agent=ADDRESSES,
    lane=st.integers(0, 255),
    sequence=TIMES,
    payments_root=HASHES,
    payment_count=st.integers(0, 2**32 - 1),
    members=st.lists(ADDRESSES, max_size=5).map(tuple),
    positions=st.lists(POSITIONS, max_size=5).map(tuple),
    deadline=TIMES,
)
PAYMENTS = st.builds(
    PaymentTerms,
    uetr=UETRS,
    debtor_agent=ADDRESSES,
    creditor_agent=ADDRESSES,
    legs=st.lists(LEGS, max_size=4).map(tuple),
    quotes_hash=HASHES,
    debtor_commitment=HASHES,
    creditor_commitment=HASHES,
    debtor_decision=HASHES,
    creditor_decision=HASHES,
    deadline=TIMES,
    original_uetr=st.just("") | UETRS,
)
QUOTES = st.builds(Quote, ADDRESSES, ADDRESSES, CURRENCIES, AMOUNTS, CURRENCIES, AMOUNTS, TIMES, HASHES)


def members_of_type(type_string: str) -> dict[str, list[dict[str, str]]]:
    """EIP-712's `types` from an encoded type such as "Leg(address from,...)Other(...)"."""
    types = {}
    for struct in type_string.rstrip(")").split(")"):
        name, _, members = struct.partition("(")
        types[name] = [dict(zip(("type", "name"), member.split(" "), strict=True)) for member in members.split(",")]
    return types


def reference_digest(type_string: str, message: dict[str, Any], chain_id: int, settlement: str) -> bytes:
    primary = type_string.partition("(")[0]
    domain_type = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    signable = encode_typed_data(
        full_message={
            "types": members_of_type(domain_type) | members_of_type(type_string),
            "primaryType": primary,
            "domain": {"name": "Feiqian", "version": "1", "chainId": chain_id, "verifyingContract": settlement},
            "message": message,
        }
    )
    return keccak(b"\x19" + signable.version + signable.header + signable.body)


def check(type_string: str, struct_hash: bytes, message: dict[str, Any], chain_id: int, settlement: str) -> None:
    ours = typed_digest(domain_separator(chain_id, settlement), struct_hash)
    assert ours == reference_digest(type_string, message, chain_id, settlement)


def leg_message(leg: Leg) -> dict[str, Any]:
    return {"from": leg.source, "to": leg.target, "currency": leg.currency, "amount": leg.amount}


@given(BATCHES, CHAIN_IDS, ADDRESSES)
def test_batch(batch: Batch, chain_id: int, settlement: str) -> None:
    message = {
        "debtorAgent": batch.debtor_agent,
        "lane": batch.lane,
        "sequence": batch.sequence,
        "paymentsRoot": batch.payments_root,
        "paymentCount": batch.payment_count,
        "members": list(batch.members),
        "positions": [vars(position) for position in batch.positions],
        "deadline": batch.deadline,
    }
    check(BATCH_TYPE, batch_hash(batch), message, chain_id, settlement)


@given(PAYMENTS, CHAIN_IDS, ADDRESSES)
def test_payment(terms: PaymentTerms, chain_id: int, settlement: str) -> None:
    message = {
        "uetr": uetr_bytes(terms.uetr),
        "originalUetr": uetr_bytes(terms.original_uetr) if terms.original_uetr else NO_UETR,
        "debtorAgent": terms.debtor_agent,
        "creditorAgent": terms.creditor_agent,
        "legs": [leg_message(leg) for leg in terms.legs],
        "quotesHash": terms.quotes_hash,
        "debtorCommitment": terms.debtor_commitment,
        "creditorCommitment": terms.creditor_commitment,
        "debtorDecision": terms.debtor_decision,
        "creditorDecision": terms.creditor_decision,
        "deadline": terms.deadline,
    }
    check(PAYMENT_TYPE, payment_leaf(terms), message, chain_id, settlement)


@given(QUOTES, CHAIN_IDS, ADDRESSES)
def test_quote(quote: Quote, chain_id: int, settlement: str) -> None:
    message = {
        "provider": quote.provider,
        "buyer": quote.buyer,
        "sourceCurrency": quote.source_currency,
        "sourceAmount": quote.source_amount,
        "targetCurrency": quote.target_currency,
        "targetAmount": quote.target_amount,
        "expires": quote.expires,
        "nonce": quote.nonce,
    }
    check(QUOTE_TYPE, quote_hash(quote), message, chain_id, settlement)


@given(st.builds(Attestation, HASHES, HASHES, HASHES, TIMES), CHAIN_IDS, ADDRESSES)
def test_attestation(attestation: Attestation, chain_id: int, settlement: str) -> None:
    message = {
        "batchHash": attestation.batch_hash,
        "policyHash": attestation.policy_hash,
        "logHead": attestation.log_head,
        "validUntil": attestation.valid_until,
    }
    check(ATTESTATION_TYPE, attestation_hash(attestation), message, chain_id, settlement)


@given(st.builds(Agreement, HASHES, st.integers(0, 2**32 - 1), TIMES), CHAIN_IDS, ADDRESSES)
def test_agreement(agreement: Agreement, chain_id: int, settlement: str) -> None:
    check(AGREEMENT_TYPE, agreement_hash(agreement), vars(agreement), chain_id, settlement)


@given(st.integers(0, 2**256 - 1), HASHES, st.integers(0, 2**256 - 1), CHAIN_IDS, ADDRESSES)
def test_approval(proposal: int, calls: bytes, epoch: int, chain_id: int, council: str) -> None:
    message = {"proposal": proposal, "callsHash": calls, "epoch": epoch}
    check(APPROVAL_TYPE, approval_hash(Approval(proposal, calls, epoch)), message, chain_id, council)


@given(st.lists(QUOTES, max_size=3), CHAIN_IDS, ADDRESSES)
def test_quotes_hash_is_that_of_an_array(quotes: list[Quote], chain_id: int, settlement: str) -> None:
    """Proven through a struct with nothing but a bytes32[] in it."""
    kind = "Quotes(bytes32[] hashes)"
    struct_hash = keccak(keccak(kind.encode()) + quotes_hash(quotes))
    check(kind, struct_hash, {"hashes": [quote_hash(quote) for quote in quotes]}, chain_id, settlement)


def test_the_nested_types_are_those_inside() -> None:
    assert BATCH_TYPE.endswith(POSITION_TYPE)
    assert PAYMENT_TYPE.endswith(LEG_TYPE)


@given(HASHES, HASHES, st.dictionaries(st.text(max_size=5), st.text(max_size=20), max_size=4))
def test_a_commitment_binds_salt_and_content(salt: bytes, other: bytes, content: dict[str, str]) -> None:
    assert commitment(salt, content) == commitment(salt, dict(reversed(content.items())))
    assert (commitment(salt, content) == commitment(other, content)) is (salt == other)
    assert commitment(salt, content) != commitment(salt, content | {"another name": "x"})


@settings(max_examples=50)
@given(st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=3))
def test_canonical_json_has_one_form(content: dict[str, str]) -> None:
    assert canonical_json(content) == canonical_json(dict(sorted(content.items(), reverse=True)))
