"""From the model's words to the contracts': calls as ABI data, signatures as secp256k1 makes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

from contracts.chain import council
from contracts.chain.abi import encode_call
from contracts.chain.council import calls_hash as _hash_calls
from contracts.terms import attestation as terms
from contracts.terms.batch import Batch, Position
from contracts.terms.commitments import (
    approval_hash,
    attestation_hash,
    batch_hash,
    domain_separator,
    keccak,
    typed_digest,
)
from contracts.terms.identifiers import Address, Hash
from contracts.terms.signing import LocalSigner
from tests.contract.model.council import Approval
from tests.contract.model.settlement import Attestation, Endorsement, Signed
from tests.contract.model.world import Call, Signature

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_SIGNERS: dict[Address, LocalSigner] = {}

Kinds = Mapping[Address, str]
"""Which contract stands at an address."""


@cache
def address(name: str) -> Address:
    """The address of a name's key, which may sign from now on."""
    signer = LocalSigner(keccak(b"model test key of " + name.encode()))
    _SIGNERS[signer.address] = signer
    return signer.address


def encode(kinds: Kinds, call: Call) -> bytes:
    """Call data; empty for an address without a contract."""
    if call.target not in kinds:
        return b""
    return encode_call(kinds[call.target], call.function, *_arguments(kinds, call))


def hash_of(batch: Batch) -> Hash:
    return _batch_hash(batch)


def _arguments(kinds: Kinds, call: Call) -> tuple[Any, ...]:
    if call.function == "propose":
        targets, calls = call.arguments
        return targets, [encode(kinds, each) for each in calls]
    if call.function == "approve" and kinds[call.target] == "Council":
        number, approved = call.arguments
        return number, calls_hash(kinds, approved)
    if call.function == "approve_by_signature":
        number, signatures = call.arguments
        return number, [_signature(kinds, each) for each in signatures]
    if call.function in ("settle", "would_settle"):
        return ([_signed(kinds, each) for each in call.arguments[0]],)
    if call.function == "verify":
        batch, leaf, path = call.arguments
        return _batch(batch), leaf, (path.index, path.siblings)
    if call.function in ("apply", "check"):
        return ([_position(each) for each in call.arguments[0]],)
    return call.arguments


def calls_hash(kinds: Kinds, calls: Sequence[Call]) -> Hash:
    """What an approval of these calls names."""
    return _hash_calls([council.Call(each.target, encode(kinds, each)) for each in calls])


def _signed(kinds: Kinds, signed: Signed) -> tuple[Any, ...]:
    return _batch(signed.batch), [_endorsement(kinds, each) for each in signed.endorsements]


def _batch(batch: Batch) -> tuple[Any, ...]:
    positions = [_position(each) for each in batch.positions]
    return (
        batch.debtor_agent, batch.lane, batch.sequence, batch.payments_root, batch.payment_count,
        batch.members, positions, batch.deadline,
    )  # fmt: skip


def _position(position: Position) -> tuple[Any, ...]:
    return position.account, position.currency, position.delta


def _endorsement(kinds: Kinds, one: Endorsement) -> tuple[Any, ...]:
    settlement, compliance = _signature(kinds, one.settlement), _signature(kinds, one.compliance)
    return settlement, one.policy, one.log_head, one.valid_until, compliance


def _signature(kinds: Kinds, signature: Signature) -> tuple[bytes, bytes, int]:
    made = _made(signature.key, _digest(kinds, signature))
    r, s, v = made[:32], made[32:64], made[64]
    if signature.form == "high s":
        return r, (ORDER - int.from_bytes(s, "big")).to_bytes(32, "big"), 55 - v
    if signature.form == "no point":
        return bytes(32), s, v
    return r, s, {"good": v, "v 0": v - 27, "v 29": v + 2}[signature.form]


def _digest(kinds: Kinds, signature: Signature) -> bytes:
    domain = domain_separator(signature.domain.chain_id, signature.domain.contract)
    content = signature.content
    if isinstance(content, Batch):
        return typed_digest(domain, _batch_hash(content))
    if isinstance(content, Attestation):
        name = _batch_hash(content.batch)
        said = terms.Attestation(name, content.policy, content.log_head, content.valid_until)
        return typed_digest(domain, attestation_hash(said))
    assert isinstance(content, Approval)
    approval = terms.Approval(content.proposal, calls_hash(kinds, content.calls), content.epoch)
    return typed_digest(domain, approval_hash(approval))


@lru_cache(4096)
def _made(key: Address, digest: bytes) -> bytes:
    return _SIGNERS[key].sign(digest)


@lru_cache(4096)
def _batch_hash(batch: Batch) -> Hash:
    return batch_hash(batch)
