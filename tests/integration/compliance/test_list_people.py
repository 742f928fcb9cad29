"""What lists do to people: alerts about customers, the politically exposed, blocklists, and false positives."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from compliance.client import Screening
from compliance.lists.catalogue import load_catalogue
from compliance.lists.keeping import ListKeeper
from compliance.policy import load_policy
from compliance.service import DecisionsService
from serving.database import Database, DatabaseReader
from tests.integration.compliance.test_list_keeping import BUYER, HEADER, OFFICER, OTHERS, READ, catalogue, look, write

DAY = 86_400
RESEMBLED = 'TEST,4,person,"WANG, Xiaomin",,{born},,a test,2026-01-01\n'
"""Resembles the buyer, whose birth date is 1990-04-01."""


def alerts(service: Any) -> list[Any]:
    found: list[Any] = service.get("/v1/alerts?limit=500", READ).json()["alerts"]
    return found


def judge(service: Any, officer: str, path: str, **content: object) -> Any:
    body = json.dumps(content).encode() if content else b""
    return service.request("POST", f"/v1/false-positives{path}", officer, OFFICER, content=body)


def faults(service: Any) -> tuple[str, ...]:
    with closing(DatabaseReader(service.settings.database)) as database:
        return DecisionsService(database).replay().faults


def test_a_list_update_screens_customers_and_open_payments_again(start: Any, tmp_path: Path) -> None:
    file = write(tmp_path / "list.csv", HEADER + OTHERS)
    named = catalogue(tmp_path, file, refresh_seconds=86400)
    service = start(sanctions_list=named)
    of_buyer = [service.question(), service.question()]
    other = service.question(debtor=service.buyer(name="Zhang Wei", account="7"))
    for asked in (*of_buyer, other):
        assert service.decide(asked).outcome == "clear"
    assert alerts(service) == []
    write(file, HEADER + OTHERS + BUYER)
    version = look(service)["version"]
    service.until(lambda: len(alerts(service)) == 2)
    found = alerts(service)
    assert {each["uetr"] for each in found} == {each.uetr for each in of_buyer}, "both payments are under way"
    for each in found:
        assert (each["role"], each["payment_open"], each["list_version"]) == ("debtor", True, version)
        assert (each["matches"][0]["entry_id"], each["score"]) == ("3", 1000)
    service.stop()
    again = start(sanctions_list=named)
    look(again)
    assert len(alerts(again)) == 2, "the same lists make no new alert"
    assert faults(again) == ()


def test_a_customer_of_long_ago_is_found_once(start: Any, other_chain: Any, tmp_path: Path) -> None:
    file = write(tmp_path / "list.csv", HEADER + OTHERS)
    service = start(sanctions_list=catalogue(tmp_path, file, refresh_seconds=86400), chain=other_chain)
    asked = [service.question() for _ in range(3)]
    service.compliance.screen(asked)
    other_chain.pass_time(2 * DAY)
    service.until(lambda: service.clock.final_time() > 1_700_049_600 + DAY)
    write(file, HEADER + OTHERS + BUYER)
    look(service)
    service.until(lambda: alerts(service))
    [found] = alerts(service)
    assert (found["payment_open"], found["uetr"]) == (False, asked[-1].uetr)


def test_who_was_cleared_before_lists_changed_back_is_found(start: Any, tmp_path: Path) -> None:
    listed, unlisted = HEADER + OTHERS + BUYER, HEADER + OTHERS
    file = write(tmp_path / "list.csv", listed)
    before = start(sanctions_list=file)
    before.decide(before.question())
    before.stop()
    write(file, unlisted)
    settings = before.settings
    with closing(Database(settings.place(), settings.state())) as database:
        ListKeeper(database, load_policy(settings.policy), load_catalogue(file))
    write(file, listed)
    after = start(sanctions_list=file)
    after.until(lambda: alerts(after))


def test_lists_that_change_at_a_restart_screen_customers_again(start: Any, tmp_path: Path) -> None:
    file = write(tmp_path / "list.csv", HEADER + OTHERS)
    before = start(sanctions_list=file)
    before.decide(before.question())
    before.stop()
    write(file, HEADER + OTHERS + BUYER)
    after = start(sanctions_list=file)
    after.until(lambda: alerts(after))
    assert [each["payment_open"] for each in alerts(after)] == [True]


@pytest.mark.parametrize(("category", "outcome"), [("sanctions", "refuse"), ("internal", "refuse"), ("pep", "hold")])
def test_a_category_says_what_a_match_does(start: Any, tmp_path: Path, category: str, outcome: str) -> None:
    file = write(tmp_path / "list.csv", HEADER + BUYER)
    service = start(sanctions_list=catalogue(tmp_path, file, category=category))
    asked = service.question()
    assert service.decide(asked).outcome == outcome
    if outcome == "hold":
        [hold] = service.queue()["holds"]
        assert "a politically exposed person: held, not refused" in hold["matches"][0]["reasons"]
        for officer in ("anna", "boris"):
            service.officer(officer, "release", asked)
        assert service.decide(asked).outcome == "clear"
    assert faults(service) == ()


class Judged:
    """A service whose list has somebody whom the buyer resembles."""

    def __init__(self, start: Any, folder: Path, chain: Any) -> None:
        self.file = write(folder / "list.csv", HEADER + OTHERS + RESEMBLED.format(born=""))
        self.service = start(sanctions_list=catalogue(folder, self.file, refresh_seconds=86400), chain=chain)
        self.chain = chain
        self.first = self.service.question()
        assert self.service.decide(self.first).outcome == "hold"

    def outcome(self, **changes: str) -> str:
        return str(self.service.decide(self.service.question(debtor=self.service.buyer(**changes))).outcome)

    def propose(self, officer: str, **changes: object) -> Any:
        content = {"uetr": self.first.uetr, "side": "debtor", "role": "debtor", "list": "TEST", "entry_id": "4"}
        return judge(self.service, officer, "", **content, seconds=DAY, note="another birth date", **changes)

    def approved(self) -> int:
        number = int(self.propose("anna").json()["number"])
        assert judge(self.service, "boris", f"/{number}/approve").status_code == 200
        return number


@pytest.fixture
def judged(start: Any, other_chain: Any, tmp_path: Path) -> Judged:
    return Judged(start, tmp_path, other_chain)


def test_a_false_positive_counts_once_two_officers_judged_it(judged: Judged) -> None:
    proposed = judged.propose("anna")
    assert (proposed.status_code, proposed.json()["status"]) == (201, "proposed")
    number = proposed.json()["number"]
    assert judged.outcome() == "hold", "one officer is not enough"
    own = judge(judged.service, "anna", f"/{number}/approve")
    assert (own.status_code, "another officer must" in own.json()["detail"]) == (403, True)
    assert judged.outcome() == "hold"
    assert judge(judged.service, "boris", f"/{number}/approve").json()["status"] == "approved"
    assert judged.outcome() == "clear"
    assert judged.outcome(account="another account") == "hold", "it is about this party alone"
    assert judged.outcome(birth_date="1990-04-02") == "hold"
    asked = judged.service.question()
    judged.service.decide(asked)
    [view] = judged.service.get(f"/v1/decisions/{asked.uetr}", READ).json()["decisions"]
    assert (view["matches"][0]["score"], view["matches"][0]["reasons"][-1][:18]) == (0, "judged another one")
    assert judge(judged.service, "clara", f"/{number}/approve").json()["approved_by"] == "boris"
    assert faults(judged.service) == ()


def test_it_reopens_when_the_entry_changes(judged: Judged) -> None:
    judged.approved()
    assert judged.outcome() == "clear"
    write(judged.file, HEADER + OTHERS + RESEMBLED.format(born="1990"))
    look(judged.service)
    assert judged.outcome() == "hold"
    judged.service.until(lambda: alerts(judged.service))
    write(judged.file, HEADER + OTHERS + RESEMBLED.format(born=""))
    look(judged.service)
    assert judged.outcome() == "clear", "it is the entry again that the officers looked at"
    assert faults(judged.service) == ()


def test_it_expires(judged: Judged) -> None:
    judged.approved()
    assert judged.outcome() == "clear"
    judged.chain.pass_time(DAY)
    expired = 1_700_049_600 + DAY
    judged.service.until(lambda: judged.service.clock.final_time() > expired)
    assert judged.outcome() == "hold"
    assert faults(judged.service) == ()


def test_it_is_withdrawn_by_one_officer_and_survives_a_restart_until_then(
    judged: Judged, start: Any, tmp_path: Path
) -> None:
    number = judged.approved()
    judged.service.stop()
    judged.service = start(sanctions_list=tmp_path / "lists.toml", chain=judged.chain)
    assert judged.outcome() == "clear"
    assert judge(judged.service, "clara", f"/{number}/withdraw").json()["status"] == "withdrawn"
    assert judged.outcome() == "hold"
    assert judge(judged.service, "boris", f"/{number}/approve").status_code == 409
    page = judged.service.request("GET", "/v1/false-positives?limit=1", "anna", OFFICER).json()
    assert (page["false_positives"][0]["withdrawn_by"], page["next_cursor"]) == ("clara", None)
    judged.service.until(lambda: alerts(judged.service))
    assert faults(judged.service) == ()


def test_only_a_match_that_there_is_can_be_judged(judged: Judged) -> None:
    clear = judged.service.question(debtor=judged.service.buyer(name="Zhang Wei"))
    judged.service.decide(clear)
    for changes in (
        {"uetr": clear.uetr},
        {"uetr": judged.service.question().uetr},
        {"side": "creditor"},
        {"role": "creditor"},
        {"list": "OFAC SDN"},
        {"entry_id": "1"},
        {"entry_id": "999"},
    ):
        asked = {"uetr": judged.first.uetr, "side": "debtor", "role": "debtor", "list": "TEST", "entry_id": "4"}
        answer = judge(judged.service, "anna", "", **{**asked, **changes}, seconds=DAY, note="seen")
        assert answer.status_code == 404, changes
    assert judge(judged.service, "anna", "/77/approve").status_code == 404


def test_it_covers_the_next_attempt_of_a_held_payment(judged: Judged) -> None:
    judged.approved()
    [leg] = judged.first.legs
    again: Screening = replace(judged.first, attempt=1, legs=(replace(leg, amount=9_000),))
    assert judged.service.decide(again).outcome == "clear"
