"""Settlement is replaced while a provider runs: it signs for the one in office, and what the old one held goes free."""

from __future__ import annotations

from typing import Any

from contracts.terms.commitments import agreement_hash, attestation_hash, batch_hash, quote_hash, typed_digest
from contracts.terms.signing import recover

PROVIDER, COMPLIANCE = "provider/settlement", "provider/compliance"


def signed_by(stage: Any, struct_hash: bytes, signature: bytes) -> str:
    """Whose key signed for the Settlement in office, if anybody's."""
    return str(recover(typed_digest(stage.domain, struct_hash), signature))


def await_cosigned(stage: Any, request: Any) -> Any:
    """The co-signature for the Settlement in office; compliance may see a block a moment later than the bridge."""

    def ask_again() -> Any:
        found = stage.cosigned(request)
        attested = signed_by(stage, attestation_hash(found.attestation), found.attestation_signature)
        return found if attested == stage.account(COMPLIANCE) else None

    found = stage.until(ask_again, "bridge and compliance sign for the Settlement in office")
    assert signed_by(stage, batch_hash(request.batch), found.settlement_signature) == stage.account(PROVIDER)
    return found


def test_a_batch_of_the_retired_one_is_dead_and_the_very_same_settles_in_its_successor(stage: Any) -> None:
    put_in_office, held = stage.approved_successor(), stage.reserved(1_000)
    uetr = held.terms.uetr
    request = stage.batch_of([held], lane=5)
    stage.cosigned(request)
    assert stage.state(uetr) == "signed"
    put_in_office()
    assert stage.state(uetr) == "reserved"
    stage.settle(request, await_cosigned(stage, request).endorsement)
    assert stage.state(uetr) == "settled"


def test_a_payment_of_the_retired_one_is_signed_at_another_place(stage: Any) -> None:
    put_in_office, held = stage.approved_successor(), stage.reserved(1_000)
    stage.cosigned(stage.batch_of([held], lane=5))
    assert stage.refusal_to_cosign(stage.batch_of([held], lane=6)).problem == "already-signed"
    put_in_office()
    elsewhere = stage.batch_of([held], lane=6)
    stage.settle(elsewhere, await_cosigned(stage, elsewhere).endorsement)
    assert stage.state(held.terms.uetr) == "settled"


def test_prices_and_reservations_are_signed_for_the_one_in_office_also_after_a_restart(stage: Any) -> None:
    stage.approved_successor()()
    for _ in range(2):
        firm = stage.bought(10)
        assert signed_by(stage, quote_hash(firm.quote), firm.signature) == stage.account(PROVIDER)
        agreed = stage.reserve(stage.payment(firm)).agreement
        assert signed_by(stage, agreement_hash(agreed.agreement), agreed.signature) == stage.account(PROVIDER)
        stage.bridge.close()
        stage.start_bridge()
