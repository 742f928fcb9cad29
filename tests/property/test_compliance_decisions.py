"""What holds for any name and any amount."""

from __future__ import annotations

import random
import uuid

from hypothesis import given
from hypothesis import strategies as st

from compliance.client import Screening
from compliance.lists.loader import SHIPPED_LIST, load_list
from compliance.names.match import LEAST_SCORE, SAME_WORDS, NameIndex
from compliance.names.normalise import MAX_NAME
from compliance.policy import SHIPPED_POLICY, load_policy
from compliance.screening.decide import OUTCOMES, decide, find_matches
from compliance.screening.questions import Facts, Inputs, Spent
from compliance.screening.record import Versions, new_salts, record_decision
from contracts.terms.parties import Party
from contracts.terms.payment import Leg

LISTED = load_list(SHIPPED_LIST)
INDEX, ANOTHER = NameIndex(LISTED.entries), NameIndex(LISTED.entries)
POLICY = load_policy(SHIPPED_POLICY)
VERSIONS = Versions(POLICY.version, LISTED.version)
WALLET, PROVIDER, ACQUIRER = (f"0x{digit * 40}" for digit in "123")
THB = 764

any_name = st.text(max_size=MAX_NAME)
listed_names = st.sampled_from([(e.kind, name) for e in LISTED.entries for name in (e.name, *e.aliases)])


def inputs(name: str = "Somchai Jaidee", amount: int = 1, spent: int = 0, country: str = "") -> Inputs:
    screening = Screening(
        uetr=str(uuid.UUID(int=7, version=4)),
        side="debtor",
        debtor=Party(name, "person", account="1"),
        creditor=Party("Bangkok Mango Rice", "organization", country=country),
        debtor_agent=WALLET,
        creditor_agent=ACQUIRER,
        legs=(Leg(WALLET, PROVIDER, THB, amount),),
    )
    return Inputs(WALLET, screening, Facts(1_700_000_000, ("CN", "TH"), (Spent(THB, spent),)))


def outcome(question: Inputs) -> tuple[str, str]:
    verdict = decide(question, find_matches(question.screening, INDEX), POLICY)
    return verdict.outcome, verdict.reason


@given(listed_names, st.randoms(use_true_random=False))
def test_a_listed_name_is_refused_in_any_order_and_case(listed: tuple[str, str], dice: random.Random) -> None:
    kind, name = listed
    words = name.replace(",", " ").split()
    dice.shuffle(words)
    asked = " ".join(word.upper() if dice.random() < 0.5 else word.lower() for word in words)
    assert INDEX.matches(Party(asked, kind))[0].score >= POLICY.refuse_score


@given(any_name, st.sampled_from(["person", "organization"]))
def test_any_text_is_answered_alike_by_every_process(name: str, kind: str) -> None:
    party = Party(name, kind)
    found = INDEX.matches(party)
    assert found == ANOTHER.matches(party)
    assert all(LEAST_SCORE <= match.score <= SAME_WORDS and match.reasons for match in found)


@given(any_name, st.integers(1, 10**15), st.integers(0, 10**15))
def test_a_recorded_decision_runs_again_to_the_same_bytes(name: str, amount: int, spent: int) -> None:
    question, salts = inputs(name, amount, spent), new_salts()

    def run(index: NameIndex) -> object:
        verdict = decide(question, find_matches(question.screening, index), POLICY)
        assert verdict.outcome in OUTCOMES
        return record_decision(0, question, verdict, VERSIONS, salts, POLICY.hold_seconds)

    assert run(INDEX) == run(ANOTHER)


@given(st.integers(-3, 3), st.integers(-3, 3))
def test_the_limits_bite_at_the_unit(payment: int, day: int) -> None:
    limits = POLICY.limits.of_customers[THB][-1]
    over = outcome(inputs(amount=limits.payment + payment)) == ("refuse", "AM02")
    assert over == (payment > 0)
    spent = limits.day - 1000 + day
    assert outcome(inputs(amount=1000, spent=spent)) == (("refuse", "AM14") if day > 0 else ("clear", ""))


@given(st.sampled_from(sorted(POLICY.blocked_countries)), listed_names)
def test_a_blocked_country_is_refused_whatever_the_name(country: str, listed: tuple[str, str]) -> None:
    assert outcome(inputs(listed[1], country=country)) == ("refuse", "RR04")
