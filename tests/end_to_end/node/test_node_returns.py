"""Returns: in parts, at the original rate, never more than was paid, by nobody but who received it."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from devnet.network.people import MERCHANTS

from .conftest import until


def ask(stage: Any, uetr: str, key: str, amount: str | None = None, by: Any = None, country: str = "TH") -> Any:
    """What the merchant's node answers to a return, once the FX provider has followed the chain as far as it has."""
    body = {} if amount is None else {"amount": amount}
    owner = (by or stage.shop(country)).owner
    path, headers = f"/v1/payments/{uetr}/returns", {"Idempotency-Key": key}

    def answered() -> httpx2.Response | None:
        found = stage.send("POST", country, path, owner, "merchants:write", json=body, headers=headers)
        return None if found.status_code == 503 else found

    return until(answered, "the return is answered")


def problem(answer: httpx2.Response) -> tuple[int, str, str]:
    document = answer.json()
    return answer.status_code, document["type"].rsplit(":", 1)[-1], document["reason"]


def settle(stage: Any, home: str, abroad: str, amount: int, key: str) -> Any:
    """A payment of which the merchant was told, too, that it is settled."""
    shop = stage.shop(abroad)
    paid = stage.settle(stage.payer(home), shop, amount, key)

    def told() -> bool:
        received = stage.node(abroad).merchant_payments(shop.id, shop.owner)
        return any((each["uetr"], each["status"]) == (paid.uetr, "settled") for each in received)

    until(told, "the merchant is told")
    return paid


def merchant_balance(stage: Any, country: str) -> int:
    shop = stage.shop(country)
    found: int = stage.node(country).balance(f"merchant:{shop.id}", shop.owner)[0]
    return found


def settle_return(stage: Any, country: str, answer: httpx2.Response) -> Any:
    assert answer.status_code == 202, answer.text
    ended = stage.node(country).payment(answer.json()["uetr"], stage.shop(country).owner, wait=40)
    assert ended.status == "settled", ended
    return ended


def test_a_settled_payment_is_returned_not_cancelled(stage: Any) -> None:
    paid, payer = settle(stage, "CN", "TH", 4_000, "not-to-cancel"), stage.payer("CN")
    path = f"/v1/payments/{paid.uetr}/cancellation"
    answer = stage.send("POST", "CN", path, payer.owner, "payments:write")
    assert problem(answer)[:2] == (409, "wrong-state")
    assert answer.json()["state"] == "settled"
    assert "return" in answer.json()["detail"]
    assert str(paid.deadline) not in answer.text


def test_a_code_without_a_reference_shows_none(stage: Any) -> None:
    """Not even the one that PromptPay's form cannot do without."""
    paid, shop = settle(stage, "CN", "TH", 4_100, "no-reference"), stage.shop("TH")
    received = stage.node("TH").merchant_payments(shop.id, shop.owner)
    assert [each["reference"] for each in received if each["uetr"] == paid.uetr] == [""]


@pytest.mark.parametrize(("home", "abroad"), [("CN", "TH"), ("SG", "CN")])
def test_half_then_the_rest_gives_back_exactly_what_was_paid(stage: Any, home: str, abroad: str) -> None:
    payer, node = stage.payer(home), stage.node(home)
    before, earned = node.balance(payer.id, payer.owner)[0], merchant_balance(stage, abroad)
    paid = settle(stage, home, abroad, 10_001, f"return-{home}-{abroad}")
    source = paid.total - paid.fee
    half = settle_return(stage, abroad, ask(stage, paid.uetr, f"half-{home}-{abroad}", "5000", country=abroad))
    assert (half.total, half.fee) == (5_000, 0)
    assert half.target_amount == source * 5_000 // 10_001, "the original rate, rounded down"
    rest = settle_return(stage, abroad, ask(stage, paid.uetr, f"rest-{home}-{abroad}", country=abroad))
    assert (rest.total, half.target_amount + rest.target_amount) == (5_001, source)

    def settled_at_home() -> bool:
        return bool(node.balance(payer.id, payer.owner)[0] == before - paid.fee)

    until(settled_at_home, "the customer has all back but the fee")
    assert merchant_balance(stage, abroad) == earned
    for amount in (None, "1"):
        more = ask(stage, paid.uetr, f"one-more-{amount}-{home}-{abroad}", amount, country=abroad)
        assert problem(more) == (422, "already-returned", "AM09")
    back = stage.send("GET", home, f"/v1/payments/{rest.uetr}", payer.owner, "payments:read")
    assert back.json()["status"] == "settled"
    withdrawn = stage.send("POST", home, f"/v1/payments/{rest.uetr}/cancellation", payer.owner, "payments:write")
    assert withdrawn.status_code == 404, "to the customer a return is money that came, not a payment to withdraw"


def test_more_than_was_paid_is_refused_also_in_parts(stage: Any) -> None:
    paid = settle(stage, "CN", "TH", 9_000, "return-too-much")
    assert problem(ask(stage, paid.uetr, "too-much", "9001")) == (422, "already-returned", "AM09")
    first = ask(stage, paid.uetr, "most-of-it", "8999")
    assert first.status_code == 202
    # The first is not final yet, and counts already.
    assert problem(ask(stage, paid.uetr, "two-more", "2")) == (422, "already-returned", "AM09")
    assert problem(ask(stage, paid.uetr, "too-much", "9001")) == (422, "already-returned", "AM09")
    settle_return(stage, "TH", first)


def test_the_same_key_is_one_return(stage: Any) -> None:
    paid = settle(stage, "SG", "TH", 9_000, "return-once")
    answers = [ask(stage, paid.uetr, "once", "4000") for _ in range(2)]
    settle_return(stage, "TH", answers[0])
    answers.append(ask(stage, paid.uetr, "once", "4000"))
    assert len({answer.text for answer in answers}) == 1
    returns = stage.rows("chaophraya-node", f"SELECT uetr FROM payments WHERE original_uetr = '{paid.uetr}'")
    assert returns == [(answers[0].json()["uetr"],)]
    assert problem(ask(stage, paid.uetr, "once", "4001")) == (422, "idempotency-key-reused", "AM05")


def test_only_who_received_a_payment_returns_it(stage: Any) -> None:
    payer, shop = stage.payer("CN"), stage.shop("TH")
    paid = settle(stage, "CN", "TH", 9_000, "return-whose")
    neighbour = next(each for each in MERCHANTS if each.country == "TH" and each != shop)
    assert problem(ask(stage, paid.uetr, "not-mine", by=neighbour)) == (404, "not-found", "RR09")
    assert problem(ask(stage, paid.uetr, "i-paid-it", by=payer, country="CN")) == (404, "not-found", "RR09")
    assert problem(ask(stage, "no-such-uetr", "nothing")) == (404, "not-found", "RR09")
    returned = settle_return(stage, "TH", ask(stage, paid.uetr, "mine", "100"))
    until(
        lambda: stage.rows(
            "jinshan-node", f"SELECT 1 FROM payments WHERE uetr = '{returned.uetr}' AND state = 'settled'"
        ),
        "the return has arrived",
    )
    # The customer who got a return is its creditor, and still cannot return it; neither can the merchant who made it.
    assert problem(ask(stage, returned.uetr, "back-again", by=payer, country="CN")) == (404, "not-found", "RR09")
    assert problem(ask(stage, returned.uetr, "back-again-2")) == (404, "not-found", "RR09")
