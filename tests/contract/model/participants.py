"""Participants: who takes part, in which standing, with which keys."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from contracts.terms.identifiers import Address, Hash
from tests.contract.model.world import NOBODY, Contract, World, require

if TYPE_CHECKING:
    from tests.contract.model.ledger import Ledger

NONE, ACTIVE, SUSPENDED, LEFT = 0, 1, 2, 3
RESERVED, SETTLEMENT, COMPLIANCE, MESSAGE = 0, 1, 2, 3
MEMBER_ROLES, SETTLEMENT_BANK, ALL_ROLES = 1 | 2 | 4, 8, 31
OPEN_ENDED = 2**64 - 1
MAX_OVERLAP = 7 * 86_400
NO_KEY = bytes(32)


@dataclass(frozen=True)
class Record:
    lei: str
    bic: str
    country: str
    roles: int
    status: int
    endpoint: str
    codes: tuple[str, ...]


NOT_ADMITTED = Record("", "", "", 0, NONE, "", ())


@dataclass(frozen=True)
class Key:
    """Whose key it is, what for, and the block time from which it is dead. A key serves once and never again."""

    account: Address
    purpose: int
    valid_until: int = OPEN_ENDED


NO_KEY_YET = Key(NOBODY, RESERVED, 0)
AnyKey = Address | Hash
"""Settlement and compliance keys are addresses, message keys 32 bytes."""


class Participants(Contract):
    def __init__(self, world: World, address: Address, council: Address, ledger: Address) -> None:
        super().__init__(world, address)
        self.council, self._ledger = council, ledger
        self.records: dict[Address, Record] = {}
        self.keys: dict[AnyKey, Key] = {}
        self.current: dict[tuple[Address, int], AnyKey] = {}
        self.previous: dict[tuple[Address, int], AnyKey] = {}
        self.banks: dict[int, Address] = {}

    def admit(
        self,
        sender: Address,
        account: Address,
        lei: str,
        bic: str,
        country: str,
        roles: int,
        message_key: Hash,
        endpoint: str,
        codes: tuple[str, ...],
        settlement_key: Address,
        compliance_key: Address,
    ) -> None:
        require(sender == self.council, "participants: only the council")
        require(account != NOBODY, "participants: account")
        require(self.status(account) == NONE, "participants: already admitted")
        require(0 < roles <= ALL_ROLES, "participants: roles")
        require(len(lei) == 20, "participants: lei")
        self.records[account] = Record(lei, bic, country, roles, ACTIVE, endpoint, codes)
        require(account not in self.keys, "participants: key in use")
        self.keys[account] = Key(account, RESERVED, 0)
        stands_in_batches = roles & MEMBER_ROLES != 0
        self._assign(account, SETTLEMENT, settlement_key)
        if stands_in_batches or compliance_key != NOBODY:
            self._assign(account, COMPLIANCE, compliance_key)
        if stands_in_batches or message_key != NO_KEY:
            self._assign(account, MESSAGE, message_key)

    def suspend(self, sender: Address, account: Address) -> None:
        require(sender == self.council, "participants: only the council")
        require(self.status(account) == ACTIVE, "participants: not active")
        self._change(account, status=SUSPENDED)

    def reinstate(self, sender: Address, account: Address) -> None:
        require(sender == self.council, "participants: only the council")
        require(self.status(account) == SUSPENDED, "participants: not suspended")
        self._change(account, status=ACTIVE)

    def leave(self, sender: Address, account: Address) -> None:
        self._require_own_or_council(sender, account)
        require(account not in self.banks.values(), "participants: settlement bank in office")
        require(self.ledger.is_clear(account), "participants: balance or cap")
        self._change(account, status=LEFT, endpoint="", codes=())
        for key in [key for key, held in self.keys.items() if held.account == account]:
            self._end(key, self.world.now)

    def set_roles(self, sender: Address, account: Address, roles: int) -> None:
        require(sender == self.council, "participants: only the council")
        self._require_takes_part(account)
        in_office = account in self.banks.values()
        require(roles & SETTLEMENT_BANK != 0 or not in_office, "participants: settlement bank in office")
        ever_had = all((account, purpose) in self.current for purpose in (COMPLIANCE, MESSAGE))
        require(roles & MEMBER_ROLES == 0 or ever_had, "participants: empty key")
        require(0 < roles <= ALL_ROLES, "participants: roles")
        self._change(account, roles=roles)

    def rotate_key(self, sender: Address, account: Address, purpose: int, new_key: Address, overlap_until: int) -> None:
        self._require_takes_part(account)
        require(purpose in (SETTLEMENT, COMPLIANCE), "participants: purpose")
        require(self._is_council_or_key(sender, account, purpose), "participants: not the current key")
        self._rotate(account, purpose, new_key, overlap_until)

    def revoke_key(self, sender: Address, key: Address) -> None:
        require(sender in (key, self.council), "participants: not the key")
        require(self._alive(key), "participants: dead key")
        self._end(key, self.world.now)

    def rotate_message_key(self, sender: Address, account: Address, new_key: Hash, overlap_until: int) -> None:
        self._require_own_or_council(sender, account)
        self._rotate(account, MESSAGE, new_key, overlap_until)

    def revoke_message_key(self, sender: Address, key: Hash) -> None:
        require(self.holder(key, MESSAGE) != NOBODY, "participants: dead key")
        self._require_own_or_council(sender, self.keys[key].account)
        self._end(key, self.world.now)

    def set_endpoint(self, sender: Address, account: Address, endpoint: str) -> None:
        self._require_own_or_council(sender, account)
        self._change(account, endpoint=endpoint)

    def set_codes(self, sender: Address, account: Address, codes: tuple[str, ...]) -> None:
        require(sender == self.council, "participants: only the council")
        self._require_takes_part(account)
        self._change(account, codes=codes)

    def set_settlement_bank(self, sender: Address, currency: int, account: Address) -> None:
        require(sender == self.council, "participants: only the council")
        require(self.record(account).roles & SETTLEMENT_BANK != 0, "participants: not a settlement bank")
        self._require_takes_part(account)
        self.banks[currency] = account

    def check_member(self, member: Address, settles: Address, attests: Address) -> None:
        """Whether a member whom these two keys signed for may stand in a batch now."""
        record = self.record(member)
        require(record.status in (ACTIVE, SUSPENDED), "participants: not a member")
        require(record.roles & MEMBER_ROLES != 0, "participants: not a member")
        require(record.status == ACTIVE, "participants: suspended")
        require(self._is_living(settles, member, SETTLEMENT), "participants: settlement key")
        require(self._is_living(attests, member, COMPLIANCE), "participants: compliance key")

    def record(self, account: Address) -> Record:
        return self.records.get(account, NOT_ADMITTED)

    def status(self, account: Address) -> int:
        return self.record(account).status

    def holder(self, key: AnyKey, purpose: int) -> Address:
        """The account whose living key this is, else NOBODY."""
        found = self.keys.get(key, NO_KEY_YET)
        return found.account if found.purpose == purpose and self._alive(key) else NOBODY

    def bank_of(self, currency: int) -> Address:
        return self.banks.get(currency, NOBODY)

    @property
    def ledger(self) -> Ledger:
        return self.world.contracts[self._ledger]  # type: ignore[return-value]

    def _rotate(self, account: Address, purpose: int, new_key: AnyKey, overlap_until: int) -> None:
        """One old key overlaps at a time: a key that the old one had replaced dies now."""
        require(overlap_until <= self.world.now + MAX_OVERLAP, "participants: overlap too long")
        self._end(self.previous.get((account, purpose)), self.world.now)
        self._end(self.current.get((account, purpose)), max(overlap_until, self.world.now))
        self._assign(account, purpose, new_key)

    def _assign(self, account: Address, purpose: int, key: AnyKey) -> None:
        require(key not in (NOBODY, NO_KEY), "participants: empty key")
        require(key not in self.keys, "participants: key in use")
        self.keys[key] = Key(account, purpose)
        if (account, purpose) in self.current:
            self.previous[account, purpose] = self.current[account, purpose]
        self.current[account, purpose] = key

    def _end(self, key: AnyKey | None, at: int) -> None:
        """A key's life is only ever shortened: a dead one does not come back by being rotated away."""
        if key in self.keys:
            self.keys[key] = replace(self.keys[key], valid_until=min(at, self.keys[key].valid_until))

    def _alive(self, key: AnyKey) -> bool:
        return self.keys.get(key, NO_KEY_YET).valid_until > self.world.now

    def _is_living(self, key: Address, account: Address, purpose: int) -> bool:
        return self.holder(key, purpose) == account

    def _is_council_or_key(self, sender: Address, account: Address, purpose: int) -> bool:
        """An old key signs while it overlaps, but acts no more."""
        is_current = self.current.get((account, purpose)) == sender and self._alive(sender)
        return is_current or sender == self.council

    def _change(self, account: Address, **changes: object) -> None:
        self.records[account] = replace(self.records[account], **changes)  # type: ignore[arg-type]

    def _require_takes_part(self, account: Address) -> None:
        require(self.status(account) != NONE, "participants: unknown account")
        require(self.status(account) != LEFT, "participants: left")

    def _require_own_or_council(self, sender: Address, account: Address) -> None:
        self._require_takes_part(account)
        require(self._is_council_or_key(sender, account, SETTLEMENT), "participants: not the settlement key")
