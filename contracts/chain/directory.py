"""The key directory in production: the participants as the chain's newest final block has them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from contracts.chain.headers import Header
from contracts.chain.participants import KeyState, Participants, Purpose, key_address
from contracts.terms.identifiers import Address
from contracts.terms.parties import Participant, Role, Status

Found = TypeVar("Found")

_MEMBER_ROLES = Role.DEBTOR_AGENT | Role.CREDITOR_AGENT | Role.FX_PROVIDER

# Nodes bound the range of a log query; beyond this many blocks reading anew is cheaper anyway.
_LONGEST_LOOK = 1_000


@dataclass(frozen=True)
class MemberKeys:
    """A participant's living keys: of each purpose one, or two while the older one's overlap lasts, or none."""

    settlement: frozenset[Address]
    compliance: frozenset[Address]


@dataclass(frozen=True)
class _Snapshot:
    participants: Mapping[Address, Participant]
    keys: Mapping[Address, tuple[KeyState, ...]]
    block: int
    timestamp: int
    """Of the final block that was read, in seconds."""
    read_at: float

    def living(self, account: Address, purpose: Purpose, now: float) -> tuple[bytes, ...]:
        """An account's keys for a purpose that are alive at a monotonic time, the newest first."""
        chain_time = self.timestamp + now - self.read_at
        own = self.keys.get(account, ())
        return tuple(each.key for each in own if each.purpose is purpose and each.valid_until > chain_time)


class ChainKeyDirectory:
    """A `KeyDirectory` from the Participants contract. Usable from several threads.

    What was read answers for `max_age` seconds; a miss looks again unless `min_age` seconds have not passed, so that
    unknown names cannot be used to flood the chain's node. Looking again reads the participants anew only if the
    contract has logged anything since. A key's overlap ends in the time of the final block that was read plus the
    time elapsed since, so it ends without a further look. Raises ChainUnavailable when a read fails.
    """

    def __init__(
        self,
        participants: Participants,
        max_age: float = 3.0,
        min_age: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._participants = participants
        self._max_age, self._min_age, self._clock = max_age, min_age, clock
        self._lock = threading.Lock()
        self._snapshot: _Snapshot | None = None

    def participant(self, account: Address) -> Participant | None:
        """The institution with this account, whatever its standing."""
        return self._find(lambda known: known.participants.get(account))

    def keys(self, account: Address) -> MemberKeys | None:
        """The living settlement and compliance keys of this account."""
        known = self._find(lambda known: known if account in known.keys else None)
        return None if known is None else self._member_keys(known, account)

    def message_keys(self, account: Address) -> tuple[bytes, ...]:
        """The living Ed25519 keys (32 bytes) of this account's messages, the newest first."""
        found = self._find(lambda known: known.living(account, Purpose.MESSAGE, self._clock()) or None)
        return found or ()

    def by_message_key(self, message_key: bytes) -> Participant | None:
        """The institution whose messages this Ed25519 key verifies (32 bytes)."""
        return self._find(lambda known: self._holder(known, message_key))

    def members(self) -> tuple[Participant, ...]:
        """All active agents and FX providers, in order of admission."""
        return tuple(each for each in self._fresh().participants.values() if _is_member(each))

    def with_role(self, role: Role) -> tuple[Participant, ...]:
        """All active participants that have the role."""
        known = self._fresh().participants.values()
        return tuple(each for each in known if each.status == Status.ACTIVE and role in each.roles)

    def answering(self, scheme: str, identifier: str) -> tuple[Participant, ...]:
        """The active members whose code matches a scheme GUID and an identifier with the longest
        prefix. Several only where they share it, such as the empty prefix of a proxy scheme."""
        found = self._find(lambda known: _longest_match(known.participants, scheme, identifier) or None)
        return found or ()

    def refresh(self) -> None:
        """Read the chain now, as after an event that changed a participant."""
        with self._lock:
            self._snapshot = self._looked_again()

    def _find(self, look_up: Callable[[_Snapshot], Found | None]) -> Found | None:
        found = look_up(self._fresh())
        return look_up(self._fresh(self._min_age)) if found is None else found

    def _fresh(self, max_age: float | None = None) -> _Snapshot:
        oldest = self._max_age if max_age is None else max_age
        with self._lock:
            if self._snapshot is None or self._clock() - self._snapshot.read_at > oldest:
                self._snapshot = self._looked_again()
            return self._snapshot

    def _looked_again(self) -> _Snapshot:
        known, read_at, header = self._snapshot, self._clock(), self._participants.final_block()
        if known is None or not known.block <= header.number <= known.block + _LONGEST_LOOK:
            return self._read(header, read_at)
        if self._participants.changed_in(known.block + 1, header.number):
            return self._read(header, read_at)
        return replace(known, block=header.number, timestamp=header.timestamp, read_at=read_at)

    def _read(self, header: Header, read_at: float) -> _Snapshot:
        registry, block = self._participants, header.number
        found = [registry.participant(account, block) for account in registry.accounts(block)]
        known = {each.account: each for each in found if each is not None}
        return _Snapshot(
            participants=known,
            keys={account: registry.keys_of(account, block) for account in known},
            block=block,
            timestamp=header.timestamp,
            read_at=read_at,
        )

    def _member_keys(self, known: _Snapshot, account: Address) -> MemberKeys:
        def living(purpose: Purpose) -> frozenset[Address]:
            return frozenset(key_address(key) for key in known.living(account, purpose, self._clock()))

        return MemberKeys(living(Purpose.SETTLEMENT), living(Purpose.COMPLIANCE))

    def _holder(self, known: _Snapshot, message_key: bytes) -> Participant | None:
        now = self._clock()
        holders = (each for each in known.keys if message_key in known.living(each, Purpose.MESSAGE, now))
        return next((known.participants[each] for each in holders), None)


def _is_member(participant: Participant) -> bool:
    return participant.status == Status.ACTIVE and bool(participant.roles & _MEMBER_ROLES)


def _longest_match(known: Mapping[Address, Participant], scheme: str, identifier: str) -> tuple[Participant, ...]:
    best, found = -1, list[Participant]()
    for participant in known.values():
        length = _match(participant, scheme, identifier) if _is_member(participant) else -1
        if length > best:
            best, found = length, [participant]
        elif length == best and length >= 0:
            found.append(participant)
    return tuple(found)


def _match(participant: Participant, scheme: str, identifier: str) -> int:
    """The length of the longest prefix of `identifier` among the participant's codes of the scheme, -1 if none."""
    codes = (code.partition(":") for code in participant.codes)
    lengths = (len(prefix) for name, _, prefix in codes if name == scheme and identifier.startswith(prefix))
    return max(lengths, default=-1)
