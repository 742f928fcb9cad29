"""The genesis file is checked field by field, and what matters of it is bound into the genesis hash."""

import pytest

from devnet.chain import ChainError, GenesisError, open_chain
from devnet.chain.seal import Sealer

KEY = b"\x11" * 32
VALIDATOR = "0x" + Sealer(KEY, 1).address.hex()
OTHER = "0x" + "ab" * 20
GENESIS = {
    "chainId": 777,
    "timestamp": 1_700_000_000,
    "gasLimit": 60_000_000,
    "validators": [VALIDATOR],
    "alloc": {OTHER: {"balance": "0x10"}},
}


def genesis_hash(**changes: object) -> str:
    chain = open_chain({**GENESIS, **changes}, ":memory:", KEY, dev=True)
    return str(chain.rpc("eth_getBlockByNumber", ["earliest"])["hash"])


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"chainId": 0}, "chainId"),
        ({"chainId": True}, "chainId"),
        ({"chainId": "777"}, "chainId"),
        ({"chainId": 2**53}, "chainId"),
        ({"timestamp": -1}, "timestamp"),
        ({"timestamp": 1.5}, "timestamp"),
        ({"gasLimit": 1}, "gasLimit"),
        ({"validators": []}, "validators"),
        ({"validators": [VALIDATOR, VALIDATOR.upper().replace("X", "x")]}, "unique"),
        ({"validators": ["0x12"]}, "validators"),
        ({"validators": [OTHER]}, "not a validator"),
        ({"alloc": {"0x12": {"balance": "0x1"}}}, "alloc"),
        ({"alloc": {OTHER: {"balance": 5}}}, "balance"),
        ({"alloc": {OTHER: {"balance": "0x1", "code": "0x"}}}, "exactly one key"),
        ({"alloc": {OTHER: {"balance": "0x1"}, "0x" + "AB" * 20: {"balance": "0x2"}}}, "twice"),
        ({"difficulty": 0}, "unknown key 'difficulty'"),
    ],
)
def test_a_wrong_field_is_named(changes: dict[str, object], says: str) -> None:
    with pytest.raises(GenesisError, match=says) as caught:
        open_chain({**GENESIS, **changes}, ":memory:", KEY, dev=True)
    assert "\n" not in str(caught.value)


def test_a_missing_field_is_named() -> None:
    without = {key: value for key, value in GENESIS.items() if key != "timestamp"}
    with pytest.raises(GenesisError, match="timestamp"):
        open_chain(without, ":memory:", KEY, dev=True)


def test_names_and_pinned_contracts_do_not_enter_the_block() -> None:
    pinned = {"council": {"address": OTHER, "codeHash": "0x" + "00" * 32}}
    assert genesis_hash(name="Feiqian", contracts=pinned) == genesis_hash()


@pytest.mark.parametrize(
    "changes",
    [
        {"chainId": 778},
        {"validators": [VALIDATOR, OTHER]},
        {"timestamp": 1_700_000_001},
        {"gasLimit": 50_000_000},
        {"alloc": {OTHER: {"balance": "0x11"}}},
    ],
)
def test_everything_else_changes_the_genesis_hash(changes: dict[str, object]) -> None:
    assert genesis_hash(**changes) != genesis_hash()


def test_a_network_does_not_begin_in_the_future() -> None:
    with pytest.raises(GenesisError, match="in the future"):
        open_chain(GENESIS, ":memory:", KEY, wall=lambda: 1_699_999_000.0)


def test_a_key_that_is_none_is_refused() -> None:
    with pytest.raises(ChainError, match="sealer key"):
        open_chain(GENESIS, ":memory:", b"\x00" * 32, dev=True)
