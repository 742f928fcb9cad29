"""What the auditor's commands print for people: however narrow the terminal, no figure is cut."""

from __future__ import annotations

import pytest

from audit.reports import show, sums_view
from audit.sums import CurrencySums, SumsReport


def test_no_amount_is_cut_off(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    amounts = [123_456_789_012_345_67 + step for step in range(5)]
    show(sums_view(SumsReport(7, (CurrencySums(156, *amounts),), ("the sums differ",))))
    [row] = [line for line in capsys.readouterr().out.splitlines() if "CNY" in line]
    for amount in amounts:
        assert f"{amount // 100}.{amount % 100:02d}" in row.replace(",", "")
