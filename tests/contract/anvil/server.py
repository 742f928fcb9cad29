"""anvil as the chain of a test session: another EVM, written by others, behind the same JSON-RPC."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from contracts.chain.rpc import HttpTransport, request

T = TypeVar("T")
FOLDER = Path(__file__).parent


class MinedAtOnce(HttpTransport):
    """anvil answers before a transaction is in its block; the tests speak of what holds after, as on our own chain."""

    def make_batch_request(self, requests: Any) -> Any:
        return [self._mined(method, params) for method, params in requests]

    def _mined(self, method: Any, params: Any) -> Any:
        [answer] = super().make_batch_request([(method, params)])
        if method == "eth_sendRawTransaction" and "result" in answer:
            _until(lambda: self._mined("eth_getTransactionReceipt", [answer["result"]])["result"])
        return answer


@contextmanager
def anvil(genesis: Mapping[str, Any], folder: Path) -> Iterator[HttpTransport]:
    """A chain with the genesis of our own chain's format, on a port of its own choice; it keeps its log in `folder`."""
    alloc, log = folder / "genesis.json", folder / "anvil.log"
    alloc.write_text(json.dumps({"config": {"chainId": genesis["chainId"]}, "difficulty": "0x0", **_hex(genesis)}))
    with log.open("w") as output, subprocess.Popen(_command(genesis, alloc), stdout=output, stderr=output) as process:
        try:
            transport = MinedAtOnce(f"http://{_listening(process, log)}", timeout=30)
            # A block a second later than its parent, as on our own chain in tests: the wall clock has no say.
            request(transport, "anvil_setBlockTimestampInterval", 1)
            yield transport
            transport.close()
        finally:
            process.terminate()


def _command(genesis: Mapping[str, Any], alloc: Path) -> list[str]:
    [program] = FOLDER.glob("node_modules/@foundry-rs/anvil-*/bin/anvil*")
    settings = {
        "host": "127.0.0.1",
        "port": 0,
        "hardfork": "cancun",
        "chain-id": genesis["chainId"],
        "timestamp": genesis["timestamp"],
        "gas-limit": genesis["gasLimit"],
        "block-base-fee-per-gas": 0,
        "accounts": 0,
        "slots-in-an-epoch": 0,
        "init": alloc,
    }
    return [str(program), *(f"--{name}={value}" for name, value in settings.items())]


def _hex(genesis: Mapping[str, Any]) -> dict[str, Any]:
    return {name: hex(genesis[name]) for name in ("timestamp", "gasLimit")} | {"alloc": genesis["alloc"]}


def _listening(process: subprocess.Popen[bytes], log: Path) -> str:
    def heard() -> re.Match[str] | None:
        assert process.poll() is None, f"anvil ended: {log.read_text()}"
        return re.search(r"Listening on (\S+)", log.read_text())

    return _until(heard)[1]


def _until(ask: Callable[[], T | None]) -> T:
    end = time.monotonic() + 30
    while not (found := ask()):
        assert time.monotonic() < end, "anvil takes more than 30 s"
        time.sleep(0.005)
    return found
