"""Damaged and hostile files: refused whole, in one line that says where, in little time and memory."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from compliance.lists.catalogue import read_catalogue
from compliance.lists.loader import SHIPPED_LIST, load_list, read_list
from contracts.terms.errors import Malformed
from tests.list_files import public

UN = (
    '<?xml version="1.0"?>{doctype}<CONSOLIDATED_LIST dateGenerated="2026-01-01">'
    "<INDIVIDUALS>{entries}</INDIVIDUALS></CONSOLIDATED_LIST>"
)
ONE = "<INDIVIDUAL><DATAID>1</DATAID><FIRST_NAME>{name}</FIRST_NAME></INDIVIDUAL>"
LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)
)
CSV = "list,entry_id,kind,name,aliases,birth_dates,nationalities,origin,as_of\n"
ROW = "TEST,7,person,Aung Khant,,1970,MM,a test,2026-01-01\n"
OFSI = (
    "Last Updated,03/06/2026\n"
    "Name 6,Name 1,Name 2,Name 3,Name 4,Name 5,DOB,Nationality,Group Type,Alias Type,Group ID\n"
)


def un(name: str, doctype: str = "") -> bytes:
    return UN.format(doctype=doctype, entries=ONE.format(name=name)).encode()


DAMAGED: list[tuple[str, bytes, str]] = [
    ("laughs.xml", un("&j;", LAUGHS + "]>"), "declares entities or a DTD"),
    ("outside.xml", un("&x;", '<!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/passwd">]>'), "declares entities"),
    ("dtd.xml", un("A B", '<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd">'), "declares entities or a DTD"),
    ("cut.xml", un("A B")[:-30], r"not well-formed XML after INDIVIDUAL 1"),
    ("long.xml", un("A" * 1_000_000), "INDIVIDUAL 1: a name, id or number has more than 1000"),
    ("nameless.xml", un(""), "INDIVIDUAL 1: an entry needs its list, an id and a name"),
    ("twice.xml", UN.format(doctype="", entries=ONE.format(name="A B") * 2).encode(), "UN SC 1 stands twice"),
    ("none.xml", UN.format(doctype="", entries="").encode(), "no entries"),
    ("other.xml", b"<html><body>Service unavailable</body></html>", "not a list in a form that is known"),
    ("page.html", b"<!doctype html><p>Moved", "not a list in a form that is known"),
    ("empty.csv", b"", "it is empty"),
    ("latin.csv", (CSV + ROW).encode() + "TEST,8,person,Jos\xe9,,,,x,y\n".encode("latin-1"), "line 3: not UTF-8"),
    ("utf16.csv", (CSV + ROW).encode("utf-16"), "not a list in a form that is known"),
    ("cut.csv", (CSV + ROW + ROW[:20]).encode(), "row 3: it has not 9 columns but"),
    ("quote.csv", (CSV + ROW + 'TEST,8,person,"half').encode(), "row 3: not a CSV file"),
    ("long.csv", (CSV + ROW.replace("Aung", "A" * 1_000_001)).encode(), "row 2: not a CSV file|row 2: a name"),
    ("many.csv", (CSV + ROW.replace(",,", "," + "|".join(map(str, range(3000))) + ",")).encode(), "more than 2000"),
    ("ships.csv", (CSV + ROW.replace("person", "ship")).encode(), "row 2: kind is person or organization"),
    ("ofsi.csv", (OFSI + "A,B,,,,,,,Individual,Primary name,1\nC,D,,,\n").encode(), "row 4: it has not 11 columns"),
    ("ofsi.csv", (OFSI + "A,B,,,,,,,Robot,Primary name,1\n").encode(), "row 3: kind is"),
    ("ftm.json", b'{"id":"1","schema":"Person","properties":{"name":["A B"]}}\n{"id":"2","sch', "line 2: not JSON"),
    ("ftm.json", b'{"id":"1","schema":"Person","properties":{"name":"A B"}}', "line 1: name must be a list"),
    (
        "deep.json",
        b'{"id":"1","schema":"Person","properties":' + b'{"a":' * 100_000,
        "not a list|line 1: more than 2000 brackets",
    ),
    ("sdn.csv", b'1,"A B","individual",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- \n2,"C', "row 2: not"),
    ("alt.csv", b'1,1,"aka","A B",-0- \n', "without the entries"),
    ("list.csv.gz", gzip.compress((CSV + ROW).encode())[:-9], "cut off"),
    ("list.csv.gz", b"\x1f\x8bnonsense", "not a gzip file"),
]


@pytest.mark.parametrize(("name", "content", "said"), DAMAGED, ids=[f"{n} {each[0]}" for n, each in enumerate(DAMAGED)])
def test_a_damaged_file_is_refused_whole_and_says_where(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(Malformed, match=said) as refused:
        load_list(file)
    assert name in refused.value.detail
    assert "\n" not in refused.value.detail
    assert len(refused.value.detail) < 1_000


def test_a_real_file_cut_anywhere_is_never_read_in_part(tmp_path: Path) -> None:
    whole = public("un_sc_consolidated_2026-02-27.xml").read_bytes()
    for part in range(1, 20):
        (tmp_path / "cut.xml").write_bytes(whole[: len(whole) * part // 20])
        with pytest.raises(Malformed, match="fetch the file again"):
            load_list(tmp_path / "cut.xml")


def test_aliases_of_another_day_are_noticed(tmp_path: Path) -> None:
    (tmp_path / "sdn.csv").write_text('1,"A B","individual",' + ",".join(["-0- "] * 9) + "\n")
    (tmp_path / "alt.csv").write_text('2,1,"aka","C D",-0- \n')
    with pytest.raises(Malformed, match=r"alt\.csv: row 1: no file here has the entry 2"):
        load_list(tmp_path)


def test_one_bad_file_refuses_the_folder(tmp_path: Path) -> None:
    (tmp_path / "good.csv").write_text(CSV + ROW)
    (tmp_path / "README.md").write_text("where this is from")
    assert len(load_list(tmp_path).entries) == 1
    (tmp_path / "zzz.csv").write_text("a,b\n1,2\n")
    with pytest.raises(Malformed, match=r"zzz\.csv: not a list"):
        load_list(tmp_path)
    with pytest.raises(Malformed, match="the folder has no files"):
        load_list(_empty(tmp_path))


def _empty(folder: Path) -> Path:
    (folder / "empty").mkdir()
    return folder / "empty"


def test_control_characters_and_lines_in_names_become_spaces() -> None:
    [entry] = read_list(CSV + ROW.replace("Aung Khant", '"Aung\x00\x07\n  Khant\x1b[31m"')).entries
    assert entry.name == "Aung Khant [31m"


def test_what_looks_like_code_stays_text() -> None:
    hostile = ["'; DROP TABLE lists; --", "{{7*7}}", "${jndi:ldap://x}", "(a+)+$", "=cmd|' /C calc'!A0", "\u202eanna"]
    for name in hostile:
        [entry] = read_list(CSV + ROW.replace("Aung Khant", '"' + name + '"')).entries
        assert entry.name == name


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "a section for each list"),
        ("x = 1", "a section for each list"),
        ("[lists]", "a section for each list"),
        ("[lists.a]", "lists.a: source is needed"),
        ("[lists.a]\nsource = 'x'\ncolour = 'red'", "lists.a: source is needed; .* no others"),
        ("[lists.'A B']\nsource = 'x'", "a name has up to 40 small letters"),
        ("[lists.a]\nsource = 7", "lists.a.source: a file, a folder or an https URL"),
        ("[lists.a]\nsource = 'http://example.org/x'", "only https is taken"),
        ("[lists.a]\nsource = 'https://me:secret@example.org/x'", "without a password"),
        ("[lists.a]\nsource = 'https://[bad'", "only https is taken"),
        ("[lists.a]\nsource = 'https://a:99999/'", "only https is taken"),
        ("[lists.a]\nsource = 'ftp://127.0.0.1/x'", "only https is taken"),
        ("[lists.a]\nsource = 'x'\ncategory = 'bad'", "lists.a.category"),
        ("[lists.a]\nsource = 'x'\nsha256 = 'beside'", "lists.a.sha256"),
        ("[lists.a]\nsource = 'x'\nsha256 = 'abc'", "lists.a.sha256"),
        ("[lists.a]\nsource = 'x'\nmax_age_seconds = -1", "lists.a.max_age_seconds"),
        ("[lists.a]\nsource = 'x'\nrefresh_seconds = 1.5", "lists.a.refresh_seconds"),
        ("[lists.a]\nsource = 'x'\nleast_entries = true", "lists.a.least_entries"),
        ("[lists.a", "not TOML"),
    ],
)
def test_a_wrong_catalogue_is_refused(content: str, said: str) -> None:
    with pytest.raises(Malformed, match=said):
        read_catalogue(content, SHIPPED_LIST.parent)
