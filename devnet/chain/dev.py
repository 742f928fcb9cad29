"""Methods that move time, rewrite the past or set state: for tests (--dev), never on a network's chain.

Names and meaning are anvil's, so that the same tests run on both. One difference: anvil_setBalance seals a
block, because here the head's state root is the state.
"""

from typing import TYPE_CHECKING, Any

from devnet.chain.clock import DevTiming
from devnet.chain.errors import invalid_params
from devnet.chain.methods import Method
from devnet.chain.quantities import data, quantity

if TYPE_CHECKING:
    from devnet.chain.chain import Chain

MAXIMUM_BLOCKS = 10_000


def methods(timing: DevTiming) -> dict[str, Method]:
    """The dev methods of one chain, by name."""
    dev = DevMethods(timing)
    return {
        "evm_increaseTime": Method(dev.increase_time, 1, 1),
        "evm_setNextBlockTimestamp": Method(dev.set_next_block_timestamp, 1, 1),
        "evm_mine": Method(dev.mine_one, 0, 1),
        "anvil_mine": Method(dev.mine_many, 0, 2),
        "evm_setAutomine": Method(dev.set_automine, 1, 1),
        "evm_snapshot": Method(dev.snapshot, 0, 0),
        "evm_revert": Method(dev.revert, 1, 1),
        "anvil_setBalance": Method(dev.set_balance, 2, 2),
    }


class DevMethods:
    """What the dev methods remember between calls."""

    def __init__(self, timing: DevTiming) -> None:
        self._timing = timing
        self._snapshots: dict[int, int] = {}
        self._taken = 0

    def increase_time(self, chain: "Chain", seconds: Any) -> int:
        self._timing.increase += _number(seconds, "seconds")
        return self._timing.increase

    def set_next_block_timestamp(self, chain: "Chain", timestamp: Any) -> None:
        wanted = _number(timestamp, "timestamp")
        if wanted <= chain.head.timestamp:
            raise invalid_params(f"timestamp: {wanted} is not after the head's {chain.head.timestamp}")
        self._timing.exactly = wanted

    def mine_one(self, chain: "Chain", timestamp: Any = None) -> str:
        if timestamp is not None:
            wanted = timestamp.get("timestamp") if isinstance(timestamp, dict) else timestamp
            self.set_next_block_timestamp(chain, wanted)
        chain.seal_waiting()
        return "0x0"

    def mine_many(self, chain: "Chain", blocks: Any = "0x1", interval: Any = None) -> None:
        count = _number(blocks, "blocks")
        if count > MAXIMUM_BLOCKS:
            raise invalid_params(f"blocks: at most {MAXIMUM_BLOCKS}")
        for mined in range(count):
            if mined and interval is not None:
                self._timing.exactly = chain.head.timestamp + max(1, _number(interval, "interval"))
            chain.seal_waiting()

    def set_automine(self, chain: "Chain", enabled: Any) -> None:
        if not isinstance(enabled, bool):
            raise invalid_params("automine: want true or false")
        self._timing.automine = enabled

    def snapshot(self, chain: "Chain") -> str:
        self._taken += 1
        self._snapshots[self._taken] = chain.head.block_number
        return hex(self._taken)

    def revert(self, chain: "Chain", snapshot: Any) -> bool:
        """Go back to a snapshot, which uses it and all later ones up."""
        wanted = _number(snapshot, "snapshot")
        if wanted not in self._snapshots:
            return False
        number = self._snapshots[wanted]
        self._snapshots = {taken: head for taken, head in self._snapshots.items() if taken < wanted}
        chain.rewind(number)
        self._timing.sealed()
        return True

    def set_balance(self, chain: "Chain", address: Any, balance: Any) -> None:
        chain.seal([], [(data(address, "address", 20), _number(balance, "balance"))])


def _number(value: Any, name: str) -> int:
    if type(value) is int and value >= 0:
        return value
    return quantity(value, name)
