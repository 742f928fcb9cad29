"""`feiqian council`: governors act on a network through its files, its node and their keystores."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from contracts.chain.cli import app
from contracts.chain.council import Call, Council
from contracts.chain.deploy import addresses_of, settlement_creation
from contracts.chain.network import Network
from contracts.chain.participants import Participants
from contracts.terms.commitments import keccak
from contracts.terms.parties import Status
from serving.keys import write_keystore

PASSWORD = "a governor's password"
NAMES = ("governor_1", "governor_2", "governor_3", "guardian", "stranger")


@pytest.fixture(scope="session")
def keys(tmp_path_factory) -> Path:
    """A keystore a person, and the password of all."""
    folder = tmp_path_factory.mktemp("keys")
    for name in NAMES:
        write_keystore(folder / f"{name}.json", keccak(b"test key of " + name.encode()), PASSWORD, cost=2**4)
    (folder / "password").write_text(PASSWORD + "\n")
    return folder


@dataclass(frozen=True)
class Desk:
    """The command as people at one network run it."""

    stage: Any
    folder: Path
    keys: Path
    environment: dict[str, str]

    def run(self, name: str | None, *arguments: str, stdin: str | None = None) -> Result:
        key = {"FEIQIAN_GOVERNOR_KEY": str(self.keys / f"{name}.json")} if name else {}
        return CliRunner().invoke(app, arguments, input=stdin, env=self.environment | key)

    def done(self, name: str | None, *arguments: str, stdin: str | None = None) -> str:
        result = self.run(name, *arguments, stdin=stdin)
        assert result.exit_code == 0, result.output
        return result.stdout

    def refused(self, name: str | None, *arguments: str, stdin: str | None = None) -> str:
        """One line, nothing on standard output, no secret."""
        result = self.run(name, *arguments, stdin=stdin)
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.count("\n") == 1
        assert PASSWORD not in result.stderr
        return result.stderr

    def show(self, *arguments: str) -> Any:
        return json.loads(self.done(None, "show", "--json", *arguments))

    def suspend(self, name: str = "wallet") -> list[dict[str, object]]:
        account = self.stage.account(name)
        return [{"contract": "participants", "function": "suspend", "arguments": {"account": account}}]

    def proposed(self, calls: object = None, by: str = "governor_1") -> tuple[str, str]:
        """Propose by the command; the proposal's id and its calls' hash as a governor reads them."""
        self.done(by, "propose", "-", stdin=json.dumps(self.suspend() if calls is None else calls))
        newest = self.show()["proposals"][-1]
        return str(newest["id"]), newest["calls_hash"]

    def file(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(text)
        return str(path)


@pytest.fixture
def desk(stage, http_node, finality, keys, tmp_path) -> Desk:
    network = Network("a test network", stage.client.chain_id, 1_700_000_000, 60_000_000,
                      tuple(stage.validators), {}, stage.contracts)  # fmt: skip
    (tmp_path / "network.json").write_text(json.dumps(network.to_json()))
    environment = {
        "FEIQIAN_NETWORK": str(tmp_path / "network.json"),
        "FEIQIAN_CHAIN_URL": f"http://127.0.0.1:{http_node.server_port}",
        "FEIQIAN_FINALITY": finality,
        "FEIQIAN_GOVERNOR_PASSWORD_FILE": str(keys / "password"),
    }
    return Desk(stage, tmp_path, keys, environment)


def test_from_proposal_to_execution(stage, desk):
    """Two governors, one of whom sends nothing; a stranger carries and executes."""
    number, calls_hash = desk.proposed()
    approval = desk.file("approval", desk.done("governor_2", "sign", number, calls_hash))
    assert "approved: may run" in desk.done("stranger", "submit", number, approval)
    assert "executed" in desk.done("stranger", "execute", number)
    assert stage.participants.participant(stage.account("wallet")).status == Status.SUSPENDED


def test_by_transactions_alone(stage, desk):
    number, calls_hash = desk.proposed()
    assert "approved: may run" in desk.done("governor_3", "approve", number, calls_hash)
    assert "open: 1 of 2" in desk.done("governor_3", "withdraw", number)
    assert "open: 0 of 2" in desk.done("governor_1", "withdraw", number)
    assert "cancelled" in desk.done("governor_1", "cancel", number)
    assert "closed proposal" in desk.refused("stranger", "execute", number)


def test_show_tells_who_governs_and_what_is_open(stage, desk):
    closed, _ = desk.proposed()
    desk.done("governor_1", "cancel", closed)
    number, calls_hash = desk.proposed()
    told = desk.done(None, "show")
    for each in (*stage.council.governors(), stage.council.guardian(), calls_hash, "quorum       2 of 3", "running"):
        assert each in told
    assert f"proposal {number}   open: 1 of 2 approvals" in told
    assert f'  1. participants.suspend(account="{stage.account("wallet")}")' in told
    assert f"proposal {closed} " not in told
    assert "cancelled" in desk.done(None, "show", closed)


def test_show_in_json_can_be_proposed_again(desk):
    calls = [*desk.suspend("wallet"), *desk.suspend("provider"), {"target": "0x" + "ab" * 20, "data": "0xc0ffee"}]
    _, calls_hash = desk.proposed(calls)
    shown = desk.show()
    assert shown["proposals"][-1]["calls"] == calls
    assert desk.proposed(shown["proposals"][-1]["calls"])[1] == calls_hash
    assert (shown["paused"], shown["quorum"], len(shown["governors"])) == (False, 2, 3)


def test_a_proposal_from_elsewhere_is_shown_too(stage, desk):
    number = stage.council.propose(stage.sender("governor_1"), [Call("0x" + "ab" * 20, b"\1\2")])
    assert f"  1. UNREADABLE call of 0x{'ab' * 20}: 0x0102" in desk.done(None, "show", str(number))


def test_every_stage_of_a_proposal(stage, desk):
    epoch = Council.set_governors_call(stage.council.governors(), 2)
    stays, calls_hash = desk.proposed()
    assert desk.show(stays)["proposals"][0]["stage"] == "open"
    desk.done("governor_2", "approve", stays, calls_hash)
    shown = desk.show(stays)["proposals"][0]
    assert (shown["stage"], shown["approved_by"]) == (
        "approved",
        [stage.account("governor_1"), stage.account("governor_2")],
    )
    stage.govern(Call(stage.council.address, epoch))
    assert desk.show(stays)["proposals"][0]["stage"] == "lapsed"
    assert desk.show()["proposals"] == []
    assert desk.show(str(int(stays) + 1))["proposals"][0]["stage"] == "executed"


def test_pause_and_unpause(stage, desk):
    assert "paused" in desk.done("guardian", "pause")
    assert "settlement   PAUSED" in desk.done(None, "show")
    told = desk.done("governor_2", "unpause")
    assert "1. council.unpause()" in told
    newest = desk.show()["proposals"][-1]
    desk.done("governor_3", "approve", str(newest["id"]), newest["calls_hash"])
    desk.done("stranger", "execute", str(newest["id"]))
    assert not stage.council.paused()
    assert "not the guardian" in desk.refused("governor_1", "pause")


def test_many_approvals_in_one_file_or_in_many(stage, desk):
    number, calls_hash = desk.proposed()
    lines = [desk.done(name, "sign", number, calls_hash) for name in ("governor_2", "governor_3")]
    desk.done("stranger", "submit", number, desk.file("both", "\n".join(lines)))
    assert stage.council.proposal(int(number)).approvals == 3
    other, calls_hash = desk.proposed()
    lines = [desk.done(name, "sign", other, calls_hash) for name in ("governor_2", "governor_3")]
    desk.done("stranger", "submit", other, desk.file("one", lines[0]), "-", stdin=lines[1])
    assert stage.council.proposal(int(other)).approvals == 3


def test_signed_under_another_hash_is_refused(desk):
    """Another proposal's calls than those that were read, whatever the node calls them."""
    _, first = desk.proposed(desk.suspend("provider"))
    number, calls_hash = desk.proposed(desk.suspend("wallet"))
    for command in ("sign", "approve"):
        said = desk.refused("governor_2", command, number, first)
        assert f"makes other calls: {calls_hash}" in said
    assert "64 lower-case hex digits" in desk.refused("governor_2", "sign", number, calls_hash[:-1])


def test_a_node_that_shows_other_calls_is_caught(desk, http_node):
    """The words on the screen and the hash in the signature come from the same bytes."""
    number, calls_hash = desk.proposed()
    honest = http_node.answer
    wallet, provider = (desk.stage.account(name)[2:].encode() for name in ("wallet", "provider"))
    http_node.answer = lambda request: honest(request).replace(wallet, provider)
    assert "the node shows other calls" in desk.refused(None, "show", number)
    assert "the node shows other calls" in desk.refused("governor_2", "sign", number, calls_hash)


def test_a_successor_is_known_by_its_code_not_by_its_address(stage, desk):
    """The proposal that could take every balance looks like the one that upgrades the network."""
    old, addresses = stage.settlement.address, addresses_of(stage.contracts)
    make = stage.sender("deployer").transact
    good = make(None, settlement_creation(addresses, old)).contract
    rogue = make(None, settlement_creation(replace(addresses, ledger=addresses.council), old)).contract
    for new, sound in ((good, True), (rogue, False), (stage.council.address, False), ("0x" + "ab" * 20, False)):
        arguments = {"old": old, "new": new}
        call = {"contract": "ledger", "function": "replace_settlement", "arguments": arguments}
        number, calls_hash = desk.proposed([call])
        assert ("WARNING" in desk.done(None, "show", number)) is not sound
        if sound:
            desk.done("governor_2", "sign", number, calls_hash)
            desk.done("governor_3", "approve", number, calls_hash)
        else:
            for command in ("sign", "approve"):
                assert "install the release" in desk.refused("governor_2", command, number, calls_hash)


def test_signatures_that_would_count_for_nothing_are_not_made(stage, desk):
    number, calls_hash = desk.proposed()
    assert "is not a governor" in desk.refused("stranger", "sign", number, calls_hash)
    assert "approved proposal" in desk.refused("governor_1", "sign", number, calls_hash)
    desk.done("governor_1", "withdraw", number)
    assert "by a transaction only" in desk.refused("governor_1", "sign", number, calls_hash)
    desk.done("governor_1", "approve", number, calls_hash)
    desk.done("governor_1", "cancel", number)
    assert "is cancelled" in desk.refused("governor_2", "sign", number, calls_hash)
    assert "there is no proposal 99" in desk.refused("governor_2", "sign", "99", calls_hash)


def test_approvals_are_checked_before_they_are_sent(stage, desk):
    other, hash_of_other = desk.proposed(desk.suspend("provider"))
    number, calls_hash = desk.proposed()
    signed = json.loads(desk.done("governor_2", "sign", number, calls_hash))

    def refused(**changes: object) -> str:
        return desk.refused("stranger", "submit", number, "-", stdin=json.dumps({**signed, **changes}))

    assert f"{signed['governor']} is for another network's council" in refused(chain_id=1)
    assert "another network's council" in refused(council="0x" + "ab" * 20)
    assert f"{signed['governor']} is signed by another key" in refused(chain_id=signed["chain_id"], signature=(
        json.loads(desk.done("governor_3", "sign", number, calls_hash))["signature"]))  # fmt: skip
    assert "signature" in refused(signature="0x00")
    assert "SignedApproval" in refused(note="hello")
    elsewhere = desk.done("governor_2", "sign", other, hash_of_other)
    assert "of another proposal" in desk.refused("stranger", "submit", number, "-", stdin=elsewhere)
    assert "one line of JSON" in desk.refused("stranger", "submit", number, "-", stdin="{")
    assert stage.council.proposal(int(number)).approvals == 1


def test_wrong_files_are_named(stage, desk, keys):
    assert "No such file" in desk.refused("nobody", "unpause")
    assert "nowhere.json: No such file" in desk.refused("governor_1", "propose", "nowhere.json")
    assert "not JSON" in desk.refused("governor_1", "propose", "-", stdin="[")
    assert "a list of 1 to 8 calls" in desk.refused("governor_1", "propose", "-", stdin="[]")
    wrong = desk.file("wrong", "a guess")
    said = desk.refused("governor_1", "pause", "--password-file", wrong)
    assert "does not open: wrong password or damaged file" in said
    assert "is no keystore" in desk.refused("governor_1", "pause", "--key", wrong)
    assert "does not open" in desk.refused("governor_1", "pause", "--key", desk.file("none.json", "[]"))


def test_another_networks_file_is_refused(stage, desk):
    document = json.loads((desk.folder / "network.json").read_text())
    other = desk.file("other.json", json.dumps(document | {"chainId": 1}))
    assert "the network file names 1" in desk.refused(None, "show", "--network", other)
    pins = document["contracts"] | {"council": document["contracts"]["ledger"]}
    other = desk.file("pins.json", json.dumps(document | {"contracts": pins}))
    assert "the deployed code is not compiled from our source" in desk.refused(None, "show", "--network", other)


def test_what_one_did_is_told_before_it_is_final(desk, http_node):
    """Else a proposal that was made would be reported as a failure."""
    honest, before = http_node.answer, hex(desk.stage.client.final_header().number)

    def behind(request: Any) -> bytes:
        if isinstance(request, list):
            return bytes(honest(request))
        params = [before if each == "finalized" else each for each in request["params"]]
        return bytes(honest(request | {"params": params}))

    http_node.answer = behind
    assert "open: 1 of 2" in desk.done("governor_1", "propose", "-", stdin=json.dumps(desk.suspend()))


def test_no_node_is_one_line(desk, http_node):
    http_node.answer = lambda request: b"busy"
    assert desk.refused(None, "show")


def test_admission_in_words(stage, desk):
    """The longest call there is, from a file as a governor writes it."""
    admission = stage.admission("extra_0", stage.participants.participant(stage.account("provider")).roles)
    call = Call(stage.participants.address, Participants.admit_call(admission))
    number = stage.council.propose(stage.sender("governor_1"), [call])
    words = desk.show(str(number))["proposals"][0]["calls"]
    assert words[0]["arguments"]["codes"] == ["TEST:extra_0"]
    again, _ = desk.proposed(words)
    assert stage.council.proposed_calls(int(again)) == (call,)
