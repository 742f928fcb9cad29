"""web3.py, unmodified, against the chain: contracts, events, reverts, fees, proofs, seals, limits."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import rlp
import vyper
from eth.chains.base import MiningChain
from eth.db.atomic import AtomicDB
from eth.rlp.accounts import Account as AccountRlp
from eth.vm.forks.cancun import CancunVM
from eth_account import Account
from eth_hash.auto import keccak
from trie import HexaryTrie
from web3 import Web3
from web3.exceptions import ContractLogicError, Web3RPCError
from web3.middleware import SignAndSendRawMiddlewareBuilder

from devnet.chain import Chain, RpcError, open_chain
from devnet.chain.envelope import answer_body
from devnet.chain.evm import Evm
from devnet.chain.genesis import parse_genesis
from devnet.chain.provider import InProcessProvider
from devnet.chain.seal import recover_sealer

CHAIN_ID = 777
KEY = b"\x11" * 32
PAYER = Account.from_key(b"\x22" * 32)
PAUPER = Account.from_key(b"\x33" * 32)
SINK = "0x" + "77" * 20
GENESIS = {
    "chainId": CHAIN_ID,
    "timestamp": 1_700_000_000,
    "gasLimit": 60_000_000,
    "validators": [Account.from_key(KEY).address],
    "alloc": {PAYER.address: {"balance": hex(10**18)}, PAUPER.address: {"balance": "0x5"}},
}
COUNTER = """
#pragma evm-version cancun
event Counted:
    who: indexed(address)
    total: uint256

total: public(uint256)

@external
def count(amount: uint256) -> uint256:
    assert amount != 13, "counter: unlucky"
    assert amount != 14
    self.total += amount
    log Counted(who=msg.sender, total=self.total)
    return self.total

@external
def chatter(times: uint256):
    for i: uint256 in range(times, bound=20000):
        log Counted(who=msg.sender, total=i)

@external
def dive():
    extcall Diver(self).dive()

@view
@external
def earlier(number: uint256) -> bytes32:
    return blockhash(number)

interface Diver:
    def dive(): nonpayable
"""


@pytest.fixture(scope="module")
def compiled() -> dict[str, Any]:
    return dict(vyper.compile_code(COUNTER, output_formats=["abi", "bytecode"]))


@pytest.fixture
def chain() -> Iterator[Chain]:
    opened = open_chain(GENESIS, ":memory:", KEY, dev=True)
    yield opened
    opened.close()


@pytest.fixture
def w3(chain: Chain) -> Web3:
    web3 = Web3(InProcessProvider(chain))
    web3.middleware_onion.inject(SignAndSendRawMiddlewareBuilder.build(PAYER), layer=0)
    web3.eth.default_account = PAYER.address
    return web3


@pytest.fixture
def counter(w3: Web3, compiled: dict[str, Any]) -> Any:
    contract = w3.eth.contract(abi=compiled["abi"], bytecode=compiled["bytecode"])
    receipt = w3.eth.wait_for_transaction_receipt(contract.constructor().transact())
    return w3.eth.contract(address=receipt["contractAddress"], abi=compiled["abi"])


def signed(sender: Any = PAYER, **changes: Any) -> str:
    fields = {"to": SINK, "nonce": 0, "gas": 21_000, "gasPrice": 0, "value": 1, "chainId": CHAIN_ID}
    kept = {key: value for key, value in {**fields, **changes}.items() if value is not None}
    return "0x" + sender.sign_transaction(kept).raw_transaction.hex()


def send(chain: Chain, raw: str) -> Any:
    return chain.rpc("eth_sendRawTransaction", [raw])


# Contracts


def test_web3_deploys_calls_and_reads_events(w3: Web3, counter: Any) -> None:
    receipt = w3.eth.wait_for_transaction_receipt(counter.functions.count(5).transact())
    w3.eth.wait_for_transaction_receipt(counter.functions.count(6).transact())
    assert receipt["status"] == 1
    assert counter.functions.total().call() == 11
    assert counter.functions.total().call(block_identifier=receipt["blockNumber"]) == 5
    found = counter.events.Counted().get_logs(from_block=0, argument_filters={"who": PAYER.address})
    assert [(event["args"]["total"], event["logIndex"]) for event in found] == [(5, 0), (11, 0)]
    assert found[0]["blockHash"] == receipt["blockHash"]
    assert w3.eth.get_logs({"blockHash": receipt["blockHash"]}) == receipt["logs"]
    assert w3.eth.get_logs({"fromBlock": 0, "topics": [None, "0x" + "00" * 32]}) == []
    assert w3.eth.get_logs({"fromBlock": 0, "topics": [None, None, None]}) == []


def test_logs_come_in_order_and_are_counted_over_the_block(chain: Chain, w3: Web3, counter: Any) -> None:
    chain.rpc("evm_setAutomine", [False])
    for nonce in (1, 2):
        counter.functions.chatter(3).transact({"gas": 1_000_000, "nonce": nonce})
    chain.rpc("evm_setAutomine", [True])
    counter.functions.chatter(1).transact()
    found = chain.rpc("eth_getLogs", [{"fromBlock": "earliest", "address": counter.address}])
    keys = ("blockNumber", "logIndex", "transactionIndex", "data")
    places = [tuple(int(entry[key], 16) for key in keys) for entry in found]
    in_block = [(2, 0, 0, 0), (2, 1, 0, 1), (2, 2, 0, 2), (2, 3, 1, 0), (2, 4, 1, 1), (2, 5, 1, 2)]
    assert places == [*in_block, (3, 0, 0, 0)]
    second = w3.eth.get_block_receipts(2)[1]
    assert [entry["logIndex"] for entry in second["logs"]] == [3, 4, 5]


def test_a_revert_carries_its_reason(w3: Web3, counter: Any) -> None:
    for run in (counter.functions.count(13).call, counter.functions.count(13).estimate_gas):
        with pytest.raises(ContractLogicError, match="execution reverted: counter: unlucky") as caught:
            run()
        assert str(caught.value.data).startswith("0x08c379a0")
    with pytest.raises(ContractLogicError):
        counter.functions.count(14).call()


def test_a_failed_transaction_has_a_receipt_and_changes_nothing(w3: Web3, counter: Any) -> None:
    receipt = w3.eth.wait_for_transaction_receipt(counter.functions.count(13).transact({"gas": 100_000}))
    assert (receipt["status"], receipt["logs"]) == (0, [])
    assert counter.functions.total().call() == 0


def test_recursion_to_the_bottom_fails_that_transaction_only(w3: Web3, counter: Any) -> None:
    receipt = w3.eth.wait_for_transaction_receipt(counter.functions.dive().transact({"gas": 29_000_000}))
    assert receipt["status"] == 0
    assert w3.eth.wait_for_transaction_receipt(counter.functions.count(1).transact())["status"] == 1


def test_an_estimate_is_enough_and_not_much_more(w3: Web3, counter: Any) -> None:
    estimate = counter.functions.count(5).estimate_gas()
    receipt = w3.eth.wait_for_transaction_receipt(counter.functions.count(5).transact({"gas": estimate}))
    assert receipt["status"] == 1
    assert estimate <= receipt["gasUsed"] * 1.02
    assert w3.eth.estimate_gas({"to": SINK, "value": 1}) == 21_000


def test_a_contract_sees_its_ancestors(w3: Web3, counter: Any) -> None:
    assert counter.functions.earlier(0).call() == w3.eth.get_block(0)["hash"]


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"gasPrice": 3}, 0),
        ({"gasPrice": 3, "type": 1, "accessList": [{"address": SINK, "storageKeys": ["0x" + "01" * 32]}]}, 1),
        ({"gasPrice": None, "maxFeePerGas": 9, "maxPriorityFeePerGas": 3}, 2),
    ],
)
def test_legacy_access_list_and_fee_market_transactions(w3: Web3, fields: dict[str, Any], kind: int) -> None:
    sent = w3.eth.send_raw_transaction(signed(gas=30_000, **fields))
    receipt, found = w3.eth.get_transaction_receipt(sent), w3.eth.get_transaction(sent)
    assert (receipt["type"], receipt["effectiveGasPrice"], receipt["status"]) == (kind, 3, 1)
    assert (found["hash"], found["from"], found["type"]) == (sent, PAYER.address, kind)
    assert w3.eth.get_balance(Web3.to_checksum_address(SINK)) == 1
    spent = 1 + 3 * receipt["gasUsed"]
    assert w3.eth.get_balance(PAYER.address) == 10**18 - spent


def test_fees_stay_at_nothing_and_are_told_consistently(chain: Chain, w3: Web3) -> None:
    send(chain, signed(gasPrice=7))
    send(chain, signed(nonce=1))
    history = w3.eth.fee_history(3, "latest", [0, 100])
    assert history["baseFeePerGas"] == [0, 0, 0, 0]
    assert history["reward"] == [[0, 0], [7, 7], [0, 0]]
    assert history["gasUsedRatio"][1] == pytest.approx(21_000 / 60_000_000)
    assert (w3.eth.gas_price, w3.eth.max_priority_fee) == (0, 0)


def test_tags_batches_and_lookups_agree(chain: Chain, w3: Web3) -> None:
    sent = w3.eth.send_raw_transaction(signed())
    latest = w3.eth.get_block("latest", full_transactions=True)
    for tag in ("safe", "finalized", latest["hash"], 1):
        assert w3.eth.get_block(tag)["hash"] == latest["hash"]
    assert latest["transactions"][0] == w3.eth.get_transaction(sent)
    assert w3.eth.get_transaction_by_block(1, 0)["hash"] == sent
    assert w3.eth.get_block("pending")["number"] == 2
    assert w3.eth.get_block_receipts(1) == [w3.eth.get_transaction_receipt(sent)]
    with w3.batch_requests() as batch:
        batch.add(w3.eth.get_block(0))
        batch.add(w3.eth.get_transaction_count(PAYER.address))
        first, count = batch.execute()
    assert (first["number"], count) == (0, 1)
    assert chain.rpc("eth_getBlockByNumber", ["0x63"]) is None
    assert chain.rpc("eth_getTransactionReceipt", ["0x" + "00" * 32]) is None


# Trust


def test_every_block_passes_a_stock_evm(chain: Chain, w3: Web3, counter: Any) -> None:
    """A py-evm that knows nothing of ours imports the chain block by block: same rules, same roots."""
    counter.functions.count(5).transact()
    send(chain, signed(nonce=2, gasPrice=3))
    chain.rpc("evm_mine")
    follower_db = AtomicDB()
    Evm(follower_db, CHAIN_ID).write_genesis(parse_genesis(GENESIS))
    follower = MiningChain.configure(vm_configuration=((0, CancunVM),), chain_id=CHAIN_ID)(follower_db)
    for number in range(1, chain.head.block_number + 1):
        follower.import_block(chain.record(number).block, perform_validation=True)
    assert follower.get_canonical_head().hash == chain.head.hash
    assert chain.head.block_number == 4


def test_seals_recover_to_the_validator_and_to_nobody_elsewhere(chain: Chain) -> None:
    send(chain, signed())
    answer = chain.rpc("feiqian_getSeals", ["latest"])
    block_hash, seal = bytes.fromhex(answer["blockHash"][2:]), bytes.fromhex(answer["seals"][0][2:])
    assert keccak(bytes.fromhex(answer["header"][2:])) == block_hash
    assert answer["blockNumber"] == "0x1"
    validator = Account.from_key(KEY).address.lower()
    assert "0x" + recover_sealer(seal, CHAIN_ID, block_hash).hex() == validator
    assert "0x" + recover_sealer(seal, CHAIN_ID + 1, block_hash).hex() != validator
    by_hash = chain.rpc("feiqian_getSeals", [answer["blockHash"]])
    assert by_hash == answer
    assert chain.rpc("feiqian_getSeals", ["earliest"])["seals"] == []


def test_proofs_verify_against_the_sealed_state_root(chain: Chain, w3: Web3, counter: Any) -> None:
    counter.functions.count(5).transact()
    old = chain.head.block_number
    counter.functions.count(6).transact()
    for number, total in ((old, 5), (chain.head.block_number, 11)):
        header = rlp.decode(bytes.fromhex(chain.rpc("feiqian_getSeals", [hex(number)])["header"][2:]))
        proof = w3.eth.get_proof(counter.address, [0, 99], number)
        key = keccak(bytes.fromhex(counter.address[2:]))
        nodes = [rlp.decode(node) for node in proof["accountProof"]]
        account = rlp.decode(HexaryTrie.get_from_proof(header[3], key, nodes), sedes=AccountRlp)
        assert account.storage_root == proof["storageHash"]
        assert account.code_hash == keccak(w3.eth.get_code(counter.address)) == proof["codeHash"]
        for entry, value in zip(proof["storageProof"], (total, 0), strict=True):
            slot = keccak(int.from_bytes(entry["key"], "big").to_bytes(32, "big"))
            nodes = [rlp.decode(node) for node in entry["proof"]]
            proven = HexaryTrie.get_from_proof(account.storage_root, slot, nodes)
            assert rlp.decode(proven or rlp.encode(0), sedes=rlp.sedes.big_endian_int) == value
            assert int.from_bytes(entry["value"], "big") == value


def test_absence_is_proven_too(chain: Chain, w3: Web3) -> None:
    """Also: the sealer earns nothing here, so its account must not come into being (EIP-161)."""
    send(chain, signed())
    for absent in (PAYER.address[:-2] + "ff", chain.rpc("eth_getBlockByNumber", ["latest"])["miner"]):
        proof = chain.rpc("eth_getProof", [absent, []])
        nodes = [rlp.decode(bytes.fromhex(node[2:])) for node in proof["accountProof"]]
        key = keccak(bytes.fromhex(absent[2:]))
        assert HexaryTrie.get_from_proof(chain.head.state_root, key, nodes) == b""


# Admission


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (signed(chainId=1), "invalid chain id for signer: have 1 want 777"),
        (signed(chainId=1, gasPrice=None, maxFeePerGas=1, maxPriorityFeePerGas=1), "invalid chain id"),
        (signed(chainId=None), "replay-protected"),
        (signed(nonce=65), "nonce too high"),
        (signed(PAUPER, value=6), "insufficient funds for gas . price . value: have 5 want 6"),
        (signed(PAUPER, gasPrice=1), "insufficient funds"),
        (signed(gas=20_999), "intrinsic gas too low"),
        (signed(gas=20_999, gasPrice=None, maxFeePerGas=1, maxPriorityFeePerGas=1), "intrinsic gas too low"),
        (signed(gas=30_000_001), "exceeds block gas limit"),
        (signed(gas=21_000, gasPrice=None, maxFeePerGas=1, maxPriorityFeePerGas=2), "higher than max fee"),
        (signed(to=None, gas=9_000_000, data="0x" + "00" * 49_153), "max initcode size"),
        ("0x", "empty transaction"),
        ("0x03c0", "transaction type not supported"),
        ("0x02c0", "cannot decode"),
        ("0xc0", "cannot decode"),
        (signed() + "00", "cannot decode|not canonically"),
        ("0x" + "00" * 140_000, "oversized"),
    ],
)
def test_what_cannot_enter_a_block_is_refused_by_name(chain: Chain, raw: str, says: str) -> None:
    with pytest.raises(RpcError, match=says):
        send(chain, raw)
    assert chain.head.block_number == 0


def test_a_forged_or_twisted_signature_is_refused(chain: Chain) -> None:
    """The high-s twin of a good signature, and one whose r is no point of the curve."""
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    typed = bytes.fromhex(signed(gasPrice=None, maxFeePerGas=0, maxPriorityFeePerGas=0)[2:])
    fields = rlp.decode(typed[1:])
    parity, s = int.from_bytes(fields[9], "big"), int.from_bytes(fields[11], "big")
    twin = [*fields[:9], b"" if parity else b"\x01", fields[10], (order - s).to_bytes(32, "big")]
    with pytest.raises(RpcError, match="lower half order"):
        send(chain, "0x02" + rlp.encode(twin).hex())
    with pytest.raises(RpcError, match="invalid sender"):
        send(chain, "0x02" + rlp.encode([*fields[:10], b"\x05", fields[11]]).hex())


def test_a_transaction_is_known_before_and_after_its_block(chain: Chain, w3: Web3) -> None:
    chain.rpc("evm_setAutomine", [False])
    send(chain, signed())
    with pytest.raises(RpcError, match="already known"):
        send(chain, signed())
    with pytest.raises(RpcError, match="replacement transaction underpriced"):
        send(chain, signed(value=2))
    chain.rpc("evm_mine")
    with pytest.raises(RpcError, match="already known"):
        send(chain, signed())
    with pytest.raises(Web3RPCError, match="nonce too low: next nonce 1, tx nonce 0"):
        w3.eth.send_raw_transaction(signed(value=3))


def test_a_dearer_replacement_takes_the_place(chain: Chain, w3: Web3) -> None:
    chain.rpc("evm_setAutomine", [False])
    send(chain, signed(value=2))
    send(chain, signed(value=3, gasPrice=1))
    chain.rpc("evm_mine")
    assert w3.eth.get_balance(Web3.to_checksum_address(SINK)) == 3


def test_a_gap_waits_for_its_nonce_and_then_shares_a_block(chain: Chain, w3: Web3) -> None:
    late = send(chain, signed(nonce=2))
    send(chain, signed(nonce=1))
    assert chain.head.block_number == 0
    assert w3.eth.get_transaction_count(PAYER.address, "pending") == 0
    assert w3.eth.get_transaction(late)["blockNumber"] is None
    send(chain, signed(nonce=0))
    assert chain.head.block_number == 1
    receipt = w3.eth.get_transaction_receipt(late)
    assert (receipt["transactionIndex"], receipt["gasUsed"]) == (2, 21_000)
    assert receipt["cumulativeGasUsed"] == 63_000
    assert w3.eth.get_transaction_count(PAYER.address, "pending") == 3


def test_what_became_invalid_is_dropped_and_harms_no_other(chain: Chain, w3: Web3) -> None:
    chain.rpc("evm_setAutomine", [False])
    send(chain, signed(PAUPER, value=5))
    dropped = send(chain, signed(PAUPER, nonce=1, value=5))
    send(chain, signed(value=1))
    chain.rpc("evm_mine")
    assert w3.eth.get_balance(Web3.to_checksum_address(SINK)) == 6
    assert chain.rpc("eth_getTransactionByHash", [dropped]) is None
    assert chain.rpc("evm_mine") == "0x0"


def test_blocks_are_at_most_half_full_and_the_base_fee_stays(chain: Chain, w3: Web3) -> None:
    chain.rpc("evm_setAutomine", [False])
    burner = "0x60fe60005360016000f3"  # deploys one invalid opcode: a call to it burns all its gas
    send(chain, signed(to=None, gas=100_000, data=burner, value=0))
    chain.rpc("evm_mine")
    target = w3.eth.get_block_receipts(1)[0]["contractAddress"]
    for nonce in (1, 2, 3):
        send(chain, signed(to=target, nonce=nonce, gas=14_000_000, value=0))
    chain.rpc("anvil_mine", ["0x2"])
    used = [w3.eth.get_block(number)["gasUsed"] for number in (2, 3)]
    assert used == [28_000_000, 14_000_000]
    assert w3.eth.get_block("pending")["baseFeePerGas"] == 0


# Bounds and malformed requests


def test_too_many_logs_are_refused_and_fewer_are_given(chain: Chain, w3: Web3, counter: Any) -> None:
    for _ in range(2):
        counter.functions.chatter(5_001).transact({"gas": 29_000_000})
    with pytest.raises(Web3RPCError, match="more than 10000 results"):
        w3.eth.get_logs({"fromBlock": 0, "toBlock": "latest"})
    assert len(w3.eth.get_logs({"fromBlock": "latest", "toBlock": "latest"})) == 5_001


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", -32700),
        (b"{", -32700),
        (b"\xff", -32700),
        (b"[" * 100_000, -32700),
        (b"[]", -32600),
        (b"1", -32600),
        (b'{"id":1}', -32600),
        (b'{"id":{},"method":"eth_chainId"}', -32600),
        (b'{"id":1,"method":"eth_nothing"}', -32601),
        (b'{"id":1,"method":"__class__"}', -32601),
        (b'{"id":1,"method":"eth_chainId","params":{}}', -32602),
        (b'{"id":1,"method":"eth_chainId","params":[1]}', -32602),
        (b'{"id":1,"method":"eth_getBalance","params":["0x12"]}', -32602),
        (b'{"id":1,"method":"eth_getBalance","params":[null]}', -32602),
        (b'{"id":1,"method":"eth_getBlockByNumber","params":["newest"]}', -32602),
        (b'{"id":1,"method":"eth_getBlockByNumber","params":[[]]}', -32602),
        (b'{"id":1,"method":"eth_getBlockByNumber","params":[{"a":1}]}', -32602),
        (b'{"id":1,"method":"eth_call","params":[{"to":5}]}', -32602),
        (b'{"id":1,"method":"eth_call","params":[5]}', -32602),
        (b'{"id":1,"method":"eth_call","params":[{"value":"0x1"}]}', -32000),
        (b'{"id":1,"method":"eth_call","params":[{"accessList":[{}]}]}', -32602),
        (b'{"id":1,"method":"eth_getLogs","params":[{"fromBlock":"0x5","toBlock":"0x1"}]}', -32602),
        (b'{"id":1,"method":"eth_getLogs","params":[{"topics":[[[]]]}]}', -32602),
        (b'{"id":1,"method":"eth_feeHistory","params":["0x1","latest",["a"]]}', -32602),
        (
            b'{"id":1,"method":"eth_getStorageAt","params":["0x' + b"00" * 20 + b'","0x1' + b"0" * 64 + b'"]}',
            -32602,
        ),
        (b'{"id":1,"method":"eth_sendRawTransaction","params":["0x0"]}', -32602),
    ],
)
def test_a_malformed_request_gets_the_right_code(chain: Chain, body: bytes, code: int) -> None:
    answer = json.loads(answer_body(chain, body) or b"null")
    assert answer["error"]["code"] == code


def test_batches_answer_each_request_and_are_bounded(chain: Chain) -> None:
    good = {"jsonrpc": "2.0", "id": "a", "method": "eth_chainId"}
    note = {"jsonrpc": "2.0", "method": "eth_chainId"}
    answers = json.loads(answer_body(chain, json.dumps([good, 5, note]).encode()) or b"null")
    assert [answer.get("result") or answer["error"]["code"] for answer in answers] == [hex(CHAIN_ID), -32600]
    assert answer_body(chain, json.dumps(note).encode()) is None
    refused = json.loads(answer_body(chain, json.dumps([good] * 101).encode()) or b"null")
    assert refused["error"]["code"] == -32600
