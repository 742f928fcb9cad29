"""Names against the shipped extract: who is found, how sure it is, and what is said about it."""

from __future__ import annotations

import pytest

from compliance.lists.entries import ListEntry
from compliance.lists.loader import SHIPPED_LIST, load_list
from compliance.names.match import NameIndex
from compliance.names.normalise import words
from compliance.policy import SHIPPED_POLICY, load_policy
from contracts.terms.parties import Party

POLICY = load_policy(SHIPPED_POLICY)


@pytest.fixture(scope="module")
def shipped() -> NameIndex:
    return NameIndex(load_list(SHIPPED_LIST).entries)


def index_of(name: str, kind: str = "person", birth_dates: tuple[str, ...] = (), aliases: tuple[str, ...] = ()):
    return NameIndex([ListEntry("TEST", "1", kind, name, aliases, birth_dates, ("MM",))])


def best(index: NameIndex, name: str, kind: str = "person", **more: str) -> int:
    found = index.matches(Party(name, kind, **more))
    return found[0].score if found else 0


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Vladimir Putin", "person"),
        ("PUTIN, Vladimir Vladimirovich", "person"),
        ("Mr. vladimir  putin", "person"),
        ("Vla\u200bdimir Pu\u0301tin", "person"),
        ("Kim Jongun", "person"),
        ("عبدالخالق الحوثي", "person"),
        ("Sberbank of Russia PJSC", "organization"),
        ("Petroleos de Venezuela", "organization"),
        ("PETRÓLEOS DE VENEZUELA S.A.", "organization"),
    ],
)
def test_a_listed_name_is_refused_however_it_is_written(shipped: NameIndex, name: str, kind: str) -> None:
    assert best(shipped, name, kind) >= POLICY.refuse_score


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Vladimir Putyn", "person"),
        ("Wladimir Putin", "person"),
        ("Kim Jong", "person"),
        ("Vladimir Putin Charitable Trust", "person"),
        ("Vladimir Putin", "organization"),
    ],
)
def test_a_similar_name_is_held(shipped: NameIndex, name: str, kind: str) -> None:
    assert POLICY.hold_score <= best(shipped, name, kind) < POLICY.refuse_score


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Somchai Jaidee", "person"),
        ("สมชาย ใจดี", "person"),
        ("Zhang Wei", "person"),
        ("王小明", "person"),
        ("Tan Mei Ling", "person"),
        ("Muhammad Faizal bin Rahman", "person"),
        ("Siti Aminah", "person"),
        ("Red Dot Kopitiam Pte. Ltd.", "organization"),
        ("Bangkok Mango Rice", "organization"),
        ("Office Supplies Company Limited", "organization"),
    ],
)
def test_everyday_names_are_clear(shipped: NameIndex, name: str, kind: str) -> None:
    assert best(shipped, name, kind) < POLICY.hold_score


def test_another_birth_year_lowers_and_says_so(shipped: NameIndex) -> None:
    [agrees, *_] = shipped.matches(Party("Vladimir Putin", "person", birth_date="1953-01-01"))
    [differs, *_] = shipped.matches(Party("Vladimir Putin", "person", birth_date="1980-01-01"))
    assert agrees.score >= POLICY.refuse_score
    assert "the birth year agrees" in agrees.reasons
    assert POLICY.hold_score <= differs.score < POLICY.refuse_score
    assert "another birth year" in differs.reasons


def test_another_birth_year_clears_a_name_that_is_only_similar(shipped: NameIndex) -> None:
    assert best(shipped, "Vladimir Putyn", birth_date="1980-01-01") < POLICY.hold_score


def test_each_hit_is_explained() -> None:
    index = index_of("Aung KHANT", birth_dates=("1970",), aliases=("U Aung Khant Min",))
    [match] = index.matches(Party("Khant Aung", "person", birth_date="1971-05-05", nationality="TH"))
    assert (match.list_name, match.entry_id, match.name, match.score) == ("TEST", "1", "Aung KHANT", 1000)
    assert match.reasons == ("the same words in another order", "the birth year agrees", "another nationality")


def test_one_listed_entry_is_one_hit() -> None:
    assert len(index_of("Aung KHANT", aliases=("KHANT Aung", "Aung Khant")).matches(Party("Aung Khant", "person"))) == 1


def test_titles_and_legal_forms_are_dropped_unless_nothing_else_is_left() -> None:
    assert words("Dr. Aung Khant", "person") == ("aung", "khant")
    assert words("Khant Trading Co., Ltd.", "organization") == ("khant", "trading")
    assert words("Company Limited", "organization") == ("company", "limited")
    assert words("Straße", "person") == words("STRASSE", "person") == ("strasse",)
    assert words("Ørsted Łódź", "person") == ("orsted", "lodz")


def test_a_thai_vowel_is_a_letter_not_an_accent() -> None:
    assert words("กิน", "person") != words("กัน", "person")


@pytest.mark.parametrize("name", ["…!?", "\u202e\u202d", "🙂🙂", "\u200b"])
def test_what_has_no_letters_matches_nobody(shipped: NameIndex, name: str) -> None:
    assert shipped.matches(Party(name, "person")) == ()
