"""Nobody approves his own act: whatever officers do, in whatever order, at once, and under whatever spelling."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.app import MIGRATIONS
from compliance.client import InquiryAnswer
from compliance.officers import is_subject
from compliance.screening.decide import RELEASE
from contracts.terms.errors import Conflict, Forbidden
from tests.databases import migrated
from tests.desk import ACQUIRER, LISTED, PROVIDER, Desk, payment

OFFICERS = ("anna", "boris", "clara")
ACTIONS = ("release", "refuse")
act = st.tuples(st.sampled_from(OFFICERS), st.sampled_from([*ACTIONS, *ACTIONS, "note", "escalate", "assign", "ask"]))
acts = st.lists(act, max_size=10)


def last_words(done: Iterable[tuple[str, str]], action: str) -> set[str]:
    """Who stands by this action: the officers whose last one it is."""
    last = {officer: each for officer, each in done if each in ACTIONS}
    return {officer for officer, each in last.items() if each == action}


def perform(desk: Desk, key: tuple[str, str], officer: str, what: str, lead: bool = True) -> None:
    if what in ACTIONS:
        desk.holds.review(key, officer, what, f"{what}, says {officer}", lead)
    elif what == "note":
        desk.cases.note(key, officer, "seen")
    elif what == "escalate":
        desk.cases.escalate(key, officer, "beyond me")
    elif what == "assign":
        desk.cases.assign(key, officer, officer)
    else:
        desk.inquiries.ask(key, officer, "who is this?")


@given(acts)
@settings(max_examples=12, deadline=None)
def test_two_persons_stand_behind_every_outcome(steps: list[tuple[str, str]]) -> None:
    with migrated(MIGRATIONS) as database:
        desk, done = Desk(database), list[tuple[str, str]]()
        key = desk.held()
        for officer, what in steps:
            before = desk.holds.one(key).decided.verdict
            try:
                perform(desk, key, officer, what)
            except Conflict:
                assert not before.waits, "only what is decided is closed to officers"
                continue
            if before.waits:
                done.append((officer, what))
            after = desk.holds.one(key)
            refusing, releasing = last_words(done, "refuse"), last_words(done, "release")
            expected = "refuse" if len(refusing) == 2 else "clear" if len(releasing) >= 2 and not refusing else "waits"
            assert ("waits" if after.decided.verdict.waits else after.decided.verdict.outcome) == expected
        assert desk.replay().faults == ()


@given(st.lists(st.tuples(st.sampled_from(["anna"] * 3 + ["boris"]), st.sampled_from(ACTIONS)), min_size=2, max_size=8))
@settings(max_examples=10, deadline=None)
def test_at_once_an_officer_is_still_one_person(steps: list[tuple[str, str]]) -> None:
    with migrated(MIGRATIONS) as database:
        desk = Desk(database)
        key, start = desk.held(), threading.Barrier(len(steps))

        def do(officer: str, what: str) -> None:
            start.wait()
            with suppress(Conflict):
                perform(desk, key, officer, what)

        threads = [threading.Thread(target=do, args=step) for step in steps]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        hold = desk.holds.one(key)
        done = [(each.officer, each.action) for each in hold.decided.inputs.facts.reviews]
        outcome = hold.decided.verdict.outcome
        if len({officer for officer, _ in steps}) == 1:
            assert outcome == "hold"
        if outcome != "hold":
            assert len(last_words(done, {"clear": "release", "refuse": "refuse"}[outcome])) == 2
        assert desk.replay().faults == ()


def test_after_an_escalation_leads_alone_decide() -> None:
    with migrated(MIGRATIONS) as database:
        desk = Desk(database)
        key = desk.held()
        desk.holds.review(key, "anna", RELEASE, "a namesake")
        desk.cases.escalate(key, "anna", "his brother is listed")
        with pytest.raises(Forbidden):
            desk.holds.review(key, "boris", RELEASE, "a namesake")
        assert desk.holds.review(key, "vera", RELEASE, "a namesake", lead=True).decided.verdict.outcome == "clear"


def test_a_hold_ends_at_its_deadline_whatever_was_asked_meanwhile() -> None:
    """Its money is free then, at the node by the deadline that it was told: nothing here makes it later."""
    with migrated(MIGRATIONS) as database:
        desk = Desk(database)
        asked = payment(LISTED)
        [held] = desk.decide(asked)
        key = asked.uetr, asked.side
        desk.inquiries.ask(key, "anna", "who is this?")
        [waiting] = desk.decide(asked)
        assert (waiting.outcome, waiting.hold_until) == ("request-information", held.hold_until)
        [(peer, inquiry)] = desk.inquiries.waiting(10)
        assert (peer, inquiry.party) == (ACQUIRER, asked.creditor)
        desk.pass_time(held.hold_until - desk.clock.now() + 1)
        assert desk.inquiries.waiting(10) == [], "nobody is asked any more"
        assert desk.holds.page(0, 10).holds == ()
        assert desk.inquiries.learn(ACQUIRER, [InquiryAnswer(inquiry.id, "answered", "too late")]) == 1
        for what in ("release", "refuse", "ask", "assign", "escalate"):
            with pytest.raises(Conflict, match="has ended"):
                perform(desk, key, "anna", what)
        assert desk.decide(asked) == [waiting]
        assert desk.replay().faults == ()


def test_an_answer_is_learnt_once_and_from_whom_was_asked() -> None:
    with migrated(MIGRATIONS) as database:
        desk = Desk(database)
        key = desk.held()
        desk.inquiries.ask(key, "anna", "who is this?")
        [(_, inquiry)] = desk.inquiries.waiting(10)
        answer = InquiryAnswer(inquiry.id, "answered", "a shop of ours")
        assert desk.inquiries.learn(PROVIDER, [answer]) == 0
        assert desk.inquiries.learn(ACQUIRER, [InquiryAnswer(inquiry.id, "open", "")]) == 0
        assert [desk.inquiries.learn(ACQUIRER, [answer]) for _ in range(3)] == [1, 0, 0]
        assert desk.holds.one(key).decided.verdict.outcome == "hold"
        assert desk.inquiries.waiting(10) == []


@given(st.sampled_from(OFFICERS), st.text(max_size=3), st.text(max_size=3))
def test_another_spelling_of_an_officer_names_nobody(officer: str, before: str, after: str) -> None:
    """What could be taken for the same person's subject is none: other case, blanks, signs that nobody sees, letters of
    another script that look alike."""
    spelled = before + officer + after
    assert not is_subject(spelled) or (spelled.isascii() and spelled == spelled.lower() and spelled.isprintable())
    for other in (
        officer.upper(),
        officer.title(),
        f" {officer}",
        f"{officer}\u200b",
        f"{officer}\n",
        f"\u202e{officer}",
    ):
        assert not is_subject(other)
    assert not is_subject(officer.replace("a", "\u0430").replace("o", "\u043e")), "Cyrillic letters"
