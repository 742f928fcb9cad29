"""Held payments: two officers release or refuse, nobody looks; and what was released is priced anew."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from devnet.network import cast
from devnet.network.api import Problem
from devnet.network.people import Customer

from .conftest import RESEMBLING, until

AMOUNT = 9_000


def held_at(stage: Any, country: str, uetr: str) -> dict[str, Any]:
    """The payment in the queue of a country's officers, once it is there."""
    officers = stage.apis.compliance[country]
    return until(
        lambda: next((each for each in officers.holds("ann") if each["uetr"] == uetr), None), f"{uetr} is held"
    )


def release(stage: Any, country: str, uetr: str) -> None:
    """Two different officers release it."""
    side = held_at(stage, country, uetr)["side"]
    for officer in ("ann", "bob"):
        stage.apis.compliance[country].decide(officer, uetr, side, "release", "another person, by the birth date")


def balance(stage: Any, payer: Customer = RESEMBLING) -> tuple[int, int]:
    found: tuple[int, int] = stage.node(payer.country).balance(payer.id, payer.owner)
    return found


def events(stage: Any, uetr: str) -> list[str]:
    body = stage.send("GET", "SG", f"/v1/payments/{uetr}", RESEMBLING.owner, "payments:read").json()
    return [each["event"] for each in body["events"]]


def test_two_officers_of_each_agent_release_and_it_settles_at_a_price_of_now(stage: Any) -> None:
    shop, before = stage.shop("TH"), balance(stage)
    uetr = stage.start(RESEMBLING, shop, AMOUNT, "to-release")
    held = held_at(stage, "SG", uetr)
    assert (held["side"], held["officers_missing"]) == ("debtor", 2)
    own = stage.apis.compliance["SG"]
    for _ in range(2):  # the same officer twice is one officer
        assert own.decide("ann", uetr, "debtor", "release", "not the listed one")["officers_missing"] == 1
    assert stage.node("SG").payment(uetr, RESEMBLING.owner).status == "held"
    assert own.decide("bob", uetr, "debtor", "release", "not the listed one")["officers_missing"] == 0

    assert held_at(stage, "TH", uetr)["side"] == "creditor"
    unsettled = stage.send(
        "POST", "TH", f"/v1/payments/{uetr}/returns", shop.owner, "merchants:write",
        json={}, headers={"Idempotency-Key": "return-too-early"},
    )  # fmt: skip
    assert (unsettled.status_code, unsettled.json()["type"]) == (409, "urn:feiqian:problem:wrong-state")
    assert stage.send("GET", "SG", f"/v1/payments/{uetr}/evidence", "auditor", "audit").status_code == 404
    release(stage, "TH", uetr)

    ended = stage.end(RESEMBLING, uetr)
    assert (ended.status, ended.target_amount) == ("settled", AMOUNT)
    assert balance(stage) == (before[0] - ended.total, before[1] - ended.total)
    assert events(stage, uetr).count("release") == 2
    assert events(stage, uetr)[-2:] == ["sign", "settle"]
    [(attempt, quotes)] = stage.rows(
        "merlion-node", f"SELECT attempt, (SELECT count(*) FROM quotes WHERE used_by = uetr) FROM payments "
        f"WHERE uetr = '{uetr}'"
    )  # fmt: skip
    assert (attempt, quotes) == (2, 1)
    again = stage.send(
        "POST", "TH", f"/v1/payments/{uetr}/returns", shop.owner, "merchants:write",
        json={}, headers={"Idempotency-Key": "return-too-early"},
    )  # fmt: skip
    assert again.json() == unsettled.json(), "what was refused under a key stays refused, though it is settled now"


@pytest.mark.parametrize("refuses", ["SG", "TH"])
def test_two_officers_of_either_agent_refuse_and_the_money_is_free(stage: Any, refuses: str) -> None:
    before = balance(stage)
    uetr = stage.start(RESEMBLING, stage.shop("TH"), AMOUNT, f"to-refuse-{refuses}")
    if refuses == "TH":
        release(stage, "SG", uetr)
    side = held_at(stage, refuses, uetr)["side"]
    assert balance(stage)[1] < before[1], "money is set aside while the payment is held"
    assert stage.apis.compliance[refuses].decide("ann", uetr, side, "refuse", "the listed one")["outcome"] == "hold"
    stage.apis.compliance[refuses].decide("eve", uetr, side, "refuse", "it is the listed one")
    ended = stage.end(RESEMBLING, uetr)
    assert (ended.status, ended.reason) == ("refused", "RR04")
    assert balance(stage) == before
    with pytest.raises(Problem, match="refuse"):
        stage.apis.compliance[refuses].decide("bob", uetr, side, "release", "too late")


def test_a_customer_withdraws_a_held_payment(stage: Any) -> None:
    before = balance(stage)
    uetr = stage.start(RESEMBLING, stage.shop("TH"), AMOUNT, "to-cancel")
    held_at(stage, "SG", uetr)
    cancel = f"/v1/payments/{uetr}/cancellation"
    answer = stage.send("POST", "SG", cancel, RESEMBLING.owner, "payments:write")
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert balance(stage) == before
    release(stage, "SG", uetr)
    again = stage.send("POST", "SG", cancel, RESEMBLING.owner, "payments:write")
    assert (again.status_code, again.json()["state"]) == (409, "cancelled")
    assert "has ended" in again.json()["detail"]
    assert stage.node("SG").payment(uetr, RESEMBLING.owner, 1.5).status == "cancelled"


@pytest.fixture
def dearer(stage: Any) -> Iterator[Any]:
    """Call it, and the FX provider sells 3 % dearer than before."""
    settings = stage.folder.settings(cast.PROVIDER_BRIDGE)
    usual = settings.read_text()

    def change() -> None:
        settings.write_text(usual + "spread_bp = 330\n")
        stage.restart(cast.PROVIDER_BRIDGE)

    yield change
    settings.write_text(usual)
    stage.restart(cast.PROVIDER_BRIDGE)


def held(stage: Any, payer: Customer, amount: int, tolerance: int) -> tuple[str, int]:
    """UETR and total of a held payment whose payer accepts a price higher by `tolerance` basis points."""
    quote = stage.node("SG").quote(payer.id, payer.owner, stage.codes[stage.shop("TH").id], amount)
    body = {"quote_id": quote.id, "tolerance_basis_points": tolerance}
    options = {"json": body, "headers": {"Idempotency-Key": f"tolerance-{tolerance}"}}
    uetr = stage.send("POST", "SG", "/v1/payments", payer.owner, "payments:write", **options).json()["uetr"]
    held_at(stage, "SG", uetr)
    return uetr, quote.total


def test_a_price_that_moved_is_paid_within_the_tolerance_and_refused_beyond(stage: Any, dearer: Any) -> None:
    poor = Customer("joseph-koney-3", RESEMBLING.name, "SG", "")
    stage.node("SG").open_account(poor.id, poor.owner, poor.party)
    stage.node("SG").deposit(poor.id, 1_000, "poor")
    too_dear, all_it_has = held(stage, poor, 25_700, 1_000)
    assert all_it_has * 103 // 100 > 1_000, "3 % more must not be there"
    payments = {tolerance: held(stage, RESEMBLING, AMOUNT, tolerance) for tolerance in (0, 100, 1_000)}
    dearer()
    before = balance(stage)
    for uetr in (too_dear, *(uetr for uetr, _ in payments.values())):
        release(stage, "SG", uetr)
    for payer, refused, reason in (
        (RESEMBLING, payments[0][0], "AM14"),
        (RESEMBLING, payments[100][0], "AM14"),
        (poor, too_dear, "AM04"),
    ):
        ended = stage.end(payer, refused)
        assert (ended.status, ended.reason) == ("refused", reason)
    assert balance(stage, poor) == (1_000, 1_000)
    uetr, total = payments[1_000]
    release(stage, "TH", uetr)
    ended = stage.end(RESEMBLING, uetr)
    assert ended.status == "settled"
    assert total * 102 // 100 < ended.total <= total * 110 // 100
    assert balance(stage) == (before[0] - ended.total,) * 2
