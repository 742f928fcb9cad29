"""Alerts about customers, from a list that changed to what officers made of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from compliance.client import Screening
from compliance.service import DecisionsService
from serving.database import DatabaseReader
from tests.databases import looking
from tests.integration.compliance.test_list_keeping import BUYER, HEADER, OFFICER, OTHERS, READ, catalogue, look, write

SIMILAR = 'TEST,4,person,"WANG, Xiaomin",,,,a test,2026-01-01\n'
"""Resembles the buyer, and is not."""
OTHER = "OTHER,9,person,Wang Xiaoming,,,,a test,2026-01-01\n"
NOTE = {"note": "another birth date"}


class Alerted:
    """A service that cleared customers whom a new list has."""

    def __init__(self, start: Any, folder: Path, chain: Any, listed: str = SIMILAR, payments: int = 1) -> None:
        self.file = write(folder / "list.csv", HEADER + OTHERS)
        self.service = start(sanctions_list=catalogue(folder, self.file, refresh_seconds=86400), chain=chain)
        self.asked = [self.service.question() for _ in range(payments)]
        for asked in self.asked:
            assert self.service.decide(asked).outcome == "clear"
        self.publish(listed, payments)

    def publish(self, listed: str, alerts: int) -> None:
        write(self.file, HEADER + OTHERS + listed)
        look(self.service)
        self.service.until(lambda: len(self.alerts()) == alerts)

    def alerts(self, query: str = "") -> list[Any]:
        answer = self.service.get(f"/v1/alerts?limit=500{query}", READ)
        assert answer.status_code == 200, answer.text
        found: list[Any] = answer.json()["alerts"]
        return found

    def numbers(self, query: str) -> list[int]:
        return [each["sequence"] for each in self.alerts(query)]

    def act(self, officer: str, number: int, what: str, /, **body: Any) -> Any:
        content = json.dumps(body).encode()
        return self.service.request("POST", f"/v1/alerts/{number}/{what}", officer, OFFICER, content=content)

    def file_of(self, number: int) -> Any:
        answer = self.service.get(f"/v1/alerts/{number}", OFFICER)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def outcome(self, **changes: Any) -> str:
        asked: Screening = self.service.question(**changes)
        return str(self.service.decide(asked).outcome)

    def counted(self, name: str = "TEST") -> Any:
        found = self.service.get("/v1/statistics", READ).json()["customers"]
        return next(each for each in found if each["list"] == name)

    def faults(self) -> tuple[str, ...]:
        with closing(DatabaseReader(self.service.settings.place())) as database:
            return DecisionsService(database).replay().faults


@pytest.fixture
def alerted(start: Any, tmp_path: Path, other_chain: Any) -> Callable[..., Alerted]:
    return lambda **more: Alerted(start, tmp_path, other_chain, **more)


def test_a_false_positive_takes_two_officers_and_the_customer_is_clear_again(alerted: Any) -> None:
    office = alerted()
    [alert] = office.alerts()
    number = alert["sequence"]
    assert (alert["state"], alert["outcome"], alert["assigned"]) == ("open", "", "")
    assert office.outcome() == "hold"
    closed = office.act("anna", number, "close", outcome="false-positive", seconds=1000, **NOTE)
    assert closed.status_code == 200, closed.text
    assert closed.json()["alert"]["state"] == "proposed"
    [judged] = closed.json()["false_positives"]
    assert (judged["status"], judged["entry"], judged["proposed_by"]) == ("proposed", "TEST 4", "anna")
    assert office.outcome() == "hold", "one officer is not enough"
    own = office.act("anna", number, "approve", **NOTE)
    assert (own.status_code, "another officer must" in own.json()["detail"]) == (403, True)
    renamed = office.act("Anna", number, "approve", **NOTE)
    assert renamed.status_code == 403, "two spellings are not two officers"
    approved = office.act("boris", number, "approve", **NOTE).json()
    assert (approved["alert"]["state"], approved["alert"]["outcome"]) == ("closed", "false-positive")
    assert (approved["alert"]["proposed_by"], approved["alert"]["closed_by"]) == ("anna", "boris")
    assert [each["status"] for each in approved["false_positives"]] == ["approved"]
    assert approved["party"]["name"] == "Wang Xiaoming"
    assert office.outcome() == "clear", "what officers judged counts for the next payment"
    acts = [(each["act"], each["officer"], each["note"]) for each in approved["acts"]]
    note = NOTE["note"]
    assert acts == [
        ("raise-alert", "", None),
        ("close-alert", "anna", note),
        ("approve-alert", "boris", note),
    ]
    log = office.service.get("/v1/log/entries?limit=500", "audit").json()["entries"]
    assert [each["record"]["act"] for each in log if "act" in each["record"]] == [
        *("raise-alert", "close-alert", "propose-false-positive"),
        *("approve-false-positive", "approve-alert"),
    ]
    assert "Wang" not in json.dumps(log)
    late = office.act("clara", number, "close", outcome="true-match", **NOTE)
    assert (late.status_code, "closed as false-positive by boris" in late.json()["detail"]) == (409, True)
    assert office.faults() == ()


def test_a_true_match_takes_one_officer_and_drops_what_another_proposed(alerted: Any) -> None:
    office = alerted(listed=BUYER)
    number = office.alerts()[0]["sequence"]
    office.act("anna", number, "close", outcome="false-positive", **NOTE)
    other = office.act("boris", number, "close", outcome="false-positive", **NOTE)
    assert (other.status_code, "approve or reject" in other.json()["detail"]) == (409, True)
    closed = office.act("boris", number, "close", outcome="true-match", **NOTE).json()
    assert (closed["alert"]["state"], closed["alert"]["closed_by"], closed["alert"]["proposed_by"]) == (
        "closed",
        "boris",
        "",
    )
    assert closed["false_positives"] == []
    assert office.outcome() == "refuse"
    assert office.faults() == ()


def test_who_does_not_agree_opens_it_again(alerted: Any) -> None:
    office = alerted()
    number = office.alerts()[0]["sequence"]
    assert office.act("boris", number, "approve", **NOTE).status_code == 409, "nobody proposed anything"
    assert office.act("boris", number, "reject", **NOTE).status_code == 409
    office.act("anna", number, "close", outcome="false-positive", **NOTE)
    assert office.act("anna", number, "close", outcome="false-positive", **NOTE).status_code == 200, "again is harmless"
    assert len(office.file_of(number)["acts"]) == 2
    rejected = office.act("boris", number, "reject", **NOTE).json()
    assert (rejected["alert"]["state"], rejected["alert"]["outcome"]) == ("open", "")
    assert rejected["false_positives"] == []
    page = office.service.request("GET", "/v1/false-positives", "anna", OFFICER).json()["false_positives"]
    assert [each["status"] for each in page] == ["withdrawn"]
    assert office.outcome() == "hold"
    assert office.act("boris", number, "close", outcome="false-positive", **NOTE).status_code == 200
    assert office.act("anna", number, "approve", **NOTE).json()["alert"]["state"] == "closed"
    assert office.outcome() == "clear"
    assert office.faults() == ()


def test_a_duplicate_is_of_the_same_party_and_says_nothing_more(alerted: Any) -> None:
    office = alerted(payments=2)
    second, first = (each["sequence"] for each in office.alerts())
    stranger = office.service.question(debtor=office.service.buyer(account="another account"))
    assert office.service.decide(stranger).outcome == "hold"
    closing = {"outcome": "duplicate", **NOTE}
    for wrong, status in (({}, 400), ({"duplicate_of": first}, 409), ({"duplicate_of": 777}, 409)):
        assert office.act("anna", first, "close", **closing, **wrong).status_code == status, wrong
    wrong = office.act("anna", first, "close", outcome="true-match", duplicate_of=second, **NOTE)
    assert wrong.status_code == 400
    assert office.act("anna", second, "close", **closing, duplicate_of=first).status_code == 200
    assert office.file_of(second)["acts"][-1]["about"] == {
        "alert": second,
        "outcome": "duplicate",
        "duplicate_of": first,
    }
    circle = office.act("anna", first, "close", **closing, duplicate_of=second)
    assert circle.status_code == 409, "both would be closed, and nobody had looked"
    office.publish(SIMILAR + OTHER, 5)  # three payments are under way
    of_both = office.numbers("&state=open&list=OTHER")
    strangers = next(each for each in of_both if office.file_of(each)["party"]["account"] == "another account")
    another = next(each for each in of_both if each != strangers)
    less = office.act("anna", another, "close", **closing, duplicate_of=first)
    assert (less.status_code, "not about all entries" in less.json()["detail"]) == (409, True)
    assert office.act("anna", strangers, "close", **closing, duplicate_of=another).status_code == 409
    assert office.faults() == ()


def test_alerts_are_filtered_assigned_and_counted(alerted: Any) -> None:
    office = alerted(payments=3)
    third, second, first = office.numbers("")
    assert office.act("anna", first, "assignment", officer="boris").json()["alert"]["assigned"] == "boris"
    office.act("anna", second, "close", outcome="false-positive", **NOTE)
    office.act("anna", third, "close", outcome="true-match", **NOTE)
    assert office.numbers("&state=open") == office.numbers("&assigned=boris") == [first]
    assert office.numbers("&state=proposed") == office.numbers("&outcome=false-positive") == [second]
    assert office.numbers("&state=closed") == office.numbers("&outcome=true-match") == [third]
    assert office.numbers("&assigned=-") == [third, second]
    assert office.numbers("&list=TEST&payment_open=true") == [third, second, first]
    assert office.numbers("&list=OFAC%20SDN") == office.numbers("&payment_open=false") == []
    page = office.service.get(f"/v1/alerts?limit=1&cursor={third}", READ).json()
    assert ([each["sequence"] for each in page["alerts"]], page["next_cursor"]) == ([second], second)
    for wrong in ("state=shut", "outcome=fine", "payment_open=perhaps", "cursor=0"):
        assert office.service.get(f"/v1/alerts?{wrong}", READ).status_code == 400
    assert office.act("anna", 777, "close", outcome="true-match", **NOTE).status_code == 404
    for wrong in ({"outcome": "fine", **NOTE}, {"outcome": "true-match"}, {"outcome": "true-match", "note": " "}):
        assert office.act("anna", first, "close", **wrong).status_code == 400
    counted = office.counted()
    assert (counted["alerts"], counted["open"], counted["true_matches"], counted["false_positives"]) == (3, 2, 1, 0)
    office.act("boris", second, "approve", **NOTE)
    office.act("boris", first, "close", outcome="duplicate", duplicate_of=second, **NOTE)
    counted = office.counted()
    assert (counted["open"], counted["false_positives"], counted["duplicates"]) == (0, 1, 1)
    assert counted["false_per_thousand"] == 500
    assert office.faults() == ()


def test_two_who_close_at_once_are_one_after_the_other(alerted: Any) -> None:
    office = alerted()
    number = office.alerts()[0]["sequence"]
    office.act("anna", number, "close", outcome="false-positive", **NOTE)
    officers = ["anna", "anna", "boris", "clara", "dao"]
    with ThreadPoolExecutor(len(officers)) as pool:
        answers = list(pool.map(lambda each: office.act(each, number, "approve", **NOTE).status_code, officers))
    assert answers[:2] in ([403, 403], [403, 409], [409, 403], [409, 409])
    assert sorted(answers[2:]) == [200, 409, 409]
    assert office.file_of(number)["alert"]["closed_by"] != "anna"
    assert office.faults() == ()


@pytest.mark.parametrize(
    "crime",
    [
        "UPDATE customer_alerts SET state = 'closed', outcome = 'false-positive'",
        "UPDATE customer_alerts SET closed_by = 'clara'",
        "UPDATE customer_alerts SET score = 900",
        "UPDATE false_positives SET approved_by = 'clara'",
        "UPDATE false_positives SET expires = expires + 1",
        "UPDATE false_positives SET reference = 'TEST 1'",
        "DELETE FROM false_positives",
        "DELETE FROM customer_alert_lists; DELETE FROM customer_alerts",
    ],
)
def test_what_is_not_as_officers_left_it_is_seen(alerted: Any, crime: str) -> None:
    office = alerted()
    number = office.alerts()[0]["sequence"]
    office.act("anna", number, "close", outcome="false-positive", **NOTE)
    office.act("boris", number, "reject", **NOTE)
    assert office.faults() == ()
    office.service.stop()
    with looking(office.service.settings.place()) as connection:
        for statement in crime.split("; "):
            connection.exec_driver_sql(statement)
    assert office.faults() != ()
