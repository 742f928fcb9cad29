"""Identifiers: each has one form, and everything that only looks like it is refused."""

from __future__ import annotations

import uuid

import pytest

from contracts.terms.errors import Malformed
from contracts.terms.identifiers import (
    NO_UETR,
    address,
    bic,
    lei,
    lei_with_check_digits,
    new_uetr,
    uetr,
    uetr_bytes,
)

UETR = "eb6305c9-1f7f-49de-aed0-16487c27b42d"
REAL_LEIS = ["7LTWFZYICNSX8D621K86", "5493001KJTIIGC8Y1R12", "W22LROWP2IHZNBB6K528"]


def test_a_new_uetr_is_one_and_differs_from_the_last() -> None:
    first, second = new_uetr(), new_uetr()
    assert uetr(first) == first != second
    assert uetr_bytes(first) == uuid.UUID(first).bytes


def test_no_original_payment_is_sixteen_zero_bytes() -> None:
    assert uetr_bytes("") == NO_UETR == b"\0" * 16


@pytest.mark.parametrize(
    "text",
    [
        "", UETR.upper(), UETR.replace("-", ""), "{" + UETR + "}", "urn:uuid:" + UETR, UETR + "\n", UETR[:-1],
        UETR.replace("-49de", "-19de"), UETR.replace("-aed0", "-ced0"), UETR.replace("0", "٠"),
        "00000000-0000-0000-0000-000000000000",
    ],
)  # fmt: skip
def test_what_is_no_version_4_uuid_in_lower_case_is_no_uetr(text: str) -> None:
    with pytest.raises(Malformed):
        uetr(text)


@pytest.mark.parametrize("text", REAL_LEIS)
def test_leis_of_real_institutions_pass(text: str) -> None:
    assert lei(text) == text
    assert lei_with_check_digits(text[:18]) == text


@pytest.mark.parametrize("text", REAL_LEIS)
def test_every_single_wrong_character_and_every_swap_breaks_an_lei(text: str) -> None:
    wrong = [text[:i] + other + text[i + 1 :] for i in range(20) for other in "0A9" if other != text[i]]
    swapped = [text[:i] + text[i + 1] + text[i] + text[i + 2 :] for i in range(19) if text[i] != text[i + 1]]
    for altered in wrong + swapped:
        with pytest.raises(Malformed):
            lei(altered)


def test_an_lei_has_one_pair_of_check_digits() -> None:
    """MOD 97-10 check digits are 02 to 98: 00, 01 and 99 would be second names of 97, 98 and 02."""
    for first in range(4000):
        first18 = f"9999{first:014d}"
        passing = [digits for digits in range(100) if _is_lei(f"{first18}{digits:02d}")]
        assert passing == [int(lei_with_check_digits(first18)[18:])]
        if 98 in passing or 2 in passing:
            return
    pytest.fail("no LEI with an ambiguous pair was met")


def _is_lei(text: str) -> bool:
    try:
        return lei(text) == text
    except Malformed:
        return False


@pytest.mark.parametrize(
    "text", ["", REAL_LEIS[0].lower(), REAL_LEIS[0] + " ", REAL_LEIS[0][:-1], "７LTWFZYICNSX8D621K86"]
)
def test_an_lei_is_twenty_capital_ascii_characters(text: str) -> None:
    with pytest.raises(Malformed):
        lei(text)


@pytest.mark.parametrize("text", ["DEUTDEFF", "DEUTDEFF500", "BKTHTHBK", "E097AEXX"])
def test_bics_of_eight_and_eleven_characters_pass(text: str) -> None:
    assert bic(text) == text


@pytest.mark.parametrize(
    "text",
    ["", "DEUTDEF", "DEUTDEFF5", "DEUTDEFF50", "DEUTDEFF5000", "deutdeff", "DEUT1EFF", "DEUTDEFF\n", "ＤEUTDEFF"],
)
def test_what_is_no_bic_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        bic(text)


def test_addresses_are_made_lower_case() -> None:
    assert address("0x" + "aB" * 20) == "0x" + "ab" * 20


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0x",
        "ab" * 20,
        "0X" + "ab" * 20,
        "0x" + "ab" * 19,
        "0x" + "ab" * 21,
        "0x" + "zz" * 20,
        "0x" + "ab" * 20 + "\n",
    ],
)
def test_what_is_no_address_is_refused_without_repeating_it_at_length(text: str) -> None:
    with pytest.raises(Malformed):
        address(text)
    with pytest.raises(Malformed) as refusal:
        address("x" * 100_000)
    assert len(str(refusal.value)) < 200
