"""Holds over HTTP: two different officers release or refuse, and what they did stays true when asked anew."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from compliance.client import Decision, Refusal, Screening, SignedAttestation
from compliance.lists.loader import SHIPPED_LIST
from compliance.policy import SHIPPED_POLICY
from compliance.service import DecisionsService
from contracts.terms.payment import Leg
from serving.database import DatabaseReader
from tests.databases import looking

WALLET, PROVIDER, ACQUIRER, STRANGER = (f"0x{digit * 40}" for digit in "1234")
CNY = 156
ANOTHER_HIT = 'TEST,7,person,"PUTYN, Vladimar",,,,a test,2026-01-01\n'
SAME_AGAIN = 'TEST,8,person,"NOBODY, Atall",,,,a test,2026-01-01\n'
NOTE = "Another man than Petrov of Minsk: other birth year"


def priced(asked: Screening, attempt: int, amount: int) -> Screening:
    return replace(asked, attempt=attempt, legs=(replace(asked.legs[0], amount=amount),))


def replayed(service: Any) -> tuple[str, ...]:
    with closing(DatabaseReader(service.settings.database)) as database:
        return DecisionsService(database).replay().faults


def test_two_different_officers_release_and_it_is_attested(start: Any) -> None:
    service = start()
    asked = service.similar()
    held = service.decide(asked)
    batch, own = service.batch(service.terms(asked, held))
    first = service.officer("anna", "release", asked).json()
    assert (first["outcome"], first["officers_missing"]) == ("hold", 1)
    assert "one more officer" in first["status"]
    assert service.decide(asked).outcome == "hold"
    assert service.refused(batch, *own)[0] == "not-screened"
    second = service.officer("boris", "release", asked).json()
    assert (second["outcome"], second["officers_missing"], second["hold_until"]) == ("clear", 0, 0)
    cleared = service.decide(asked)
    assert (cleared.outcome, cleared.reason, cleared.hold_until) == ("clear", "", 0)
    assert service.decide(asked) == cleared
    assert service.refused(batch, *own)[0] == "not-screened", "the commitments of the held decision count no more"
    batch, own = service.batch(service.terms(asked, cleared))
    assert isinstance(service.attest(batch, *own), SignedAttestation)
    assert replayed(service) == ()


def test_the_same_officer_twice_is_not_enough(start: Any) -> None:
    service = start()
    asked = service.similar()
    service.decide(asked)
    first = service.officer("anna", "release", asked)
    again = service.officer("anna", "release", asked, note="I looked once more")
    assert (again.status_code, again.json()) == (200, first.json())
    assert len(service.get(f"/v1/decisions/{asked.uetr}", "compliance:read").json()["decisions"]) == 2
    assert service.decide(asked).outcome == "hold"


def test_two_officers_refuse_for_good(start: Any) -> None:
    service = start()
    asked = service.similar()
    service.decide(asked)
    service.officer("anna", "release", asked)
    first = service.officer("boris", "refuse", asked).json()
    assert (first["outcome"], first["refusers_missing"]) == ("hold", 1)
    assert service.officer("boris", "refuse", asked).json() == first, "nobody confirms himself"
    assert service.officer("clara", "release", asked).json()["outcome"] == "hold", "one who refused stops the release"
    refused = service.officer("anna", "refuse", asked)
    assert (refused.json()["outcome"], refused.json()["reason"]) == ("refuse", "RR04")
    assert service.officer("boris", "refuse", asked).json() == refused.json()
    late = service.officer("dora", "release", asked)
    assert (late.status_code, late.json()["type"]) == (409, "urn:feiqian:problem:conflict")
    assert "2 officers refused" in late.json()["detail"]
    assert late.json()["outcome"] == "refuse"
    answer = service.decide(asked)
    assert (answer.outcome, answer.reason, answer.detail) == ("refuse", "RR04", "2 officers refused")
    assert service.decide(priced(asked, 1, 10_001)).outcome == "refuse", "a new price does not undo it"
    assert replayed(service) == ()


def test_who_released_may_still_refuse_until_it_is_clear(start: Any) -> None:
    service = start()
    first, second = service.similar(), service.similar()
    service.compliance.screen([first, second])
    service.officer("anna", "release", first)
    assert service.officer("boris", "refuse", first).json()["outcome"] == "hold"
    assert service.officer("anna", "refuse", first).json()["outcome"] == "refuse"
    for officer in ("anna", "boris"):
        service.officer(officer, "release", second)
    assert service.officer("anna", "refuse", second).status_code == 409
    assert service.officer("clara", "release", second).status_code == 409
    assert service.officer("boris", "release", second).json()["outcome"] == "clear"


def test_only_what_is_held_can_be_released(service: Any) -> None:
    listed = service.question(debtor=service.buyer(name="Vladimir Putin", birth_date="1952-10-07"))
    clear, unknown = service.question(), service.question()
    service.compliance.screen([listed, clear])
    for asked, status in ((listed, 409), (clear, 409), (unknown, 404)):
        for action in ("release", "refuse"):
            assert service.officer("anna", action, asked).status_code == status
        assert service.get(f"/v1/holds/{asked.uetr}/debtor", "compliance:officer").status_code == 404
    assert service.decide(listed).outcome == "refuse"
    assert service.officer("anna", "release", replace(service.similar(), side="creditor")).status_code == 404


def test_the_queue_shows_the_oldest_first_with_what_an_officer_needs(start: Any) -> None:
    service = start()
    asked = [service.similar() for _ in range(3)]
    service.compliance.screen([service.question(), *asked])
    service.officer("anna", "release", asked[0], note=NOTE)
    first = service.queue("?limit=2")
    rest = service.queue(f"?limit=2&cursor={first['next_cursor']}")
    assert [each["uetr"] for each in first["holds"] + rest["holds"]] == [each.uetr for each in asked]
    assert rest["next_cursor"] is None
    shown = first["holds"][0]
    assert shown["debtor"]["name"] == "Vladimir Putyn"
    assert shown["creditor"]["name"] == "Bangkok Mango Rice"
    assert (shown["debtor_agent"], shown["legs"][0]["amount"]) == (WALLET, "10000")
    assert any("spelled alike" in reason for reason in shown["matches"][0]["reasons"])
    assert shown["hold_until"] == shown["asked_at"] + 86_400
    [review] = shown["reviews"]
    assert (review["officer"], review["action"], review["note"]) == ("anna", "release", NOTE)
    assert "debtor OFAC SDN 35096" in review["entries"]
    service.officer("boris", "release", asked[0])
    for officer in ("anna", "boris"):
        service.officer(officer, "refuse", asked[1])
    assert [each["uetr"] for each in service.queue()["holds"]] == [asked[2].uetr]
    one = service.get(f"/v1/holds/{asked[0].uetr}/debtor", "compliance:officer").json()
    assert (one["outcome"], [each["officer"] for each in one["reviews"]]) == ("clear", ["anna", "boris"])


def test_after_the_deadline_nothing_can_be_done(start: Any, tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(SHIPPED_POLICY.read_text().replace("seconds = 86400", "seconds = 60"))
    service = start(policy=policy)
    asked = service.similar()
    held = service.decide(asked)
    service.officer("anna", "release", asked)
    assert service.decide(asked).hold_until == held.hold_until
    service.chain.pass_time(61)
    service.until(lambda: service.clock.now() > held.hold_until)
    assert service.queue()["holds"] == []
    for action in ("release", "refuse"):
        late = service.officer("boris", action, asked)
        assert (late.status_code, late.json()["hold_until"]) == (409, held.hold_until)
        assert "has ended" in late.json()["detail"]
    assert service.decide(asked).outcome == "hold"
    ended = service.get(f"/v1/holds/{asked.uetr}/debtor", "compliance:officer").json()
    assert "has ended" in ended["status"]
    assert service.decide(priced(asked, 1, 9)).hold_until == held.hold_until, "a new price buys no time"


def test_a_deadline_stays_though_the_policy_changes(start: Any, tmp_path: Path) -> None:
    before = start()
    asked = before.similar()
    held = before.decide(asked)
    before.stop()
    shorter = tmp_path / "policy.toml"
    shorter.write_text(SHIPPED_POLICY.read_text().replace("seconds = 86400", "seconds = 60"))
    after = start(policy=shorter)
    assert after.officer("anna", "release", asked).json()["hold_until"] == held.hold_until
    assert after.decide(asked).hold_until == held.hold_until
    assert after.decide(priced(asked, 1, 9)).hold_until == held.hold_until
    assert replayed(after) == ()


def test_a_payment_priced_anew_is_clear_at_once(start: Any) -> None:
    service = start()
    asked = service.similar()
    service.decide(asked)
    for officer in ("anna", "boris"):
        service.officer(officer, "release", asked)
    released, again = service.decide(asked), priced(asked, 1, 10_250)
    anew = service.decide(again)
    assert anew.outcome == "clear"
    assert anew.decision_commitment != released.decision_commitment
    assert service.decide(again) == anew
    assert service.decide(priced(asked, 2, 10_300)).outcome == "clear"
    refusals = service.compliance.screen([asked, again, priced(asked, 4, 1)])
    assert [(type(each), each.problem) for each in refusals] == [(Refusal, "conflict")] * 3
    latest = service.decide(priced(asked, 2, 10_300))
    legs = (Leg(WALLET, PROVIDER, CNY, 10_300), service.terms(asked).legs[1])
    batch, own = service.batch(service.terms(asked, latest, legs=legs))
    assert isinstance(service.attest(batch, *own), SignedAttestation)
    views = service.get(f"/v1/decisions/{asked.uetr}", "compliance:read").json()["decisions"]
    numbered = [(each["number"], each["attempt"], each["outcome"]) for each in views]
    assert numbered == [(0, 0, "hold"), (1, 0, "hold"), (2, 0, "clear"), (3, 1, "clear"), (4, 2, "clear")]
    assert [len(each["reviews"]) for each in views] == [0, 1, 2, 2, 2]
    assert replayed(service) == ()


def test_a_next_attempt_is_the_same_payment_but_for_its_amounts(start: Any) -> None:
    service = start()
    asked = service.question()
    [unknown] = service.compliance.screen([priced(asked, 1, 1)])
    assert (unknown.problem, unknown.reason) == ("conflict", "AM05")
    service.decide(asked)
    again, leg = priced(asked, 1, 10_001), asked.legs[0]
    changed = [
        replace(again, debtor=service.buyer(name="Wang Xiaohong")),
        replace(again, creditor=replace(asked.creditor, country="SG")),
        replace(again, creditor_agent=STRANGER),
        replace(again, legs=(replace(leg, currency=978),)),
        replace(again, legs=(replace(leg, target=ACQUIRER),)),
        replace(again, legs=(leg, leg)),
        replace(again, attempt=2),
    ]
    answers = service.compliance.screen(changed)
    assert [each.problem for each in answers if isinstance(each, Refusal)] == ["conflict"] * len(changed)
    [negative] = service.compliance.screen([replace(again, uetr=service.question().uetr, attempt=-1)])
    assert negative.problem == "malformed"
    assert [type(each) for each in service.compliance.screen([asked, again, again, asked])] == [
        *[Decision] * 3,
        Refusal,
    ]


@pytest.mark.parametrize(("added", "outcome"), [(ANOTHER_HIT, "hold"), (SAME_AGAIN, "clear")])
def test_a_hit_that_the_officers_did_not_see_holds_anew(start: Any, tmp_path: Path, added: str, outcome: str) -> None:
    before = start()
    asked, half = before.similar(), before.similar()
    before.compliance.screen([asked, half])
    for officer, released in (("anna", asked), ("boris", asked), ("anna", half)):
        before.officer(officer, "release", released)
    before.stop()
    longer = tmp_path / "longer.csv"
    longer.write_text(SHIPPED_LIST.read_text() + added)
    after = start(sanctions_list=longer)
    again = priced(asked, 1, 9_000)
    assert after.decide(again).outcome == outcome
    assert after.officer("boris", "release", half).json()["outcome"] == outcome
    if outcome == "hold":
        assert after.officer("boris", "release", half).json()["officers_missing"] == 1
        assert after.officer("anna", "release", half).json()["outcome"] == "clear"
        assert after.officer("anna", "release", again).json()["outcome"] == "hold"
        assert after.officer("boris", "release", again).json()["outcome"] == "clear"
    assert replayed(after) == ()


def test_day_totals_are_exact_across_attempts(start: Any, tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(
        "[names]\nrefuse = 970\nhold = 880\n[holds]\nseconds = 86400\n[countries]\nblocked = ['KP']\n"
        "[limits.CNY]\npayment = 20_000\nday = 25_000\n"
    )
    service = start(policy=policy)
    held = service.similar()

    def pay(amount: int) -> str:
        return str(service.decide(priced(service.question(debtor=held.debtor), 0, amount)).reason)

    service.decide(priced(held, 0, 10_000))
    service.officer("anna", "release", held)
    service.decide(priced(held, 1, 12_000))
    assert pay(13_001) == "AM14"
    service.decide(priced(held, 2, 20_000))
    assert pay(5_001) == "AM14"
    assert service.decide(priced(held, 3, 20_001)).reason == "AM02"
    service.decide(priced(held, 4, 20_000))
    service.officer("boris", "refuse", priced(held, 4, 20_000))
    assert pay(20_000) == "RR04", "held, and counted"
    assert pay(5_001) == "AM14"
    assert pay(5_000) == "RR04"
    assert replayed(service) == ()


@pytest.mark.parametrize(
    "crime",
    [
        "UPDATE notes SET content = 'fine'",
        "DELETE FROM notes",
        "UPDATE decisions SET inputs = replace(inputs, 'boris', 'clara')",
        "UPDATE decisions SET number = number + 1 WHERE number = 2",
        "DELETE FROM decisions WHERE number = 2",
    ],
)
def test_altering_what_officers_did_is_seen(start: Any, crime: str) -> None:
    service = start()
    asked = service.similar()
    service.decide(asked)
    for officer in ("anna", "boris"):
        service.officer(officer, "release", asked, note=NOTE)
    service.decide(service.question())
    record = service.get(f"/v1/openings/{asked.uetr}", "audit").json()
    assert "Petrov" not in json.dumps(record)
    assert replayed(service) == ()
    with looking(service.settings.database) as connection:
        connection.exec_driver_sql(crime)
    assert replayed(service) != ()
