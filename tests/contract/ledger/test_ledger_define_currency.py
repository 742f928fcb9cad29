"""Ledger.define_currency: by the council, once a currency, before anything of it can be issued."""

from __future__ import annotations

import pytest

from contracts.chain import events
from contracts.chain.abi import encode_call
from contracts.terms.currencies import CURRENCIES

SGD = 702
DEFINITION = {"currency": SGD, "code": "SGD", "name": "Singapore dollar", "decimals": 2}


def call(**changes):
    return encode_call("Ledger", "define_currency", *(DEFINITION | changes).values())


def define(stage, **changes):
    return stage.govern_ledger(call(**changes))


def told(stage, function, *arguments):
    return stage.client.read("Ledger", stage.ledger.address, function, *arguments)[0]


def test_defined_as_told(stage):
    first = stage.client.final_header().number + 1
    define(stage)
    assert [told(stage, what, SGD) for what in ("symbol", "name", "decimals")] == ["SGD", "Singapore dollar", 2]
    assert stage.ledger.currencies() == (156, 764, SGD)
    logs = events.events_between(stage.client, stage.contracts, first, stage.client.final_header().number)
    [event] = [each for each in logs if isinstance(each, events.CurrencyDefined)]
    assert (event.currency, event.code, event.name, event.decimals) == (SGD, "SGD", "Singapore dollar", 2)


@pytest.mark.parametrize("name", ["stranger", "governor_1", "guardian", "bank_cny"])
def test_definition_is_the_councils(stage, refused, name):
    with refused("ledger: only the council"):
        stage.sender(name).transact(stage.ledger.address, call())


def test_currency_is_defined_once(stage, refused):
    with refused("ledger: currency defined"):
        define(stage, currency=156)
    assert told(stage, "symbol", 156) == "CNY"


@pytest.mark.parametrize("decimals", [5, 255])
def test_minor_unit_has_four_decimals_at_most(stage, refused, decimals):
    with refused("ledger: decimals"):
        define(stage, decimals=decimals)


@pytest.mark.parametrize("decimals", [0, 4])
def test_other_decimals_are_taken(stage, decimals):
    define(stage, decimals=decimals)
    assert told(stage, "decimals", SGD) == decimals


@pytest.mark.parametrize("code", ["", "SG", "sgd", "SG1", "S D", "@GD", "SG[", "\0\0\0", "Sgd"])
def test_code_is_three_capital_letters(stage, refused, code):
    with refused("ledger: code"):
        define(stage, code=code)


@pytest.mark.parametrize("code", ["AAZ", "ZAA"])
def test_first_and_last_letter_of_the_alphabet_are_letters(stage, code):
    define(stage, code=code)
    assert told(stage, "symbol", SGD) == code


def test_edges_of_the_number(stage):
    for currency in (0, 2**16 - 1):
        define(stage, currency=currency)
    assert stage.ledger.currencies()[-2:] == (0, 2**16 - 1)


def test_sixty_four_currencies_at_most(stage, refused):
    """And an account is still clear, or not, in all of them within the gas of a call."""
    others = [(numeric, code) for code, (numeric, _) in CURRENCIES.items() if code not in ("CNY", "THB")]
    calls = [call(currency=numeric, code=code) for numeric, code in others[:62]]
    stage.govern_ledger(*calls)
    assert len(stage.ledger.currencies()) == 64
    with refused("ledger: currencies"):
        define(stage, currency=others[62][0], code=others[62][1])
    assert stage.ledger.is_clear(stage.account("acquirer"))
    stage.send("acquirer/settlement", "Participants", "leave", stage.account("acquirer"))
