"""Limits of a payment, a day and a year, of customers and corridors, each from its date on, and what is said."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from compliance.limits import CUSTOMER, Calendar
from compliance.policy import SHIPPED_POLICY, Policy, read_policy
from compliance.screening.decide import decide
from compliance.screening.questions import Facts, Inputs, Spent, Used
from contracts.terms.errors import Malformed
from tests.desk import CNY, WALLET, payment

HEAD = "[names]\nrefuse = 970\nhold = 880\n[holds]\nseconds = 60\nrefusers = 2\n[countries]\nblocked = []\n"
LIMITS = """
[[limits.CNY]]
from = 2026-01-01
payment = 100_00
day = 250_00
year = 900_00

[[limits.CNY]]
from = 2026-07-01
payment = 300_00
day = 500_00

[[corridors.CN-TH.CNY]]
from = 2026-03-01
payment = 90_00
day = 200_00
all_day = 400_00
all_year = 5_000_00
"""
BANGKOK = '[calendar]\nzone = "Asia/Bangkok"\n'


def policy(limits: str = LIMITS, zone: str = BANGKOK) -> Policy:
    return read_policy(HEAD + zone + limits)


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def said(
    rules: Policy, amount: int, when: str, *used: Used, countries: tuple[str, ...] = ("CN", "SG"), side: str = "debtor"
) -> tuple[str, str, str]:
    """The outcome, its reason, and what is said of it."""
    asked = replace(payment(amount=amount), side=side)
    inputs = Inputs(WALLET, asked, Facts(at(when), countries, (), used=used))
    verdict = decide(inputs, (), rules)
    return verdict.outcome, verdict.reason, verdict.detail


def moved(period: str, customer: int = 0, in_corridor: int = 0, corridor: int = 0) -> Used:
    return Used(period, CNY, customer, in_corridor, corridor)


CLEAR = ("clear", "", "")


def test_each_limit_says_in_words_that_it_was_hit() -> None:
    rules, noon = policy(), "2026-02-01T05:00"
    assert said(rules, 100_00, noon) == CLEAR
    assert said(rules, 100_01, noon) == (
        *("refuse", "AM02"),
        "over the limit of a payment in CNY: 100.01 asked, 100.00 allowed",
    )
    assert said(rules, 50_01, noon, moved("2026-02-01", 200_00)) == (
        *("refuse", "AM14"),
        "over the debtor account's limit of the day 2026-02-01 (Asia/Bangkok) in CNY: "
        "200.00 moved before, 50.01 asked, 250.00 allowed",
    )
    assert said(rules, 50_00, noon, moved("2026-02-01", 200_00), moved("2026", 850_00)) == CLEAR
    outcome, reason, detail = said(rules, 50_00, noon, moved("2026-02-01", 200_00), moved("2026", 850_01))
    assert (outcome, reason) == ("refuse", "AM14")
    assert "limit of the year 2026 (Asia/Bangkok)" in detail


def test_a_corridor_has_limits_of_each_customer_and_of_all() -> None:
    rules, noon, there = policy(), "2026-03-01T05:00", ("CN", "TH")
    assert said(rules, 95_00, noon) == CLEAR
    assert "a payment in CNY in the corridor CN-TH" in said(rules, 95_00, noon, countries=there)[2]
    own = moved("2026-03-01", customer=120_00, in_corridor=120_00)
    assert "limit in the corridor CN-TH of the day" in said(rules, 90_00, noon, own, countries=there)[2]
    assert said(rules, 80_00, noon, own, countries=there) == CLEAR
    of_all = moved("2026-03-01", corridor=350_00)
    assert "over the limit of the corridor CN-TH of the day" in said(rules, 60_00, noon, of_all, countries=there)[2]
    whole_year = moved("2026", corridor=4_950_00)
    assert "corridor CN-TH of the year 2026" in said(rules, 60_00, noon, whole_year, countries=there)[2]
    assert said(rules, 95_00, "2026-02-28T05:00", countries=there) == CLEAR, "the corridor's limit begins in March"


def test_the_limit_in_force_on_the_day_judges() -> None:
    rules = policy()
    assert said(rules, 150_00, "2026-06-30T16:59")[1] == "AM02"
    assert said(rules, 150_00, "2026-06-30T17:00") == CLEAR, "July has begun in Bangkok"
    assert said(rules, 100_00, "2026-06-30T17:00", moved("2026", 900_00)) == CLEAR, "the newer limit names no year"
    assert said(rules, 1, "2025-12-31T16:59")[1] == "AM03", "before there was a limit nothing is paid"
    assert said(rules, 1, "2025-12-31T17:00") == CLEAR
    assert said(policy(zone=""), 1, "2025-12-31T17:00")[1] == "AM03", "without a zone the days are those of UTC"


def test_days_and_years_are_the_debtors_alone() -> None:
    used = (moved("2026-02-01", 900_00), moved("2026", 900_00))
    assert said(policy(), 10, "2026-02-01T05:00", *used)[0] == "refuse"
    for side in ("creditor", "provider"):
        asked = replace(payment(amount=10), side=side)
        legs = tuple(replace(leg, source=leg.target, target=leg.source) for leg in asked.legs)
        inputs = Inputs(WALLET, replace(asked, legs=legs), Facts(at("2026-02-01T05:00"), ("CN", "SG"), (), used=used))
        assert decide(inputs, (), policy()).outcome == "clear"


def test_a_policy_without_dates_judges_and_says_as_it_did() -> None:
    rules = policy("[limits.CNY]\npayment = 100_00\nday = 250_00\n", zone="")
    facts = Facts(at("2026-02-01T05:00"), ("CN", "SG"), (Spent(CNY, 200_00),))
    over = decide(Inputs(WALLET, payment(amount=50_01), facts), (), rules)
    assert (over.reason, over.detail) == ("AM14", "over the debtor account's limit of the day in CNY")
    assert decide(Inputs(WALLET, payment(amount=50_00), facts), (), rules).outcome == "clear"
    assert "used" not in Inputs(WALLET, payment(), facts).document["facts"], "what was committed to reads as it did"


def test_midnight_is_the_zones() -> None:
    summer, winter = at("2026-07-01T03:59"), at("2026-12-01T04:59")
    assert Calendar("America/New_York").date_of(summer) == date(2026, 6, 30)
    assert Calendar("America/New_York").date_of(summer + 60) == date(2026, 7, 1)
    assert Calendar("America/New_York").date_of(winter) == date(2026, 11, 30)
    assert Calendar("America/New_York").date_of(winter + 60) == date(2026, 12, 1)
    assert Calendar().date_of(at("2026-07-01T00:00") - 1) == date(2026, 6, 30)


def test_the_shipped_policy_has_a_year_for_every_currency() -> None:
    shipped = read_policy(SHIPPED_POLICY.read_text())
    for limits in shipped.limits.of_customers.values():
        assert limits[-1].payment < limits[-1].day < limits[-1].most[CUSTOMER, "year"]
    assert shipped.refusers == 2


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("from = 2026-07-01", "from = 2026-01-01", "a date of its own"),
        ("from = 2026-07-01", "from = 2025-01-01", "the oldest stands first"),
        ("from = 2026-07-01", 'from = "July"', "limits.CNY.from"),
        ("from = 2026-07-01", "from = 2026-07-01T00:00:00", "limits.CNY.from"),
        ("from = 2026-07-01", "", "limits.CNY.from"),
        ("payment = 300_00", "week = 7", "limits.CNY: day, payment are needed"),
        ("CN-TH.CNY", "CNTH.CNY", "corridors.CNTH"),
        ("CN-TH.CNY", "CN-TH.XYZ", "corridors.CN-TH.XYZ"),
        ("all_day = 400_00", "all_day = 0", "corridors.CN-TH.CNY.all_day"),
        ("all_day = 400_00", "all_payment = 7", "may stand"),
        ("Asia/Bangkok", "Asia/Atlantis", "calendar.zone"),
        ("Asia/Bangkok", "../../etc/passwd", "calendar.zone"),
        ('zone = "Asia/Bangkok"', "zone = 7", "calendar"),
        ("refusers = 2", "refusers = 0", "holds.refusers"),
    ],
)
def test_a_wrong_limit_is_refused_in_a_line_that_names_it(old: str, new: str, told: str) -> None:
    text = HEAD + BANGKOK + LIMITS
    assert old in text
    with pytest.raises(Malformed, match=told):
        read_policy(text.replace(old, new, 1))
