"""settle: its guards of the two signatures of each member. Each test changes one thing in a call that settles."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contracts.terms.batch import SignedBatch
from contracts.terms.commitments import keccak
from contracts.terms.errors import BadSignature, NotScreened
from tests.contract.spoiled import first_changed, high_s, unendorsed

CNY, CHAIN_ID = 156, 7_780


def test_the_call_that_settles(stage):
    stage.settle(stage.endorse(stage.batch()))


@pytest.mark.parametrize("field", ["settlement_signature", "attestation_signature"])
@pytest.mark.parametrize(
    "spoil",
    [
        high_s,
        lambda s: s[:64] + b"\x00",
        lambda s: s[:64] + b"\x01",
        lambda s: s[:64] + b"\x1a",
        lambda s: s[:64] + b"\x1d",
        lambda s: bytes(64) + b"\x1b",
        lambda s: bytes(65),
    ],
    ids=["high s", "v 0", "v 1", "v 26", "v 29", "no point", "missing"],
)
def test_malformed_signature_refused(stage, refused, field, spoil):
    signed = stage.endorse(stage.batch())
    with refused("settlement: signature"):
        stage.settle(first_changed(signed, **{field: spoil(getattr(signed.endorsements[0], field))}))
    stage.settle(signed)


def test_no_screening_no_commit(stage, refused):
    """Without its own compliance key's attestation of this very batch, a member's batch does not settle."""
    signed = stage.endorse(stage.batch())
    other = stage.endorse(stage.batch(payment_count=4)).endorsements[0]
    settlement_key_attests = signed.endorsements[0].settlement_signature
    for wrong in (other.attestation_signature, settlement_key_attests, signed.endorsements[1].attestation_signature):
        with refused("participants: compliance key"):
            stage.settle(first_changed(signed, attestation_signature=wrong))
    stage.settle(signed)


@pytest.mark.parametrize(
    "change",
    [{"policy_hash": keccak(b"")}, {"log_head": keccak(b"")}, {"valid_until": 2**64 - 1}],
    ids=lambda change: next(iter(change)),
)
def test_attestation_binds_each_field(stage, change):
    signed = stage.endorse(stage.batch())
    with pytest.raises(NotScreened):
        stage.settle(first_changed(signed, attestation=replace(signed.endorsements[0].attestation, **change)))
    stage.settle(signed)


def test_attestation_is_valid_to_the_last_second(stage, refused):
    """The simulation runs at the newest block's time, the transaction a second later."""
    batch = stage.batch(deadline=stage.now() + 100)
    with refused("settlement: attestation expired"):
        stage.settle(stage.endorse(batch, valid_for=-1))
    late = stage.settlement.settle_call([stage.endorse(batch, valid_for=0)])
    with refused("settlement: attestation expired"):
        stage.sender("relayer").transact(stage.settlement.address, late, 1_000_000)
    stage.settle(stage.endorse(batch, valid_for=1))


def test_one_expired_attestation_stops_the_batch(stage, refused):
    batch = stage.batch()
    fresh = stage.endorse(batch)
    old = stage.endorse(batch, valid_for=-1)
    for place in range(len(fresh.endorsements)):
        mixed = list(fresh.endorsements)
        mixed[place] = old.endorsements[place]
        with refused("settlement: attestation expired"):
            stage.settle(replace(fresh, endorsements=tuple(mixed)))
    stage.settle(fresh)


def test_settlement_key_signs_this_batch(stage, refused):
    signed = stage.endorse(stage.batch())
    other = stage.endorse(stage.batch(payment_count=4)).endorsements[0]
    for wrong in (other.settlement_signature, signed.endorsements[1].settlement_signature):
        with refused("participants: settlement key"):
            stage.settle(first_changed(signed, settlement_signature=wrong))
    stage.settle(signed)


def test_signature_of_another_chain_refused(stage, refused):
    with refused("participants: settlement key"):
        stage.settle(stage.endorse(stage.batch(), chain_id=CHAIN_ID + 1))


@pytest.mark.parametrize(
    "change",
    [{"payments_root": bytes(32)}, {"payment_count": 99}, {"deadline": 2**40}, {"lane": 1}],
    ids=lambda change: next(iter(change)),
)
def test_signatures_bind_each_field(stage, refused, change):
    signed = stage.endorse(stage.batch())
    with refused("participants: settlement key"):
        stage.settle(unendorsed(signed, **change))
    stage.settle(signed)


def test_signatures_bind_positions_and_members(stage):
    signed = stage.endorse(stage.batch())
    moved = stage.batch(("wallet", CNY, -200), ("provider", CNY, 200), also=["acquirer"]).positions
    with pytest.raises(BadSignature):
        stage.settle(unendorsed(signed, positions=moved))
    fewer = tuple(each for each in signed.batch.members if each != stage.account("acquirer"))
    kept = tuple(signed.endorsements[place] for place, each in enumerate(signed.batch.members) if each in fewer)
    with pytest.raises(BadSignature):
        stage.settle(SignedBatch(replace(signed.batch, members=fewer), kept))
    stage.settle(signed)


def test_signatures_bind_the_sequence(stage, refused):
    """Made for the first place, used at the second."""
    signed = stage.endorse(stage.batch())
    stage.settle(stage.endorse(stage.batch(payment_count=9)))
    with refused("participants: settlement key"):
        stage.settle(unendorsed(signed, sequence=1))


def test_rotated_settlement_key_signs_for_its_overlap_only(stage, refused):
    """`wallet/settlement` is replaced and overlaps 20 s, then is dead."""
    stage.send(
        "wallet/settlement", "Participants", "rotate_key",
        stage.account("wallet"), 1, stage.account("extra_1"), stage.now() + 20,
    )  # fmt: skip
    stage.settle(stage.endorse(stage.batch()))
    stage.pass_time(20)
    with refused("participants: settlement key"):
        stage.settle(stage.endorse(stage.batch(sequence=1)))


def test_revoked_compliance_key_stops_its_institution(stage, refused):
    signed = stage.endorse(stage.batch())
    stage.settlement.simulate([signed])
    stage.send("wallet/compliance", "Participants", "revoke_key", stage.account("wallet/compliance"))
    with refused("participants: compliance key"):
        stage.settle(signed)
