"""Whatever is written as a name: a bounded amount of work, the same answer again, reasons without the name itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.lists.entries import ListEntry
from compliance.lists.loader import SHIPPED_LIST, load_list
from compliance.names.match import NameIndex
from compliance.names.model import shipped_model
from compliance.names.search import MAX_COMPARED
from compliance.names.written import MAX_WORD, MAX_WORDS, Writing
from contracts.terms.parties import Party

INDEX = NameIndex(load_list(SHIPPED_LIST).entries)
MEGABYTE = 1_000_000
HOSTILE = {
    "long": "a" * MEGABYTE,
    "many words": "a b " * (MEGABYTE // 4),
    "many of one word": "putin " * (MEGABYTE // 6),
    "combining": "a" + "\u0301" * MEGABYTE,
    "expanding": "\ufdfa" * (MEGABYTE // 3),
    "bidi": "\u202e\u2066" * (MEGABYTE // 2) + "Putin",
    "emoji": "🙂‍🙃" * (MEGABYTE // 4),
    "regex": "(" * 500 + "a+" * 500 + ")+" * 500 + "$",
    "sql": "'; DROP TABLE decisions; --",
    "template": "{{ 7*7 }} ${7*7} <%= 7*7 %> {0.__class__}",
    "surrogate": "\ud800Putin",
    "null": "Vladimir\0Putin",
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("kind", ["person", "organization"])
def test_hostile_names_are_cut_to_a_bound(name: str, kind: str) -> None:
    readings = Writing(shipped_model().rarity).read(HOSTILE[name], kind)
    assert len(readings) <= 3
    for reading in readings:
        assert len(reading.words) <= MAX_WORDS
        assert all(len(word.text) <= MAX_WORD for word in reading.words)
        assert len(INDEX._names.near(HOSTILE[name], kind)) <= MAX_COMPARED * len(readings)
    assert INDEX.matches(Party(HOSTILE[name], kind)) == INDEX.matches(Party(HOSTILE[name], kind))


@pytest.mark.parametrize(
    "name",
    [
        "Vla\u200bdimir Pu\u200dtin",
        "\u202eVladimir Putin\u202c",
        "Vlаdimir Рutin",
        "Ｖｌａｄｉｍｉｒ Ｐｕｔｉｎ",
        "Vladimir 🙂 Putin",
    ],
)
def test_disguises_do_not_help(name: str) -> None:
    """Zero width, right to left, Cyrillic letters that look Latin, full width, emoji."""
    [match, *_] = INDEX.matches(Party(name, "person"))
    assert match.entry_id == "35096"


@given(st.text(max_size=200), st.sampled_from(["person", "organization"]))
def test_any_listed_name_is_found_by_itself(name: str, kind: str) -> None:
    index = NameIndex([ListEntry("TEST", "1", kind, name, (), (), ())])
    found = index.matches(Party(name, kind))
    assert [match.score for match in found] in ([1000], [])


@given(st.lists(st.sampled_from([e.name for e in load_list(SHIPPED_LIST).entries]), min_size=1, max_size=2))
def test_reasons_hold_only_listed_words(names: list[str]) -> None:
    asked = " ".join([*names, "Qzwxhidden"])
    for match in INDEX.matches(Party(asked, "person")):
        assert "qzwxhidden" not in " ".join(match.reasons).lower()
