"""What must hold of the contracts' own storage after every step, whatever the model thinks.

Read slot by slot rather than through views: some hundred words a step, and a view costs forty times a slot.
"""

from __future__ import annotations

from contracts.chain.compile import compiled
from contracts.chain.slots import slot_of
from contracts.terms.identifiers import Address, Hash
from tests.contract.beside.evm import Evm
from tests.contract.beside.wire import hash_of
from tests.contract.model.ledger import Ledger
from tests.contract.model.settlement import Place, Settlement
from tests.contract.model.world import World

Held = tuple[Address, int]


class Invariants:
    """The invariants of one network's storage, from one step to the next."""

    def __init__(self, evm: Evm) -> None:
        self._evm = evm
        self._nets: dict[Held, int] = {}
        self._stored: dict[tuple[Address, Place], Hash] = {}

    def check(self, world: World) -> None:
        for contract in world.contracts.values():
            if isinstance(contract, Ledger):
                self._check_ledger(contract)
            if isinstance(contract, Settlement):
                self._check_settlement(contract)

    def _check_ledger(self, ledger: Ledger) -> None:
        nets = {each: _signed(self._word("Ledger", ledger.address, "_net_position", *each)) for each in ledger.net}
        for currency, supply in ledger.supply.items():
            circulating = sum(net for (_, held), net in nets.items() if held == currency)
            told = self._word("Ledger", ledger.address, "_total_supply", currency)
            assert circulating == told == supply, f"supply of {currency}: {circulating}, {told}, {supply}"
        for held, net in nets.items():
            cap = self._word("Ledger", ledger.address, "_cap", *held)
            # Below its cap stands only whom a lowered cap left there, and such a debt never grows.
            assert net >= -cap or net >= self._nets.get(held, 0), f"{held} fell to {net}, below its cap {cap}"
        self._nets = nets

    def _check_settlement(self, settlement: Settlement) -> None:
        for place, batch in settlement.batches.items():
            stored = self._word("Settlement", settlement.address, "_batch_hash", *place).to_bytes(32, "big")
            first = self._stored.setdefault((settlement.address, place), stored)
            assert stored == first == hash_of(batch), f"the batch at {place} changed"
            agent, lane, sequence = place
            before = (agent, lane, sequence - 1)
            assert sequence == 0 or settlement.batch_at(before), f"a gap before {place}"

    def _word(self, name: str, contract: Address, variable: str, *keys: int | Address) -> int:
        return self._evm.storage(contract, slot_of(compiled(name).storage_layout[variable], *keys))


def _signed(word: int) -> int:
    return word - 2**256 if word >= 2**255 else word
