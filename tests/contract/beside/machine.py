"""All moves together, and how to run a campaign of them."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.contract.beside.banking import Banking
from tests.contract.beside.governing import Governing
from tests.contract.beside.ground import Ground
from tests.contract.beside.registering import Registering
from tests.contract.beside.settling import Settling
from tests.contract.beside.tally import Tally

STEPS = 50
# The first example of a seed always does the simplest thing; after the tenth, Hypothesis makes others by copying parts
# of those it has, and most of such moves are refused as replays.
EXAMPLES = 9


class Network(Settling, Banking, Registering, Governing):
    """The whole network."""


def campaign(ground: Ground, seeds: Iterable[int], tally: Tally | None = None, shrink: bool = False) -> Tally:
    """Run eight times 50 random moves for each seed, always from the same ground.

    Raises Diverged or an invariant's AssertionError. The same seed makes the same moves, as long as they are written as
    they are. To shrink what failed takes minutes: ask for it when looking into a failure.
    """

    class Run(Network):
        pass

    Run.ground, Run.tally = ground, tally or Tally()
    how = settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        database=None,
        deadline=None,
        phases=[Phase.generate, *([Phase.shrink] if shrink else [])],
        print_blob=False,
        suppress_health_check=list(HealthCheck),
    )
    for number in seeds:
        try:
            run_state_machine_as_test(seed(number)(Run), settings=how)
        except Exception as failure:
            failure.add_note(f"seed {number}")
            raise
    return Run.tally
