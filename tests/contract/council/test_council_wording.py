"""A council's calls in words: what a governor reads is exactly what the chain will run."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.chain.abi import encode_call
from contracts.chain.compile import compiled
from contracts.chain.council import Call, Council
from contracts.chain.network import CONTRACT_NAMES, Contracts, PinnedContract
from contracts.chain.participants import Participants
from contracts.chain.wording import call_text, read_calls, write_call
from contracts.terms.errors import Malformed

PINS = Contracts(*(PinnedContract("0x" + digit * 40, bytes(32)) for digit in "1234"))
COUNCIL, PARTICIPANTS = PINS.council.address, PINS.participants.address
SOMEBODY = "0x" + "ab" * 20
SUSPEND = {"contract": "participants", "function": "suspend", "arguments": {"account": SOMEBODY}}


def values(parameter: Any) -> st.SearchStrategy[Any]:
    """Any argument of a type that our contracts' functions take."""
    kind = parameter["type"]
    if kind.endswith("[]"):
        return st.lists(values(dict(parameter) | {"type": kind[:-2]}), max_size=3)
    if kind == "tuple":
        return st.tuples(*map(values, parameter["components"]))
    if kind == "address":
        return st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex())
    if kind == "string":
        return st.text(max_size=40)
    if kind == "bool":
        return st.booleans()
    if kind.startswith("bytes"):
        size = int(kind[5:] or 0)
        return st.binary(min_size=size, max_size=size or 70)
    bits = int(kind.removeprefix("u").removeprefix("int"))
    low = 0 if kind.startswith("u") else -(2 ** (bits - 1))
    return st.integers(low, low + 2**bits - 1)


FUNCTIONS = [
    (name, entry)
    for name in CONTRACT_NAMES
    for entry in compiled(name.capitalize()).abi
    if entry["type"] == "function" and entry["stateMutability"] == "nonpayable"
]


@st.composite
def calls(draw: st.DrawFn) -> tuple[str, str, Call]:
    """A call of any function that changes anything."""
    contract, entry = draw(st.sampled_from(FUNCTIONS))
    arguments = [draw(values(each)) for each in entry["inputs"]]
    data = encode_call(contract.capitalize(), entry["name"], *arguments)
    return contract, entry["name"], Call(PINS.pins()[contract].address, data)


@given(calls())
def test_every_call_has_words_and_they_make_the_same_call(made: tuple[str, str, Call]) -> None:
    contract, function, call = made
    words = write_call(call, PINS)
    assert (words["contract"], words["function"]) == (contract, function)
    assert read_calls(json.loads(json.dumps([words])), PINS) == (call,)
    assert call_text(call, PINS).startswith(f"{contract}.{function}(")


@given(calls(), st.binary(min_size=1, max_size=40))
def test_what_trails_a_call_makes_it_unreadable(made: tuple[str, str, Call], more: bytes) -> None:
    *_, call = made
    assert "target" in write_call(Call(call.target, call.data + more), PINS)


@given(calls(), st.data())
def test_no_data_reads_as_what_it_is_not(made: tuple[str, str, Call], data: st.DataObject) -> None:
    """Spoilt anywhere: either unreadable, or other words, and they again make exactly these bytes."""
    *_, call = made
    place = data.draw(st.integers(0, len(call.data) - 1))
    spoilt = bytearray(call.data)
    spoilt[place] ^= data.draw(st.integers(1, 255))
    other = Call(call.target, bytes(spoilt))
    words = write_call(other, PINS)
    assert words != write_call(call, PINS)
    assert read_calls([words], PINS) == (other,)


@given(st.sampled_from([*(pin.address for pin in PINS.pins().values()), SOMEBODY]), st.binary(max_size=300))
def test_any_data_is_shown_and_never_breaks_the_reader(target: str, data: bytes) -> None:
    assert read_calls([write_call(Call(target, data), PINS)], PINS) == (Call(target, data),)
    assert call_text(Call(target, data), PINS).isascii()


@pytest.mark.parametrize("size", [2**31, 2**63, 2**64, 2**255, 2**256 - 1])
@pytest.mark.parametrize("place", [36, 68], ids=["offset", "length"])
def test_a_text_past_all_memory_is_unreadable(place: int, size: int) -> None:
    data = encode_call("Participants", "set_endpoint", SOMEBODY, "http://a.test")
    spoilt = data[:place] + size.to_bytes(32, "big") + data[place + 32 :]
    assert "target" in write_call(Call(PARTICIPANTS, spoilt), PINS)


def test_a_text_that_is_none_is_unreadable() -> None:
    data = encode_call("Participants", "set_endpoint", SOMEBODY, "http://a.test")
    assert "target" in write_call(Call(PARTICIPANTS, data.replace(b"http", b"\xff\xff\xff\xff")), PINS)


def test_dirty_padding_is_unreadable() -> None:
    data = encode_call("Participants", "set_endpoint", SOMEBODY, "http://a.test")
    assert "function" in write_call(Call(PARTICIPANTS, data), PINS)
    assert "target" in write_call(Call(PARTICIPANTS, data[:-1] + b"\1"), PINS)


def test_a_text_cannot_write_over_what_is_read() -> None:
    """Escape sequences would let one call look like another on a terminal."""
    nasty = '\x1b[2K\rcouncil.unpause()\x07\u202e"); '
    shown = call_text(Call(PARTICIPANTS, encode_call("Participants", "set_endpoint", SOMEBODY, nasty)), PINS)
    assert shown.isascii()
    assert shown.isprintable()
    assert '\\"); ' in shown


def test_another_contracts_function_is_unreadable() -> None:
    """The right call at the wrong address does something else, or nothing."""
    data = Participants.suspend_call(SOMEBODY)
    assert call_text(Call(PARTICIPANTS, data), PINS) == f'participants.suspend(account="{SOMEBODY}")'
    assert call_text(Call(COUNCIL, data), PINS) == f"UNREADABLE call of {COUNCIL}: 0x{data.hex()}"
    assert call_text(Call(SOMEBODY, data), PINS).startswith(f"UNREADABLE call of {SOMEBODY}")


def test_integers_may_be_texts() -> None:
    words = {"contract": "council", "function": "set_governors"}
    for quorum in (1, "1"):
        [call] = read_calls([words | {"arguments": {"governors": [SOMEBODY], "quorum": quorum}}], PINS)
        assert call.data == Council.set_governors_call([SOMEBODY], 1)


def test_any_case_of_an_address_is_the_same() -> None:
    upper = {**SUSPEND, "arguments": {"account": "0x" + "AB" * 20}}
    assert read_calls([upper], PINS) == read_calls([SUSPEND], PINS)


@pytest.mark.parametrize(
    ("document", "what"),
    [
        ({}, "a list of 1 to 8"),
        ([], "a list of 1 to 8"),
        ([SUSPEND] * 9, "a list of 1 to 8"),
        (["suspend"], "call 1: needs exactly contract, function and arguments"),
        ([SUSPEND, {"contract": "participants"}], "call 2: needs exactly"),
        ([{**SUSPEND, "note": "please"}], "call 1: needs exactly"),
        ([{**SUSPEND, "contract": "bank"}], "contract is one of council, participants"),
        ([{**SUSPEND, "contract": ["council"]}], "contract is one of council, participants"),
        ([{**SUSPEND, "function": "dismiss"}], "participants has the functions admit"),
        ([{**SUSPEND, "function": "participant"}], "participants has the functions admit"),
        ([{**SUSPEND, "function": None}], "participants has the functions admit"),
        ([{**SUSPEND, "arguments": {}}], "call 1, participants.suspend: needs exactly account"),
        ([{**SUSPEND, "arguments": [SOMEBODY]}], "call 1, participants.suspend: needs exactly account"),
        ([{**SUSPEND, "arguments": {"account": SOMEBODY, "reason": ""}}], "needs exactly account"),
        ([{**SUSPEND, "arguments": {"account": SOMEBODY[:-1]}}], "call 1, participants.suspend, account: "),
        ([{**SUSPEND, "arguments": {"account": 7}}], "call 1, participants.suspend, account: "),
        ([{"target": SOMEBODY, "data": "0x0"}], "call 1: must be any number of bytes"),
        ([{"target": "somebody", "data": "0x"}], "call 1: "),
    ],
)
def test_wrong_words_are_refused_by_their_place(document: object, what: str) -> None:
    with pytest.raises(Malformed) as failure:
        read_calls(document, PINS)
    assert what in failure.value.detail


@pytest.mark.parametrize("quorum", [True, 1.0, "1.0", "٣", "0x1", "+1", "01", -1, 2**256, None, [1], {}])
def test_what_is_no_integer_of_the_type_is_refused(quorum: object) -> None:
    arguments = {"governors": [SOMEBODY], "quorum": quorum}
    with pytest.raises(Malformed, match="set_governors, quorum"):
        read_calls([{"contract": "council", "function": "set_governors", "arguments": arguments}], PINS)


@pytest.mark.parametrize("text", [7, None, ["x"], {"a": 1}, "\ud800"])
def test_what_is_no_text_is_refused(text: object) -> None:
    arguments = {"account": SOMEBODY, "endpoint": text}
    with pytest.raises(Malformed, match="set_endpoint, endpoint"):
        read_calls([{"contract": "participants", "function": "set_endpoint", "arguments": arguments}], PINS)


@pytest.mark.parametrize("key", ["0x" + "11" * 31, "0x" + "11" * 33, "11" * 32, "0x" + "1g" * 32, 7])
def test_what_is_no_hash_is_refused(key: object) -> None:
    arguments = {"id": 0, "calls_hash": key}
    with pytest.raises(Malformed, match="approve, calls_hash"):
        read_calls([{"contract": "council", "function": "approve", "arguments": arguments}], PINS)
