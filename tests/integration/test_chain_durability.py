"""A block is one database transaction: whatever prefix of the log a crash leaves opens as a whole chain."""

import resource
from pathlib import Path

import pysqlite3
import pytest
from eth_account import Account

from devnet.chain import Chain, open_chain

KEY = b"\x11" * 32
PAYER = Account.from_key(b"\x22" * 32)
SINK = "0x" + "77" * 20
GENESIS = {
    "chainId": 777,
    "timestamp": 1_700_000_000,
    "gasLimit": 60_000_000,
    "validators": [Account.from_key(KEY).address],
    "alloc": {PAYER.address: {"balance": hex(10**18)}},
}
# SQLite's file format, section 4.1: a WAL is a 32-byte header and frames of 24 bytes plus one page.
WAL_HEADER, FRAME = 32, 24 + 4096
BLOCKS = 3


def pay(chain: Chain, nonce: int) -> str:
    fields = {"to": SINK, "nonce": nonce, "gas": 21_000, "gasPrice": 0, "value": 1, "chainId": 777}
    raw = PAYER.sign_transaction(fields).raw_transaction
    return str(chain.rpc("eth_sendRawTransaction", ["0x" + raw.hex()]))


def test_every_crash_point_leaves_the_previous_or_the_new_block(tmp_path: Path) -> None:
    chain = open_chain(GENESIS, tmp_path / "chain.db", KEY, dev=True)
    payments = [pay(chain, nonce) for nonce in range(BLOCKS)]
    database = (tmp_path / "chain.db").read_bytes()
    wal = (tmp_path / "chain.db-wal").read_bytes()
    assert (len(wal) - WAL_HEADER) % FRAME == 0
    heads = []
    for end in range(WAL_HEADER, len(wal) + 1, FRAME):
        crashed = tmp_path / f"crashed-{end}.db"
        crashed.write_bytes(database)
        crashed.with_name(crashed.name + "-wal").write_bytes(wal[:end])
        heads.append(check_whole(crashed, payments))
    assert heads == sorted(heads)
    assert set(heads) == set(range(BLOCKS + 1))


def check_whole(database: Path, payments: list[str]) -> int:
    """The head of the chain found, once everything about it fits and it goes on."""
    chain = open_chain(GENESIS, database, KEY, dev=True)
    head = chain.head.block_number
    assert int(chain.rpc("eth_getBalance", [SINK]), 16) == head
    sealed = chain.rpc("feiqian_getSeals", ["latest"])
    assert (int(sealed["blockNumber"], 16), len(sealed["seals"])) == (head, min(head, 1))
    known = [chain.rpc("eth_getTransactionReceipt", [payment]) for payment in payments]
    assert [receipt is not None for receipt in known] == [at < head for at in range(len(payments))]
    pay(chain, head)
    assert chain.head.block_number == head + 1
    chain.close()
    return head


def test_a_block_that_cannot_be_written_leaves_no_trace(tmp_path: Path) -> None:
    """A full disk, played by a limit on file sizes: the block fails whole, and works once there is room."""
    chain = open_chain(GENESIS, tmp_path / "chain.db", KEY, dev=True)
    chain.rpc("evm_setAutomine", [False])
    payment = pay(chain, 0)
    before = chain.head.hash
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (FRAME, unlimited[1]))
    try:
        with pytest.raises(pysqlite3.OperationalError):
            chain.rpc("evm_mine")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    assert chain.head.hash == before
    assert chain.rpc("eth_getTransactionReceipt", [payment]) is None
    assert chain.rpc("eth_getLogs", [{}]) == []
    chain.rpc("evm_mine")
    assert chain.head.block_number == 1
    assert int(chain.rpc("eth_getBalance", [SINK]), 16) == 1
    chain.close()
