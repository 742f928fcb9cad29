"""Legal forms: found however they are spelled, glued or divided; names that only look like one stay."""

from __future__ import annotations

import pytest

from compliance.names.forms import spelled_out, without_forms

FORMS = {
    "joint stock company eniks": "eniks",
    "joint stock co eniks": "eniks",
    "djoint stok compeny eniks": "eniks",
    "obshchestvo s ogranichennoi otvetstvennostyu 1m": "1m",
    "obshvhestvo s ogranichennoy otvetstvennostyu 1m": "1m",
    "limited liabiliy company maxtech": "maxtech",
    "limited liability companytmk oil": "tmk oil",
    "foshan golden age motor technology coltd": "foshan golden age motor technology",
    "harmony grove corp oration": "harmony grove",
    "mazixon verwaltungs gbmh": "mazixon verwaltungs",
    "closrd joint stock company bureau": "bureau",
    "air leofze": "air leo",
    "bliri sa di kv": "bliri",
}
NAMES = (
    "aquila capital group",
    "prince real estate",
    "al qaeda",
    "aisha trading",
    "stockholm shipping",
    "scf enterprise",
)


def rest(name: str) -> tuple[str, int]:
    words, bits = without_forms(spelled_out(name.split()))
    return " ".join(words), bits


@pytest.mark.parametrize("name", FORMS)
def test_a_legal_form_is_taken_out(name: str) -> None:
    found, bits = rest(name)
    assert found == FORMS[name]
    assert bits


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_looks_like_a_form_stays(name: str) -> None:
    assert rest(name) == (name, 0)


def test_a_name_of_nothing_but_forms_is_not_emptied() -> None:
    assert rest("limited liability company")[0]


def test_forms_that_mean_the_same_have_the_same_bits() -> None:
    assert rest("luch gmbh")[1] == rest("ooo luch")[1] == rest("luch limited liability company")[1]
    assert rest("luch gmbh")[1] != rest("luch ag")[1]
