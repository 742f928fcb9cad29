"""Dev methods: anvil's names, there with dev=True only."""

import pytest
from eth_account import Account

from devnet.chain import Chain, RpcError, open_chain

KEY = b"\x11" * 32
PAYER = Account.from_key(b"\x22" * 32)
SINK = "0x" + "77" * 20
START = 1_700_000_000
DEV_METHODS = [
    "anvil_mine",
    "anvil_setBalance",
    "evm_increaseTime",
    "evm_mine",
    "evm_revert",
    "evm_setAutomine",
    "evm_setNextBlockTimestamp",
    "evm_snapshot",
]


def open_with(dev: bool) -> Chain:
    genesis = {
        "chainId": 777,
        "timestamp": START,
        "gasLimit": 60_000_000,
        "validators": [Account.from_key(KEY).address],
        "alloc": {PAYER.address: {"balance": hex(10**18)}},
    }
    return open_chain(genesis, ":memory:", KEY, dev=dev)


@pytest.fixture
def chain() -> Chain:
    return open_with(dev=True)


def pay(chain: Chain, nonce: int) -> str:
    fields = {"to": SINK, "nonce": nonce, "gas": 21_000, "gasPrice": 0, "value": 1, "chainId": 777}
    raw = PAYER.sign_transaction(fields).raw_transaction
    return str(chain.rpc("eth_sendRawTransaction", ["0x" + raw.hex()]))


def balance(chain: Chain) -> int:
    return int(chain.rpc("eth_getBalance", [SINK, "latest"]), 16)


@pytest.mark.parametrize("method", DEV_METHODS)
def test_a_networks_chain_has_no_such_method(method: str) -> None:
    live = open_with(dev=False)
    with pytest.raises(RpcError) as caught:
        live.rpc(method, [])
    assert caught.value.code == -32601


def test_every_transaction_is_a_block_one_second_later(chain: Chain) -> None:
    for nonce in range(3):
        pay(chain, nonce)
        assert (chain.head.block_number, chain.head.timestamp) == (nonce + 1, START + nonce + 1)


def test_time_moves_as_told_and_once(chain: Chain) -> None:
    chain.rpc("evm_increaseTime", [100])
    chain.rpc("evm_mine")
    assert chain.head.timestamp == START + 101
    chain.rpc("evm_setNextBlockTimestamp", [START + 500])
    pay(chain, 0)
    assert chain.head.timestamp == START + 500
    chain.rpc("evm_mine", [START + 600])
    chain.rpc("anvil_mine", ["0x3", "0xa"])
    assert (chain.head.block_number, chain.head.timestamp) == (6, START + 621)
    with pytest.raises(RpcError, match="not after the head"):
        chain.rpc("evm_setNextBlockTimestamp", [START])


def test_a_call_on_pending_sees_the_time_to_come(chain: Chain) -> None:
    # The contract's code answers TIMESTAMP: an initcode that returns it is enough.
    timestamp = "0x4260005260206000f3"
    chain.rpc("evm_increaseTime", [100])
    assert int(chain.rpc("eth_call", [{"data": timestamp}, "pending"]), 16) == START + 101
    assert int(chain.rpc("eth_call", [{"data": timestamp}, "latest"]), 16) == START


def test_a_snapshot_brings_everything_back_and_is_used_up(chain: Chain) -> None:
    pay(chain, 0)
    snapshot, head = chain.rpc("evm_snapshot"), chain.head.hash
    undone = pay(chain, 1)
    later = chain.rpc("evm_snapshot")
    chain.rpc("evm_setAutomine", [False])
    pay(chain, 2)
    assert chain.rpc("evm_revert", [snapshot]) is True
    chain.rpc("evm_setAutomine", [True])
    assert (chain.head.hash, balance(chain)) == (head, 1)
    assert chain.rpc("eth_getTransactionReceipt", [undone]) is None
    assert chain.rpc("evm_revert", [later]) is False
    assert pay(chain, 1) == undone
    assert (chain.head.block_number, balance(chain)) == (2, 2)


def test_after_a_revert_the_other_history_is_forgotten(chain: Chain) -> None:
    snapshot = chain.rpc("evm_snapshot")
    chain.rpc("anvil_mine", ["0x3"])
    undone = chain.rpc("feiqian_getSeals", ["0x2"])
    chain.rpc("evm_revert", [snapshot])
    chain.rpc("evm_increaseTime", [100])
    chain.rpc("anvil_mine", ["0x3"])
    kept = chain.rpc("feiqian_getSeals", ["0x2"])
    assert kept["blockHash"] == chain.rpc("eth_getBlockByNumber", ["0x2"])["hash"] != undone["blockHash"]
    with pytest.raises(RpcError, match="block not found"):
        chain.rpc("feiqian_getSeals", [undone["blockHash"]])


def test_automine_off_collects_a_block(chain: Chain) -> None:
    chain.rpc("evm_setAutomine", [False])
    pay(chain, 0)
    pay(chain, 1)
    assert chain.head.block_number == 0
    chain.rpc("evm_setAutomine", [True])
    assert (chain.head.block_number, balance(chain)) == (1, 2)


def test_a_balance_can_be_set(chain: Chain) -> None:
    chain.rpc("anvil_setBalance", [SINK, "0x64"])
    assert balance(chain) == 100
