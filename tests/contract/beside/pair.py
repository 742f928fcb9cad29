"""Model and contracts side by side: every call goes to both, and both must answer alike."""

from __future__ import annotations

from typing import Any

from contracts.chain.abi import decode_result, encode_call
from contracts.terms.identifiers import Address
from tests.contract.beside import wire
from tests.contract.beside.evm import Evm
from tests.contract.beside.observe import Look, Readings, readings
from tests.contract.model.world import Call, Refused, World


class Diverged(AssertionError):
    """Model and contracts disagree."""


class Pair:
    """One network twice. `world` is the model's; it is replaced, never changed, by each call."""

    def __init__(self, evm: Evm, world: World) -> None:
        self.evm, self.world = evm, world
        self._known: Readings = readings(world)
        self._turn = 0

    def send(self, sender: Address, call: Call) -> str:
        """Make a call on both; the reason of its refusal, "" when it succeeded. Raises Diverged."""
        data = wire.encode(self.world.kinds, call)
        try:
            after, returned = self.world.attempt(sender, call)
            expected = None
        except Refused as refusal:
            expected = refusal.reason
        try:
            output = self.evm.send(sender, call.target, data)
            seen = None
        except Refused as refusal:
            seen = refusal.reason
        if expected != seen:
            raise Diverged(f"{call.function}: the model says {_say(expected)}, the contract {_say(seen)} ({call})")
        if expected is not None:
            return expected or "no reason"
        result = decode_result(self.world.kinds[call.target], call.function, output)
        if result != (() if returned is None else (returned,)):
            raise Diverged(f"{call.function}: the model returns {returned!r}, the contract {result!r}")
        self.world = after
        self.compare_changes()
        return ""

    def ask(self, call: Call) -> Any:
        """What a view returns on both. Raises Diverged."""
        expected = self.world.read(call)
        name = self.world.kinds[call.target]
        [seen] = decode_result(name, call.function, self.evm.look(call.target, wire.encode(self.world.kinds, call)))
        if seen != expected:
            raise Diverged(f"{call.function}: {expected!r} in the model, {seen!r} on chain ({call})")
        return expected

    def pass_time(self, seconds: int) -> None:
        self.world = self.world.copied()
        self.world.now += seconds
        self.evm.set_time(self.world.now)
        self.compare_changes()

    def compare_changes(self) -> None:
        """What the model changed must read so from the contracts; and, in turn, a few views that it did not change."""
        now = readings(self.world)
        changed = [look for look, result in now.items() if self._known.get(look) != result]
        looks = list(now)
        self._turn += 1
        for look in (*changed, looks[self._turn * 7919 % len(looks)]):
            self._compare(look, now[look])
        self._known = now

    def compare_everything(self) -> None:
        for look, result in readings(self.world).items():
            self._compare(look, result)

    def _compare(self, look: Look, expected: tuple[object, ...]) -> None:
        output = self.evm.look(look.address, encode_call(look.contract, look.function, *look.arguments))
        seen = decode_result(look.contract, look.function, output)
        if seen != expected:
            raise Diverged(f"{look.contract}.{look.function}{look.arguments}: {expected} in the model, {seen} on chain")


def _say(reason: str | None) -> str:
    return "it succeeds" if reason is None else f"'{reason}'"
