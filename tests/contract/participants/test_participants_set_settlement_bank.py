"""Participants.set_settlement_bank: the council names who issues and redeems a currency."""

from __future__ import annotations

import pytest

from contracts.chain.participants import Participants

CNY, SGD = 156, 702


def name_bank(stage, name, currency=SGD):
    return stage.govern_participants(Participants.set_settlement_bank_call(currency, stage.account(name)))


def test_settlement_bank_named(stage):
    name_bank(stage, "bank_cny")
    assert stage.participants.settlement_bank_of(SGD) == stage.account("bank_cny")


def test_office_passes_to_another(stage, refused):
    name_bank(stage, "bank_thb", CNY)
    stage.send("bank_thb", "Ledger", "issue", stage.account("wallet"), CNY, 1)
    with refused("ledger: not the settlement bank"):
        stage.send("bank_cny", "Ledger", "issue", stage.account("wallet"), CNY, 1)


@pytest.mark.parametrize("name", ["stranger", "governor_1", "guardian", "bank_cny"])
def test_settlement_bank_is_the_councils_to_name(stage, refused, name):
    with refused("participants: only the council"):
        stage.send(name, "Participants", "set_settlement_bank", SGD, stage.account("bank_cny"))


@pytest.mark.parametrize("name", ["wallet", "stranger"])
def test_settlement_bank_has_the_role(stage, refused, name):
    with refused("participants: not a settlement bank"):
        name_bank(stage, name)


def test_bank_that_left_gets_no_office(stage, refused):
    name_bank(stage, "bank_thb", CNY)
    stage.govern_participants(Participants.leave_call(stage.account("bank_cny")))
    with refused("participants: left"):
        name_bank(stage, "bank_cny")
