"""Co-signing, settling, and what final blocks do to reservations and book."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from contracts.chain.ledger import Ledger
from contracts.terms.commitments import (
    attestation_hash,
    batch_hash,
    typed_digest,
)
from contracts.terms.errors import PeerUnavailable
from contracts.terms.signing import recover

CNY, THB = 156, 764
HASH = b"\x07" * 32


def test_a_settled_batch_moves_reservation_book_and_stock_together(stage: Any) -> None:
    calls = stage.calls("wallet")
    before = stage.position(THB)
    payments = [stage.reserved(amount) for amount in (10_000, 2_345)]
    request = stage.batch_of(payments, lane=0)
    signatures = stage.cosigned(request)
    digest = typed_digest(stage.domain, batch_hash(request.batch))
    assert recover(digest, signatures.settlement_signature) == stage.account("provider/settlement")
    attested = typed_digest(stage.domain, attestation_hash(signatures.attestation))
    assert recover(attested, signatures.attestation_signature) == stage.account("provider/compliance")
    assert calls.release([each.terms.uetr for each in payments]) == []
    stage.settle(request, signatures.endorsement)
    assert [stage.state(each.terms.uetr) for each in payments] == ["settled", "settled"]
    target, source = stage.position(THB), stage.position(CNY)
    assert int(target["stock"]) == int(before["stock"]) - 12_345
    assert (target["agrees"], target["capital"], target["conversion"]) == (True, before["capital"], "12345")
    paid = sum(each.quote.source_amount for each in payments)
    assert (source["agrees"], source["stock"], source["conversion"]) == (True, str(paid), str(-paid))
    assert (target["reserved"], target["available"]) == ("0", target["on_chain"])
    assert stage.refusal_to_cosign(stage.batch_of(payments, 7)).problem == "not-agreed"


def test_what_a_settlement_bank_issues_and_redeems_is_capital(stage: Any) -> None:
    before = stage.position(THB)
    for call, change in ((Ledger.issue_call, 500), (Ledger.redeem_call, 0)):
        stage.bank(call(stage.account("provider"), THB, 500))
        after = stage.position(THB)
        assert after["agrees"]
        assert int(after["stock"]) - int(before["stock"]) == change
        assert int(before["capital"]) - int(after["capital"]) == change
        assert after["conversion"] == before["conversion"]


def test_a_payment_is_never_signed_at_two_places_that_may_both_settle(stage: Any) -> None:
    calls = stage.calls("wallet")
    held = stage.reserved(1_000)
    uetr = held.terms.uetr
    lane, other = 1, 2
    first = stage.batch_of([held], lane)
    once = stage.cosigned(first)
    assert stage.cosigned(first) == once
    assert stage.refusal_to_cosign(stage.batch_of([held], other)).problem == "already-signed"
    assert (stage.state(uetr), calls.release([uetr])) == ("signed", [])
    stage.pass_time(20)
    assert stage.state(uetr) == "reserved"
    again = stage.batch_of([held], other)
    stage.settle(again, stage.cosigned(again).endorsement)
    assert stage.state(uetr) == "settled"


def test_promise_4_a_signed_payment_that_never_settles_goes_free_by_itself(stage: Any) -> None:
    free = int(stage.position(THB)["available"])
    held = stage.reserved(1_000, lifetime=60)
    stage.cosigned(stage.batch_of([held], lane=3))
    assert int(stage.position(THB)["available"]) == free - 1_000
    stage.pass_time(20)
    assert stage.state(held.terms.uetr) == "reserved"
    stage.pass_time(60)
    assert stage.state(held.terms.uetr) == "released"
    assert int(stage.position(THB)["available"]) == free


def test_a_batch_is_refused_unless_it_is_just_what_was_reserved(stage: Any) -> None:
    held = stage.reserved(1_000)
    request = stage.batch_of([held], 6)
    assert stage.refusal_to_cosign(request, by="acquirer").problem == "forbidden"
    unknown = stage.payment(stage.bought(1_000))
    changed = replace(held, terms=replace(held.terms, debtor_decision=b"\x08" * 32))
    for wrong in ([unknown], [held, unknown], [changed], [held, held]):
        assert stage.refusal_to_cosign(stage.batch_of(wrong, 6)).problem == "not-agreed"
    batch = request.batch
    for altered in (
        replace(batch, positions=tuple(p for p in batch.positions if p.account != stage.account("provider"))),
        replace(batch, deadline=batch.deadline + 300),
        replace(batch, payments_root=HASH),
        replace(batch, members=batch.members[1:]),
    ):
        assert stage.refusal_to_cosign(replace(request, batch=altered)).problem == "not-agreed"
    assert stage.refusal_to_cosign(replace(request, own=())).problem == "not-agreed"
    assert stage.state(held.terms.uetr) == "reserved"


def test_promise_2_without_compliance_nothing_is_reserved_or_signed(stage: Any) -> None:
    held = stage.reserved(1_000)
    batch = stage.batch_of([held], lane=4)
    request = stage.payment(stage.bought(1_000))
    stage.compliance.close()
    try:
        assert stage.reserve(held).uetrs == (held.terms.uetr,)
        with pytest.raises(PeerUnavailable):
            stage.reserve(held, request)
        with pytest.raises(PeerUnavailable):
            stage.calls("wallet").cosign([batch])
        assert (stage.state(held.terms.uetr), stage.state(request.terms.uetr)) == ("reserved", None)
    finally:
        stage.start_compliance()
        stage.pass_time(1)
    stage.until(lambda: stage.reserve(request).uetrs, "compliance answers again")


def test_a_restart_forgets_nothing(stage: Any) -> None:
    firm = stage.bought(1_000)
    held, signed = stage.reserved(1_000), stage.reserved(2_000)
    request = stage.batch_of([signed], lane=5)
    before = stage.cosigned(request)
    book = stage.get("/v1/positions")["positions"]
    stage.bridge.close()
    stage.start_bridge()
    assert stage.get("/v1/positions")["positions"] == book
    assert [stage.state(each.terms.uetr) for each in (held, signed)] == ["reserved", "signed"]
    assert stage.cosigned(request) == before
    assert stage.reserve(stage.payment(firm)).refused == ()
    stage.settle(request, before.endorsement)
    assert stage.state(signed.terms.uetr) == "settled"
