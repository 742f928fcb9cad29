"""A policy that asks the other agent, before its customer is held, what would tell the customer from a listed one."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from compliance.client import Screening
from compliance.policy import SHIPPED_POLICY, read_policy
from compliance.service import DecisionsService
from contracts.terms.errors import Malformed
from serving.database import DatabaseReader
from tests.integration.compliance.conftest import ACQUIRER, WALLET
from tests.integration.compliance.test_list_keeping import HEADER, write

OFFICER, BOTH = "compliance:officer", '["birth_date", "nationality"]'
DAY = 86_400
LISTED = (
    'TEST,1,person,"WANG, Xiaomin",,1955,,a test,2026-01-01\n'
    'TEST,2,person,"SOMCHAI, Jaidea",,,RU,a test,2026-01-01\n'
    'TEST,3,person,"KRAISORN, Wattanaphong",,,,a test,2026-01-01\n'
)
NAMES = {"birth date": "Wang Xiaoming", "nationality": "Somchai Jaidee", "": "Kraisorn Wattanaphon"}
"""Who resembles an entry of which the list tells this, or nothing."""


def asking(text: str) -> str:
    shipped = SHIPPED_POLICY.read_text()
    assert "ask = []" in shipped
    return shipped.replace("ask = []", f"ask = {text}")


@pytest.fixture
def open_for(start: Any, tmp_path: Path, other_chain: Any) -> Any:
    """Start the service of an agent whose policy asks so."""

    def opened(account: str = ACQUIRER, ask: str = BOTH) -> Any:
        policy = write(tmp_path / "policy.toml", asking(ask))
        listed = write(tmp_path / "list.csv", HEADER + LISTED)
        return start(account, chain=other_chain, policy=policy, sanctions_list=listed)

    return opened


def about(service: Any, name: str, **changes: str) -> Screening:
    """A payment of which nothing is known of the debtor but the name."""
    unknown = {"birth_date": "", "nationality": "", "country": ""}
    asked: Screening = service.question(debtor=service.buyer(name=name, **(unknown | changes)))
    return asked


def outcome(service: Any, name: str, **changes: str) -> str:
    return str(service.decide(about(service, name, **changes)).outcome)


def acts(service: Any, asked: Screening) -> list[Any]:
    found: list[Any] = service.get(f"/v1/holds/{asked.uetr}/{asked.side}/case", OFFICER).json()["acts"]
    return found


def replayed(service: Any) -> tuple[str, ...]:
    with closing(DatabaseReader(service.settings.place())) as database:
        return DecisionsService(database).replay().faults


@pytest.mark.parametrize("wanted", NAMES)
def test_what_the_list_tells_and_the_payment_does_not_is_asked_once(open_for: Any, wanted: str) -> None:
    service = open_for()
    asked = about(service, NAMES[wanted])
    decision = service.decide(asked)
    assert decision.outcome == ("request-information" if wanted else "hold")
    assert service.decide(asked) == decision
    questions = [json.loads(each["note"]) for each in acts(service, asked)]
    assert len(questions) == bool(wanted), "asked once, however often the node asks"
    for question in questions:
        assert question["question"].endswith(f"which {wanted}?")
        assert question["party"]["name"] == NAMES[wanted]
    assert replayed(service) == ()


def test_it_is_asked_only_what_the_policy_says_and_the_payment_does_not(open_for: Any) -> None:
    service = open_for(ask='["birth_date"]')
    assert outcome(service, NAMES["nationality"]) == "hold"
    assert outcome(service, NAMES["birth date"], nationality="CN") == "request-information"
    assert outcome(service, NAMES["birth date"], birth_date="1955-01-01") == "hold"
    assert outcome(service, NAMES["birth date"], birth_date="1990-01-01") == "clear"


def test_by_default_nobody_is_asked(open_for: Any) -> None:
    service = open_for(ask="[]")
    asked = about(service, NAMES["birth date"])
    assert service.decide(asked).outcome == "hold"
    assert acts(service, asked) == []


def test_the_own_customer_is_held_and_nobody_else_asked(open_for: Any) -> None:
    service = open_for(WALLET)
    own = service.buyer(name=NAMES["birth date"], birth_date="")
    assert service.decide(service.question(debtor=own)).outcome == "hold"
    other = replace(own, account="")
    assert service.decide(service.question(creditor=other)).outcome == "request-information"
    assert service.decide(service.question(debtor=own, creditor=other)).outcome == "hold"


def test_nobody_can_be_asked_where_both_agents_are_one(open_for: Any) -> None:
    service = open_for()
    asked = replace(about(service, NAMES["birth date"]), debtor_agent=ACQUIRER)
    assert service.decide(asked).outcome == "hold"


def test_without_an_answer_it_ends_at_its_deadline_and_never_clears(open_for: Any) -> None:
    service = open_for()
    asked = about(service, NAMES["birth date"])
    decision = service.decide(asked)
    batch, own = service.batch(service.terms(asked, decision))
    assert service.refused(batch, *own)[0] == "not-screened"
    service.chain.pass_time(DAY + 60)
    service.until(lambda: service.clock.final_time() > decision.hold_until)
    late = service.officer("anna", "release", asked)
    assert (late.status_code, "has ended" in late.json()["detail"]) == (409, True)
    assert service.queue()["holds"] == []
    assert service.decide(asked).outcome == "request-information"
    [leg] = asked.legs
    again = replace(asked, attempt=1, legs=(replace(leg, amount=leg.amount - 1),))
    assert service.decide(again).hold_until == decision.hold_until, "another attempt gets no new deadline"
    assert len(acts(service, asked)) == 1
    assert replayed(service) == ()


def test_officers_decide_also_while_nobody_has_answered_and_what_they_ask_is_waited_for(open_for: Any) -> None:
    service = open_for()
    asked = about(service, NAMES["birth date"])
    service.decide(asked)
    content = json.dumps({"question": "and where?"}).encode()
    path = f"/v1/holds/{asked.uetr}/{asked.side}/inquiries"
    hold = service.request("POST", path, "anna", OFFICER, content=content).json()
    assert hold["outcome"] == "request-information"
    assert [(each["act"], each["officer"]) for each in acts(service, asked)] == [("ask", ""), ("ask", "anna")]
    service.officer("anna", "release", asked)
    assert service.decide(asked).outcome == "request-information"
    service.officer("boris", "release", asked)
    assert service.decide(asked).outcome == "clear"
    assert len(acts(service, asked)) == 2
    assert replayed(service) == ()


@pytest.mark.parametrize("text", ['["name"]', '"birth_date"', "[1]", "true"])
def test_a_policy_that_asks_for_what_there_is_not_is_refused(text: str) -> None:
    with pytest.raises(Malformed, match=r"names\.ask: a list of birth_date, nationality"):
        read_policy(asking(text))
