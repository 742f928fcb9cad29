"""What a node does about each decision of its compliance: only what is clear goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from compliance.client import Decision, Screening
from nodes.payments import repository as payments
from nodes.payments.screen import screen_accepted
from tests.benchmarks.bank import opened
from tests.node_door import NOW


@pytest.mark.parametrize(
    ("outcome", "state"),
    [("clear", "screened"), ("hold", "held"), ("request-information", "held"), ("refuse", "refused")],
)
def test_only_what_is_clear_goes_on(tmp_path: Path, outcome: str, state: str) -> None:
    def decide(asked: Sequence[Screening]) -> list[Decision]:
        waits = NOW + 100 if state == "held" else 0
        return [Decision(each.uetr, outcome, "", "", bytes(32), bytes(32), "1", "1", waits) for each in asked]

    with opened(tmp_path / "node.db") as bank:
        [uetr] = bank.accept(bank.quote(1))
        compliance: Any = SimpleNamespace(screen=decide)
        screen_accepted(replace(bank.node, compliance=compliance))
        with bank.node.database.read() as connection:
            found = payments.find(connection, uetr)
        assert found is not None
        assert found.state.value == state
