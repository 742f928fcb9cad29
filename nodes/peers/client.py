"""Asking another institution's node, as its debtor agent."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from contracts.terms.attestation import Agreement
from contracts.terms.documents import from_document, to_document
from contracts.terms.errors import Malformed, PeerUnavailable
from contracts.terms.merkle import InclusionPath
from contracts.terms.money import MinorUnits
from contracts.terms.parties import Party
from contracts.terms.payment import PaymentTerms
from contracts.terms.quote import Quote
from serving.client import Peer, PeerClient

MAX_LIST = 500
"""Items of one request."""
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Payee:
    """Who is paid under a lookup key; `currency` is the ISO 4217 numeric code of the account."""

    lookup_key: str
    party: Party
    currency: int


@dataclass(frozen=True)
class Proposal:
    """A payment that the debtor side has cleared, proposed to its creditor agent.

    The creditor side's commitment and decision in `terms` are zero; the answer completes them.
    """

    terms: PaymentTerms
    quote: Quote
    payee_key: str
    reference: str
    debtor: Party


@dataclass(frozen=True)
class SettledPayment:
    """A payment of a settled batch, told to the other of its two agents, which lost it. `path` is its leaf's place."""

    terms: PaymentTerms
    quote: Quote
    payee_key: str
    reference: str
    debtor: Party
    creditor: Party
    path: InclusionPath


@dataclass(frozen=True)
class Agreed:
    """The creditor side's part of a payment's terms (32 bytes each)."""

    uetr: str
    creditor_commitment: bytes
    creditor_decision: bytes


@dataclass(frozen=True)
class NotAgreed:
    """A payment that the creditor agent refused, or (`pending`) cannot answer yet: ask again.

    `held_until` (chain time) is set while its officers hold the payment: ask for its status, then propose it anew.
    """

    uetr: str
    pending: bool
    reason: str
    detail: str
    held_until: int = 0


@dataclass(frozen=True)
class PaymentStatus:
    """Where a payment stands at its creditor agent (ISO 20022 pacs.028 and pacs.002 in meaning)."""

    uetr: str
    state: str
    reason: str
    detail: str


@dataclass(frozen=True)
class Charge:
    """A merchant scanned a customer's code. `charge_id` is the acquirer's own; `amount` in the payee's currency."""

    charge_id: str
    token: str
    payee: Payee
    amount: MinorUnits
    reference: str


@dataclass(frozen=True)
class AgreementAnswer:
    """The answer to a list of proposals. The agreement's tree has the completed leaves in the order of `agreed`."""

    agreed: tuple[Agreed, ...]
    not_agreed: tuple[NotAgreed, ...]
    agreement: Agreement | None
    signature: bytes


class NodeClient:
    """One institution's node. Raises PeerUnavailable without a provable answer, PeerRefusal for a refused request."""

    def __init__(self, client: PeerClient, peer: Peer) -> None:
        self._client, self._peer = client, peer

    def payees(self, lookup_keys: Sequence[str]) -> list[Payee | None]:
        """Who is paid under each lookup key of a code, in order; None where nobody is."""
        found: list[Payee | None] = []
        for first in range(0, len(lookup_keys), MAX_LIST):
            found += self._payees(lookup_keys[first : first + MAX_LIST])
        return found

    def _payees(self, lookup_keys: Sequence[str]) -> list[Payee | None]:
        answer = self._post("/peer/v1/payees", {"lookup_keys": list(lookup_keys)})
        payees = answer.get("payees") if isinstance(answer, dict) else None
        if not isinstance(payees, list) or len(payees) != len(lookup_keys):
            raise PeerUnavailable("the answer is not one payee or none for each lookup key")
        found = [None if each is None else _read(Payee, each) for each in payees]
        if any(each is not None and each.lookup_key != key for each, key in zip(found, lookup_keys, strict=True)):
            raise PeerUnavailable("the answer is about another lookup key")
        return found

    def agree(self, proposals: Sequence[Proposal]) -> AgreementAnswer:
        """Propose payments; each is agreed, refused or pending. Harmless to ask again."""
        asked = {"proposals": [to_document(proposal) for proposal in proposals]}
        answer = _read(AgreementAnswer, self._post("/peer/v1/agreements", asked))
        answered = [item.uetr for item in answer.agreed] + [item.uetr for item in answer.not_agreed]
        if sorted(answered) != sorted(proposal.terms.uetr for proposal in proposals):
            raise PeerUnavailable("the answer is about other payments")
        return answer

    def status(self, uetrs: Sequence[str]) -> list[PaymentStatus]:
        """Where our payments stand at their creditor agent; those it does not know are left out."""
        answer = self._post("/peer/v1/payments/status", {"uetrs": list(uetrs)})
        if not isinstance(answer, dict) or not isinstance(answer.get("payments"), list):
            raise PeerUnavailable("the answer is not a list of payments")
        return [_read(PaymentStatus, each) for each in answer["payments"]]

    def settled(self, batch_hash: bytes) -> list[SettledPayment]:
        """Our payments in a batch of which we are a member, as the other agent knows them. Unproven."""
        answer = self._post("/peer/v1/batches/payments", {"batch_hash": f"0x{batch_hash.hex()}"})
        if not isinstance(answer, dict) or not isinstance(answer.get("payments"), list):
            raise PeerUnavailable("the answer is not a list of payments")
        return [_read(SettledPayment, each) for each in answer["payments"]]

    def charge(self, charge: Charge) -> dict[str, str]:
        """Have the customer's institution pay: its UETR and state. The same charge again gives the same answer."""
        answer = self._post("/peer/v1/charges", to_document(charge))
        if not isinstance(answer, dict) or not {"uetr", "status", "iso20022"} <= answer.keys():
            raise PeerUnavailable("the answer does not name the payment")
        return {name: str(answer[name]) for name in ("uetr", "status", "iso20022")}

    def _post(self, path: str, content: dict[str, Any]) -> Any:
        return self._client.post(self._peer, path, json.dumps(content, separators=(",", ":")).encode())


def _read(kind: type[Answer], answer: Any) -> Answer:
    try:
        return from_document(kind, answer)
    except Malformed as failure:
        raise PeerUnavailable(f"the answer cannot be read: {failure.detail}") from failure
