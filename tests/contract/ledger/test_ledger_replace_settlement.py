"""Ledger.replace_settlement: the council retires the Settlement that it means, and no other."""

from __future__ import annotations

import pytest

from contracts.chain.ledger import Ledger


def test_replaced(stage):
    old, new = stage.settlement.address, stage.account("stranger")
    assert stage.ledger.settlement() == old
    stage.govern_ledger(Ledger.replace_settlement_call(old, new))
    assert stage.ledger.settlement() == new


@pytest.mark.parametrize("name", ["stranger", "bank_cny", "governor_1", "guardian", "deployer"])
def test_replacement_is_the_councils(stage, refused, name):
    with refused("ledger: only the council"):
        stage.send(name, "Ledger", "replace_settlement", stage.settlement.address, stage.account("stranger"))


def test_proposal_for_another_predecessor_does_not_run(stage, refused):
    new = stage.account("stranger")
    with refused("ledger: settlement"):
        stage.govern_ledger(Ledger.replace_settlement_call(new, new))
