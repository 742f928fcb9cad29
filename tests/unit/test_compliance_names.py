"""Names against the shipped extract: who is found, how sure it is, and what is said about it."""

from __future__ import annotations

import pytest

from compliance.lists.entries import ListEntry
from compliance.lists.loader import SHIPPED_LIST, load_list
from compliance.names.match import LEAST_SCORE, NameIndex
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
        ("Ramzan Kadirov", "person"),
        ("V. Putin", "person"),
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


def test_reasons_say_which_words_agree_and_which_differ() -> None:
    index = index_of("PETROV, Sergei Ivanovich", aliases=("PETROV, Seryozha",))
    assert reasons(index, "S. Petrov") == (
        "PETROV: the same",
        "SERYOZHA: the initial agrees",
        "an alias of PETROV, Sergei Ivanovich",
    )
    assert reasons(index, "Sergey Ivanovich Petroff") == (
        "PETROV, SERGEI: spelled alike, the same sounds",
        "IVANOVICH: the same",
    )
    assert "compared as written in Latin letters" in reasons(index, "Сергей Иванович Петров")
    assert "all words of the listed name stand in it, and 1 more" in reasons(index, "Sergei Ivanovich Petrov Kuznetsov")


def reasons(index: NameIndex, name: str, kind: str = "person") -> tuple[str, ...]:
    return index.matches(Party(name, kind))[0].reasons


def test_a_weak_alias_is_held_and_never_refused() -> None:
    index = NameIndex([ListEntry("TEST", "1", "person", "KHANT, Aung", (), (), (), weak_aliases=("Golden Boy",))])
    [match] = index.matches(Party("Golden Boy", "person"))
    assert POLICY.hold_score <= match.score < POLICY.refuse_score
    assert "a weak alias of KHANT, Aung" in match.reasons


def test_a_score_depends_on_the_two_names_only() -> None:
    entries = load_list(SHIPPED_LIST).entries
    party = Party("Vladimir Putyn", "person")
    [among, *_] = NameIndex(entries).matches(party)
    [alone] = NameIndex([entry for entry in entries if entry.entry_id == among.entry_id]).matches(party)
    assert alone == among


@pytest.mark.parametrize(
    ("name", "listed"),
    [
        ("김정은", "KIM, Jong Un"),
        ("金正恩", "KIM, Jong Un"),
        ("习近平", "XI, Jinping"),
        ("習近平", "XI, Jinping"),
        ("欧阳锋", "OUYANG, Feng"),
        ("山田太郎", "Yamada Taro"),
        ("Владимир Путин", "PUTIN, Vladimir"),
        ("عبدالرحمن الغامدي", "AL-GHAMDI, Abdulrahman"),
        ("Αλέξανδρος Παπαδόπουλος", "Alexandros Papadopoulos"),
        ("สมชาย", "Somchai"),
    ],
)
def test_names_of_other_scripts_are_read(name: str, listed: str) -> None:
    assert best(index_of(listed), name) >= POLICY.hold_score


def test_other_characters_that_sound_alike_are_not_the_same() -> None:
    assert best(index_of("习近平"), "习近平") == 1000
    assert best(index_of("习近平"), "席锦萍") < POLICY.refuse_score


@pytest.mark.parametrize(
    ("name", "listed"),
    [
        ("Khant Trading Ltd.", "LIMITED LIABILITY COMPANY KHANT TRADING"),
        ("Khant Tradinglimited", "Khant Trading Limited"),
        ("Khant Trading Limted Liabilty Company", "Khant Trading LLC"),
        ("ООО Хант Трейдинг", "Khant Treyding OOO"),
        ("Brigade Forty-Four", "Brigade 44"),
    ],
)
def test_legal_forms_and_numbers_are_read_however_they_are_written(name: str, listed: str) -> None:
    assert best(index_of(listed, "organization"), name, "organization") >= POLICY.hold_score


def test_another_legal_form_is_said() -> None:
    [match] = index_of("Khant Trading GmbH", "organization").matches(Party("Khant Trading AG", "organization"))
    assert match.score < 1000
    assert "another legal form" in match.reasons


def test_words_turned_round_are_held_and_said() -> None:
    index = index_of("Vladimir PUTIN")
    for asked in ("rimidalV nituP", "Vladimir nitPu"):
        [match] = index.matches(Party(asked, "person"))
        assert POLICY.hold_score <= match.score < POLICY.refuse_score
        assert "the same letters in each word, in another order" in match.reasons
    assert best(index, "Aidimirl Vutnipv") < POLICY.hold_score


@pytest.mark.parametrize(
    ("name", "listed"),
    [
        ("Khant Bank (Schweiz) AG", "Khant Bank AG"),
        ("Khant Bank AG", "Khant Bank (Schweiz) AG"),
        ("Khant Mineral Group", "Khant Mineral Group (KMG)"),
        ("Khant Mineral", "Khant Mineral/Golden Army"),
    ],
)
def test_brackets_and_strokes_add_to_a_name(name: str, listed: str) -> None:
    [match] = index_of(listed, "organization").matches(Party(name, "organization"))
    assert POLICY.hold_score <= match.score < POLICY.refuse_score
    assert "compared without what stands in brackets or after a stroke" in match.reasons


def test_what_stands_in_brackets_tells_two_names_apart() -> None:
    """Or all foreign branches of all banks of that name would be held."""
    index = index_of("Bank of Khant (Singapore) Limited", "organization")
    assert best(index, "Bank of Khant (Australia) Limited", "organization") < POLICY.hold_score
    assert best(index, "Bank of Khant (Singapore) Limited", "organization") == 1000


def test_two_names_of_a_long_one_are_held_however_long_it_is() -> None:
    listed = "Alexandre Boris de Pfeffel JOHNSON"
    assert best(index_of(listed), "Boris Johnson") >= POLICY.hold_score


@pytest.mark.parametrize(
    ("name", "listed"),
    [("Hikmat Yar", "Hekmatyar"), ("Malakotipour, Hamidreza", "Malekouti Pour, Hamidreza"), ("Su Karnoo", "Sukarno")],
)
def test_a_name_divided_and_spelled_otherwise_is_held(name: str, listed: str) -> None:
    """It looks as if each had a word of its own, or as if a nickname stood among other names."""
    assert best(index_of(listed), name) >= POLICY.hold_score


def test_one_of_many_branches_is_found_by_its_own_name() -> None:
    """However many others are called the same without what stands in brackets."""
    places = [f"Place {letter}town" for letter in "ABCDEFGHIKLMNOP"]
    index = NameIndex([ListEntry("TEST", at, "organization", f"Ansar Foundation ({at})", (), (), ()) for at in places])
    for at in places:
        assert index.matches(Party(f"Ansar Foundation ({at})", "organization"))[0].entry_id == at
        assert best(index, f"Ansar Foundation ({at})", "organization") == 1000


@pytest.mark.parametrize(
    ("name", "listed"),
    [
        ("Amor Hassan", "Omar Hassan"),
        ("Maria Silva", "Amira Silva"),
        ("Xaol Khantaung", "Loax Khantaung"),
        ("Unit 26156", "Unit 26165"),
    ],
)
def test_short_words_known_words_and_numbers_are_not_shuffled(name: str, listed: str) -> None:
    kind = "organization" if name.startswith("Unit") else "person"
    assert best(index_of(listed, kind), name, kind) < POLICY.hold_score


def test_a_name_with_a_nickname_in_it_is_reported_and_not_held() -> None:
    index = index_of("KHANT, Aung", aliases=("Patricio",))
    assert best(index, "Patricio") >= POLICY.hold_score
    assert LEAST_SCORE <= best(index, "Maria Patricio Espino") < POLICY.hold_score


def test_names_that_each_have_a_word_of_their_own_are_not_held() -> None:
    assert best(index_of("Pol Pot"), "Pot Pouv") < POLICY.hold_score


def test_short_words_of_one_sound_are_held() -> None:
    """Few hear "x" and "s" apart."""
    [match] = index_of("Xi Jinping").matches(Party("Si Jinpin", "person"))
    assert match.score >= POLICY.hold_score
    assert not any("missing" in reason for reason in match.reasons)


@pytest.mark.parametrize(("name", "listed"), [("贝拉克·奥巴马", "Barack Obama"), ("ប៉ុល ពត", "Pol Pot")])
def test_sounds_that_a_script_cannot_write_are_heard(name: str, listed: str) -> None:
    """Chinese has no "r", and Khmer leaves vowels out."""
    assert best(index_of(listed), name) >= LEAST_SCORE


def test_a_number_before_a_legal_form_is_a_number() -> None:
    index = index_of("Khant Offshore Fund I, Ltd.", "organization")
    assert best(index, "Khant Offshore Fund, Ltd.", "organization") < POLICY.hold_score
    assert best(index, "Khant Offshore Fund 1 Limited", "organization") == 1000


def test_a_long_legal_form_with_a_word_left_out_is_that_form() -> None:
    listed = "PUBLIC JOINT STOCK COMPANY KHANT"
    assert best(index_of(listed, "organization"), "Public Stock Company Khant", "organization") >= POLICY.refuse_score


def test_russian_words_of_industry_are_what_they_mean() -> None:
    listed = "Хантский приборостроительный завод"
    assert best(index_of(listed, "organization"), "JSC Khant Instrument-Making Plant", "organization") >= LEAST_SCORE


def test_another_abbreviation_is_another_organisation() -> None:
    """Where nothing else tells who it is: one letter among other words that agree is a slip."""
    index = index_of("K.B.C. L.L.C.", "organization")
    [match] = index.matches(Party("N.K.B.C. S.A.", "organization"))
    assert match.score < POLICY.hold_score
    assert "another abbreviation" in match.reasons
    assert best(index, "KBC S.A.", "organization") >= POLICY.refuse_score
    listed = index_of("N.I.O.C. International Trading", "organization")
    assert best(listed, "N.I.O.K. International Trading", "organization") >= POLICY.hold_score


def identified(kind: str = "person") -> NameIndex:
    genders, numbers = ("male",), ("AB 123-4567", "12")
    entry = ListEntry("TEST", "1", kind, "KHANT, Aung", (), (), (), genders=genders, identifiers=numbers)
    return NameIndex([entry])


def test_another_gender_lowers_and_says_so() -> None:
    [agrees] = identified().matches(Party("Aung Khantt", "person", gender="male"))
    [differs] = identified().matches(Party("Aung Khantt", "person", gender="female"))
    assert "the gender agrees" in agrees.reasons
    assert "another gender" in differs.reasons
    assert differs.score < agrees.score == best(identified(), "Aung Khantt")


def test_the_same_document_raises_a_name_that_resembles() -> None:
    [match] = identified().matches(Party("Aung Khantt", "person", identification="ab1234567"))
    assert match.score >= POLICY.refuse_score > best(identified(), "Aung Khantt")
    assert "the identification is the same" in match.reasons


def test_the_same_document_under_another_name_is_held() -> None:
    [match] = identified().matches(Party("Somchai Jaidee", "person", identification="AB1234567"))
    assert POLICY.hold_score <= match.score < POLICY.refuse_score
    assert match.reasons == ("the identification is the same", "the name is another")


@pytest.mark.parametrize(
    ("told", "number"),
    [
        ("Libyan passport No. 513519", "513519"),
        ("381110042 (Expired 25 Jan. 2016)", "381110042"),
        ("VTBRRUMM", "VTBRRUMM123"),
        ("C-1234/567", "c 1234567"),
        ("HRB 123456", "hrb123456"),
        ("HRB123456", "HRB-123456"),
    ],
)
def test_numbers_are_read_out_of_what_a_list_tells(told: str, number: str) -> None:
    index = NameIndex([ListEntry("TEST", "1", "person", "KHANT, Aung", (), (), (), identifiers=(told, "Unknown"))])
    assert index.matches(Party("Somchai Jaidee", "person", identification=number))
    assert not index.matches(Party("Somchai Jaidee", "person", identification="Unknown"))


def test_words_beside_a_number_are_no_number() -> None:
    """ "Passport" has the letters of a BIC: everybody who writes it before his number would be held."""
    told = ("Libyan passport No. 513519",)
    index = NameIndex([ListEntry("TEST", "1", "person", "KHANT, Aung", (), (), (), identifiers=told)])
    assert not index.matches(Party("Somchai Jaidee", "person", identification="Passport AB77777"))
    assert index.matches(Party("Somchai Jaidee", "person", identification="Passport 513519"))


def test_an_organisation_has_no_gender() -> None:
    found = identified().matches(Party("Aung Khant", "organization", gender="female"))
    assert found == identified().matches(Party("Aung Khant", "organization"))


@pytest.mark.parametrize("number", ["12", "CD1234567", "", "-"])
def test_another_document_says_nothing(number: str) -> None:
    assert identified().matches(Party("Somchai Jaidee", "person", identification=number)) == ()
    assert identified().matches(Party("Aung Khantt", "person", identification=number)) == identified().matches(
        Party("Aung Khantt", "person")
    )
