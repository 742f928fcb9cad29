"""One code pays all: a merchant's code carries every scheme of its acquirer, and each finds the merchant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nodes import qr
from nodes.merchants import service as merchants
from tests.node_door import Door, opened

STALL = {"id": "stall", "owner": "wanida", "name": "Tea Stall", "city": "Bangkok"}
IIN = "70290764"


def registered(door: Door, **further: str) -> dict[str, Any]:
    door.node.settings.further_schemes = further
    answer = door.http.post("/v1/merchants", json=STALL, headers=door.token("operator", "operator"))
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def test_one_code_carries_every_scheme_and_each_finds_the_merchant(tmp_path: Path) -> None:
    with opened(tmp_path / "node.db") as door:
        said = registered(door, UNIONPAY=IIN)
        code = qr.read_to_pay(said["code"])
        assert code.schemes == ("PROMPTPAY", "UNIONPAY")
        assert (code.country, code.currency and code.currency.alpha, code.amount) == ("TH", "THB", None)
        keys = [account.lookup_key for account in code.accounts]
        assert said["lookup_key"] in keys
        assert f"UNIONPAY:{IIN}{IIN}000000000000001" in keys
        with door.database.read() as connection:
            found = merchants.payees(connection, [*keys, "UNIONPAY:nobody"])
        assert {key: account.id for key, account in found.items()} == dict.fromkeys(keys, "merchant:stall")


def test_a_code_for_one_payment_carries_them_too_with_its_reference(tmp_path: Path) -> None:
    with opened(tmp_path / "node.db") as door:
        registered(door, UNIONPAY=IIN)
        answer = door.get("/v1/merchants/stall/code", "wanida", amount="1250", reference="ORDER1")
        code = qr.read_to_pay(answer.json()["code"])
        assert (code.schemes, code.amount, code.single_use) == (("PROMPTPAY", "UNIONPAY"), 1250, True)
        assert (code.reference.of_payment, code.reference.ref1) == ("ORDER1", "ORDER1")


def test_the_same_registration_again_is_the_same_code(tmp_path: Path) -> None:
    with opened(tmp_path / "node.db") as door:
        assert registered(door, UNIONPAY=IIN) == registered(door, UNIONPAY=IIN)


@pytest.mark.parametrize("further", [{}, {"UNIONPAY": IIN}])
def test_a_merchant_is_found_by_no_other_acquirers_key(tmp_path: Path, further: dict[str, str]) -> None:
    with opened(tmp_path / "node.db") as door:
        registered(door, **further)
        with door.database.read() as connection:
            assert not merchants.payees(connection, [f"UNIONPAY:{IIN}{IIN}000000000000002"])
