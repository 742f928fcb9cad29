"""The merchant scans the customer's code (CPM): in every direction, once, within the consent, while it lives."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import httpx2
import pytest
import sqlalchemy

from contracts.terms.commitments import keccak
from devnet.network import cast
from nodes.qr.consumer import ConsumerCode, new_token, write_consumer_code
from nodes.qr.crc import checksum
from tests.databases import looking

from .conftest import until

MOST = 300_000


def charge(stage: Any, country: str, code: str, amount: int, key: str, by: Any = None) -> httpx2.Response:
    """What the merchant's node answers to a scanned code."""
    shop = by or stage.shop(country)
    path, headers = f"/v1/merchants/{shop.id}/charges", {"Idempotency-Key": key}
    body = {"code": code, "amount": str(amount), "reference": "TABLE7"}
    return stage.send("POST", country, path, shop.owner, "merchants:write", json=body, headers=headers)


def problem(answer: httpx2.Response) -> tuple[int, str, str]:
    document = answer.json()
    return answer.status_code, document["type"].rsplit(":", 1)[-1], document["reason"]


def code_of(stage: Any, country: str, most: int = MOST) -> str:
    payer = stage.payer(country)
    text: str = stage.node(country).consumer_code(payer.id, payer.owner, most)
    return text


def standing(stage: Any, country: str) -> tuple[Any, ...]:
    payer = stage.payer(country)
    payments = stage.rows(stage.node(country).institution.node, "SELECT count(*) FROM payments")
    return stage.node(country).balance(payer.id, payer.owner), payments


@pytest.mark.parametrize(("home", "abroad"), list(permutations(("CN", "TH", "SG"), 2)))
def test_a_charge_settles_and_its_code_is_used_for_ever(stage: Any, home: str, abroad: str) -> None:
    payer, shop = stage.payer(home), stage.shop(abroad)
    code, before, key = code_of(stage, home), stage.node(home).balance(payer.id, payer.owner)[0], f"{home}-{abroad}"
    charged = charge(stage, abroad, code, 6_000, key)
    assert charged.status_code == 202, charged.text
    ended = stage.end(payer, charged.json()["uetr"])
    assert (ended.status, ended.target_amount) == ("settled", 6_000)
    assert stage.node(home).balance(payer.id, payer.owner) == (before - ended.total,) * 2

    def told() -> list[str]:
        received = stage.node(abroad).merchant_payments(shop.id, shop.owner)
        return [each["reference"] for each in received if (each["uetr"], each["status"]) == (ended.uetr, "settled")]

    assert until(told, "the merchant is told") == ["TABLE7"]
    after = standing(stage, home)
    for again in range(2):
        assert problem(charge(stage, abroad, code, 6_000, f"{key}-{again}")) == (422, "peer-refusal", "AM05")
    assert charge(stage, abroad, code, 6_000, key).json() == charged.json(), "the same key is the same charge"
    assert problem(charge(stage, abroad, code, 6_001, key)) == (422, "idempotency-key-reused", "AM05")
    assert standing(stage, home) == after


def test_a_charge_that_found_no_provider_answering_is_not_refused_for_ever(stage: Any) -> None:
    payer, code, key = stage.payer("CN"), code_of(stage, "CN"), "provider-away"
    stage.processes.stop([cast.PROVIDER_BRIDGE])
    try:
        before = standing(stage, "CN")
        assert problem(charge(stage, "TH", code, 6_000, key)) == (503, "peer-unavailable", "AB08")
        assert standing(stage, "CN") == before
    finally:
        stage.processes.start([cast.PROVIDER_BRIDGE])
        stage.processes.wait([cast.PROVIDER_BRIDGE])

    def charged() -> str:
        answer = charge(stage, "TH", code, 6_000, key)
        return str(answer.json()["uetr"]) if answer.status_code == 202 else ""

    assert stage.end(payer, until(charged, "the provider is back")).target_amount == 6_000


def test_codes_that_pay_nothing(stage: Any) -> None:
    before = standing(stage, "CN")
    code = code_of(stage, "CN")
    body = code[:-4]
    strange = write_consumer_code(ConsumerCode("NOBODYS1", new_token()))
    invented = write_consumer_code(ConsumerCode("JINSHAN1", new_token()))
    for number, (text, expected) in enumerate(
        [
            (body + ("0000" if code[-4:] != "0000" else "FFFF"), (400, "bad-payment-code", "FF01")),
            (code.lower(), (400, "bad-payment-code", "FF01")),
            (code[:-1], (400, "bad-payment-code", "FF01")),
            (f"{body[:-1]}1{checksum(body[:-1] + '1')}", (400, "bad-payment-code", "FF01")),
            (stage.codes["dawn-coffee"][:100], (400, "bad-payment-code", "FF01")),
            (strange, (404, "unknown-institution", "RC01")),
            (code_of(stage, "TH"), (404, "unknown-institution", "RC01")),
            (invented, (422, "peer-refusal", "RR09")),
        ]
    ):
        for _ in range(2):
            assert problem(charge(stage, "TH", text, 6_000, f"nothing-{number}")) == expected, text
    assert problem(charge(stage, "TH", code, 6_000, "not-my-shop", by=stage.shop("SG"))) == (
        404,
        "unknown-merchant",
        "AC03",
    )
    assert standing(stage, "CN") == before


def test_more_than_the_consent_is_refused_and_the_code_stays_good(stage: Any) -> None:
    payer = stage.payer("CN")
    before, code = standing(stage, "CN"), code_of(stage, "CN", most=1_000)
    for _ in range(2):
        assert problem(charge(stage, "TH", code, 100_000, "over")) == (422, "peer-refusal", "AM14")
    assert standing(stage, "CN") == before
    charged = charge(stage, "TH", code, 2_000, "within")
    assert charged.status_code == 202, charged.text
    assert problem(charge(stage, "TH", code, 100_000, "over")) == (422, "peer-refusal", "AM14")
    assert stage.end(payer, charged.json()["uetr"]).status == "settled"


def test_a_code_is_refused_once_its_life_is_over(stage: Any) -> None:
    code, before = code_of(stage, "CN"), standing(stage, "CN")
    sooner = sqlalchemy.text("UPDATE consumer_codes SET expires = expires - 130 WHERE token_hash = :token_hash")
    with looking(stage.folder.database("jinshan-node")) as connection:  # two minutes are too long to wait for
        assert connection.execute(sooner, {"token_hash": keccak(code[12:38].encode())}).rowcount == 1
    for key in ("too-old", "too-old", "older"):
        assert problem(charge(stage, "TH", code, 2_000, key)) == (422, "peer-refusal", "TM01")
    assert standing(stage, "CN") == before


def test_a_refusal_stays_the_answer_after_money_came_in(stage: Any) -> None:
    """The payer has enough when the code is made, and not when it is charged; the same key is refused for ever."""
    node, payer, shop = stage.node("CN"), "short-of-money", stage.shop("TH")
    node.open_account(payer, payer, {"name": "Wu Min", "kind": "person"})
    node.deposit(payer, 5_000, "first")
    code = node.consumer_code(payer, payer, 5_000)
    priced = node.quote(payer, payer, stage.codes[shop.id], 10_000)
    held_back = node.pay(priced.id, payer, "spends-it")
    assert problem(charge(stage, "TH", code, 18_000, "poor")) == (422, "peer-refusal", "AM04")
    node.deposit(payer, 100_000, "second")
    assert problem(charge(stage, "TH", code, 18_000, "poor")) == (422, "peer-refusal", "AM04")
    assert node.payment(held_back, payer, 40).status == "settled"
    uetr = charge(stage, "TH", code, 18_000, "rich").json()["uetr"]
    assert node.payment(uetr, payer, 40).status == "settled"
