"""Prices and payments in bulk at a real node: each item as if it were sent alone."""

from __future__ import annotations

from typing import Any


def test_a_bulk_of_codes_is_priced_as_each_alone(stage: Any) -> None:
    payer, shop = stage.payer("TH"), stage.shop("SG")
    good = {"account": payer.id, "code": stage.codes[shop.id], "amount": "1200"}
    asked = [
        good,
        good | {"amount": "0"},
        good | {"account": "nobody"},
        good | {"code": good["code"][:-1] + ("0" if good["code"][-1] != "0" else "1")},
        good | {"code": stage.codes[stage.shop("TH").id]},
        good | {"amount": "2400"},
    ]
    options = {"who": payer.owner, "scope": "payments:write"}
    answers = stage.send("POST", "TH", "/v1/quotes/bulk", json={"quotes": asked}, **options).json()["answers"]
    alone = [stage.send("POST", "TH", "/v1/quotes", json=each, **options) for each in asked]
    for together, each in zip(answers, alone, strict=True):
        if each.status_code == 201:
            assert without_chance(together["quote"]) == without_chance(each.json())
        else:
            assert together == {"problem": each.json()}
    assert [each.status_code for each in alone] == [201, 400, 404, 400, 404, 201]


def test_what_was_priced_in_bulk_is_paid_in_bulk(stage: Any) -> None:
    payer, shop = stage.payer("SG"), stage.shop("TH")
    asked = [{"account": payer.id, "code": stage.codes[shop.id], "amount": str(1000 + n)} for n in range(20)]
    options = {"who": payer.owner, "scope": "payments:write"}
    answers = stage.send("POST", "SG", "/v1/quotes/bulk", json={"quotes": asked}, **options).json()["answers"]
    orders = [{"idempotency_key": f"bulk-{n}", "quote_id": each["quote"]["quote_id"]} for n, each in enumerate(answers)]
    taken = stage.send("POST", "SG", "/v1/payments/bulk", json={"payments": orders}, **options).json()["answers"]
    ends = [stage.end(payer, each["accepted"]["uetr"]) for each in taken]
    assert [(each.status, each.target_amount) for each in ends] == [("settled", 1000 + n) for n in range(20)]


def without_chance(quoted: dict[str, Any]) -> dict[str, Any]:
    """What does not differ from one asking to the next."""
    return {name: value for name, value in quoted.items() if name not in ("quote_id", "expires")}
