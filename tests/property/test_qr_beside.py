"""Our reader beside the slow one that shares nothing with it, and every one-character change of every labelled code."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from contracts.terms.errors import BadPaymentCode
from nodes.qr import PaymentCode, read
from nodes.qr.crc import checksum
from tests.fuzz.beside import compare
from tests.fuzz.mutations import mutated
from tests.fuzz.seeds import seeds
from tests.fuzz.slow_reader import Unreadable, crc_16, emv_amount
from tests.qr_vectors import ABSENT, LABELLED_ON, rows, valid_rows

MUTATIONS, SEED = 5_000, 3
EMV = [row["payload"] for row in valid_rows() if row["mode"] == "MPM"]


class Chosen:
    """Choices of a seeded generator."""

    def __init__(self, seed: int) -> None:
        self._source = random.Random(seed)

    def below(self, bound: int) -> int:
        return self._source.randrange(bound)


def test_mutated_codes_are_refused_or_read_as_the_slow_reader_reads_them() -> None:
    source, known = Chosen(SEED), seeds()
    ends = Counter(compare(mutated(known, source)) for _ in range(MUTATIONS))
    assert ends["read"] > MUTATIONS // 50
    assert len(ends) > 15


def test_the_slow_reader_has_its_own_checksum_and_amounts() -> None:
    assert crc_16(b"123456789") == int(checksum("123456789"), 16) == 0x29B1
    for row in rows():
        if row["mode"] == "MPM" and row["valid"] and "amount" in row["expected"] and row["payload"].isascii():
            numeric, amount = emv_amount(row["payload"])
            assert (numeric, amount) == (row["expected"]["currency"], amount)
            assert amount is not None
    with pytest.raises(Unreadable):
        emv_amount("00020163040000")


@pytest.mark.skipif(not EMV, reason=ABSENT)
@pytest.mark.parametrize("characters", ["0579", "ABZ", "az ~", "é茶👀"])
def test_every_one_character_change_of_a_labelled_code_is_refused(characters: str) -> None:
    """Of an EMVCo code: the CRC finds each change within two bytes, and all but one in 65,536 of longer ones. What is
    left is a checksum in small letters. (Links and customers' numbers have no checksum to find anything by.)"""
    left = [
        (payload, changed)
        for payload in EMV
        for place in range(len(payload))
        for character in characters
        if payload[place] != character
        and isinstance(_read_or_none(changed := payload[:place] + character + payload[place + 1 :]), PaymentCode)
    ]
    by_chance = [changed for payload, changed in left if changed.upper() != payload.upper()]
    assert all(not changed.isascii() and checksum(changed[:-4]) == changed[-4:].upper() for changed in by_chance)
    assert len(by_chance) <= 2


def _read_or_none(text: str) -> object:
    try:
        return read(text, LABELLED_ON)
    except BadPaymentCode:
        return None
