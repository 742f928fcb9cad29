"""Ledger.supportsInterface: ERC-6909 with two of its extensions, the ids computed as ERC-165 says."""

from __future__ import annotations

from functools import reduce

import pytest

from contracts.chain.compile import compiled

INTERFACES = {
    "ERC-165": ["supportsInterface(bytes4)"],
    "ERC-6909": [
        "balanceOf(address,uint256)",
        "allowance(address,address,uint256)",
        "isOperator(address,address)",
        "transfer(address,uint256,uint256)",
        "transferFrom(address,address,uint256,uint256)",
        "approve(address,uint256,uint256)",
        "setOperator(address,bool)",
    ],
    "metadata": ["name(uint256)", "symbol(uint256)", "decimals(uint256)"],
    "token supply": ["totalSupply(uint256)"],
}


def supports(stage, interface):
    return stage.client.read("Ledger", stage.ledger.address, "supportsInterface", interface)[0]


@pytest.mark.parametrize("name", INTERFACES)
def test_supported(stage, name):
    selectors = [int(compiled("Ledger").method_ids[each], 16) for each in INTERFACES[name]]
    assert supports(stage, reduce(int.__xor__, selectors).to_bytes(4, "big"))


def test_the_ids_that_the_standards_print(stage):
    assert supports(stage, bytes.fromhex("01ffc9a7"))
    assert supports(stage, bytes.fromhex("0f632fb3"))


@pytest.mark.parametrize("interface", ["ffffffff", "00000000", "d9b67a26", "80ac58cd"])
def test_not_supported(stage, interface):
    """ERC-165's never, nothing, ERC-1155, ERC-721."""
    assert not supports(stage, bytes.fromhex(interface))
