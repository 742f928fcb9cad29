"""Reference rates of a stated business date, and the command that shows them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bridge.cli import app
from bridge.rates.pricing import Pair, buyer_rate, price_of_source, price_of_target, shown
from bridge.rates.reference import ReferenceRates, reference_rates
from bridge.settings import BridgeSettings
from contracts.terms.errors import BadAmount, NoPrice
from contracts.terms.money import currency
from serving.settings import load_settings

FRIDAY, SUNDAY = date(2024, 3, 1), date(2024, 3, 3)
CNY, THB, SGD, JPY, EUR = (currency(code) for code in ("CNY", "THB", "SGD", "JPY", "EUR"))


@pytest.fixture(scope="module")
def friday() -> ReferenceRates:
    return reference_rates(FRIDAY)


def test_the_ecb_s_rates_of_a_date_are_exact(friday: ReferenceRates) -> None:
    # As published by the ECB for 1 March 2024.
    assert friday.business_date == FRIDAY
    assert friday.per_euro["USD"] == Decimal("1.0813")
    assert friday.per_euro["CNY"] == Decimal("7.7837")
    assert friday.mid(CNY, EUR) == Fraction(1) / Fraction("7.7837")


def test_a_date_without_rates_takes_the_last_business_date_before(friday: ReferenceRates) -> None:
    sunday = reference_rates(SUNDAY)
    assert sunday.business_date == FRIDAY
    assert sunday.per_euro == friday.per_euro


def test_a_date_after_the_data_states_the_last_date_that_has_rates() -> None:
    newest = reference_rates(date(2100, 1, 1))
    assert newest.business_date < date(2100, 1, 1)
    assert reference_rates(newest.business_date).per_euro == newest.per_euro


def test_a_date_before_the_euro_has_no_rates() -> None:
    with pytest.raises(NoPrice):
        reference_rates(date(1998, 12, 31))


def test_a_currency_without_a_rate_has_no_price(friday: ReferenceRates) -> None:
    with pytest.raises(NoPrice):
        friday.mid(CNY, currency("VND"))


def test_a_price_by_hand() -> None:
    # 1 CNY is 5 THB; 100 basis points below is 4.95 THB. 10.00 THB cost 2.0202... CNY: 2.03, and 0.98 fen are left.
    rate = buyer_rate(Fraction(5), 100)
    price = price_of_target(Pair(CNY, THB), rate, 1_000)
    assert (price.source_amount, price.target_amount) == (203, 1_000)
    assert (price.residue, price.residue_currency) == (203 - Fraction(1_000 * 100, 495), CNY)
    # 2.03 CNY buy 10.0485 THB: 10.04, and 0.85 satang are left.
    price = price_of_source(Pair(CNY, THB), rate, 203)
    assert (price.source_amount, price.target_amount) == (203, 1_004)
    assert (price.residue, price.residue_currency) == (Fraction(85, 100), THB)


def test_currencies_of_other_decimals_are_priced_in_their_minor_units() -> None:
    # 1 SGD is 110 JPY: a yen has no minor unit.
    assert price_of_target(Pair(SGD, JPY), Fraction(110), 110).source_amount == 100


def test_an_amount_that_buys_nothing_has_no_price() -> None:
    with pytest.raises(BadAmount):
        price_of_source(Pair(JPY, SGD), Fraction(1, 110), 1)
    with pytest.raises(BadAmount):
        price_of_target(Pair(CNY, THB), Fraction(5), 0)
    with pytest.raises(BadAmount):
        price_of_target(Pair(SGD, JPY), Fraction(1, 1000), 10**15)


def test_rates_are_shown_to_people_in_ten_digits_without_an_exponent() -> None:
    assert shown(Fraction(1, 3)) == "0.3333333333"
    assert shown(Fraction(1, 30_000_000)) == "0.00000003333333333"
    assert shown(Fraction(5)) == "5"


def test_the_command_shows_rates_crossed_through_the_euro() -> None:
    result = CliRunner().invoke(app, ["rates", "--date", "2024-03-03", "--base", "USD"])
    assert result.exit_code == 0
    assert "2024-03-01" in result.output
    assert "7.198464811" in result.output
    assert CliRunner().invoke(app, ["rates", "--date", "1990-01-01"]).exit_code == 1


SETTINGS = """
name = "bridge"
account = "0x1111111111111111111111111111111111111111"
port = 8100
endpoint = "http://127.0.0.1:8100"
database = "bridge.db"
network = "network.json"
chain_url = "http://127.0.0.1:8545"
message_key = "message.json"
token_key = "token.json"
password_file = "password"
settlement_key = "settlement.json"
compliance_endpoint = "http://127.0.0.1:8101"
"""


def settings(folder: Path, more: str) -> BridgeSettings:
    file = folder / "bridge.toml"
    file.write_text(SETTINGS + more)
    return load_settings(BridgeSettings, file)


def test_settings_read_caps_as_people_write_them(tmp_path: Path) -> None:
    more = 'rate_date = 2026-10-30\ncounterparty_value_caps = { THB = "5000000.00", JPY = "7" }'
    assert settings(tmp_path, more).value_caps == {764: 500_000_000, 392: 7}


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ("", "rate_date"),
        ('rate_date = "yesterday"', "rate_date"),
        ('rate_date = 2026-10-30\ncounterparty_value_caps = { XXX = "1" }', "counterparty_value_caps"),
        ('rate_date = 2026-10-30\ncounterparty_value_caps = { JPY = "1.5" }', "counterparty_value_caps"),
        ("rate_date = 2026-10-30\nspread_bp = -1", "spread_bp"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, more: str, named: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        settings(tmp_path, more)
    assert named in capsys.readouterr().err
