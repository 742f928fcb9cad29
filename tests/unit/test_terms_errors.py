"""The tree of errors: each leaf explains itself and names a reason that exists in ISO 20022."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from contracts.terms import errors
from contracts.terms.errors import FeiqianError, InsufficientFunds

TREE = sorted(
    (kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, FeiqianError)),
    key=lambda kind: kind.__name__,
)
CODE_SET = Path("shared", "data", "iso20022", "code_sets", "external_status_reason_code.json")


def code_set() -> Path | None:
    """The published code set, which lies beside the checkout and not in it."""
    beside = (parent / CODE_SET for parent in Path(__file__).resolve().parents)
    return next((path for path in beside if path.is_file()), None)


@pytest.mark.parametrize("kind", TREE)
def test_each_error_explains_itself(kind: type[FeiqianError]) -> None:
    assert kind.title
    assert kind.title[0].isupper()
    assert re.fullmatch("[A-Z]{2}[A-Z0-9]{2}", kind.reason)


def test_titles_and_kinds_are_not_shared() -> None:
    """A title taken over from the branch says nothing about the leaf."""
    assert len({kind.title for kind in TREE}) == len({kind.kind() for kind in TREE}) == len(TREE)


def test_the_kind_is_the_name_in_kebab_case() -> None:
    assert InsufficientFunds.kind() == "insufficient-funds"
    assert all(re.fullmatch("[a-z]+(-[a-z]+)*", kind.kind()) for kind in TREE)


def test_an_error_keeps_its_detail_and_fields() -> None:
    error = InsufficientFunds("too little", currency="THB", missing=5)
    assert (error.detail, error.fields, str(error)) == ("too little", {"currency": "THB", "missing": 5}, "too little")


@pytest.mark.parametrize("kind", TREE)
def test_each_reason_is_in_external_status_reason_code(kind: type[FeiqianError]) -> None:
    path = code_set()
    if path is None:
        pytest.skip("the ISO 20022 code set is not beside this checkout")
    assert kind.reason in json.loads(path.read_text())["codes"]
