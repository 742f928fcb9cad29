"""The evidence of one settled payment: one file that proves it to whoever trusts the network file, and nobody else.

Block header and seals -> proof of the stored batch hash -> batch -> inclusion path -> payment -> the signatures of
its agreements, quotes and endorsements, with proof of whose keys they are. `audit.verify` checks it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from contracts.terms.attestation import Agreement
from contracts.terms.batch import Batch, Endorsement
from contracts.terms.documents import from_document, to_document
from contracts.terms.errors import Malformed
from contracts.terms.identifiers import Address, address, uetr
from contracts.terms.merkle import InclusionPath
from contracts.terms.payment import PaymentTerms
from contracts.terms.quote import Quote

FORMAT = "feiqian-evidence/1"
MAX_EVIDENCE_BYTES = 5_000_000
_MAX_HEADER_BYTES = 1024
_MAX_DEPTH = 16
_BRACKET = re.compile(rb"[\[\]{}]")
_UINT128, _INT128 = 2**128, 2**127


@dataclass(frozen=True)
class SlotProof:
    """Proof of one storage slot (32 bytes): the storage trie's RLP nodes from the root down (EIP-1186)."""

    slot: bytes
    proof: tuple[bytes, ...]


@dataclass(frozen=True)
class AccountProof:
    """Proof of a contract's account under a state root, and of slots of its storage (EIP-1186)."""

    address: Address
    account_proof: tuple[bytes, ...]
    slots: tuple[SlotProof, ...]


@dataclass(frozen=True)
class SignedAgreement:
    """`account` agreed to a list of payments; `path` is where this payment stands in that list."""

    account: Address
    agreement: Agreement
    path: InclusionPath
    signature: bytes


@dataclass(frozen=True)
class SignedQuote:
    """An FX provider's quote with its settlement key's signature (65 bytes)."""

    quote: Quote
    signature: bytes


@dataclass(frozen=True)
class Evidence:
    """The evidence file. `header` is the block's header in RLP, each seal 65 bytes, `path` the payment's place in the
    batch; `participants_proof` has a slot for each key that signed; `endorsements[i]` is that of `batch.members[i]`;
    `agreements` are those of the creditor agent and of each FX provider."""

    format: str
    chain_id: int
    header: bytes
    seals: tuple[bytes, ...]
    settlement_proof: AccountProof
    participants_proof: AccountProof
    batch: Batch
    endorsements: tuple[Endorsement, ...]
    payment: PaymentTerms
    path: InclusionPath
    agreements: tuple[SignedAgreement, ...]
    quotes: tuple[SignedQuote, ...]


def write_evidence(evidence: Evidence) -> bytes:
    """The file: UTF-8 JSON, indented for people."""
    return json.dumps(to_document(evidence), indent=1).encode() + b"\n"


def read_evidence(content: bytes) -> Evidence:
    """Read a file. Raises Malformed with the path of the first wrong value."""
    if len(content) > MAX_EVIDENCE_BYTES:
        raise Malformed(f"an evidence file has at most {MAX_EVIDENCE_BYTES} bytes")
    try:
        _check_depth(content)
        document = json.loads(content.decode(), object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except ValueError as failure:
        raise Malformed(f"not a JSON document: {failure}") from failure
    evidence = from_document(Evidence, document)
    check_form(evidence)
    return evidence


def _check_depth(content: bytes) -> None:
    """The JSON reader's own limit is the process's recursion limit, which others raise beyond what its stack bears.

    Brackets inside texts count too: no text of an evidence file has any.
    """
    depth = 0
    for bracket in _BRACKET.finditer(content):
        depth += 1 if bracket.group() in b"[{" else -1
        if depth > _MAX_DEPTH:
            raise ValueError(f"nested deeper than {_MAX_DEPTH}")


def check_form(terms: object) -> None:
    """Refuse terms (evidence, or a dataclass it is made of) with a value that has another form than its only one.

    Hashes are made over bytes laid end to end, so that a hash of 31 bytes beside one of 33, or an address with
    another prefix, would hash to the same: such evidence would be two files with one proof. Raises Malformed.
    """
    _check(terms, type(terms).__name__, "")


def _check(value: Any, path: str, name: str) -> None:
    if is_dataclass(value):
        for field in fields(value):
            _check(getattr(value, field.name), f"{path}.{field.name}", field.name)
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            _check(item, f"{path}[{index}]", name)
    elif not _has_form(value, name):
        raise Malformed(f"{path}: has not the form of its kind")


def _has_form(value: Any, name: str) -> bool:
    if form := _FORMS.get(name):
        return form(value)
    if isinstance(value, bytes):
        return len(value) == 32
    if isinstance(value, str):
        return _accepted(address, value)
    return isinstance(value, int) and 0 <= value < 2**64


def _accepted(check: Callable[[str], str], text: str) -> bool:
    try:
        return check(text) == text
    except Malformed:
        return False


def _is_signature(value: bytes) -> bool:
    return len(value) == 65


def _is_amount(value: int) -> bool:
    return 0 < value < _UINT128


_FORMS: Mapping[str, Callable[[Any], bool]] = {
    "format": lambda text: text == FORMAT,
    "header": lambda encoded: len(encoded) <= _MAX_HEADER_BYTES,
    "account_proof": lambda node: len(node) > 0,
    "proof": lambda node: len(node) > 0,
    "seals": _is_signature,
    "signature": _is_signature,
    "settlement_signature": _is_signature,
    "attestation_signature": _is_signature,
    "uetr": lambda text: _accepted(uetr, text),
    "original_uetr": lambda text: text == "" or _accepted(uetr, text),
    "amount": _is_amount,
    "source_amount": _is_amount,
    "target_amount": _is_amount,
    "delta": lambda delta: -_INT128 <= delta < _INT128,
}
"""By field name; every other text is an address, every other byte string a hash, every other number a uint64."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a name is given twice in one object")
    return content


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is no JSON")
