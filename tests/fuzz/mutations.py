"""Mutated payment codes: pieces of real ones, put together wrongly, most with lengths and checksum right again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from contracts.terms.errors import BadPaymentCode
from nodes.qr.crc import HEAD, checksum
from nodes.qr.tlv import parse

ALPHABET = "0123456789.-+eE_,NaN ASGTHID@/=&?%\u0660\uff11é茶👀\u202e\u200d\x00\ud800"
VALUES = (
    "0", "0.00", "1", "1.", ".5", "00012.50", "1E3", "+9", "1_0", "NaN", "１２", "٣", "9999999999999", "1.005", "12.50",
    "764", "702", "704", "392", "048", "999", "TH", "SG", "VN", "JP", "XX", "11", "12", "13", "01", "02", "03", "99.99",
)  # fmt: skip


class Source(Protocol):
    """Where the choices come from: the fuzzer, or a seeded generator."""

    def below(self, bound: int) -> int:
        """An integer from 0 up to, not including, `bound`."""


def mutated(seeds: Sequence[str], source: Source) -> str:
    """A seed after one to four changes."""
    text = seeds[source.below(len(seeds))]
    for _ in range(1 + source.below(4)):
        text = _CHANGES[source.below(len(_CHANGES))](text, seeds, source)
    return text if source.below(4) == 0 else _checksummed(text)


def _replaced(text: str, _seeds: Sequence[str], source: Source) -> str:
    place = source.below(len(text) + 1)
    return text[:place] + ALPHABET[source.below(len(ALPHABET))] + text[place + source.below(2) :]


def _cut(text: str, _seeds: Sequence[str], source: Source) -> str:
    start = source.below(len(text) + 1)
    return text[:start] + text[start + source.below(12) :]


def _spliced(text: str, seeds: Sequence[str], source: Source) -> str:
    other = seeds[source.below(len(seeds))]
    return text[: source.below(len(text) + 1)] + other[source.below(len(other) + 1) :]


def _with_value(text: str, _seeds: Sequence[str], source: Source) -> str:
    """One object's value replaced, its length right."""
    try:
        objects = list(parse(text).items())
    except BadPaymentCode:
        return text
    if not objects:
        return text
    place = source.below(len(objects))
    objects[place] = (objects[place][0], VALUES[source.below(len(VALUES))])
    return _joined(objects)


def _moved(text: str, seeds: Sequence[str], source: Source) -> str:
    """An object of another code put in."""
    try:
        objects = list(parse(text).items())
        others = list(parse(seeds[source.below(len(seeds))]).items())
    except BadPaymentCode:
        return text
    if not others:
        return text
    objects.insert(source.below(len(objects) + 1), others[source.below(len(others))])
    return _joined(objects)


_CHANGES = (_replaced, _cut, _spliced, _with_value, _with_value, _moved)


def _joined(objects: list[tuple[str, str]]) -> str:
    return "".join(f"{identifier}{len(value):02d}{value}" for identifier, value in objects)


def _checksummed(text: str) -> str:
    """The text with a right checksum, if it is one that has any."""
    if not text.startswith("00"):
        return text
    body = (text[:-8] if text[-8:-4] == HEAD else text) + HEAD
    try:
        return body + checksum(body)
    except UnicodeEncodeError:
        return text
