"""Hashes that bind: EIP-712 structs of the agreement, and salted commitments to personal data.

Structs are hashed by hand (EIP-712, `encodeData`) because the generic encoder is ten times slower; a property test
holds this file against eth-account's encoder.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache

from sha3 import keccak_256

from contracts.terms.attestation import Agreement, Approval, Attestation
from contracts.terms.batch import Batch, Position
from contracts.terms.identifiers import Address, uetr_bytes
from contracts.terms.payment import Leg, PaymentTerms
from contracts.terms.quote import Quote

DOMAIN_NAME, DOMAIN_VERSION = "Feiqian", "1"

POSITION_TYPE = "Position(address account,uint16 currency,int128 delta)"
BATCH_TYPE = (
    "Batch(address debtorAgent,uint8 lane,uint64 sequence,bytes32 paymentsRoot,uint32 paymentCount,"
    "address[] members,Position[] positions,uint64 deadline)" + POSITION_TYPE
)
ATTESTATION_TYPE = "Attestation(bytes32 batchHash,bytes32 policyHash,bytes32 logHead,uint64 validUntil)"
LEG_TYPE = "Leg(address from,address to,uint16 currency,uint128 amount)"
PAYMENT_TYPE = (
    "Payment(bytes16 uetr,bytes16 originalUetr,address debtorAgent,address creditorAgent,Leg[] legs,"
    "bytes32 quotesHash,bytes32 debtorCommitment,bytes32 creditorCommitment,bytes32 debtorDecision,"
    "bytes32 creditorDecision,uint64 deadline)" + LEG_TYPE
)
AGREEMENT_TYPE = "Agreement(bytes32 root,uint32 count,uint64 deadline)"
APPROVAL_TYPE = "Approval(uint256 proposal,bytes32 callsHash,uint256 epoch)"
QUOTE_TYPE = (
    "Quote(address provider,address buyer,uint16 sourceCurrency,uint128 sourceAmount,"
    "uint16 targetCurrency,uint128 targetAmount,uint64 expires,bytes32 nonce)"
)
_DOMAIN_TYPE = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"


def keccak(data: bytes) -> bytes:
    """Keccak-256 as Ethereum uses it (not the later SHA3-256)."""
    digest: bytes = keccak_256(data).digest()
    return digest


@lru_cache(maxsize=16)
def domain_separator(chain_id: int, contract: Address) -> bytes:
    """The EIP-712 domain separator of one contract on one chain: the Settlement, for approvals the Council."""
    return keccak(
        _type_hash(_DOMAIN_TYPE)
        + keccak(DOMAIN_NAME.encode())
        + keccak(DOMAIN_VERSION.encode())
        + _uint(chain_id)
        + _address(contract)
    )


def typed_digest(domain: bytes, struct_hash: bytes) -> bytes:
    """What is signed: keccak(0x19 0x01 || domain separator || struct hash) (EIP-712)."""
    return keccak(b"\x19\x01" + domain + struct_hash)


def batch_hash(batch: Batch) -> bytes:
    """The struct hash of `Batch`: the name of a batch everywhere, on chain and off."""
    return keccak(
        _type_hash(BATCH_TYPE)
        + _address(batch.debtor_agent)
        + _uint(batch.lane)
        + _uint(batch.sequence)
        + batch.payments_root
        + _uint(batch.payment_count)
        + _array(_address(member) for member in batch.members)
        + _array(_position_hash(position) for position in batch.positions)
        + _uint(batch.deadline)
    )


def attestation_hash(attestation: Attestation) -> bytes:
    """The struct hash of `Attestation`."""
    return keccak(
        _type_hash(ATTESTATION_TYPE)
        + attestation.batch_hash
        + attestation.policy_hash
        + attestation.log_head
        + _uint(attestation.valid_until)
    )


def agreement_hash(agreement: Agreement) -> bytes:
    """The struct hash of `Agreement`."""
    return keccak(_type_hash(AGREEMENT_TYPE) + agreement.root + _uint(agreement.count) + _uint(agreement.deadline))


def approval_hash(approval: Approval) -> bytes:
    """The struct hash of `Approval`."""
    return keccak(_type_hash(APPROVAL_TYPE) + _uint(approval.proposal) + approval.calls_hash + _uint(approval.epoch))


def quote_hash(quote: Quote) -> bytes:
    """The struct hash of `Quote`."""
    return keccak(
        _type_hash(QUOTE_TYPE)
        + _address(quote.provider)
        + _address(quote.buyer)
        + _uint(quote.source_currency)
        + _uint(quote.source_amount)
        + _uint(quote.target_currency)
        + _uint(quote.target_amount)
        + _uint(quote.expires)
        + quote.nonce
    )


def quotes_hash(quotes: Iterable[Quote]) -> bytes:
    """The `quotesHash` of a payment: keccak of its quotes' struct hashes, in order (an EIP-712 bytes32[])."""
    return _array(quote_hash(quote) for quote in quotes)


# Each step of a payment's way asks for it, mostly of the same object.
@lru_cache(maxsize=2048)
def payment_leaf(terms: PaymentTerms) -> bytes:
    """The struct hash of `Payment`: the leaf of a batch's Merkle tree."""
    return keccak(
        _type_hash(PAYMENT_TYPE)
        + uetr_bytes(terms.uetr).ljust(32, b"\0")
        + uetr_bytes(terms.original_uetr).ljust(32, b"\0")
        + _address(terms.debtor_agent)
        + _address(terms.creditor_agent)
        + _array(_leg_hash(leg) for leg in terms.legs)
        + terms.quotes_hash
        + terms.debtor_commitment
        + terms.creditor_commitment
        + terms.debtor_decision
        + terms.creditor_decision
        + _uint(terms.deadline)
    )


def commitment(salt: bytes, content: Mapping[str, object]) -> bytes:
    """A salted commitment to personal data: hides it while the salt is secret, binds whoever made it."""
    return commitment_to(salt, canonical_json(content))


def commitment_to(salt: bytes, canonical: bytes) -> bytes:
    """A salted commitment to content whose canonical JSON is at hand."""
    assert len(salt) == 32, "a salt of 32 bytes keeps names from being guessed"
    return keccak(salt + canonical)


def canonical_json(content: Mapping[str, object]) -> bytes:
    """JSON with sorted keys and no spaces, so that equal content has equal bytes."""
    return _canonical.encode(content).encode()


_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


@lru_cache(maxsize=16)
def _type_hash(type_string: str) -> bytes:
    return keccak(type_string.encode())


def _position_hash(position: Position) -> bytes:
    return keccak(
        _type_hash(POSITION_TYPE)
        + _address(position.account)
        + _uint(position.currency)
        + position.delta.to_bytes(32, "big", signed=True)
    )


def _leg_hash(leg: Leg) -> bytes:
    return keccak(
        _type_hash(LEG_TYPE) + _address(leg.source) + _address(leg.target) + _uint(leg.currency) + _uint(leg.amount)
    )


def _array(words: Iterable[bytes]) -> bytes:
    return keccak(b"".join(words))


def _uint(value: int) -> bytes:
    return value.to_bytes(32, "big")


@lru_cache(maxsize=4096)
def _address(value: Address) -> bytes:
    return bytes.fromhex(value[2:]).rjust(32, b"\0")
