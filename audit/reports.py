"""What the auditor's commands found, for people (tables) and for machines (JSON)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from audit.completeness import CompletenessReport
from audit.errors import NotProven
from audit.sums import CurrencySums, SumsReport
from audit.verify import STEPS, Verified
from contracts.terms.currencies import CURRENCIES
from contracts.terms.documents import to_document
from contracts.terms.money import currency, format_decimal

_PASSED, _FAILED, _NOT_REACHED = "[green]✓[/]", "[red]✗[/]", "·"


def verified_document(verified: Verified) -> dict[str, Any]:
    """The JSON form of a proven payment; amounts are strings of minor units."""
    return {"verified": True, **to_document(verified)}


def refused_document(failure: NotProven) -> dict[str, Any]:
    """The JSON form of refused evidence."""
    return {"verified": False, "step": failure.fields["step"], "problem": failure.kind(), "detail": failure.detail}


def verified_view(verified: Verified) -> RenderableType:
    """A proven payment, for a person."""
    payment, place = verified.payment, verified.place
    table = Table.grid(padding=(0, 2))
    rows = [("UETR", payment.uetr), ("debtor agent", payment.debtor_agent), ("creditor agent", payment.creditor_agent)]
    rows += [("returns", payment.original_uetr)] if payment.original_uetr else []
    rows += [("FX provider", provider) for provider in verified.providers]
    rows += [("leg", f"{_amount(leg.currency, leg.amount)}  {leg.source} → {leg.target}") for leg in payment.legs]
    rows.append(("batch", f"lane {place.lane}, sequence {place.sequence}, {verified.payment_count} payments"))
    rows.append(("settled by block", f"{verified.block_number}, chain time {verified.block_time}"))
    rows.append(("settled by contract", verified.settlement))
    for name, content in rows:
        table.add_row(Text(name, style="bold"), Text(content))
    return Group(_steps(len(verified.checks)), table, Text("proven: this payment was settled", style="bold green"))


def refused_view(failure: NotProven) -> RenderableType:
    """Refused evidence, for a person: the steps passed, and the one that failed."""
    failed = str(failure.fields["step"])
    return Group(
        _steps(list(STEPS).index(failed), failed),
        Text(f"refused at step {failed!r}: {failure.title}: {failure.detail}", style="bold red"),
    )


def completeness_document(report: CompletenessReport) -> dict[str, Any]:
    """The JSON form of a completeness audit."""
    return {"complete": not report.problems, **asdict(report)}


def completeness_view(report: CompletenessReport) -> RenderableType:
    """A completeness audit, for a person."""
    table = Table("debtor agent", "lane", "batches", "payments")
    for lane in report.lanes:
        table.add_row(lane.debtor_agent, str(lane.lane), str(lane.batches), str(lane.payments))
    subject = f"{report.participants} participants up to block {report.block_number}"
    if replaced := len(report.settlements) - 1:
        subject += f", Settlement replaced {replaced} {'time' if replaced == 1 else 'times'}"
    leaves = f", the payments of {report.leaves_checked} batches recomputed" if report.leaves_checked else ""
    return Group(_uncut(table), _verdict(report.problems, f"nothing is missing: {subject}{leaves}"))


def sums_document(report: SumsReport) -> dict[str, Any]:
    """The JSON form of the sums; amounts are strings of minor units, currencies numeric codes."""
    return {
        "balanced": not report.problems,
        "block_number": report.block_number,
        "sums": [_sums_document(each) for each in report.sums],
        "problems": list(report.problems),
    }


def sums_view(report: SumsReport) -> RenderableType:
    """The sums, for a person."""
    table = Table("currency", "issued", "redeemed", "total supply", "all positions", "all books", "")
    for each in report.sums:
        amounts = (each.issued, each.redeemed, each.total_supply, each.positions, each.books)
        mark = _PASSED if each.balanced else _FAILED
        table.add_row(_code(each.currency), *(_decimal(each.currency, amount) for amount in amounts), mark)
    return Group(_uncut(table), _verdict(report.problems, f"the sums agree at block {report.block_number}"))


def show(view: RenderableType) -> None:
    """Print for people."""
    Console(soft_wrap=True, emoji=False, highlight=False).print(view)


def _uncut(table: Table) -> Table:
    """As wide as what stands in it, whatever the terminal: a figure that is cut off proves nothing."""
    endless = Console(width=10_000)
    table.width = Measurement.get(endless, endless.options, table).maximum
    return table


def _steps(passed: int, failed: str = "") -> Table:
    table = Table("", "step", "what it proves")
    for place, (name, proves) in enumerate(STEPS.items()):
        mark = _PASSED if place < passed else _FAILED if name == failed else _NOT_REACHED
        table.add_row(mark, name, proves)
    return table


def _verdict(problems: tuple[str, ...], good: str) -> Text:
    if not problems:
        return Text(good, style="bold green")
    return Text("\n".join(problems), style="bold red")


def _sums_document(sums: CurrencySums) -> dict[str, Any]:
    amounts = {name: None if amount is None else str(amount) for name, amount in asdict(sums).items()}
    return amounts | {"currency": sums.currency, "balanced": sums.balanced}


def _amount(code: int, minor: int) -> str:
    return f"{_code(code)} {_decimal(code, minor)}"


def _decimal(code: int, minor: int | None) -> str:
    if minor is None:
        return "-"
    return format_decimal(minor, currency(code)) if _is_known(code) else str(minor)


def _code(code: int) -> str:
    return str(currency(code)) if _is_known(code) else str(code)


def _is_known(code: int) -> bool:
    return any(numeric == code for numeric, _ in CURRENCIES.values())
