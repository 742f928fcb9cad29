"""The two files that rule: the list and the policy. A wrong one is refused in a line that names the place."""

from __future__ import annotations

from pathlib import Path

import pytest

from compliance.lists.loader import SHIPPED_LIST, load_list, read_list
from compliance.policy import SHIPPED_POLICY, load_policy, read_policy
from contracts.terms.errors import Malformed

HEADER = "list,entry_id,kind,name,aliases,birth_dates,nationalities,origin,as_of\n"
ROW = 'TEST,7,person,"KHANT, Aung",Aung Min|Min Khant,1970|1971-02-03,MM|TH,a test,2026-01-01\n'
POLICY = SHIPPED_POLICY.read_text()


def test_the_shipped_extract_is_real_and_says_where_it_is_from() -> None:
    shipped = load_list(SHIPPED_LIST)
    assert 60 <= len(shipped.entries) <= 120
    assert {entry.kind for entry in shipped.entries} == {"person", "organization"}
    assert {(source.list_name, source.as_of) for source in shipped.sources} == {
        ("OFAC SDN", "2026-08-03"),
        ("UN SC", "2026-02-27"),
    }
    assert len({entry.reference for entry in shipped.entries}) == len(shipped.entries)


def test_a_row_becomes_an_entry() -> None:
    [entry] = read_list(HEADER + ROW).entries
    assert entry.name == "KHANT, Aung"
    assert entry.aliases == ("Aung Min", "Min Khant")
    assert entry.birth_years == (1970, 1971)
    assert entry.nationalities == ("MM", "TH")


def test_other_content_is_another_version() -> None:
    assert read_list(HEADER + ROW).version == read_list(HEADER + ROW).version
    assert read_list(HEADER + ROW).version != read_list(HEADER + ROW.replace("1970", "1980")).version
    assert read_policy(POLICY).version != read_policy(POLICY.replace("970", "971")).version


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "columns"),
        (HEADER, "no entries"),
        (HEADER.replace("kind", "sort") + ROW, "columns"),
        (HEADER + ROW.replace("person", "ship"), "row 2: kind"),
        (HEADER + ROW + ROW.replace("1971-02-03", "circa 1971"), "row 3: a birth date"),
        (HEADER + ROW.replace('"KHANT, Aung"', ""), "row 2: list, entry_id and name"),
        (HEADER + "TEST,7,person\n", "row 2: it has not 9 columns"),
        (HEADER + ROW.replace("a test", "a,test"), "row 2: it has not 9 columns"),
    ],
)
def test_a_wrong_list_is_refused(content: str, said: str) -> None:
    with pytest.raises(Malformed, match=said):
        read_list(content)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("hold = 880", "hold = 971", "names.hold"),
        ("hold = 880", "hold = 88.0", "names.hold"),
        ("hold = 880", "", "names"),
        ("seconds = 86400 ", "seconds = 0 ", "holds.seconds"),
        ("payment = 5_000_000", "payment = 5.0", "limits.CNY.payment"),
        ("payment = 5_000_000", "payment = 0", "limits.CNY.payment"),
        ("[limits.CNY]", "[limits.XYZ]", "limits.XYZ"),
        ('"KP"', '"North Korea"', "countries.blocked"),
        ("[holds]", "[holds", "not TOML"),
        ("[holds]", "[extra]\n[holds]", "sections"),
    ],
)
def test_a_wrong_policy_is_refused(old: str, new: str, said: str) -> None:
    assert old in POLICY
    with pytest.raises(Malformed, match=said):
        read_policy(POLICY.replace(old, new, 1))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    for load in (load_list, load_policy):
        with pytest.raises(Malformed, match=r"nowhere\.csv"):
            load(tmp_path / "nowhere.csv")
