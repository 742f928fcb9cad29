"""Moves of Participants: keys rotated, overlapping, revoked; endpoints; leaving."""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from contracts.terms.commitments import keccak
from contracts.terms.identifiers import Address, Hash
from tests.contract.beside.drafts import LUCK, pick
from tests.contract.beside.ground import ROLES
from tests.contract.beside.moves import Moves
from tests.contract.beside.wire import address
from tests.contract.model.participants import COMPLIANCE, LEFT, MAX_OVERLAP, MESSAGE, NO_KEY, OPEN_ENDED, SETTLEMENT
from tests.contract.model.world import NOBODY

NAMES = tuple(ROLES)


class Registering(Moves):
    def register_call(self, sender: Address, function: str, *arguments: Any) -> str:
        return self.send(sender, self.register.address, function, *arguments)

    def account(self, luck: Random) -> Address:
        return pick(luck, *self.register.records)  # type: ignore[no-any-return]

    def current(self, account: Address, purpose: int) -> Address:
        """The newest key of a purpose whose keys may send transactions."""
        key = self.register.current.get((account, purpose))
        return key if isinstance(key, str) else NOBODY

    def overlap(self, luck: Random) -> int:
        now = self.world.now
        return int(pick(luck, now + 60, now + 5, now + 1, now, 0, now + MAX_OVERLAP))

    def new_message_key(self) -> Hash:
        self.fresh += 1
        return keccak(b"fresh message key %d" % self.fresh)

    def anyone(self, luck: Random, account: Address) -> Address:
        """Somebody who may, or just may not, speak for the account."""
        keys = [key for key, held in self.register.keys.items() if held.account == account and isinstance(key, str)]
        return pick(luck, account, *keys, address("stranger"), address("governor_1"))  # type: ignore[no-any-return]

    def used_key(self, luck: Random) -> Address:
        keys = [key for key in self.register.keys if isinstance(key, str)]
        return pick(luck, NOBODY, *keys)  # type: ignore[no-any-return]

    @rule(luck=LUCK, purpose=st.sampled_from([SETTLEMENT, COMPLIANCE]))
    def valid_rotation(self, luck: Random, purpose: int) -> None:
        account = self.account(luck)
        by = pick(luck, self.current(account, purpose), self.council.address)
        self.register_call(by, "rotate_key", account, purpose, self.new_key(), self.overlap(luck))

    @rule(luck=LUCK, purpose=st.sampled_from([SETTLEMENT, COMPLIANCE, SETTLEMENT, COMPLIANCE, MESSAGE, 0]))
    def wrong_rotation(self, luck: Random, purpose: int) -> None:
        account = pick(luck, self.account(luck), address("stranger"))
        by = pick(luck, self.council.address, self.current(account, purpose), self.anyone(luck, account))
        new = pick(luck, self.used_key(luck), self.new_key())
        until = pick(luck, self.overlap(luck), self.world.now + MAX_OVERLAP + 1, OPEN_ENDED)
        self.register_call(by, "rotate_key", account, purpose, new, until)

    @rule(luck=LUCK)
    def valid_message_rotation(self, luck: Random) -> None:
        account = self.account(luck)
        by = pick(luck, self.current(account, SETTLEMENT), self.council.address)
        self.register_call(by, "rotate_message_key", account, self.new_message_key(), self.overlap(luck))

    @rule(luck=LUCK)
    def wrong_message_rotation(self, luck: Random) -> None:
        account = self.account(luck)
        used = [key for key in self.register.keys if isinstance(key, bytes)]
        new = pick(luck, self.new_message_key(), NO_KEY, *used)
        until = pick(luck, self.overlap(luck), OPEN_ENDED)
        self.register_call(self.anyone(luck, account), "rotate_message_key", account, new, until)

    @rule(luck=LUCK, chance=st.integers(0, 3))
    def valid_revocation(self, luck: Random, chance: int) -> None:
        """Of a key that overlaps, mostly: a member without a living key is out of play until the council helps."""
        old = [key for key in self.register.previous.values() if isinstance(key, str)]
        key = pick(luck, *old) if old and chance else self.used_key(luck)
        self.register_call(pick(luck, key, self.council.address), "revoke_key", key)

    @rule(luck=LUCK)
    def wrong_revocation(self, luck: Random) -> None:
        key = self.used_key(luck)
        self.register_call(address("stranger"), "revoke_key", key)

    @rule(luck=LUCK)
    def valid_message_revocation(self, luck: Random) -> None:
        keys = [key for key in self.register.keys if isinstance(key, bytes)]
        key = pick(luck, *keys)
        account = self.register.keys[key].account
        by = pick(luck, self.current(account, SETTLEMENT), self.council.address, self.anyone(luck, account))
        self.register_call(by, "revoke_message_key", key)

    @rule(luck=LUCK)
    def valid_endpoint(self, luck: Random) -> None:
        account = self.account(luck)
        by = pick(luck, self.current(account, SETTLEMENT), self.anyone(luck, account))
        self.register_call(by, "set_endpoint", account, f"http://moved-{self.turn}.test")

    @rule(luck=LUCK)
    def wrong_leave(self, luck: Random) -> None:
        """Mostly too early: with a balance, a cap or an office, or not one's own leave to take."""
        account = self.account(luck)
        by = pick(luck, self.current(account, SETTLEMENT), self.anyone(luck, account))
        if len(self.free_to_go()) > 1 or account not in self.free_to_go():
            self.register_call(by, "leave", account)

    @precondition(lambda self: self.free_to_go())
    @rule(luck=LUCK, chance=st.integers(0, 4))
    def valid_leave(self, luck: Random, chance: int) -> None:
        account = pick(luck, *self.free_to_go())
        if chance == 0:
            by = pick(luck, self.current(account, SETTLEMENT), self.council.address)
            self.register_call(by, "leave", account)

    def free_to_go(self) -> list[Address]:
        """Who stays of those who could leave: applicants that were admitted and never got a balance."""
        return [
            account
            for account, record in self.register.records.items()
            if record.status != LEFT and self.ledger.is_clear(account) and account not in self.register.banks.values()
        ]

    @rule(luck=LUCK, function=st.sampled_from(["admit", "suspend", "reinstate", "set_roles", "set_codes"]))
    def wrong_council(self, luck: Random, function: str) -> None:
        """What only the council does, by somebody else."""
        account = self.account(luck)
        arguments: dict[str, tuple[Any, ...]] = {
            "admit": (account, "L" * 20, "", "CN", 1, NO_KEY, "", (), self.new_key(), self.new_key()),
            "set_roles": (account, 1),
            "set_codes": (account, ("X:1",)),
        }
        self.register_call(self.anyone(luck, account), function, *arguments.get(function, (account,)))
