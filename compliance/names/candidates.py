"""The listed names that are worth comparing with an asked one: a full-text search over pieces of their words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import tantivy

from compliance.names.spelling import skeleton
from compliance.names.written import INITIAL, MINOR, Reading

MAX_FOUND = 50
"""Names a search answers, the likeliest first."""

_MAX_TERMS = 96
_MAX_POSTINGS, _FEWEST_TERMS = 12_000, 10
"""A search goes from the rarest term on until it would look at more names than this: what half of all names have tells
little and costs most."""

_FREQUENT = 50
"""Names that have a term, from where they are counted."""

_PIECE = 3
_HEAP = 15_000_000
"""Bytes; the least that the library takes."""

_ADDED_HEAP = 2_000
"""Bytes of heap a name, so that all names are written as one segment, whatever the machine."""


class Candidates:
    """An index in memory of readings, found again by their number. Its answer depends on nothing but the readings."""

    def __init__(self, listed: Sequence[Reading]) -> None:
        builder = tantivy.SchemaBuilder()
        builder.add_text_field("pieces", tokenizer_name="whitespace", index_option="freq")
        builder.add_unsigned_field("number", fast=True)
        self._schema = builder.build()
        index = tantivy.Index(self._schema)
        writer = index.writer(heap_size=_HEAP + _ADDED_HEAP * len(listed), num_threads=1)
        counts = Counter[str]()
        for number, reading in enumerate(listed):
            document = tantivy.Document()
            pieces = _pieces(reading)
            counts.update(set(pieces))
            document.add_text("pieces", " ".join(pieces))
            document.add_unsigned("number", number)
            writer.add_document(document)
        writer.commit()
        writer.wait_merging_threads()
        index.reload()
        self._searcher = index.searcher()
        self._frequent = {piece: count for piece, count in counts.items() if count >= _FREQUENT}

    def find(self, asked: Reading) -> list[int]:
        """Numbers of the readings that share most with it; the rarer what they share, the more it counts."""
        terms = self._telling(dict.fromkeys(_pieces(asked, asked=True)))
        if not terms:
            return []
        query = tantivy.Query.boolean_query(
            [(tantivy.Occur.Should, tantivy.Query.term_query(self._schema, "pieces", term, "freq")) for term in terms]
        )
        hits = self._searcher.search(query, MAX_FOUND, count=False).hits
        numbers = self._searcher.fast_field_values("number", [place for _, place in hits])
        return [int(number) for number in numbers if number is not None]

    def _telling(self, pieces: Iterable[str]) -> list[str]:
        """The rarest of these terms."""
        ranked = sorted(pieces, key=lambda piece: self._frequent.get(piece, 0))[:_MAX_TERMS]
        names = 0
        for place, piece in enumerate(ranked):
            names += self._frequent.get(piece, 0)
            if names > _MAX_POSTINGS and place >= _FEWEST_TERMS:
                return ranked[:place]
        return ranked


def _pieces(reading: Reading, *, asked: bool = False) -> list[str]:
    """Terms: each word's skeleton, three letters in a row of each, for each word the first letter of each other, and
    the skeleton of all words together, which for an asked name may begin with its last or end with its first; all
    letters, sorted."""
    words = [word for word in reading.words if word.role != MINOR] or list(reading.words)
    found = [f"={word.skeleton}" for word in words if word.role != INITIAL]
    starts = {word.sound[:1] for word in words}
    for word in words:
        if word.role != INITIAL:
            found += [f"{word.skeleton}~{start}" for start in sorted(starts)]
    found += [f"+{skeleton(sounds)}" for sounds in (reading.sounds if asked else reading.sounds[:1])]
    found.append(f"%{reading.anagram}")
    for word in words:
        text = f"^{word.fold}$"
        found += [text[place : place + _PIECE] for place in range(len(text) - _PIECE + 1)]
    return found
