"""The JSON form of the terms: everything is read back as it was, and nothing has a second form."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import contracts.terms
from contracts.terms.attestation import Attestation
from contracts.terms.batch import Batch, Endorsement, Position
from contracts.terms.commitments import batch_hash, payment_leaf, quote_hash
from contracts.terms.documents import from_document, to_document
from contracts.terms.errors import Malformed
from contracts.terms.identifiers import Address, Form, Hash, OptionalUetr, Uetr
from contracts.terms.money import Currency, MinorUnits, Money, Rounded, SignedMinorUnits
from contracts.terms.parties import Participant, Party
from contracts.terms.payment import Leg, PaymentTerms
from contracts.terms.quote import Quote

NEVER_SENT = {Currency, Money, Rounded, Participant, Form}
"""Not documents: what only this process's own code holds."""

UETRS = st.uuids(version=4).map(str)
LEAF_STRATEGIES: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (Address, st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex())),
    (Hash, st.binary(min_size=32, max_size=32)),
    (Uetr, UETRS),
    (OptionalUetr, UETRS | st.just("")),
    (MinorUnits, st.integers(0, 2**128 - 1)),
    (SignedMinorUnits, st.integers(-(2**127), 2**127 - 1)),
    (int, st.integers(0, 2**64 - 1)),
    (str, st.text(st.characters(exclude_categories=["Cs"]), max_size=30)),
    (bytes, st.binary(max_size=70)),
]


def kinds() -> Iterator[type]:
    for module in pkgutil.iter_modules(contracts.terms.__path__, "contracts.terms."):
        found = vars(importlib.import_module(module.name)).values()
        yield from (k for k in found if isinstance(k, type) and is_dataclass(k) and k.__module__ == module.name)


SENT = sorted(set(kinds()) - NEVER_SENT, key=lambda kind: kind.__name__)


@cache
def values(hint: Any) -> st.SearchStrategy[Any]:
    """Made once: to make and check one for each example takes as long as everything else."""
    if is_dataclass(hint):
        hints = get_type_hints(hint, include_extras=True)
        return st.builds(hint, **{field.name: values(hints[field.name]) for field in fields(hint)})
    if get_origin(hint) is tuple:
        return st.lists(values(get_args(hint)[0]), max_size=3).map(tuple)
    if get_origin(hint) is UnionType:
        return st.none() | st.one_of(values(each) for each in get_args(hint) if each is not NoneType)
    return next(strategy for leaf, strategy in LEAF_STRATEGIES if leaf == hint)


def over_the_wire(document: Any) -> Any:
    return json.loads(json.dumps(document))


def leaves(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value in a document, the document's own first."""
    yield path
    inside = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in inside:
        yield from leaves(value, (*path, key))


def may_be_none(hint: Any, path: tuple[Any, ...]) -> bool:
    """Whether the value at the path of a document of this type may be left out."""
    kinds = [each for each in get_args(hint) if each is not NoneType] if get_origin(hint) is UnionType else [hint]
    if not path:
        return kinds != [hint]
    [kind] = kinds
    inside = get_type_hints(kind, include_extras=True)[path[0]] if is_dataclass(kind) else get_args(kind)[0]
    return may_be_none(inside, path[1:])


def at(document: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        document = document[key]
    return document


def replaced(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    copy = deepcopy(document)
    at(copy, path[:-1])[path[-1]] = value
    return copy


def is_refused(kind: type, document: Any) -> bool:
    try:
        from_document(kind, document)
    except Malformed as refusal:
        return len(refusal.detail) < 300
    return False


@settings(max_examples=15)
@pytest.mark.parametrize("kind", SENT)
@given(data=st.data())
def test_every_kind_is_read_back_as_it_was_written(kind: type, data: st.DataObject) -> None:
    value = data.draw(values(kind))
    assert from_document(kind, over_the_wire(to_document(value))) == value


@settings(max_examples=8)
@pytest.mark.parametrize("kind", SENT)
@given(data=st.data())
def test_a_value_of_another_json_type_is_refused_wherever_it_stands(kind: type, data: st.DataObject) -> None:
    document = over_the_wire(to_document(data.draw(values(kind))))
    path = data.draw(st.sampled_from(list(leaves(document))))
    for other in (None, True, 1.0, "x", 7, [], {}, [[]], float("nan")):
        fits = other is None and may_be_none(kind, path)
        if not fits and type(other) is not type(at(document, path)):
            assert is_refused(kind, replaced(document, path, other)), (path, other)


@settings(max_examples=8)
@pytest.mark.parametrize("kind", SENT)
@given(data=st.data())
def test_unknown_and_missing_fields_are_refused(kind: type, data: st.DataObject) -> None:
    document = over_the_wire(to_document(data.draw(values(kind))))
    for path in leaves(document):
        if isinstance(at(document, path), dict):
            assert is_refused(kind, replaced(document, path, at(document, path) | {"x" * 10_000: 1}))
    for field in fields(kind):
        lacking = {name: value for name, value in document.items() if name != field.name}
        assert is_refused(kind, lacking) is (field.default is MISSING)


@settings(max_examples=8)
@pytest.mark.parametrize("kind", [kind for kind in SENT if kind is not Party])
@given(data=st.data())
def test_hex_and_uetrs_are_lower_case(kind: type, data: st.DataObject) -> None:
    document = over_the_wire(to_document(data.draw(values(kind))))
    for path in leaves(document):
        text = at(document, path)
        if isinstance(text, str) and path[-1] != "format" and re.search("[a-f]", text):
            assert is_refused(kind, replaced(document, path, text.upper().replace("0X", "0x")))


ACCOUNT, HASH, TREE_NAME = "0x" + "ab" * 20, b"\7" * 32, "eb6305c9-1f7f-49de-aed0-16487c27b42d"
PAYMENT = PaymentTerms(
    TREE_NAME, ACCOUNT, ACCOUNT, (Leg(ACCOUNT, ACCOUNT, 764, 5),), HASH, HASH, HASH, HASH, HASH, 1_000, TREE_NAME
)
BATCH = Batch(ACCOUNT, 0, 0, HASH, 1, (ACCOUNT,), (Position(ACCOUNT, 764, -5),), 1_000)
QUOTE = Quote(ACCOUNT, ACCOUNT, 764, 5, 702, 6, 1_000, HASH)
NO_AMOUNTS = ["", "-0", "+5", "05", "5.0", "1e3", "٣", "３", "5 ", "0x5", "1_0", "9" * 60]
NO_ADDRESSES = [
    "",
    "0x",
    "ab" * 20,
    "0x" + "ab" * 19,
    "0x" + "ab" * 21,
    "0x" + "zz" * 20,
    "0X" + "ab" * 20,
    "0x" + "١" * 40,
]
NO_HASHES = ["", "0x", "0x" + "07" * 31, "0x" + "07" * 33, "07" * 32, "0x" + "7" * 63, "0x" + "zz" * 32]
NO_UETRS = [
    "x",
    "{" + TREE_NAME + "}",
    TREE_NAME.replace("-", ""),
    "urn:uuid:" + TREE_NAME,
    TREE_NAME.replace("49de", "19de"),
]
SECOND_FORMS: list[tuple[object, tuple[Any, ...], list[str]]] = [
    (PAYMENT, ("uetr",), ["", *NO_UETRS]),
    (PAYMENT, ("original_uetr",), NO_UETRS),
    (PAYMENT, ("debtor_agent",), NO_ADDRESSES),
    (PAYMENT, ("quotes_hash",), NO_HASHES),
    (PAYMENT, ("creditor_decision",), NO_HASHES),
    (PAYMENT, ("legs", 0, "source"), NO_ADDRESSES),
    (PAYMENT, ("legs", 0, "amount"), ["-5", str(2**128), *NO_AMOUNTS]),
    (BATCH, ("members", 0), NO_ADDRESSES),
    (BATCH, ("payments_root",), NO_HASHES),
    (BATCH, ("positions", 0, "account"), NO_ADDRESSES),
    (BATCH, ("positions", 0, "delta"), [str(2**127), str(-(2**127) - 1), *NO_AMOUNTS]),
    (QUOTE, ("source_amount",), ["-1", *NO_AMOUNTS]),
    (QUOTE, ("nonce",), NO_HASHES),
]


@pytest.mark.parametrize(("value", "path", "texts"), SECOND_FORMS)
def test_what_hashing_could_not_tell_apart_or_not_take_is_refused(
    value: object, path: tuple[Any, ...], texts: list[str]
) -> None:
    document = to_document(value)
    assert from_document(type(value), document) == value
    for text in texts:
        assert is_refused(type(value), replaced(document, path, text)), text


@settings(max_examples=60)
@given(values(PaymentTerms), values(Batch), values(Quote))
def test_whatever_is_read_can_be_hashed(payment: PaymentTerms, batch: Batch, quote: Quote) -> None:
    """A peer's document either is refused at the door or never fails behind it."""
    for hashed in (payment_leaf(payment), batch_hash(batch), quote_hash(quote)):
        assert len(hashed) == 32


def test_numbers_are_uint64() -> None:
    document = to_document(BATCH)
    assert from_document(Batch, document | {"sequence": 2**64 - 1}).sequence == 2**64 - 1
    for wrong in (-1, 2**64, 1.0, True):
        assert is_refused(Batch, document | {"sequence": wrong})


@pytest.mark.parametrize("name", ["\ud800", "Zoë \udfff", "a\udbffb"])
def test_half_a_surrogate_pair_is_no_text(name: str) -> None:
    assert is_refused(Party, {"name": name, "kind": "person"})


def test_characters_beyond_the_basic_plane_are_text() -> None:
    party = Party("𠮷野家 飛錢 🏮", "organization")
    assert from_document(Party, over_the_wire(to_document(party))) == party


def test_the_path_of_the_first_wrong_value_is_named_and_the_value_is_not() -> None:
    wrong = replaced(to_document(PAYMENT), ("legs", 0, "amount"), "Alice's secret")
    with pytest.raises(Malformed) as refusal:
        from_document(PaymentTerms, wrong)
    assert refusal.value.detail.startswith("PaymentTerms.legs[0].amount: ")
    assert "Alice" not in refusal.value.detail


@dataclass(frozen=True)
class Question:
    """A document of a service above: nothing may stand for its amount and its leg."""

    name: str
    amount: MinorUnits | None = None
    leg: Leg | None = None


def test_none_stands_only_where_nothing_may_stand() -> None:
    endorsement = to_document(Endorsement(b"\1" * 65, Attestation(HASH, HASH, HASH, 5), b"\2" * 65))
    assert is_refused(Endorsement, endorsement | {"attestation": None})
    for question in (Question("a"), Question("a", 5), Question("a", None, Leg(ACCOUNT, ACCOUNT, 764, 5))):
        assert from_document(Question, over_the_wire(to_document(question))) == question
    assert to_document(Question("a", 5))["amount"] == "5"
    assert is_refused(Question, {"name": "a", "amount": "-5"})


def test_what_a_party_was_given_later_stands_only_where_it_is_told() -> None:
    """Or commitments of before it would no longer be those of the same party."""
    party = Party("Somchai Jaidee", "person")
    assert set(to_document(party)) == {"name", "kind", "country", "birth_date", "nationality", "account"}
    told = Party("Somchai Jaidee", "person", gender="male", identification="AB1234567")
    assert to_document(told) == to_document(party) | {"gender": "male", "identification": "AB1234567"}
    assert [from_document(Party, to_document(each)) for each in (party, told)] == [party, told]
