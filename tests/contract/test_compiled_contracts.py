"""Compiled contracts: the cache, the check of deployed code, the storage slots and the revert reasons."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import rlp
from trie import HexaryTrie

from contracts.chain.compile import (
    CONTRACTS,
    SOURCES,
    _artifact,
    _compile,
    cache_folder,
    check_code,
    compiled,
    runtime_code,
    source_hash,
)
from contracts.chain.deploy import Addresses, immutables, pins
from contracts.chain.participants import KeyRecord, Participants, Purpose
from contracts.chain.reverts import REASONS, refusal
from contracts.chain.slots import (
    BATCH_HASH,
    KEYS,
    LEDGER_SETTLEMENT,
    STANDINGS,
    batch_hash_slot,
    key_slot,
    standing_slot,
)
from contracts.terms.batch import Place
from contracts.terms.commitments import batch_hash, keccak
from contracts.terms.errors import ContractRefusal, FeiqianError
from contracts.terms.parties import Role, Status

ADDRESSES = Addresses(*("0x" + digit * 40 for digit in "1234"))
LOAD = """
import sys
from contracts.chain.compile import compiled
print(compiled("Settlement").runtime.hex())
print("vyper" in sys.modules, "web3" in sys.modules)
"""


def load_in_a_process(folder: Path) -> subprocess.Popen[str]:
    environment = os.environ | {"FEIQIAN_CACHE": str(folder)}
    return subprocess.Popen([sys.executable, "-c", LOAD], env=environment, stdout=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str]) -> list[str]:
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0
    return output.split("\n")


def test_compiled_by_processes_at_once_then_loaded_without_the_compiler(tmp_path):
    """Starting from a cache that a crash has cut short."""
    cached = tmp_path / f"contracts-{source_hash()}.json"
    cached.write_text('{"Council": {"abi"')
    racing = [finish(each) for each in [load_in_a_process(tmp_path) for _ in range(2)]]
    later = finish(load_in_a_process(tmp_path))
    assert later[1] == "False False"
    assert {each[0] for each in (*racing, later)} == {compiled("Settlement").runtime.hex()}
    assert list(tmp_path.iterdir()) == [cached]


def test_cache_folder_follows_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("FEIQIAN_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"
    monkeypatch.delenv("FEIQIAN_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "feiqian"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_folder() == tmp_path / "home" / ".cache" / "feiqian"


def test_unwritable_cache_falls_back_to_a_private_folder(tmp_path, monkeypatch):
    """A file where the folder should be: refused to root as well, unlike missing permissions."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FEIQIAN_CACHE", str(tmp_path / "file" / "cache"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = cache_folder()
    assert folder == tmp_path / f"feiqian-{os.getuid()}"
    assert folder.stat().st_mode & 0o077 == 0
    folder.chmod(0o777)
    assert cache_folder() not in (folder, tmp_path)


@pytest.mark.parametrize("name", CONTRACTS)
def test_own_code_is_recognised(name):
    values = immutables(ADDRESSES) | {"Council": {"DELAY": 5}}
    assert check_code(name, runtime_code(name, values[name]), values[name]) is None


@pytest.mark.parametrize("name", CONTRACTS)
def test_other_code_is_named(name):
    values = (immutables(ADDRESSES) | {"Council": {"DELAY": 5}})[name]
    code = runtime_code(name, values)
    assert "no contract" in (check_code(name, b"", values) or "")
    for other in (code[:-32], code + bytes(32), b"\x00" + code[1:], code[:200] + bytes([code[200] ^ 1]) + code[201:]):
        assert "not compiled from our source" in (check_code(name, other, values) or "")
    assert compiled(name).immutables[-1] in (check_code(name, code[:-1] + b"\x99", values) or "")


MODULE = """# pragma version 0.4.3
LIMIT: immutable(uint256)
entries: HashMap[address, uint256]
last: uint256

@deploy
def __init__(limit: uint256):
    LIMIT = limit

@internal
def count():
    self.entries[msg.sender] += 1
    self.last = LIMIT
"""
USER = """# pragma version 0.4.3
# pragma evm-version cancun
import signatures
import module
initializes: module

FIRST: immutable(address)
LAST: immutable(address)
type: uint256

@deploy
def __init__(first: address, last: address):
    FIRST = first
    module.__init__(7)
    LAST = last

@external
def who(struct_hash: bytes32, signature: signatures.Signature) -> (address, address, address):
    module.count()
    self.type = 1
    digest: bytes32 = signatures.digest(signatures.domain_separator(), struct_hash)
    return signatures.signer(digest, signature), FIRST, LAST
"""


@pytest.fixture
def user(tmp_path, monkeypatch):
    """A contract that uses a module of its own with state, and our signatures; both as the compiler is run for ours."""
    for name, text in {"module": MODULE, "User": USER, "signatures": (SOURCES / "signatures.vy").read_text()}.items():
        (tmp_path / f"{name}.vy").write_text(text)
    monkeypatch.setattr("contracts.chain.compile.SOURCES", tmp_path)
    return _artifact("User", _compile("User"))


def test_a_modules_variables_and_immutables_are_placed_too(user):
    assert user.immutables == ("module.LIMIT", "FIRST", "LAST")
    assert user.storage_layout == {"module.entries": 0, "module.last": 1, "type": 2}


def test_deployed_code_carries_the_immutables_in_that_order(user, stage):
    first, last = stage.account("wallet"), stage.account("acquirer")
    words = b"".join(bytes.fromhex(each[2:]).rjust(32, b"\0") for each in (first, last))
    address = stage.sender("deployer").transact(None, user.bytecode + words).contract
    assert stage.client.code(address, "latest") == user.runtime + (7).to_bytes(32, "big") + words


def test_pins_differ_by_council_delay():
    assert pins(ADDRESSES, 1).council.code_hash != pins(ADDRESSES, 2).council.code_hash


def test_slots_are_the_compilers():
    assert compiled("Settlement").storage_layout["_batch_hash"] == BATCH_HASH
    assert compiled("Participants").storage_layout["keyring._words"] == KEYS
    assert compiled("Participants").storage_layout["standing._words"] == STANDINGS
    assert compiled("Ledger").storage_layout["_settlement"] == LEDGER_SETTLEMENT


def proven(stage, address: str, slot: int) -> int:
    """The word at a slot, proven from the newest block's seals down (EIP-1186)."""
    header = stage.client.final_header()
    proof = stage.client.proof(address, [slot], header.number)
    nodes = [rlp.decode(bytes.fromhex(node[2:])) for node in proof["accountProof"]]
    account = HexaryTrie.get_from_proof(header.state_root, keccak(bytes.fromhex(address[2:])), nodes)
    storage_root, code_hash = rlp.decode(account)[2:]
    assert code_hash in {pin.code_hash for pin in stage.contracts.pins().values()}
    nodes = [rlp.decode(bytes.fromhex(node[2:])) for node in proof["storageProof"][0]["proof"]]
    found = HexaryTrie.get_from_proof(storage_root, keccak(slot.to_bytes(32, "big")), nodes)
    return int.from_bytes(rlp.decode(found), "big") if found else 0


def test_slots_prove_what_the_getters_say(stage):
    signed = stage.endorse(stage.batch())
    stage.settle(signed)
    stage.govern_participants(Participants.suspend_call(stage.account("provider")))
    settlement, participants = stage.settlement.address, stage.participants.address
    assert proven(stage, settlement, batch_hash_slot(signed.batch.place)) == int.from_bytes(batch_hash(signed.batch))
    assert proven(stage, settlement, batch_hash_slot(Place(stage.account("wallet"), 0, 1))) == 0
    assert proven(stage, stage.ledger.address, LEDGER_SETTLEMENT) == int(settlement, 16)
    assert proven(stage, participants, standing_slot(stage.account("provider"))) == (
        Role.FX_PROVIDER << 8 | Status.SUSPENDED
    )
    agents = Role.DEBTOR_AGENT | Role.CREDITOR_AGENT
    assert proven(stage, participants, standing_slot(stage.account("wallet"))) == agents << 8 | Status.ACTIVE
    key = KeyRecord.unpack(proven(stage, participants, key_slot(stage.account("wallet/compliance"))))
    assert key == stage.participants.key(stage.account("wallet/compliance"))
    assert key.signs_at(stage.account("wallet"), Purpose.COMPLIANCE, stage.now())
    assert not key.signs_at(stage.account("wallet"), Purpose.SETTLEMENT, stage.now())
    assert not key.signed_in(stage.account("wallet"), Purpose.SETTLEMENT, stage.now())


def sources() -> dict[str, str]:
    """The text of every source, modules too."""
    return {path.name: path.read_text() for path in SOURCES.glob("*.vy")}


def reasons_in_sources() -> set[str]:
    names = "|".join(name.lower() for name in CONTRACTS)
    return {found for text in sources().values() for found in re.findall(rf'"((?:{names}): [^"]+)"', text)}


def test_each_revert_reason_is_mapped():
    assert len(reasons_in_sources()) > 50
    assert reasons_in_sources() == set(REASONS)


def test_each_assertion_has_a_reason():
    names = "|".join(name.lower() for name in CONTRACTS)
    for name, text in sources().items():
        source = re.sub(r"\(\s*\n\s*(.*?)\n\s*\)", r"\1", text, flags=re.S)
        for line in source.splitlines():
            if line.strip().startswith("assert "):
                assert re.search(rf'"({names}): ', line), f"{name}: {line.strip()}"


def test_refusals_carry_the_contracts_own_words():
    for reason, kind in REASONS.items():
        error = refusal(reason)
        assert type(error) is kind
        assert (error.detail, error.fields) == (reason, {"contract_reason": reason})
    unknown: FeiqianError = refusal("somebody else's reason")
    assert type(unknown) is ContractRefusal
