"""Lists: however long one is, it is decided, recorded and attested with the same number of SQL statements."""

from __future__ import annotations

from typing import Any

from compliance.client import Decision, SignedAttestation
from tests.statements import statements

OF_PAYMENTS = ("decisions", "totals", "log_nodes", "log_head", "signed_payments")
"""The tables that have a row a payment; what the follower does about blocks meanwhile is about others."""


def test_a_list_is_screened_and_attested_with_as_many_statements_as_one_payment(start: Any) -> None:
    service, counted = start(), []
    for length in (1, 40):
        asked = [service.question(debtor=service.buyer(account=f"6222{number}")) for number in range(length)]
        with statements(service.settings.place()) as seen:
            decisions = service.compliance.screen(asked)
            assert all(isinstance(each, Decision) and each.clear for each in decisions)
            terms = [service.terms(*each) for each in zip(asked, decisions, strict=True)]
            batch, own = service.batch(*terms, sequence=length)
            assert isinstance(service.attest(batch, *own), SignedAttestation)
        counted.append([each[:60] for each in seen if any(f" {table}" in each for table in OF_PAYMENTS)])
    one, many = counted
    assert one == many
    assert any(each.startswith("INSERT INTO decisions") for each in one)


def test_a_payment_that_was_not_screened_spoils_its_own_batch_alone(service: Any) -> None:
    asked = [service.question() for _ in range(3)]
    terms = [service.terms(each, service.decide(each)) for each in asked]
    batch, own = service.batch(terms[0], service.terms(service.question()), sequence=91)
    problem, detail = service.refused(batch, *own)
    assert (problem, detail.startswith("never screened")) == ("not-screened", True)
    good, own = service.batch(*terms, sequence=92)
    assert isinstance(service.attest(good, *own), SignedAttestation)
