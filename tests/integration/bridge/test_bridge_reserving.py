"""Reservations over HTTP: what is agreed to, what is refused, and never more than the stock."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from bridge.client import FirmQuote, Reserved
from contracts.chain.ledger import Ledger
from contracts.terms.commitments import (
    agreement_hash,
    payment_leaf,
    quotes_hash,
    typed_digest,
)
from contracts.terms.identifiers import new_uetr
from contracts.terms.merkle import root_of
from contracts.terms.signing import recover
from serving.client import PeerRefusal

CNY, THB = 156, 764
HASH = b"\x07" * 32


def test_reserved_payments_are_agreed_to_with_one_signature(stage: Any) -> None:
    requests = [stage.payment(stage.bought(1_000), 50 + i) for i in range(3)]
    bad = stage.payment(stage.bought(1_000), debtor_commitment=HASH, quotes_hash=HASH)
    answer = stage.reserve(requests[0], bad, *requests[1:])
    assert answer.uetrs == tuple(request.terms.uetr for request in requests)
    assert [(refusal.item, refusal.problem) for refusal in answer.refused] == [(bad.terms.uetr, "not-agreed")]
    assert answer.agreement is not None
    agreement = answer.agreement.agreement
    assert agreement.root == root_of([payment_leaf(request.terms) for request in requests])
    assert (agreement.count, agreement.deadline) == (3, requests[-1].terms.deadline)
    digest = typed_digest(stage.domain, agreement_hash(agreement))
    assert recover(digest, answer.agreement.signature) == stage.account("provider/settlement")
    assert stage.position(THB)["reserved"] == "3000"
    assert stage.reserve(requests[0]).uetrs == (requests[0].terms.uetr,)
    assert stage.position(THB)["reserved"] == "3000"
    assert stage.get(f"/v1/quotes/0x{requests[0].quote.nonce.hex()}")["used_by"] == requests[0].terms.uetr


def test_one_uetr_and_one_quote_are_for_one_payment(stage: Any) -> None:
    first = stage.reserved(1_000)
    other_terms = replace(first, terms=replace(first.terms, creditor_decision=b"\x08" * 32))
    other_uetr = replace(first, terms=replace(first.terms, uetr=new_uetr()))
    answer = stage.reserve(other_terms, other_uetr)
    assert [refusal.problem for refusal in answer.refused] == ["conflict", "quote-already-used"]
    assert answer.agreement is None
    twice = stage.payment(stage.bought(1_000))
    answer = stage.reserve(twice, replace(twice, terms=replace(twice.terms, uetr=new_uetr())))
    assert (answer.uetrs, answer.refused[0].problem) == ((twice.terms.uetr,), "quote-already-used")
    with pytest.raises(PeerRefusal, match="twice"):
        stage.reserve(first, first)


def test_only_the_buyer_reserves_and_only_while_the_quote_is_firm(stage: Any) -> None:
    firm = stage.bought(1_000)
    request = stage.payment(firm, 200)
    assert stage.reserve(request, by="acquirer").refused[0].problem == "forbidden"
    altered = replace(request, quote=replace(request.quote, expires=request.quote.expires + 1_000))
    altered = replace(altered, terms=replace(altered.terms, quotes_hash=quotes_hash([altered.quote])))
    assert stage.reserve(altered).refused[0].problem == "not-agreed"
    stage.pass_time(90)
    assert stage.reserve(request).refused[0].problem == "quote-expired"


def test_terms_of_wrong_lengths_are_refused_before_they_are_hashed(stage: Any) -> None:
    shifted = stage.payment(stage.bought(1_000), debtor_commitment=HASH + b"\x07", creditor_commitment=HASH[:31])
    with pytest.raises(PeerRefusal, match="32 bytes"):
        stage.reserve(shifted)


def test_sixteen_threads_never_reserve_more_than_the_stock(stage: Any) -> None:
    amount, buyers = 90_000, ("wallet", "acquirer")

    def try_to_reserve(index: int) -> list[Reserved]:
        buyer = buyers[index % 2]
        requests = [stage.payment(stage.bought(amount, by=buyer)) for _ in range(3)]
        return [stage.reserve(request, by=buyer) for request in requests]

    with ThreadPoolExecutor(16) as threads:
        answers = [each for answers in threads.map(try_to_reserve, range(16)) for each in answers]
    granted = sum(len(answer.uetrs) for answer in answers)
    held = stage.position(THB)
    assert granted == int(held["stock"]) // amount
    assert int(held["reserved"]) == granted * amount
    problems = {refusal.problem for answer in answers for refusal in answer.refused}
    assert "insufficient-funds" in problems <= {"insufficient-funds", "limit-exceeded"}


def test_one_counterparty_has_at_most_its_cap(stage: Any) -> None:
    stage.reserved(1_400_000)
    over = stage.payment(stage.bought(100_001))
    assert stage.reserve(over).refused[0].problem == "limit-exceeded"
    stage.reserved(100_000)


def test_a_reservation_is_given_back_by_who_made_it_and_for_ever(stage: Any) -> None:
    calls, request = stage.calls("wallet"), stage.reserved(1_400_000)
    uetr = request.terms.uetr
    assert stage.calls("acquirer").release([uetr, new_uetr()]) == []
    assert calls.release([uetr]) == [uetr]
    assert calls.release([uetr]) == [uetr]
    assert stage.reserve(request).refused[0].problem == "wrong-state"
    stage.reserved(1_400_000)


def test_a_reservation_ends_by_itself_once_a_final_block_is_past_its_deadline(stage: Any) -> None:
    uetr = stage.reserved(1_000, lifetime=40).terms.uetr
    stage.pass_time(20)
    assert stage.state(uetr) == "reserved"
    stage.pass_time(40)
    assert stage.state(uetr) == "released"


def test_a_payment_over_the_provider_s_own_limits_is_not_reserved(stage: Any) -> None:
    stage.bank(Ledger.issue_call(stage.account("provider"), CNY, 10**9))
    [firm] = stage.calls("wallet").quote([stage.ask(6_000_000, THB, CNY)])
    assert isinstance(firm, FirmQuote)
    assert stage.reserve(stage.payment(firm)).refused[0].problem == "screening-refused"
