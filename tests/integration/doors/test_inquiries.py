"""Officers of two institutions write to each other, through both nodes, each asked for real."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

from devnet.network.api import NodeApi

from .conftest import COMPLIANCE, CREDITOR, DEBTOR, Network, until

ASKED_ABOUT = "joseph"


def asked_as(network: Network, service: str, officer: str, method: str, path: str, body: Any = None) -> Any:
    token = network.token(service, officer, "compliance:officer", "compliance:read")
    headers = {"Authorization": f"Bearer {token}"}
    answer = network.http.request(method, network.url(service) + path, headers=headers, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def held(network: Network, amount: int) -> str:
    """A payment that the debtor agent's compliance holds, of a customer whom no officer has excused before."""
    node = NodeApi(network.folder, DEBTOR)
    node.open_account(ASKED_ABOUT, ASKED_ABOUT, {"name": "Joseph Konny", "country": "TH"})
    node.deposit(ASKED_ABOUT, 100_000, "first")
    quote = node.quote(ASKED_ABOUT, ASKED_ABOUT, network.known["foreign code"], amount)
    uetr = node.pay(quote.id, ASKED_ABOUT, f"inquired-{amount}")
    until(lambda: node.payment(uetr, ASKED_ABOUT).status == "held", "the payment is held")
    return uetr


def test_a_question_is_answered_by_the_other_institutions_officers(network: Network) -> None:
    uetr = held(network, 2_700)
    path = f"/v1/holds/{uetr}/debtor"
    hold = asked_as(network, COMPLIANCE, "anna", "POST", path + "/inquiries", {"question": "Who owns this shop?"})
    assert hold["outcome"] == "request-information"
    assert "was asked" in hold["status"]

    def received() -> Any:
        page = asked_as(network, CREDITOR.compliance, "chai", "GET", "/v1/inquiries?limit=500")
        return [each for each in page["inquiries"] if each["uetr"] == uetr]

    [question] = until(received, "the question has arrived")
    assert (question["question"], question["side"]) == ("Who owns this shop?", "creditor")
    assert question["peer"] == network.account(DEBTOR.slug)
    assert question["party"]["name"], "who is asked about comes with the question"
    assert received() == [question], "asked again and again, it is one question"
    answer = f"/v1/inquiries/{question['id']}/answer"
    asked_as(network, CREDITOR.compliance, "chai", "POST", answer, {"answer": "Li Na, since 2019"})
    assert received() == []

    def answered() -> Any:
        case = asked_as(network, COMPLIANCE, "anna", "GET", path + "/case")
        return case if case["hold"]["outcome"] == "hold" else None

    case = until(answered, "the answer has arrived")
    assert [(each["act"], each["note"]) for each in case["acts"]][1:] == [("learn", "Li Na, since 2019")]
    assert [each["action"] for each in case["hold"]["reviews"]] == ["ask", "answered"]
    assert case["hold"]["officers_missing"] == 2, "an answer decides nothing"


def test_what_a_policy_asks_of_the_other_agent_is_answered_by_its_officers_and_then_decided(network: Network) -> None:
    node, uetr, wanted = NodeApi(network.folder, DEBTOR), held(network, 2_800), {"note": "another birth date"}
    for officer in ("anna", "boris"):
        asked_as(network, COMPLIANCE, officer, "POST", f"/v1/holds/{uetr}/debtor/release", wanted)
    away = f"/v1/holds/{uetr}/creditor"

    def waiting(outcome: str) -> Any:
        page = asked_as(network, CREDITOR.compliance, "chai", "GET", f"/v1/holds?limit=500&outcome={outcome}")
        return [each for each in page["holds"] if each["uetr"] == uetr]

    [hold] = until(lambda: waiting("request-information"), "the creditor agent asks")
    assert (hold["officers_missing"], hold["reviews"]) == (2, [])
    assert "the other agent was asked" in hold["status"]
    until(lambda: node.payment(uetr, ASKED_ABOUT).status == "held", "the payer sees that the payment waits")
    case = asked_as(network, CREDITOR.compliance, "chai", "GET", away + "/case")
    assert [(each["act"], each["officer"]) for each in case["acts"]] == [("ask", "")]

    def received() -> Any:
        page = asked_as(network, COMPLIANCE, "anna", "GET", "/v1/inquiries?limit=500")
        return [each for each in page["inquiries"] if each["uetr"] == uetr]

    [question] = until(received, "the question has arrived")
    assert question["question"].endswith("which birth date?")
    assert question["party"]["name"] == "Joseph Konny"
    answer = f"/v1/inquiries/{question['id']}/answer"
    asked_as(network, COMPLIANCE, "anna", "POST", answer, {"answer": "born 1990-04-01"})
    [hold] = until(lambda: waiting("hold"), "the answer has arrived")
    assert [each["action"] for each in hold["reviews"]] == ["answered"]
    assert hold["officers_missing"] == 2, "an answer clears nothing"
    for officer in ("chai", "dao"):
        asked_as(network, CREDITOR.compliance, officer, "POST", away + "/release", wanted)
    ended = node.payment(uetr, ASKED_ABOUT, wait=40)
    assert ended.status == "settled", ended


def test_what_is_no_question_is_answered_as_refused_and_spoils_no_other(network: Network) -> None:
    good = {"id": str(uuid4()), "uetr": str(uuid4()), "side": "debtor", "party": None, "question": "who is this?"}
    bad = [
        good | {"id": "7"},
        good | {"id": str(uuid4()), "side": "payer"},
        good | {"id": str(uuid4()), "question": " "},
    ]
    body = json.dumps({"inquiries": [*bad, good, good]}).encode()
    service = DEBTOR.node
    answer = network.send(network.signed(service, "/peer/v1/inquiries", body, CREDITOR.slug), body).json()["answers"]
    assert [each["state"] for each in answer] == ["refused"] * 3 + ["open"] * 2
    other = json.dumps({"inquiries": [good]}).encode()
    stolen = network.send(network.signed(service, "/peer/v1/inquiries", other, DEBTOR.slug), other).json()["answers"]
    assert stolen[0]["state"] == "refused", "an institution learns nothing of another's inquiries"
