"""The evidence of one settled payment: one file that proves it to whoever trusts the network file, and nobody else.

Block header and seals -> the Settlement: pinned, or a successor that the pinned Ledger named -> proof of the stored
batch hash -> batch -> inclusion path -> payment -> the signatures of its agreements, quotes and endorsements, with
proof of whose keys they are. `audit.verify` checks it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from contracts.terms.attestation import Agreement
from contracts.terms.batch import Batch, Endorsement
from contracts.terms.documents import from_document, to_document
from contracts.terms.errors import Malformed
from contracts.terms.identifiers import Address, Hash
from contracts.terms.merkle import InclusionPath
from contracts.terms.payment import PaymentTerms
from contracts.terms.quote import Quote

FORMAT = "feiqian-evidence/1"
MAX_EVIDENCE_BYTES = 5_000_000
_MAX_HEADER_BYTES = 1024
_MAX_DEPTH = 16
_BRACKET = re.compile(rb"[\[\]{}]")


@dataclass(frozen=True)
class SlotProof:
    """Proof of one storage slot (32 bytes): the storage trie's RLP nodes from the root down (EIP-1186)."""

    slot: Hash
    proof: tuple[bytes, ...]


@dataclass(frozen=True)
class AccountProof:
    """Proof of a contract's account under a state root, and of slots of its storage (EIP-1186)."""

    address: Address
    account_proof: tuple[bytes, ...]
    slots: tuple[SlotProof, ...]


@dataclass(frozen=True)
class OfficeProof:
    """That the pinned Ledger named a successor of the pinned Settlement: a block's header in RLP, its seals, and the
    Ledger's slot in that block's state."""

    header: bytes
    seals: tuple[bytes, ...]
    ledger_proof: AccountProof


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
    `agreements` are those of the creditor agent and of each FX provider; `office` is there when a successor of the
    pinned Settlement settled the batch, and only then."""

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
    office: OfficeProof | None = None


def write_evidence(evidence: Evidence) -> bytes:
    """The file: UTF-8 JSON, indented for people."""
    return json.dumps(to_document(evidence), indent=1).encode() + b"\n"


def read_evidence(content: bytes) -> Evidence:
    """Read a file, unproven. Raises Malformed with the path of the first wrong value."""
    if len(content) > MAX_EVIDENCE_BYTES:
        raise Malformed(f"an evidence file has at most {MAX_EVIDENCE_BYTES} bytes")
    try:
        _check_depth(content)
        document = json.loads(content.decode(), object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except ValueError as failure:
        raise Malformed(f"not a JSON document: {failure}") from failure
    return from_document(Evidence, document)


def _check_depth(content: bytes) -> None:
    """The JSON reader's own limit is the process's recursion limit, which others raise beyond what its stack bears.

    Brackets inside texts count too: no text of an evidence file has any.
    """
    depth = 0
    for bracket in _BRACKET.finditer(content):
        depth += 1 if bracket.group() in b"[{" else -1
        if depth > _MAX_DEPTH:
            raise ValueError(f"nested deeper than {_MAX_DEPTH}")


def check_form(evidence: Evidence) -> None:
    """Refuse evidence with a value that has another form than its only one. Raises Malformed.

    Hashes are made over bytes laid end to end, so that a hash of 31 bytes beside one of 33, or an address with
    another prefix, would hash to the same: such evidence would be two files with one proof.
    """
    if evidence.format != FORMAT:
        raise Malformed(f"Evidence.format: {FORMAT} is needed")
    headers = {"header": evidence.header} | ({"office.header": evidence.office.header} if evidence.office else {})
    for name, header in headers.items():
        if len(header) > _MAX_HEADER_BYTES:
            raise Malformed(f"Evidence.{name}: at most {_MAX_HEADER_BYTES} bytes")
    from_document(Evidence, to_document(evidence))


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a name is given twice in one object")
    return content


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is no JSON")
