"""Participants: who takes part, with which keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from contracts.chain.abi import encode_call
from contracts.chain.client import Block, ChainClient
from contracts.chain.headers import Header
from contracts.terms.identifiers import Address
from contracts.terms.parties import Participant, Role, Status

NO_ADDRESS: Address = "0x" + "0" * 40
OPEN_ENDED = 2**64 - 1
"""The `valid_until` of a key that nobody ended."""


class Purpose(IntEnum):
    """What a key signs: batches, attestations about them, or HTTP messages (RFC 9421)."""

    SETTLEMENT = 1
    COMPLIANCE = 2
    MESSAGE = 3


@dataclass(frozen=True)
class KeyRecord:
    """A key's storage word: it signs for `account` while the block time is below `valid_until` (seconds)."""

    account: Address
    purpose: int
    valid_until: int

    @classmethod
    def unpack(cls, word: int) -> KeyRecord | None:
        """account << 96 | purpose << 64 | valid_until; None for a key never used. An account's own address, which may
        serve as no key, has purpose 0."""
        if word == 0:
            return None
        return cls(f"0x{word >> 96:040x}", word >> 64 & 0xFFFFFFFF, word & OPEN_ENDED)

    def signs_at(self, account: Address, purpose: Purpose, timestamp: int) -> bool:
        """Whether the contract takes the key for this account and purpose at this block time."""
        return self.account == account and self.purpose == purpose and self.valid_until > timestamp

    def signed_in(self, account: Address, purpose: Purpose, timestamp: int) -> bool:
        """Whether the key may have signed what a block of this time settled: also when it ended in that very block,
        by a transaction behind the settlement."""
        return self.account == account and self.purpose == purpose and self.valid_until >= timestamp


@dataclass(frozen=True)
class KeyState:
    """A key of a known account: it signs for `purpose` while the block time is below `valid_until` (seconds).

    `key` has 32 bytes: an Ed25519 public key, or an address behind zeros.
    """

    key: bytes
    purpose: Purpose
    valid_until: int


@dataclass(frozen=True)
class Admission:
    """A participant to admit; `compliance_key` NO_ADDRESS only for one that stands in no batch."""

    participant: Participant
    settlement_key: Address
    compliance_key: Address = NO_ADDRESS


class Participants:
    """The Participants contract at one address.

    The `*_call` methods give call data: those of `rotate_key` and `revoke_key` for a transaction of the key itself or
    the council; of `rotate_message_key`, `revoke_message_key`, `set_endpoint` and `leave` for the participant's
    settlement key or the council; all others for the council.
    """

    def __init__(self, client: ChainClient, address: Address) -> None:
        self._client = client
        self.address = address

    def participant(self, account: Address, block: Block | None = None) -> Participant | None:
        """The record of an account, None if never admitted; by default in the newest final block."""
        record = self._read("participant", account, block=block)
        lei, bic, country, roles, status, message_key, endpoint, codes = record
        if status == Status.NONE:
            return None
        return Participant(account, lei, bic, country, Role(roles), Status(status), message_key, endpoint, tuple(codes))

    def accounts(self, block: Block | None = None) -> tuple[Address, ...]:
        """All accounts ever admitted, in order of admission."""
        return tuple(self._read("accounts", block=block))

    def key(self, key: Address, block: Block | None = None) -> KeyRecord | None:
        """A settlement or compliance key's record, also of a dead one; None if never used."""
        return KeyRecord.unpack(self._read("keys", key, block=block))

    def current_key(self, account: Address, purpose: Purpose, block: Block | None = None) -> Address | None:
        """The newest key of an account for a purpose, which may be dead."""
        return _known(self._read("current_key", account, purpose, block=block))

    def key_holder(self, key: Address, purpose: Purpose, block: Block | None = None) -> Address | None:
        """The account whose living key this is."""
        return _known(self._read("key_holder", key, purpose, block=block))

    def keys_of(self, account: Address, block: Block | None = None) -> tuple[KeyState, ...]:
        """The newest key and the one before it of each purpose, dead or alive, the newest first."""
        found = self._read("keys_of", account, block=block)
        return tuple(KeyState(key, Purpose(purpose), valid_until) for key, purpose, valid_until in found)

    def message_key(self, key: bytes, block: Block | None = None) -> KeyRecord | None:
        """A message key's record, also of a dead one; None if never used."""
        return KeyRecord.unpack(self._read("message_keys", key, block=block))

    def message_key_holder(self, key: bytes, block: Block | None = None) -> Address | None:
        """The account whose living message key this is."""
        return _known(self._read("message_key_holder", key, block=block))

    def final_block(self) -> Header:
        """The newest final block's header."""
        return self._client.final_header()

    def changed_in(self, first: int, last: int) -> bool:
        """Whether anything about any participant changed in the blocks `first` to `last`, both included."""
        return first <= last and bool(self._client.logs([self.address], first, last))

    def settlement_bank_of(self, currency: int, block: Block | None = None) -> Address | None:
        """The account that issues and redeems a currency."""
        return _known(self._read("settlement_bank_of", currency, block=block))

    @staticmethod
    def admit_call(admission: Admission) -> bytes:
        who = admission.participant
        return encode_call(
            "Participants",
            "admit",
            who.account,
            who.lei,
            who.bic,
            who.country,
            int(who.roles),
            who.message_key or bytes(32),
            who.endpoint,
            who.codes,
            admission.settlement_key,
            admission.compliance_key,
        )

    @staticmethod
    def suspend_call(account: Address) -> bytes:
        return encode_call("Participants", "suspend", account)

    @staticmethod
    def reinstate_call(account: Address) -> bytes:
        return encode_call("Participants", "reinstate", account)

    @staticmethod
    def rotate_key_call(account: Address, purpose: Purpose, new_key: Address, overlap_until: int) -> bytes:
        return encode_call("Participants", "rotate_key", account, int(purpose), new_key, overlap_until)

    @staticmethod
    def revoke_key_call(key: Address) -> bytes:
        return encode_call("Participants", "revoke_key", key)

    @staticmethod
    def rotate_message_key_call(account: Address, new_key: bytes, overlap_until: int) -> bytes:
        return encode_call("Participants", "rotate_message_key", account, new_key, overlap_until)

    @staticmethod
    def revoke_message_key_call(key: bytes) -> bytes:
        return encode_call("Participants", "revoke_message_key", key)

    @staticmethod
    def leave_call(account: Address) -> bytes:
        return encode_call("Participants", "leave", account)

    @staticmethod
    def set_roles_call(account: Address, roles: Role) -> bytes:
        return encode_call("Participants", "set_roles", account, int(roles))

    @staticmethod
    def set_endpoint_call(account: Address, endpoint: str) -> bytes:
        return encode_call("Participants", "set_endpoint", account, endpoint)

    @staticmethod
    def set_codes_call(account: Address, codes: Sequence[str]) -> bytes:
        return encode_call("Participants", "set_codes", account, codes)

    @staticmethod
    def set_settlement_bank_call(currency: int, account: Address) -> bytes:
        return encode_call("Participants", "set_settlement_bank", currency, account)

    def _read(self, function: str, *arguments: object, block: Block | None = None) -> Any:
        return self._client.read("Participants", self.address, function, *arguments, block=block)[0]


def key_address(key: bytes) -> Address:
    """The address of a settlement or compliance key that stands in 32 bytes."""
    return "0x" + key[12:].hex()


def _known(address: Address) -> Address | None:
    return None if address == NO_ADDRESS else address
