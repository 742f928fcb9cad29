"""Contract revert reasons as errors of our tree, so that no caller compares texts."""

from __future__ import annotations

from collections.abc import Mapping

from contracts.terms.errors import (
    BadSignature,
    Conflict,
    ContractRefusal,
    DeadlinePassed,
    FeiqianError,
    Forbidden,
    InsufficientFunds,
    NotAgreed,
    NotFound,
    NotScreened,
    Unavailable,
)

REASONS: Mapping[str, type[FeiqianError]] = {
    "council: not a governor": Forbidden,
    "council: empty proposal": ContractRefusal,
    "council: targets and calls differ": ContractRefusal,
    "council: other calls": Conflict,
    "council: already approved": Conflict,
    "council: signature": BadSignature,
    "council: not approved": Conflict,
    "council: not the proposer": Forbidden,
    "council: quorum not reached": Conflict,
    "council: delay not over": Conflict,
    "council: target has no code": ContractRefusal,
    "council: not the guardian": Forbidden,
    "council: governors": ContractRefusal,
    "council: quorum": ContractRefusal,
    "council: delay": ContractRefusal,
    "council: unknown proposal": NotFound,
    "council: closed proposal": Conflict,
    "council: lapsed proposal": Conflict,
    "council: only by its own execution": Forbidden,
    "participants: only the council": Forbidden,
    "participants: account": ContractRefusal,
    "participants: already admitted": Conflict,
    "participants: roles": ContractRefusal,
    "participants: lei": ContractRefusal,
    "participants: not active": Conflict,
    "participants: not suspended": Conflict,
    "participants: not the current key": Forbidden,
    "participants: overlap too long": ContractRefusal,
    "participants: not the key": Forbidden,
    "participants: dead key": Conflict,
    "participants: not a settlement bank": ContractRefusal,
    "participants: not a member": ContractRefusal,
    "participants: suspended": ContractRefusal,
    "participants: settlement key": BadSignature,
    "participants: compliance key": NotScreened,
    "participants: purpose": ContractRefusal,
    "participants: empty key": ContractRefusal,
    "participants: key in use": Conflict,
    "participants: unknown account": NotFound,
    "participants: not the settlement key": Forbidden,
    "participants: left": Conflict,
    "participants: settlement bank in office": Conflict,
    "participants: balance or cap": Conflict,
    "ledger: amount": ContractRefusal,
    "ledger: currency defined": Conflict,
    "ledger: currencies": ContractRefusal,
    "ledger: decimals": ContractRefusal,
    "ledger: code": ContractRefusal,
    "ledger: only settlement": Forbidden,
    "ledger: insufficient liquidity": InsufficientFunds,
    "ledger: only the council": Forbidden,
    "ledger: settlement": Conflict,
    "ledger: insufficient allowance": Forbidden,
    "ledger: unknown currency": ContractRefusal,
    "ledger: only through settlement": Forbidden,
    "ledger: insufficient balance": InsufficientFunds,
    "ledger: insufficient supply": InsufficientFunds,
    "ledger: not the settlement bank": Forbidden,
    "ledger: not an active participant": ContractRefusal,
    "settlement: paused": Unavailable,
    "settlement: empty batch": ContractRefusal,
    "settlement: lane": ContractRefusal,
    "settlement: sequence": Conflict,
    "settlement: deadline": DeadlinePassed,
    "settlement: attestation expired": NotScreened,
    "settlement: members": ContractRefusal,
    "settlement: positions": ContractRefusal,
    "settlement: position of a non-member": ContractRefusal,
    "settlement: not zero-sum": NotAgreed,
    "settlement: signature": BadSignature,
    "settlement: would settle": ContractRefusal,
    "settlement: no reason": ContractRefusal,
}

_ERROR_STRING = bytes.fromhex("08c379a0")


def refusal(reason: str) -> FeiqianError:
    """The error for a contract's reason; its field `contract_reason` is the reason itself."""
    kind = REASONS.get(reason, ContractRefusal)
    return kind(reason or "a contract reverted without a reason", contract_reason=reason)


def reason_in(data: bytes) -> str:
    """The text in revert data encoded as `Error(string)` (Solidity ABI), or "" when there is none."""
    if data[:4] != _ERROR_STRING or len(data) < 68:
        return ""
    length = int.from_bytes(data[36:68], "big")
    return data[68 : 68 + length].decode(errors="replace")
