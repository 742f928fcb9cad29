"""How long hashing, trees and signatures take, beside the generic libraries in the same run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from eth_account import Account
from eth_account.messages import _hash_eip191_message, encode_typed_data
from eth_keys.backends import NativeECCBackend
from eth_keys.datatypes import PrivateKey, Signature

from contracts.terms.commitments import (
    DOMAIN_NAME,
    DOMAIN_VERSION,
    domain_separator,
    keccak,
    payment_leaf,
    typed_digest,
)
from contracts.terms.merkle import MerkleTree, includes
from contracts.terms.payment import Leg, PaymentTerms
from contracts.terms.signing import LocalSigner, recover
from tests.benchmarks.tables import Table, Timing, measured, verdict

LEAVES = 10_000
TREE_TARGET, LEAF_TARGET = 500.0, 50.0
CHAIN_ID = 7_780
KEY = keccak(b"benchmark")
DEBTOR_AGENT, CREDITOR_AGENT, PROVIDER = (f"0x{digit * 40}" for digit in "abc")
CONTRACT = "0x" + "d" * 40
LEG_FIELDS = {"from": "address", "to": "address", "currency": "uint16", "amount": "uint128"}
PAYMENT_FIELDS = {
    "uetr": "bytes16", "originalUetr": "bytes16", "debtorAgent": "address", "creditorAgent": "address", "legs": "Leg[]",
    "quotesHash": "bytes32", "debtorCommitment": "bytes32", "creditorCommitment": "bytes32",
    "debtorDecision": "bytes32", "creditorDecision": "bytes32", "deadline": "uint64",
}  # fmt: skip


def tables() -> Iterator[Table]:
    yield _trees()
    yield _hashes()
    yield _signatures()


def _trees() -> Table:
    leaves = [keccak(number.to_bytes(4, "big")) for number in range(LEAVES)]
    tree = MerkleTree(leaves)
    paths = [tree.path(index) for index in range(LEAVES)]
    assert all(includes(tree.root, leaf, path) for leaf, path in zip(leaves, paths, strict=True))

    def built_with_all_proofs() -> None:
        grown = MerkleTree(leaves)
        for index in range(LEAVES):
            grown.path(index)

    works: dict[str, tuple[Callable[[], object], float | None]] = {
        "built": (lambda: MerkleTree(leaves), None),
        "built, and all proofs made": (built_with_all_proofs, TREE_TARGET),
        "all proofs checked": (lambda: [includes(tree.root, *each) for each in zip(leaves, paths, strict=True)], None),
    }
    rows = []
    for name, (work, target) in works.items():
        took = measured(work)
        rows.append((name, 1e3 * took.median, 1e3 * min(took.rounds), verdict(1e3 * took.median, target)))
    return Table(f"Merkle tree of {LEAVES:,} leaves", ("work", "median, ms", "least, ms", "target"), tuple(rows))


def _hashes() -> Table:
    ours, theirs = _terms(), _typed_data(_terms())
    domain = domain_separator(CHAIN_ID, CONTRACT)
    digest = typed_digest(domain, payment_leaf(ours))
    assert digest == _hash_eip191_message(encode_typed_data(full_message=theirs))
    return _compared(
        "EIP-712 hash of a Payment with two legs: the leaf",
        [("payment_leaf", measured(lambda: payment_leaf(ours), 1_000), "eth-account encode_typed_data",
          measured(lambda: encode_typed_data(full_message=theirs), 50), LEAF_TARGET)],
    )  # fmt: skip


def _signatures() -> Table:
    signer, digest = LocalSigner(KEY), keccak(b"digest")
    signature = signer.sign(digest)
    python, key, point = NativeECCBackend(), PrivateKey(KEY), Signature(signature[:64] + bytes([signature[64] - 27]))
    assert python.ecdsa_recover(digest, point) == key.public_key
    sign, verify = measured(lambda: signer.sign(digest), 200), measured(lambda: recover(digest, signature), 200)
    generic_sign = measured(lambda: Account.unsafe_sign_hash(digest, KEY), 50)
    generic_verify = measured(lambda: Account._recover_hash(digest, signature=signature), 50)
    pure_sign = measured(lambda: python.ecdsa_sign(digest, key), 3)
    pure_verify = measured(lambda: python.ecdsa_recover(digest, point), 3)
    return _compared(
        "Signatures (coincurve)",
        [
            ("sign", sign, "eth-account", generic_sign, None),
            ("sign", sign, "eth-keys in Python alone", pure_sign, None),
            ("verify: recover the address", verify, "eth-account", generic_verify, None),
            ("verify: recover the address", verify, "eth-keys in Python alone", pure_verify, None),
        ],
    )


def _compared(title: str, pairs: list[tuple[str, Timing, str, Timing, float | None]]) -> Table:
    rows = []
    for name, ours, other, theirs, target in pairs:
        median = 1e6 * ours.median
        ratio = theirs.median / ours.median
        rows.append((name, median, 1e6 * min(ours.rounds), other, 1e6 * theirs.median, ratio, verdict(median, target)))
    columns = ("work", "median, µs", "least, µs", "beside", "its median, µs", "times faster", "target")
    return Table(title, columns, tuple(rows))


def _terms() -> PaymentTerms:
    return PaymentTerms(
        uetr="eb6305c9-1f7f-49de-aed0-16487c27b42d",
        original_uetr="",
        debtor_agent=DEBTOR_AGENT,
        creditor_agent=CREDITOR_AGENT,
        legs=(Leg(DEBTOR_AGENT, PROVIDER, 156, 10_000), Leg(PROVIDER, CREDITOR_AGENT, 764, 50_000)),
        quotes_hash=keccak(b"1"),
        debtor_commitment=keccak(b"2"),
        creditor_commitment=keccak(b"3"),
        debtor_decision=keccak(b"4"),
        creditor_decision=keccak(b"5"),
        deadline=1_700_000_030,
    )


def _typed_data(terms: PaymentTerms) -> dict[str, Any]:
    """The same payment as the generic encoder wants it."""
    domain = {"name": DOMAIN_NAME, "version": DOMAIN_VERSION, "chainId": CHAIN_ID, "verifyingContract": CONTRACT}
    kinds = {"name": "string", "version": "string", "chainId": "uint256", "verifyingContract": "address"}
    values: list[object] = [
        bytes.fromhex(terms.uetr.replace("-", "")), bytes(16), terms.debtor_agent, terms.creditor_agent,
        [dict(zip(LEG_FIELDS, (leg.source, leg.target, leg.currency, leg.amount), strict=True)) for leg in terms.legs],
        terms.quotes_hash, terms.debtor_commitment, terms.creditor_commitment, terms.debtor_decision,
        terms.creditor_decision, terms.deadline,
    ]  # fmt: skip
    types = {"EIP712Domain": kinds, "Payment": PAYMENT_FIELDS, "Leg": LEG_FIELDS}
    return {
        "types": {name: [{"name": each, "type": kind} for each, kind in of.items()] for name, of in types.items()},
        "primaryType": "Payment",
        "domain": domain,
        "message": dict(zip(PAYMENT_FIELDS, values, strict=True)),
    }
