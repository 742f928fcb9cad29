"""The network file: read whole, or refused in one line that names the field."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest

from contracts.chain.deploy import planned_contracts
from contracts.chain.network import load_network, parse_network
from contracts.terms.errors import Malformed

DEPLOYER = "0x" + "d" * 40


def content() -> dict[str, Any]:
    pins = planned_contracts(DEPLOYER, 0).pins()
    return {
        "name": "test",
        "chainId": 7,
        "timestamp": 1_700_000_000,
        "gasLimit": 60_000_000,
        "validators": ["0x" + "A" * 40],
        "alloc": {"0x" + "b" * 40: {"balance": "0xff"}},
        "contracts": {
            name: {"address": pin.address, "codeHash": "0x" + pin.code_hash.hex()} for name, pin in pins.items()
        },
    }


def changed(path: str, value: object) -> dict[str, Any]:
    result = deepcopy(content())
    *way, last = path.split("/")
    place = result
    for step in way:
        place = place[step]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return result


def test_read_and_written_alike(tmp_path):
    path = tmp_path / "network.json"
    path.write_text(json.dumps(content()))
    network = load_network(path)
    assert network.validators == ("0x" + "a" * 40,)
    assert network.alloc == {"0x" + "b" * 40: 255}
    assert network.contracts == planned_contracts(DEPLOYER, 0)
    assert parse_network(json.loads(json.dumps(network.to_json()))) == network


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        ("name", None, "name: is missing"),
        ("name", "", "name:"),
        ("chainId", "7", "chainId:"),
        ("chainId", True, "chainId:"),
        ("chainId", 0, "chainId:"),
        ("chainId", 2**63, "chainId:"),
        ("timestamp", 1.5, "timestamp:"),
        ("timestamp", -1, "timestamp:"),
        ("gasLimit", 0, "gasLimit:"),
        ("validators", [], "validators:"),
        ("validators", ["0x" + "a" * 40] * 2, "validators:"),
        ("validators", ["0x" + "a" * 39], "validators[0]:"),
        ("validators", ["0x" + "\u0661" * 40], "validators[0]:"),
        ("alloc", [], "alloc:"),
        ("alloc/0x1", {"balance": "0x1"}, "alloc.0x1:"),
        ("alloc/0x" + "b" * 40, {"balance": 1}, f"alloc.0x{'b' * 40}.balance:"),
        ("alloc/0x" + "b" * 40, {}, f"alloc.0x{'b' * 40}.balance: is missing"),
        ("contracts/ledger", None, "contracts.ledger: is missing"),
        ("contracts/ledger/codeHash", None, "contracts.ledger.codeHash: is missing"),
        ("contracts/ledger/codeHash", "0x12", "contracts.ledger.codeHash:"),
        ("contracts/ledger/address", "12", "contracts.ledger.address:"),
        ("contracts/oracle", {}, "contracts: unknown field 'oracle'"),
        ("extra", 1, "the file: unknown field 'extra'"),
    ],
)
def test_wrong_field_is_named(tmp_path, path, value, named):
    file = tmp_path / "network.json"
    file.write_text(json.dumps(changed(path, value)))
    with pytest.raises(Malformed) as failure:
        load_network(file)
    assert str(failure.value).startswith(f"network file {file}: {named}")
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize(
    "text", ["", "[]", "nonsense", "\xff", '{"name": "a", "name": "b"}', "[" * 5_000], ids=range(6)
)
def test_unreadable_file_is_named(tmp_path, text):
    file = tmp_path / "network.json"
    file.write_text(text, encoding="latin-1")
    with pytest.raises(Malformed, match=r"network file .*network\.json: "):
        load_network(file)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(Malformed, match=r"none\.json: No such file"):
        load_network(tmp_path / "none.json")
