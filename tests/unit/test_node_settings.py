"""A wrong setting of a node is named in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from nodes.settings import NodeSettings
from serving.settings import load_settings

GOOD = {
    "name": "Bank",
    "account": "0x" + "1" * 40,
    "port": 9000,
    "endpoint": "http://127.0.0.1:9000",
    "database": "node.db",
    "network": "network.json",
    "chain_url": "http://127.0.0.1:8545",
    "message_key": "m.json",
    "token_key": "t.json",
    "password_file": "password",
    "settlement_key": "s.json",
    "compliance_endpoint": "http://127.0.0.1:9001",
    "currency": "THB",
    "country": "TH",
    "merchant_scheme": "PROMPTPAY",
    "issuer_prefix": "ABCDEFG1",
}


def written(folder: Path, **changes: object) -> Path:
    file = folder / "node.toml"
    file.write_text("".join(f"{name} = {value!r}\n" for name, value in {**GOOD, **changes}.items()))
    return file


def test_good_settings_are_read(tmp_path: Path) -> None:
    assert load_settings(NodeSettings, written(tmp_path)).currency == "THB"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("currency", "XXY"),
        ("country", "Thailand"),
        ("merchant_scheme", "CASH"),
        ("issuer_prefix", "short"),
        ("further_schemes.PAYNOW", ""),
        ("further_schemes.PROMPTPAY", "099"),
        ("payment_lifetime", 1),
        ("fee_basis_points", -1),
    ],
)
def test_a_wrong_setting_is_named_in_one_line(
    name: str, value: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        load_settings(NodeSettings, written(tmp_path, **{name: value}))
    said = capsys.readouterr().err.strip()
    assert stopped.value.code == 2
    assert name.partition(".")[0] in said
    assert "\n" not in said
