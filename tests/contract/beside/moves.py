"""What all moves share: the pair, the tally, and names for keys that were never used."""

from __future__ import annotations

from typing import Any, ClassVar

from hypothesis import note
from hypothesis.stateful import RuleBasedStateMachine

from contracts.terms.identifiers import Address
from tests.contract.beside.ground import Ground
from tests.contract.beside.invariants import Invariants
from tests.contract.beside.tally import Tally
from tests.contract.beside.wire import address
from tests.contract.model.council import Council
from tests.contract.model.ledger import Ledger
from tests.contract.model.participants import Participants
from tests.contract.model.settlement import Settlement, Signed
from tests.contract.model.world import Call, World


class Moves(RuleBasedStateMachine):
    """Moves on model and contracts alike; each must end alike on both, and the invariants hold after it."""

    ground: ClassVar[Ground]
    tally: ClassVar[Tally]

    def __init__(self) -> None:
        super().__init__()
        self.pair = self.ground.fork()
        self.held = Invariants(self.pair.evm)
        self.kept: list[tuple[Address, tuple[Signed, ...]]] = []
        """Signed batches that were not brought to the chain yet, and the Settlement that they are for."""
        self.settled: list[Signed] = []
        self.fresh = self.turn = 0

    @property
    def world(self) -> World:
        return self.pair.world

    def contract(self, name: str) -> Any:
        return self.world.contracts[self.ground.addresses[name]]

    @property
    def council(self) -> Council:
        return self.contract("Council")  # type: ignore[no-any-return]

    @property
    def register(self) -> Participants:
        return self.contract("Participants")  # type: ignore[no-any-return]

    @property
    def ledger(self) -> Ledger:
        return self.contract("Ledger")  # type: ignore[no-any-return]

    @property
    def settlement(self) -> Settlement:
        """The one in office."""
        return self.world.contracts[self.ledger.settlement]  # type: ignore[return-value]

    def send(self, sender: Address, target: Address, function: str, *arguments: Any) -> str:
        """Make a call on both; why it was refused, "" if it was not."""
        self.turn += 1
        outcome = self.pair.send(sender, Call(target, function, arguments))
        told = "" if function == "settle" else arguments
        note(f"{function}{told}: {outcome or 'succeeded'}")
        self.tally.count(function, outcome)
        self.held.check(self.world)
        return outcome

    def new_key(self) -> Address:
        self.fresh += 1
        return address(f"fresh {self.fresh}")

    def pass_time(self, seconds: int) -> None:
        self.pair.pass_time(seconds)

    def teardown(self) -> None:
        self.pair.compare_everything()
