"""Asking the provider's own compliance service: screen these payments, attest these batches.

Bridge and compliance know each other by the messages between them only: they are two processes with two keys.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bridge.client import CosignRequest, Refusal
from contracts.terms.attestation import Attestation
from contracts.terms.commitments import batch_hash
from contracts.terms.documents import from_document, to_document
from contracts.terms.errors import ComplianceUnavailable, FeiqianError, Malformed, PeerUnavailable
from contracts.terms.identifiers import Address
from contracts.terms.payment import PaymentTerms
from serving.client import Peer, PeerClient

MAX_SCREENINGS = 500


@dataclass(frozen=True)
class SignedAttestation:
    """An attestation and the compliance key's signature (65 bytes) over its EIP-712 digest."""

    attestation: Attestation
    signature: bytes


class OwnCompliance:
    """The compliance service of the institution whose bridge this is. Fails closed: only a clear answer is clear.

    Both calls raise ComplianceUnavailable when no provable answer came or the whole request was refused.
    """

    def __init__(self, client: PeerClient, peer: Peer) -> None:
        self._client, self._peer = client, peer

    def clear(self, payments: Sequence[PaymentTerms]) -> set[str]:
        """The UETRs of those payments that are clear from the provider's side."""
        cleared: set[str] = set()
        for start in range(0, len(payments), MAX_SCREENINGS):
            part = payments[start : start + MAX_SCREENINGS]
            screenings = [_screening(terms, self._peer.account) for terms in part]
            items = self._ask("/peer/v1/screenings", {"screenings": screenings}, "decisions", len(part))
            cleared |= {t.uetr for t, item in zip(part, items, strict=True) if _is_clear(item, t.uetr)}
        return cleared

    def attest(self, requests: Sequence[CosignRequest]) -> list[SignedAttestation | Refusal]:
        """One answer per request, in order."""
        if not requests:
            return []
        documents = [to_document(request) for request in requests]
        items = self._ask("/peer/v1/attestations", {"requests": documents}, "attestations", len(requests))
        return [_attested(request, item) for request, item in zip(requests, items, strict=True)]

    def _ask(self, path: str, content: Mapping[str, Any], member: str, count: int) -> list[Mapping[str, Any]]:
        try:
            answer = self._client.post(self._peer, path, json.dumps(content, separators=(",", ":")).encode())
        except PeerUnavailable as failure:
            raise ComplianceUnavailable(failure.detail) from failure
        except FeiqianError as failure:
            raise ComplianceUnavailable(f"our compliance refused the question: {failure.detail}") from failure
        items = answer.get(member) if isinstance(answer, dict) else None
        if not isinstance(items, list) or len(items) != count or not all(isinstance(item, dict) for item in items):
            raise ComplianceUnavailable(f"{path}: the answer does not have one item per question")
        return items


def _screening(terms: PaymentTerms, account: Address) -> dict[str, Any]:
    return {
        "uetr": terms.uetr,
        "side": "provider",
        "debtor": None,
        "creditor": None,
        "debtor_agent": terms.debtor_agent,
        "creditor_agent": terms.creditor_agent,
        "legs": [to_document(leg) for leg in terms.legs if account in (leg.source, leg.target)],
    }


def _is_clear(item: Mapping[str, Any], uetr: str) -> bool:
    if item.get("uetr") != uetr:
        raise ComplianceUnavailable("our compliance answered about another payment")
    return "problem" not in item and item.get("outcome") == "clear"


def _attested(request: CosignRequest, item: Mapping[str, Any]) -> SignedAttestation | Refusal:
    name = batch_hash(request.batch)
    if "problem" in item:
        return Refusal("0x" + name.hex(), *(str(item.get(field, "")) for field in ("problem", "reason", "detail")))
    try:
        signed = from_document(SignedAttestation, item)
    except Malformed as failure:
        raise ComplianceUnavailable(f"our compliance's answer cannot be read: {failure.detail}") from failure
    if signed.attestation.batch_hash != name:
        raise ComplianceUnavailable("our compliance answered about another batch")
    return signed
