"""Two engines by different hands come to the same gas and the same storage."""

from __future__ import annotations

import gzip
import json

import rlp
from trie import HexaryTrie

from contracts.chain.council import Call
from contracts.chain.participants import Participants
from contracts.terms.commitments import keccak
from tests.benchmarks import gas
from tests.contract.conftest import CNY, Stage, embedded, found, refused


def play(stage: Stage) -> list[int]:
    """Some of everything that changes state; the gas that each settlement took."""
    gas.prepare(stage)
    spent = [gas.settled(stage, gas.INSTITUTIONS[:members], 1_000) for members in (2, 8, 16)]
    stage.council.pause(stage.sender("guardian"))
    with refused("settlement: paused"):
        gas.settled(stage, gas.INSTITUTIONS[:2], 1)
    stage.govern(Call(stage.council.address, stage.council.unpause_call()))
    stage.govern_participants(Participants.suspend_call(stage.account("extra_0")))
    stage.send("bank_cny", "Ledger", "set_cap", stage.account("wallet"), CNY, 70)
    return [*spent, gas.settled(stage, gas.INSTITUTIONS[:2], 10_000)]


def storage_root(words: dict[str, str]) -> str:
    """The root of a contract's storage trie (yellow paper, appendix D)."""
    trie = HexaryTrie({})
    for slot, word in words.items():
        if int(word, 16):
            trie[keccak(int(slot, 16).to_bytes(32, "big"))] = rlp.encode(int(word, 16))
    return f"0x{trie.root_hash.hex()}"


def test_engines_agree_on_gas_and_storage(stage):
    """anvil 1.7.1 keeps words that became zero in its tries, so its roots are no other engine's; its words are."""
    with embedded() as chain:
        ours = found(chain, "seals")
        assert play(stage) == play(ours)
        assert stage.now() == ours.now()
        dump = json.loads(gzip.decompress(bytes.fromhex(stage.client.request("anvil_dumpState")[2:])))
        words = {address.lower(): account["storage"] for address, account in dump["accounts"].items()}
        for pin in ours.contracts.pins().values():
            assert storage_root(words[pin.address]) == ours.client.proof(pin.address, [], "latest")["storageHash"]
