"""The chain as a real process: restart, kill -9, locks, refusals to start, and HTTP's own limits."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import rlp
from eth_account import Account
from eth_hash.auto import keccak
from web3 import HTTPProvider, Web3

KEY = "11" * 32
PAYERS = [Account.from_key(bytes([0x20 + at]) * 32) for at in range(4)]
SINK = Web3.to_checksum_address("0x" + "77" * 20)
READY = re.compile(r"feiqian chain (\d+) at (http://\S+), block (\d+)")


class Machine:
    """A folder with one chain's files, and the processes started on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[subprocess.Popen[str]] = []
        self.write_genesis()
        (folder / "key").write_text(KEY)

    def write_genesis(self, **changes: Any) -> None:
        genesis = {
            "chainId": 777,
            "timestamp": 1_700_000_000,
            "gasLimit": 60_000_000,
            "validators": [Account.from_key(KEY).address],
            "alloc": {payer.address: {"balance": hex(10**18)} for payer in PAYERS},
        }
        (self.folder / "genesis.json").write_text(json.dumps({**genesis, **changes}))

    def launch(self, *options: str, key: str | None = None) -> subprocess.Popen[str]:
        command = [
            sys.executable,
            "-m",
            "devnet.chain",
            "--genesis",
            "genesis.json",
            "--database",
            "chain.db",
        ]
        command += ["--sealer-key", "key" if key is None else "env", "--port", "0", *options]
        root = str(Path(__file__).resolve().parents[2])
        environment = {**os.environ, "PYTHONPATH": root, "FEIQIAN_SEALER_KEY": key or ""}
        started = subprocess.Popen(
            command,
            cwd=self.folder,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.processes.append(started)
        return started

    def start(self, *options: str, key: str | None = None) -> tuple[subprocess.Popen[str], Web3]:
        """A process that is ready, and a web3 on it."""
        started = self.launch(*options, key=key)
        assert started.stdout is not None
        ready = READY.fullmatch(started.stdout.readline().strip())
        assert ready is not None, started.communicate()[1]
        return started, Web3(HTTPProvider(ready[2], exception_retry_configuration=None))


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path)
    yield made
    for process in made.processes:
        process.kill()
        process.communicate()


def payment(payer: Any, nonce: int) -> bytes:
    fields = {"to": SINK, "nonce": nonce, "gas": 21_000, "gasPrice": 0, "value": 1, "chainId": 777}
    return bytes(payer.sign_transaction(fields).raw_transaction)


def url_of(w3: Web3) -> str:
    return str(w3.provider.endpoint_uri)  # type: ignore[attr-defined]


def pay_until_killed(w3: Web3, payer: Any, nonce: int, acknowledged: list[Any]) -> None:
    while True:
        try:
            sent = w3.eth.send_raw_transaction(payment(payer, nonce))
            acknowledged.append(w3.eth.wait_for_transaction_receipt(sent, timeout=5, poll_latency=0.01))
        except Exception:
            return
        nonce += 1


def test_a_restart_continues_the_same_chain(machine: Machine) -> None:
    process, w3 = machine.start()
    sent = w3.eth.send_raw_transaction(payment(PAYERS[0], 0))
    receipt = w3.eth.wait_for_transaction_receipt(sent, poll_latency=0.01)
    assert w3.provider.make_request("evm_mine", [])["error"]["code"] == -32601
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=10) == 0
    machine.write_genesis(name="the same chain", contracts={"council": {}})
    _, again = machine.start(key=KEY)
    assert again.eth.get_transaction_receipt(sent) == receipt
    assert again.eth.get_balance(SINK) == 1
    assert again.eth.get_block(receipt["blockNumber"])["hash"] == receipt["blockHash"]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_kill_9_loses_no_acknowledged_receipt(machine: Machine, seed: int) -> None:
    """Four payers pay as fast as they can; the process is killed at a random moment."""
    moments = random.Random(seed)
    acknowledged: list[Any] = []
    process, w3 = machine.start("--dev")
    payers = [
        threading.Thread(target=pay_until_killed, args=(Web3(HTTPProvider(url_of(w3))), payer, 0, acknowledged))
        for payer in PAYERS
    ]
    for thread in payers:
        thread.start()
    enough = moments.randint(5, 60)
    deadline = time.monotonic() + 30
    while len(acknowledged) < enough and time.monotonic() < deadline:
        time.sleep(moments.uniform(0.001, 0.02))
    process.kill()
    for thread in payers:
        thread.join()
    assert len(acknowledged) >= enough
    _, w3 = machine.start("--dev")
    for receipt in acknowledged:
        assert w3.eth.get_transaction_receipt(receipt["transactionHash"]) == receipt
    head = w3.eth.block_number
    paid = sum(len(w3.eth.get_block(number)["transactions"]) for number in range(1, head + 1))
    nonces = sum(w3.eth.get_transaction_count(payer.address) for payer in PAYERS)
    assert w3.eth.get_balance(SINK) == paid == nonces >= len(acknowledged)
    check_headers(w3, head)


def check_headers(w3: Web3, head: int) -> None:
    """Every block links to its parent and carries a seal: none is half there."""
    parent = b""
    for number in range(head + 1):
        sealed = w3.provider.make_request("feiqian_getSeals", [hex(number)])["result"]
        header = bytes.fromhex(sealed["header"][2:])
        assert number == 0 or rlp.decode(header)[0] == parent
        assert len(sealed["seals"]) == (number > 0)
        parent = keccak(header)


def test_a_network_seals_while_it_may_lead_and_batches_what_waits(machine: Machine) -> None:
    """Twenty payments at once need few blocks: chain time may not run ahead by more than 2 s."""
    _, w3 = machine.start()
    sent = [w3.eth.send_raw_transaction(payment(PAYERS[0], nonce)) for nonce in range(20)]
    receipts = [w3.eth.wait_for_transaction_receipt(one, poll_latency=0.02) for one in sent]
    assert len({receipt["blockNumber"] for receipt in receipts}) < 10
    last = w3.eth.get_block(receipts[-1]["blockNumber"])
    assert last["timestamp"] <= time.time() + 2
    assert w3.eth.get_balance(SINK) == 20


def test_a_second_process_is_refused_and_the_first_goes_on(machine: Machine) -> None:
    _, w3 = machine.start()
    second = machine.launch()
    said, complained = second.communicate(timeout=30)
    assert (second.returncode, said, complained.count("\n")) == (1, "", 1)
    assert "in use by another process" in complained
    assert w3.eth.chain_id == 777


def test_http_bounds_the_body_and_survives_what_it_refuses(machine: Machine) -> None:
    _, w3 = machine.start()
    assert post(url_of(w3), b"[" * 5_000_001) == (413, -32600)
    assert post(url_of(w3), b"[" * 1_000_000) == (200, -32700)
    assert post(url_of(w3), b'{"jsonrpc":"2.0","method":"eth_chainId"}') == (204, None)
    with pytest.raises(urllib.error.HTTPError, match="405"):
        urllib.request.urlopen(url_of(w3), timeout=10)
    assert w3.eth.chain_id == 777


def post(url: str, body: bytes) -> tuple[int, int | None]:
    """Status, and the JSON-RPC error code if there is a body."""
    request = urllib.request.Request(url, data=body, headers={"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            status, answered = response.status, response.read()
    except urllib.error.HTTPError as error:
        status, answered = error.code, error.read()
    return status, json.loads(answered)["error"]["code"] if answered else None
