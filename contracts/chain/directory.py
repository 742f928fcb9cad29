"""The key directory in production: the participants as the chain's newest final block has them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from contracts.chain.participants import Participants, Purpose
from contracts.terms.identifiers import Address
from contracts.terms.parties import Participant, Role, Status

Found = TypeVar("Found")

_MEMBER_ROLES = Role.DEBTOR_AGENT | Role.CREDITOR_AGENT | Role.FX_PROVIDER

# Nodes bound the range of a log query; beyond this many blocks reading anew is cheaper anyway.
_LONGEST_LOOK = 1_000


@dataclass(frozen=True)
class MemberKeys:
    """A participant's newest keys, which may be dead; None where it has none."""

    settlement: Address | None
    compliance: Address | None


@dataclass(frozen=True)
class _Snapshot:
    participants: Mapping[Address, Participant]
    keys: Mapping[Address, MemberKeys]
    by_message_key: Mapping[bytes, Participant]
    block: int
    read_at: float


class ChainKeyDirectory:
    """A `KeyDirectory` from the Participants contract. Usable from several threads.

    What was read answers for `max_age` seconds; a miss looks again unless `min_age` seconds have not passed, so that
    unknown names cannot be used to flood the chain's node. Looking again reads the participants anew only if the
    contract has logged anything since. Raises ChainUnavailable when a read fails.
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
        """The settlement and compliance key addresses of this account."""
        return self._find(lambda known: known.keys.get(account))

    def by_message_key(self, message_key: bytes) -> Participant | None:
        """The institution whose messages this Ed25519 key verifies (32 bytes)."""
        return self._find(lambda known: known.by_message_key.get(message_key))

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
        known, read_at, block = self._snapshot, self._clock(), self._participants.final_block()
        if known is None or not known.block <= block <= known.block + _LONGEST_LOOK:
            return self._read(block, read_at)
        if self._participants.changed_in(known.block + 1, block):
            return self._read(block, read_at)
        return replace(known, block=block, read_at=read_at)

    def _read(self, block: int, read_at: float) -> _Snapshot:
        registry = self._participants
        found = [registry.participant(account, block) for account in registry.accounts(block)]
        known = {each.account: each for each in found if each is not None}
        return _Snapshot(
            participants=known,
            keys={account: self._keys_of(account, block) for account in known},
            by_message_key={each.message_key: each for each in known.values() if any(each.message_key)},
            block=block,
            read_at=read_at,
        )

    def _keys_of(self, account: Address, block: int) -> MemberKeys:
        return MemberKeys(
            settlement=self._participants.current_key(account, Purpose.SETTLEMENT, block),
            compliance=self._participants.current_key(account, Purpose.COMPLIANCE, block),
        )


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
