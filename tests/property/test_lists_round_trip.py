"""No entry is lost or invented: what our own form writes, it reads back as the same."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from compliance.lists.entries import CATEGORIES, ListEntry, ListSource
from compliance.lists.formats.draft import ListFile, Parsed, clean
from compliance.lists.formats.own_csv import read, write
from compliance.lists.loader import joined, read_files, read_list

text = st.text(min_size=1, max_size=30).map(clean).filter(bool)
special = st.sampled_from(["|", "\\", '"', ",", "a|b", "a\\|b", "\\\\", "x\\", "=1+1", "ليلى", "金 铁三", "É|É"])
name = text | special
several = st.lists(name, unique=True, max_size=4).map(tuple)
birth = st.sampled_from(["1970", "1981-02-03", "1999-12-31"])


@st.composite
def entries(draw: st.DrawFn) -> list[ListEntry]:
    ids = draw(st.lists(st.tuples(st.sampled_from(["A", "B C"]), text), unique=True, min_size=1, max_size=6))
    return [_entry(draw, *each) for each in ids]


def _entry(draw: st.DrawFn, list_name: str, entry_id: str) -> ListEntry:
    names = draw(st.lists(name, unique=True, min_size=1, max_size=8))
    strong = draw(st.integers(1, len(names)))
    return ListEntry(
        list_name,
        entry_id,
        draw(st.sampled_from(["person", "organization"])),
        names[0],
        tuple(names[1:strong]),
        tuple(draw(st.lists(birth, unique=True, max_size=3))),
        tuple(draw(st.lists(st.sampled_from(["TH", "CN", "KP"]), unique=True, max_size=2))),
        tuple(names[strong:]),
        tuple(draw(st.lists(st.sampled_from(["male", "female"]), unique=True, max_size=2))),
        draw(several),
        draw(st.sampled_from(CATEGORIES)),
    )


@given(entries())
def test_our_own_form_reads_what_it_writes(given_entries: list[ListEntry]) -> None:
    named = dict.fromkeys(entry.list_name for entry in given_entries)
    sources = tuple(ListSource(each, f"origin of {each}", "2026-01-01") for each in named)
    parsed = Parsed(tuple(given_entries), sources)
    written = write(parsed)
    assert read(ListFile("x.csv", written.encode())) == parsed
    assert read_list(written).entries == parsed.entries
    assert read_files([ListFile("x.csv", written.encode())]).content == written, "another round changes nothing"


@given(entries(), entries())
def test_lists_together_have_every_name_of_each_and_no_other(one: list[ListEntry], other: list[ListEntry]) -> None:
    together = {entry.reference: entry for entry in joined([one, other])}
    assert together.keys() == {entry.reference for entry in [*one, *other]}
    for reference, entry in together.items():
        names = {each for given in [*one, *other] if given.reference == reference for each in given.names}
        assert set(entry.names) == names
