"""The way to the chain: deployment, sealed blocks, transactions, events, the directory, and web3.py beside it."""

from __future__ import annotations

import json
import threading
from dataclasses import replace

import pytest
from web3 import BaseProvider, Web3

from contracts.chain import events
from contracts.chain.client import ChainClient, check_finality
from contracts.chain.compile import compiled
from contracts.chain.deploy import CouncilTerms, check_deployment, deploy_network, planned_contracts
from contracts.chain.headers import verify_seals
from contracts.chain.participants import Participants, Purpose
from contracts.chain.rpc import HttpTransport, RpcError
from contracts.terms.commitments import batch_hash, keccak
from contracts.terms.errors import (
    BadSignature,
    ChainUnavailable,
    ContractRefusal,
    FeiqianError,
    Malformed,
)
from contracts.terms.parties import Role

CNY, THB, CHAIN_ID, FUNDS = 156, 764, 7_780, 1_000_000


def terms(stage) -> CouncilTerms:
    return CouncilTerms((stage.account("governor_1"),), 1, 30, stage.account("guardian"))


def test_deployed_where_and_as_planned(stage):
    deployer = stage.sender("extra_0")
    assert deploy_network(deployer, terms(stage)) == planned_contracts(deployer.address, 30)


def test_used_deployer_is_refused(stage):
    deployer = stage.sender("extra_0")
    deployer.transact(stage.account("stranger"), b"")
    with pytest.raises(ContractRefusal, match="was used before"):
        deploy_network(deployer, terms(stage))


def test_foreign_deployment_is_refused(stage):
    check_deployment(stage.client, stage.contracts)
    other = replace(stage.contracts, ledger=stage.contracts.council)
    with pytest.raises(ContractRefusal, match=r"^Participants: the immutable|^Ledger: .* not compiled"):
        check_deployment(stage.client, other)
    slower = planned_contracts(stage.account("deployer"), 30)
    with pytest.raises(ContractRefusal, match=r"^Council: .* network file pins"):
        check_deployment(stage.client, slower)


def test_final_header_is_sealed_by_the_validators(stage):
    header = check_finality(stage.client, CHAIN_ID)
    assert header == replace(header, timestamp=stage.now())
    assert stage.client.header_at(header.number) == header
    by_tag = ChainClient(stage.client._transport, "tag")
    assert by_tag.final_header() == header
    assert by_tag.header_at(header.number - 1).block_hash == header.parent_hash


@pytest.mark.embedded("only its blocks have seals")
def test_seals_of_others_are_refused(stage):
    sealed = stage.client.sealed_header("latest")
    for validators in ([stage.account("stranger")], [*stage.validators, stage.account("stranger")]):
        with pytest.raises(BadSignature):
            verify_seals(sealed.encoded, sealed.seals, CHAIN_ID, validators)
    with pytest.raises(BadSignature):
        verify_seals(sealed.encoded, (), CHAIN_ID, stage.validators)
    with pytest.raises(BadSignature):
        verify_seals(sealed.encoded, sealed.seals, CHAIN_ID + 1, stage.validators)
    with pytest.raises(BadSignature):
        verify_seals(sealed.encoded[:-1] + b"\x01", sealed.seals, CHAIN_ID, stage.validators)
    # The same seal twice is one validator's.
    with pytest.raises(BadSignature, match="1 of 2"):
        verify_seals(sealed.encoded, sealed.seals * 2, CHAIN_ID, [*stage.validators, stage.account("stranger")])
    with pytest.raises(Malformed):
        verify_seals(b"\xc1\x80", sealed.seals, CHAIN_ID, stage.validators)


def test_another_chain_is_refused(stage):
    with pytest.raises(Malformed, match="chain 7780"):
        check_finality(stage.client, CHAIN_ID + 1)


def test_events_tell_what_happened(stage):
    first = stage.client.final_header().number + 1
    signed = stage.endorse(stage.batch())
    stage.settle(signed)
    stage.send("bank_cny", "Ledger", "issue", stage.account("wallet"), CNY, 7)
    stage.send("bank_cny", "Ledger", "redeem", stage.account("wallet"), CNY, 3)
    stage.send("wallet", "Ledger", "transfer", stage.account("bank_cny"), CNY, 2)
    stage.send("wallet", "Ledger", "approve", stage.account("bank_cny"), CNY, 2)
    stage.send("bank_cny", "Ledger", "set_cap", stage.account("wallet"), CNY, 9)
    told = events.events_between(stage.client, stage.contracts, first, stage.client.final_header().number)
    wallet, bank = stage.account("wallet"), stage.account("bank_cny")
    assert [replace(each, origin=None) for each in told] == [
        events.BatchSettled(
            None, signed.batch.place, batch_hash(signed.batch), signed.batch.payments_root, signed.batch.payment_count
        ),
        events.Issued(None, wallet, CNY, 7),
        events.Redeemed(None, wallet, CNY, 3),
        events.Transferred(None, wallet, wallet, bank, CNY, 2),
        events.CapChanged(None, wallet, CNY, 9),
    ]
    assert [each.origin.block_number for each in told] == [first, first + 1, first + 2, first + 3, first + 5]
    assert told[0].origin.block_hash == stage.client.header_at(first).block_hash


def test_events_tell_of_participants_and_council(stage):
    first = stage.client.final_header().number + 1
    wallet, fresh = stage.account("wallet"), stage.account("extra_1")
    admission = stage.admission("extra_0", Role.FX_PROVIDER)
    stage.govern_participants(
        Participants.admit_call(admission),
        Participants.suspend_call(wallet),
        Participants.reinstate_call(wallet),
        Participants.set_codes_call(wallet, ["A:1", "B:"]),
        Participants.set_endpoint_call(wallet, "http://new.test"),
        Participants.rotate_message_key_call(wallet, keccak(b"new"), 0),
        Participants.rotate_key_call(wallet, Purpose.SETTLEMENT, fresh, 0),
        Participants.revoke_key_call(fresh),
    )
    stage.council.pause(stage.sender("guardian"))
    told = events.events_between(stage.client, stage.contracts, first, stage.client.final_header().number)
    governors = [stage.account("governor_1"), stage.account("governor_2")]
    number = next(each.number for each in told if isinstance(each, events.Proposed))
    assert [replace(each, origin=None) for each in told] == [
        events.Proposed(None, number, governors[0]),
        events.Approved(None, number, governors[0], 1),
        events.Approved(None, number, governors[1], 2),
        events.Admitted(
            None,
            admission.participant.account,
            Role.FX_PROVIDER,
            admission.settlement_key,
            admission.compliance_key,
        ),
        events.Suspended(None, wallet),
        events.Reinstated(None, wallet),
        events.CodesChanged(None, wallet, ("A:1", "B:")),
        events.EndpointChanged(None, wallet, "http://new.test"),
        events.MessageKeyRotated(None, wallet, keccak(b"message key of wallet"), keccak(b"new"), 0),
        events.KeyRotated(None, wallet, Purpose.SETTLEMENT, stage.account("wallet/settlement"), fresh, 0),
        events.KeyRevoked(None, wallet, Purpose.SETTLEMENT, fresh),
        events.Executed(None, number, governors[0]),
        events.Paused(None, stage.account("guardian")),
    ]


def test_each_event_of_the_sources_is_read_or_left_on_purpose():
    names = {entry["name"] for name in ("Council", "Participants", "Ledger", "Settlement")
             for entry in compiled(name).abi if entry["type"] == "event"}  # fmt: skip
    assert names - set(events._READERS) == {"Approval", "OperatorSet"}
    assert set(events._READERS) <= names


def test_nonces_go_on_in_order_and_recover(stage):
    sender, twin = stage.sender("relayer"), stage.sender("relayer")
    target = stage.account("stranger")
    sender.wait([sender.send(target, b"", 21_000) for _ in range(3)])
    twin.transact(target, b"", 21_000)
    assert sender.transact(target, b"", 21_000).succeeded


def test_a_chain_that_lost_what_was_sent_takes_the_next(stage):
    """A node that is killed forgets what waits; nothing may then wait behind the gap."""
    sender, target = stage.sender("relayer"), stage.account("stranger")
    before = stage.client.request("evm_snapshot")
    sender.transact(target, b"", 21_000)
    assert stage.client.request("evm_revert", before)
    assert sender.wait([sender.send(target, b"", 21_000)], timeout=5)[0].succeeded


def test_threads_share_a_sender(stage):
    sender, sent = stage.sender("relayer"), []
    threads = [
        threading.Thread(target=lambda: sent.append(sender.send(stage.account("stranger"), b"", 21_000)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sender.wait(sent)) == len(set(sent)) == 8


def test_transaction_the_node_refuses_costs_no_nonce(stage):
    sender, target = stage.sender("relayer"), stage.account("stranger")
    with pytest.raises(RpcError, match="gas"):
        sender.transact(target, b"", 10**9)
    assert sender.transact(target, b"", 21_000).succeeded


def test_mined_failure_keeps_its_reason(stage, refused):
    sender = stage.sender("stranger")
    call = Participants.suspend_call(stage.account("wallet"))
    sent = sender.send(stage.participants.address, call, 200_000)
    assert stage.client.receipt(sent).succeeded is False
    with refused("participants: only the council"):
        sender.wait([sent])


def test_unknown_block_and_absent_contract_are_unavailable(stage):
    with pytest.raises(ChainUnavailable):
        stage.client.header_at(10**6)
    with pytest.raises(ChainUnavailable):
        replace(stage, contracts=replace(stage.contracts, ledger=replace(
            stage.contracts.ledger, address=stage.account("stranger")))).ledger.settlement()  # fmt: skip


def test_web3_reads_the_same_contracts(stage, transport):
    """Anyone may come with web3.py and our ABI alone."""

    class Provider(BaseProvider):
        def make_request(self, method, params):
            return transport.make_request(method, params)

    web3 = Web3(Provider())
    address = Web3.to_checksum_address(stage.ledger.address)
    ledger = web3.eth.contract(address=address, abi=list(compiled("Ledger").abi))
    wallet = Web3.to_checksum_address(stage.account("wallet"))
    assert ledger.functions.net_position(wallet, CNY).call() == FUNDS
    issued = ledger.events.Transfer().get_logs(from_block=0)
    assert {event["args"]["amount"] for event in issued} == {FUNDS}


def test_http_to_a_node(stage, finality, http_node):
    client = ChainClient(f"http://127.0.0.1:{http_node.server_port}", finality, stage.validators)
    assert client.final_header() == stage.client.final_header()
    with pytest.raises(FeiqianError, match="ledger: only settlement"):
        client.call(stage.ledger.address, bytes.fromhex(compiled("Ledger").method_ids[
            "apply((address,uint16,int128)[])"][2:].zfill(8)) + (32).to_bytes(32) + bytes(32))  # fmt: skip


@pytest.mark.parametrize(
    "answer",
    ["nonsense", "[]", "{}", '{"id": ID, "error": "down"}', '{"id": ID}', '{"id": ID1, "result": "0x1"}', ""],
)
def test_nonsense_over_http_is_unavailable(http_node, answer):
    """ID1 is the id of another request: its answer is right but not ours."""
    http_node.answer = lambda request: (
        answer.replace("ID1", f"{request['id']}1").replace("ID", f"{request['id']}").encode()
    )
    with pytest.raises(ChainUnavailable):
        ChainClient(f"http://127.0.0.1:{http_node.server_port}").request("eth_chainId")


def test_no_node_is_unavailable(http_node):
    port = http_node.server_port
    http_node.server_close()
    with pytest.raises(ChainUnavailable):
        ChainClient(f"http://127.0.0.1:{port}", timeout=0.5).final_header()


def test_slow_node_is_unavailable(http_node):
    released = threading.Event()
    http_node.answer = lambda request: released.wait(20) and b"{}"
    with pytest.raises(ChainUnavailable):
        ChainClient(f"http://127.0.0.1:{http_node.server_port}", timeout=0.2).final_header()
    released.set()


def test_answers_to_several_requests_are_told_by_their_ids(stage, http_node):
    """A node may answer in any order; one that leaves an answer out is not believed."""
    honest, asked = http_node.answer, [("eth_chainId", []), ("eth_getBalance", [stage.account("stranger"), "latest"])]
    transport = HttpTransport(f"http://127.0.0.1:{http_node.server_port}")
    in_order = [each["result"] for each in transport.make_batch_request(asked)]
    assert int(in_order[0], 16) == stage.client.chain_id
    http_node.answer = lambda request: json.dumps(json.loads(honest(request))[::-1]).encode()
    assert [each["result"] for each in transport.make_batch_request(asked)] == in_order
    http_node.answer = lambda request: json.dumps(json.loads(honest(request))[1:]).encode()
    with pytest.raises(ChainUnavailable, match="not the response"):
        transport.make_batch_request(asked)
    transport.close()
