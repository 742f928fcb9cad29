"""What officers' reviews make of a match: the decision is a function of them, and of nothing else about them."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest

from compliance.client import Screening
from compliance.names.judge import Match
from compliance.policy import SHIPPED_POLICY, load_policy, read_policy
from compliance.screening.decide import PartyMatch, Verdict, decide, officers_missing
from compliance.screening.questions import Facts, Inputs, Review
from compliance.screening.record import Versions, new_note, new_salts, record_decision
from contracts.terms.parties import Party
from contracts.terms.payment import Leg

POLICY = load_policy(SHIPPED_POLICY)
WALLET, PROVIDER, ACQUIRER = (f"0x{digit * 40}" for digit in "123")
CNY = 156
X, Y = "debtor LIST X", "creditor LIST Y"


def found(reference: str, score: int = 900) -> PartyMatch:
    role, name, entry = reference.split()
    return PartyMatch(role, Match(name, entry, "SOMEBODY", score, ("spelled alike",)))


def review(officer: str, *entries: str, action: str = "release") -> Review:
    return Review(officer, action, 7, entries, bytes(32))


def question(*reviews: Review, amount: int = 1, country: str = "") -> Inputs:
    screening = Screening(
        uetr=str(uuid.UUID(int=7, version=4)),
        side="debtor",
        debtor=Party("Somchai Jaidee", "person", country=country, account="1"),
        creditor=Party("Bangkok Mango Rice", "organization"),
        debtor_agent=WALLET,
        creditor_agent=ACQUIRER,
        legs=(Leg(WALLET, PROVIDER, CNY, amount),),
    )
    return Inputs(WALLET, screening, Facts(5, ("CN", "TH"), (), reviews))


def verdict(inputs: Inputs, *matches: PartyMatch) -> Verdict:
    return decide(inputs, matches, POLICY)


@pytest.mark.parametrize(
    ("reviews", "matched", "missing"),
    [
        ([], [X], 2),
        ([review("anna", X)], [X], 1),
        ([review("anna", X), review("anna", X)], [X], 1),
        ([review("anna", X), review("boris", X)], [X], 0),
        ([review("anna", X), review("boris", X), review("clara", X)], [X], 0),
        ([review("anna", X), review("boris", X)], [X, Y], 2),
        ([review("anna", X), review("boris", X, Y)], [X, Y], 1),
        ([review("anna", X), review("boris", X, Y), review("anna", X, Y)], [X, Y], 0),
        ([review("anna", X), review("boris", X)], ["creditor LIST X"], 2),
        ([review("anna", X), review("boris", X, action="refuse")], [X], 1),
    ],
)
def test_each_match_needs_two_different_officers(reviews: list[Review], matched: list[str], missing: int) -> None:
    matches = [found(reference) for reference in matched]
    assert officers_missing(matches, reviews, POLICY) == missing
    if all(each.action == "release" for each in reviews):
        assert verdict(question(*reviews), *matches).outcome == ("hold" if missing else "clear")


def test_what_would_not_hold_by_itself_needs_no_release() -> None:
    both = (review("anna", X), review("boris", X))
    assert verdict(question(*both), found(X), found(Y, POLICY.hold_score - 1)).outcome == "clear"
    assert verdict(question(*both), found(X), found(Y, POLICY.hold_score)).outcome == "hold"


def test_officers_release_holds_and_nothing_else() -> None:
    both = (review("anna", X), review("boris", X))
    listed = verdict(question(*both), found(X, POLICY.refuse_score))
    blocked = verdict(question(*both, country="KP"), found(X))
    too_much = verdict(question(*both, amount=POLICY.limits.of_customers[CNY][-1].payment + 1), found(X))
    reasons = [(each.outcome, each.reason) for each in (listed, blocked, too_much)]
    assert reasons == [("refuse", "RR04"), ("refuse", "RR04"), ("refuse", "AM02")]


CLARA, DORA = review("clara", action="refuse"), review("dora", action="refuse")
BOTH = (review("anna", X), review("boris", X))


def test_two_refusals_outweigh_every_release_and_one_stops_it() -> None:
    for reviews in ((*BOTH, CLARA), (CLARA, *BOTH)):
        for matches in ([found(X)], []):
            assert verdict(question(*reviews), *matches).outcome == "hold"
            refused = verdict(question(*reviews, DORA), *matches)
            assert (refused.outcome, refused.reason, refused.detail) == ("refuse", "RR04", "2 officers refused")
    assert verdict(question(CLARA, CLARA), found(X)).outcome == "hold", "the same officer twice is one"


def test_an_officer_counts_for_what_it_did_last_and_never_for_both() -> None:
    changed = (CLARA, *BOTH, review("clara", X))
    assert verdict(question(*changed), found(X)).outcome == "clear"
    assert verdict(question(*BOTH, review("anna", action="refuse")), found(X)).outcome == "hold"
    assert verdict(question(review("anna", X), review("anna", action="refuse"), DORA), found(X)).outcome == "refuse"
    assert officers_missing([found(X)], [*BOTH, review("anna", action="refuse")], POLICY) == 1


def test_under_a_policy_that_names_no_number_one_refuses_as_before() -> None:
    before = read_policy(POLICY.content.replace("refusers = 2", ""))
    refused = decide(question(*BOTH, CLARA), (found(X),), before)
    assert (refused.outcome, refused.detail) == ("refuse", "an officer refused")


def test_information_is_requested_until_it_was_answered() -> None:
    asked, answered = review("anna", action="ask"), review(ACQUIRER, action="answered")
    for reviews, outcome in (
        ((asked,), "request-information"),
        ((asked, answered), "hold"),
        ((asked, asked, answered), "request-information"),
        ((asked, *BOTH), "clear"),
        ((asked, CLARA, DORA), "refuse"),
    ):
        assert verdict(question(*reviews), found(X)).outcome == outcome
    assert verdict(question(asked), found(X, POLICY.hold_score - 1)).outcome == "clear"


def test_a_hold_keeps_its_deadline() -> None:
    held = verdict(question(), found(X))

    def until(inputs: Inputs) -> int:
        return record_decision(0, inputs, held, Versions("p", "l"), new_salts(), 100).hold_until

    asked = question(review("anna", X))
    assert until(asked) == 105
    assert until(replace(asked, facts=replace(asked.facts, held_until=42))) == 42
    assert asked.facts.decided_at == 7


def test_a_note_opens_only_its_own_commitment() -> None:
    note = new_note("seen")
    assert note.opens
    assert not replace(note, content="Seen").opens
    assert not replace(note, salt=bytes(32)).opens
    assert new_note("seen").commitment != note.commitment
