"""Cases over HTTP: the queue's filters, what stands around a case, what officers do in it, and what is counted."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from compliance.client import Screening
from compliance.service import DecisionsService
from contracts.terms.documents import to_document
from contracts.terms.parties import Party
from serving.database import DatabaseReader
from tests.databases import looking

HOSTILE = {
    "markup": "<script>alert(1)</script>{{7*7}}${7*7}<%= 7*7 %>",
    "SQL": "'; DROP TABLE decisions; -- \" OR 1=1",
    "directions": "\u202eevil\u202c \u2066hidden\u2069",
    "controls": "\x1b[2J\x07 bell\r\nSet-Cookie: a=b",
    "nothing to see": "a\u200b\u200d\ufeff\u2060b",
    "emoji": "👩‍👩‍👧‍👦🏴\U000e0067\U000e0062",
    "homoglyphs": "Рutіn раssроrt",
    "many marks": "e" + "\u0301" * 400,
    "a pattern's end": "a" * 499 + "!",
}


def act(service: Any, officer: str, asked: Screening, what: str, /, **body: Any) -> Any:
    path, content = f"/v1/holds/{asked.uetr}/{asked.side}/{what}", json.dumps(body).encode()
    return service.request("POST", path, officer, "compliance:officer", content=content)


def case(service: Any, asked: Screening) -> Any:
    answer = service.get(f"/v1/holds/{asked.uetr}/{asked.side}/case", "compliance:officer")
    assert answer.status_code == 200, answer.text
    return answer.json()


def queue(service: Any, query: str) -> list[str]:
    return [each["uetr"] for each in service.queue(f"?{query}")["holds"]]


def replayed(service: Any) -> tuple[str, ...]:
    with closing(DatabaseReader(service.settings.place())) as database:
        return DecisionsService(database).replay().faults


def test_the_queue_is_filtered_by_all_that_tells_cases_apart(start: Any) -> None:
    service = start()
    asked = [service.similar() for _ in range(4)]
    service.compliance.screen(asked)
    first, second, third, fourth = (each.uetr for each in asked)
    assert act(service, "anna", asked[0], "assignment", officer="boris").json()["hold"]["assigned"] == "boris"
    assert act(service, "anna", asked[1], "priority", priority="high").json()["hold"]["priority"] == "high"
    escalated = act(service, "anna", asked[2], "escalation", note="his brother is listed").json()["hold"]
    assert (escalated["escalated"], escalated["priority"], escalated["assigned"]) == (True, "urgent", "")
    due = escalated["hold_until"]
    assert queue(service, "assigned=boris") == [first]
    assert queue(service, "assigned=-") == [second, third, fourth]
    assert queue(service, "priority=high") == [second, third]
    assert queue(service, "priority=urgent") == queue(service, "escalated=true") == [third]
    assert queue(service, "escalated=false&priority=low&limit=2") == [first, second]
    assert queue(service, f"due_before={due}") == []
    assert queue(service, f"due_before={due + 1}") == [first, second, third, fourth]
    assert queue(service, "list=OFAC%20SDN") == [first, second, third, fourth]
    assert queue(service, "list=nobody%27s") == []
    assert queue(service, "outcome=request-information") == []
    assert queue(service, "outcome=hold&assigned=boris") == [first]
    for wrong in ("priority=most", "escalated=perhaps", "due_before=-1", "outcome=clear"):
        assert service.get(f"/v1/holds?{wrong}", "compliance:officer").status_code == 400
    assert replayed(service) == ()


def test_a_case_shows_whom_its_parties_paid_and_what_was_held_before(start: Any) -> None:
    service = start()
    payer = service.buyer(name="Vladimir Putyn", birth_date="", account="6222-7")
    baker, stranger = Party("Baan Bakery", "organization", "TH", account="77"), service.buyer(account="6222-8")
    before = [
        service.question(debtor=payer, creditor=baker),
        service.question(debtor=payer, creditor=baker),
        service.question(debtor=payer),
        service.question(debtor=stranger, creditor=baker),
        service.question(debtor=stranger),
    ]
    service.compliance.screen(before)
    for officer in ("anna", "boris"):
        service.officer(officer, "refuse", before[1])
    asked = service.question(debtor=payer, creditor=baker)
    service.decide(asked)
    shown = case(service, asked)
    around = shown["neighbourhoods"]
    to = [(each["party"]["name"], each["payments"], each["paid"]) for each in around["debtor"]["paid_to"]]
    assert to == [("Baan Bakery", 2, {"CNY": "10000"}), ("Bangkok Mango Rice", 1, {"CNY": "10000"})]
    assert around["debtor"]["paid_to"][0]["outcomes"] == {"hold": 1, "refuse": 1}
    by = {each["party"]["account"]: each["payments"] for each in around["creditor"]["paid_by"]}
    assert by == {"6222-7": 2, "6222-8": 1}
    assert around["creditor"]["paid_to"] == around["debtor"]["paid_by"] == []
    earlier = {(each["uetr"], each["state"]) for each in shown["earlier"]}
    assert earlier == {(before[0].uetr, "open"), (before[1].uetr, "refused"), (before[2].uetr, "open")}


def test_everything_that_an_officer_does_stands_in_the_case_and_in_the_log(start: Any) -> None:
    service = start()
    asked = service.similar()
    service.decide(asked)
    act(service, "anna", asked, "notes", note="I call the customer")
    act(service, "boris", asked, "attachments", sha256="5" * 64, size=7, name="passport of V. Putyn")
    act(service, "anna", asked, "assignment", officer="")
    act(service, "anna", asked, "inquiries", question="Who owns this shop?")
    done = case(service, asked)["acts"]
    assert [(each["act"], each["officer"], each["note"]) for each in done] == [
        ("note", "anna", "I call the customer"),
        ("attach", "boris", "passport of V. Putyn"),
        ("assign", "anna", None),
        (
            "ask",
            "anna",
            json.dumps(
                {"question": "Who owns this shop?", "party": to_document(asked.creditor)}, separators=(",", ":")
            ),
        ),
    ]
    assert done[1]["about"] == {"sha256": "5" * 64, "size": 7}
    log = service.get("/v1/log/entries", "audit").json()["entries"]
    acts = [each["record"]["act"] for each in log if "act" in each["record"]]
    assert acts == ["note", "attach", "assign", "ask"]
    assert "passport" not in json.dumps(log), "what was written is committed to, not logged"
    head = service.get("/v1/log", "audit").json()
    assert head["size"] == len(log) == 6
    for entry in log:
        proof = service.get(f"/v1/log/inclusion?number={entry['number']}", "audit").json()
        assert (proof["record"], proof["root"]) == (entry["record"], head["root"])
    older = service.get("/v1/log/consistency?old=2", "audit").json()
    assert (older["root"], older["size"]) == (head["root"], 6)
    assert replayed(service) == ()


@pytest.mark.parametrize("crime", ["UPDATE notes SET content = 'fine'", "UPDATE cases SET assigned = 'eve'"])
def test_a_case_that_is_not_as_its_acts_left_it_is_seen(start: Any, crime: str) -> None:
    service = start()
    asked = service.similar()
    service.decide(asked)
    act(service, "anna", asked, "notes", note="I call the customer")
    act(service, "anna", asked, "assignment", officer="boris")
    assert replayed(service) == ()
    with looking(service.settings.place()) as connection:
        connection.exec_driver_sql(crime)
    assert replayed(service) != ()


@pytest.mark.parametrize("what", HOSTILE)
def test_what_is_written_is_kept_as_it_is_and_shown_as_data(start: Any, what: str) -> None:
    text, service = HOSTILE[what][:500], start()
    asked = replace(service.similar(), debtor=service.buyer(name="Vladimir Putyn", birth_date="", account=text[:140]))
    service.decide(asked)
    answer = act(service, "anna", asked, "notes", note=text)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers.get("set-cookie") is None
    assert "\x1b" not in answer.text
    act(service, "anna", asked, "attachments", sha256="5" * 64, size=7, name=text)
    service.officer("anna", "release", asked, note=text)
    found = case(service, asked)
    assert [each["note"] for each in found["acts"]] == [text, text]
    assert found["hold"]["reviews"][0]["note"] == text
    assert found["hold"]["debtor"]["account"] == text[:140]
    assert queue(service, "limit=5") == [asked.uetr]
    assert replayed(service) == ()


def test_what_is_too_long_or_of_no_form_is_refused_and_not_kept(service: Any) -> None:
    asked = service.similar()
    service.decide(asked)
    before = case(service, asked)
    for what, body in (
        ("notes", {"note": "x" * 501}),
        ("notes", {"note": "x" * 1_000_000}),
        ("notes", {"note": "\u0000"}),
        ("attachments", {"sha256": "5" * 63, "size": 7, "name": "passport"}),
        ("attachments", {"sha256": "G" * 64, "size": 7, "name": "passport"}),
        ("attachments", {"sha256": "5" * 64, "size": -1, "name": "passport"}),
        ("assignment", {"officer": "Anna"}),
        ("assignment", {"officer": "аnna"}),
        ("priority", {"priority": "most"}),
        ("inquiries", {"question": " "}),
        ("inquiries", {"question": "x" * 2_001}),
    ):
        assert act(service, "anna", asked, what, **body).status_code == 400, (what, body)
    assert case(service, asked) == before
    other = act(service, "Anna", asked, "notes", note="it is me")
    assert (other.status_code, other.json()["type"]) == (403, "urn:feiqian:problem:forbidden")


def test_while_information_is_requested_nothing_is_attested(start: Any) -> None:
    service = start()
    asked = service.similar()
    service.decide(asked)
    assert act(service, "anna", asked, "inquiries", question="who is this?").json()["outcome"] == "request-information"
    decision = service.decide(asked)
    batch, own = service.batch(service.terms(asked, decision))
    problem, detail = service.refused(batch, *own)
    assert (problem, "is request-information" in detail) == ("not-screened", True)


def test_a_case_that_has_ended_takes_notes_and_nothing_else(start: Any) -> None:
    service = start()
    asked = service.similar()
    service.decide(asked)
    for officer in ("anna", "boris"):
        service.officer(officer, "release", asked)
    assert act(service, "anna", asked, "notes", note="told the customer").status_code == 200
    assert act(service, "anna", asked, "attachments", sha256="5" * 64, size=7, name="letter").status_code == 200
    for what, body in (
        ("assignment", {"officer": "anna"}),
        ("priority", {"priority": "low"}),
        ("escalation", {"note": "too late"}),
        ("inquiries", {"question": "who is this?"}),
    ):
        assert act(service, "anna", asked, what, **body).status_code == 409, what


def test_statistics_count_alerts_false_positives_and_times(start: Any, other_chain: Any) -> None:
    service = start(chain=other_chain)
    listed = service.question(debtor=service.buyer(name="Vladimir Putin", birth_date=""))
    held = [service.similar() for _ in range(4)]
    service.compliance.screen([service.question(), listed, *held])
    now = service.clock.now()
    for officer in ("anna", "boris"):
        service.officer(officer, "release", held[0])
    service.chain.pass_time(1000)
    service.until(lambda: service.clock.now() >= now + 1000)
    for officer in ("anna", "boris"):
        service.officer(officer, "release", held[1])
        service.officer(officer, "refuse", held[2])
    found = service.get("/v1/statistics", "compliance:read").json()
    assert len(found["days"]) == 30
    screened = {each["name"]: sum(each["values"]) for each in found["screened"]}
    assert screened == {"clear": 1, "hold": 4, "refuse": 1, "request-information": 0}
    [rule] = [each for each in found["rules"] if each["list"] == "OFAC SDN"]
    assert rule["rule"] == "name"
    assert (rule["alerts"], rule["held"], rule["released"], rule["refused"], rule["waiting"]) == (5, 4, 2, 1, 1)
    assert rule["false_per_thousand"] == 666
    times = found["times"]
    assert (times["decided"], times["longest"] >= 1000) == (3, True)
    assert sum(each["cases"] for each in times["buckets"]) == 3
    assert all(len(each["values"]) == 30 for each in found["screened"] + found["alerted"])
    assert sum(found["alerted"][0]["values"]) >= 4
    service.chain.pass_time(90_000)
    service.until(lambda: service.clock.now() >= now + 90_000)
    later = service.get("/v1/statistics", "compliance:read").json()
    [rule] = [each for each in later["rules"] if each["list"] == "OFAC SDN"]
    assert (rule["waiting"], rule["ended"]) == (0, 1), "what nobody decided has ended"
    for wrong in ("first=2026-02-01&last=2026-01-01", "first=2020-01-01&last=2026-01-01", "first=7"):
        assert service.get(f"/v1/statistics?{wrong}", "compliance:read").status_code == 400
