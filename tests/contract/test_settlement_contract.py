"""Settlement: every guard tripped and named, and the promises it enforces."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contracts.chain.council import Call
from contracts.chain.deploy import addresses_of, settlement_creation
from contracts.chain.ledger import Ledger
from contracts.chain.network import PinnedContract
from contracts.chain.participants import Participants
from contracts.chain.settlement import gas_limit
from contracts.terms import money
from contracts.terms.batch import Place, SignedBatch
from contracts.terms.commitments import batch_hash, domain_separator, keccak
from contracts.terms.errors import BadSignature, DeadlinePassed, InsufficientFunds, NotScreened
from contracts.terms.parties import Role

CNY, THB, FUNDS, CHAIN_ID = 156, 764, 1_000_000, 7_780
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def first_changed(signed: SignedBatch, **changes: object) -> SignedBatch:
    """The batch with its first member's endorsement changed."""
    changed = replace(signed.endorsements[0], **changes)  # type: ignore[arg-type]
    return replace(signed, endorsements=(changed, *signed.endorsements[1:]))


def test_settles_and_tells(stage):
    signed = stage.endorse(stage.batch())
    receipt = stage.settle(signed)
    assert stage.net("wallet", CNY) == FUNDS - 100
    assert stage.net("provider", CNY) == 100
    assert stage.net("provider", THB) == FUNDS - 500
    assert stage.net("acquirer", THB) == 500
    assert stage.settlement.batch_hash(signed.batch.place) == batch_hash(signed.batch)
    assert stage.settlement.next_sequence(stage.account("wallet"), 0) == 1
    assert [log.address for log in receipt.logs] == [stage.settlement.address]


def test_domain_is_ours(stage):
    assert stage.settlement.domain_separator() == domain_separator(CHAIN_ID, stage.settlement.address)


def test_payment_versus_payment_or_nothing(stage, refused):
    """The THB leg lacks liquidity, so the CNY leg does not happen either."""
    before = stage.books()
    batch = stage.batch(
        ("wallet", CNY, -100), ("provider", CNY, 100), ("provider", THB, -FUNDS - 1), ("acquirer", THB, FUNDS + 1)
    )
    with refused("ledger: insufficient liquidity"):
        stage.settle(stage.endorse(batch))
    # Past the simulation too: a mined transaction that fails leaves nothing behind.
    sender = stage.sender("relayer")
    data = stage.settlement.settle_call([stage.endorse(batch)])
    with pytest.raises(InsufficientFunds):
        sender.wait([sender.send(stage.settlement.address, data, 2_000_000)])
    assert stage.books() == before
    assert stage.settlement.batch_hash(batch.place) is None
    assert stage.settlement.next_sequence(batch.debtor_agent, 0) == 0


def test_one_short_batch_undoes_its_whole_call(stage, refused):
    before = stage.books()
    good = stage.endorse(stage.batch())
    bad = stage.endorse(stage.batch(("wallet", CNY, -FUNDS), ("provider", CNY, FUNDS), sequence=1))
    with refused("ledger: insufficient liquidity"):
        stage.settle(good, bad)
    assert stage.books() == before


def test_cap_is_a_credit_line_to_the_last_unit(stage, refused):
    stage.send("bank_thb", "Ledger", "set_cap", stage.account("acquirer"), THB, 70)
    over = stage.batch(("acquirer", THB, -71), ("wallet", THB, 71))
    with refused("ledger: insufficient liquidity"):
        stage.settle(stage.endorse(over))
    stage.settle(stage.endorse(stage.batch(("acquirer", THB, -70), ("wallet", THB, 70))))
    assert stage.net("acquirer", THB) == -70
    assert stage.ledger.balance_of(stage.account("acquirer"), THB) == 0


def test_debt_over_a_lowered_cap_can_be_repaid(stage):
    stage.send("bank_thb", "Ledger", "set_cap", stage.account("acquirer"), THB, 70)
    stage.settle(stage.endorse(stage.batch(("acquirer", THB, -70), ("wallet", THB, 70))))
    stage.send("bank_thb", "Ledger", "set_cap", stage.account("acquirer"), THB, 0)
    stage.settle(stage.endorse(stage.batch(("acquirer", THB, 30), ("wallet", THB, -30), sequence=1)))
    assert stage.net("acquirer", THB) == -40


def test_stuck_batches_settle_together(stage, refused):
    """Gridlock: the acquirer can pay the wallet only out of what the wallet pays it."""
    there = stage.endorse(stage.batch(("wallet", CNY, -900), ("acquirer", CNY, 900)))
    back = stage.endorse(stage.batch(("acquirer", CNY, -600), ("wallet", CNY, 600), lane=1))
    with refused("ledger: insufficient liquidity"):
        stage.settle(back)
    stage.settle(back, there)
    assert (stage.net("wallet", CNY), stage.net("acquirer", CNY)) == (FUNDS - 300, 300)


def test_replay_is_skipped(stage):
    signed = stage.endorse(stage.batch())
    stage.settle(signed)
    after = stage.books()
    replayed = stage.settle(signed)
    assert (stage.books(), replayed.logs) == (after, ())
    # Nor can a replay, sent ahead of it, spoil a joint settlement.
    stage.settle(signed, stage.endorse(stage.batch(sequence=1)))
    assert stage.net("wallet", CNY) == FUNDS - 200


def test_twice_in_one_call_settles_once(stage):
    signed = stage.endorse(stage.batch())
    stage.settle(signed, signed)
    assert stage.net("wallet", CNY) == FUNDS - 100


@pytest.mark.parametrize("sequence", [1, 2, 2**64 - 1])
def test_gap_in_sequence_refused(stage, refused, sequence):
    with refused("settlement: sequence"):
        stage.settle(stage.endorse(stage.batch(sequence=sequence)))


def test_other_batch_at_a_settled_place_refused(stage, refused):
    stage.settle(stage.endorse(stage.batch()))
    with refused("settlement: sequence"):
        stage.settle(stage.endorse(stage.batch(payment_count=4)))


def test_lanes_have_sequences_of_their_own(stage):
    stage.settle(*(stage.endorse(stage.batch(lane=lane)) for lane in range(8)))
    wallet = stage.account("wallet")
    assert [stage.settlement.next_sequence(wallet, lane) for lane in range(8)] == [1] * 8


def test_ninth_lane_refused(stage, refused):
    with refused("settlement: lane"):
        stage.settle(stage.endorse(stage.batch(lane=8)))


def test_deadline_is_the_last_second(stage, refused):
    """Each mined transaction moves chain time by one second: the next block is the first after `now`."""
    with refused("settlement: deadline"):
        stage.settle(stage.endorse(stage.batch(deadline=stage.now() - 1)))
    late = [stage.endorse(stage.batch(deadline=stage.now()))]
    with pytest.raises(DeadlinePassed):
        stage.sender("relayer").transact(stage.settlement.address, stage.settlement.settle_call(late), gas_limit(late))
    stage.settle(stage.endorse(stage.batch(deadline=stage.now() + 1)))


def test_pause_stops_settlement_until_the_council_lifts_it(stage, refused):
    signed = stage.endorse(stage.batch())
    stage.council.pause(stage.sender("guardian"))
    with refused("settlement: paused"):
        stage.settle(signed)
    stage.govern(Call(stage.council.address, stage.council.unpause_call()))
    stage.settle(signed)


@pytest.mark.parametrize("changes", [{"payment_count": 0}, {"members": ()}], ids=["no payments", "no members"])
def test_empty_batch_refused(stage, refused, changes):
    with refused("settlement: empty batch"):
        stage.settle(stage.endorse(stage.batch(**changes)))


def test_members_are_ascending_and_unique(stage, refused):
    members = stage.batch().members
    for wrong in (members[::-1], (members[0], *members)):
        with refused("settlement: members"):
            stage.settle(stage.endorse(stage.batch(members=wrong)))


def test_debtor_agent_is_a_member(stage, refused):
    batch = stage.batch(("provider", CNY, 0))
    without = tuple(each for each in batch.members if each != batch.debtor_agent)
    with refused("settlement: members"):
        stage.settle(stage.endorse(replace(batch, members=without)))


def test_each_member_endorses(stage, refused):
    signed = stage.endorse(stage.batch())
    for endorsements in (signed.endorsements[1:], (*signed.endorsements, signed.endorsements[0])):
        with refused("settlement: members"):
            stage.settle(replace(signed, endorsements=endorsements))


def test_zero_position_member_settles(stage):
    stage.settle(stage.endorse(stage.batch(("wallet", CNY, -1), ("provider", CNY, 1), also=["acquirer"])))
    assert stage.net("provider", CNY) == 1


def test_batch_that_nets_to_nothing_settles(stage):
    batch = stage.batch(positions=())
    stage.settle(stage.endorse(batch))
    assert stage.settlement.batch_hash(batch.place) == batch_hash(batch)


def high_s(signature: bytes) -> bytes:
    """The other form of the same ECDSA signature: s' = n - s, the other parity."""
    s = ORDER - int.from_bytes(signature[32:64], "big")
    return signature[:32] + s.to_bytes(32, "big") + bytes([55 - signature[64]])


@pytest.mark.parametrize("field", ["settlement_signature", "attestation_signature"])
@pytest.mark.parametrize(
    "spoil",
    [high_s, lambda s: s[:64] + b"\x00", lambda s: s[:64] + b"\x1d", lambda s: bytes(64) + b"\x1b"],
    ids=["high s", "v 0", "v 29", "no point"],
)
def test_malformed_signature_refused(stage, refused, field, spoil):
    signed = stage.endorse(stage.batch())
    spoiled = first_changed(signed, **{field: spoil(getattr(signed.endorsements[0], field))})
    with refused("settlement: signature"):
        stage.settle(spoiled)


def test_no_screening_no_commit(stage, refused):
    """Without its own compliance key's attestation of this very batch, a member's batch does not settle."""
    signed = stage.endorse(stage.batch())
    other = stage.endorse(stage.batch(payment_count=4)).endorsements[0]
    settlement_key_attests = signed.endorsements[0].settlement_signature
    for wrong in (other.attestation_signature, settlement_key_attests, signed.endorsements[1].attestation_signature):
        with refused("participants: compliance key"):
            stage.settle(first_changed(signed, attestation_signature=wrong))
    other_policy = replace(signed.endorsements[0].attestation, policy_hash=keccak(b""))
    with pytest.raises(NotScreened):
        stage.settle(first_changed(signed, attestation=other_policy))


def test_attestation_expires(stage, refused):
    signed = stage.endorse(stage.batch(deadline=stage.now() + 100), valid_for=10)
    stage.pass_time(11)
    with refused("settlement: attestation expired"):
        stage.settle(signed)


def test_settlement_key_signs_this_batch(stage, refused):
    signed = stage.endorse(stage.batch())
    other = stage.endorse(stage.batch(payment_count=4)).endorsements[0]
    for wrong in (other.settlement_signature, signed.endorsements[1].settlement_signature):
        with refused("participants: settlement key"):
            stage.settle(first_changed(signed, settlement_signature=wrong))


def test_signature_of_another_chain_refused(stage, refused):
    with refused("participants: settlement key"):
        stage.settle(stage.endorse(stage.batch(), chain_id=CHAIN_ID + 1))


@pytest.mark.parametrize(
    "change",
    [
        {"payments_root": bytes(32)},
        {"payment_count": 99},
        {"deadline": 2**40},
        {"lane": 1},
    ],
    ids=lambda change: next(iter(change)),
)
def test_signatures_bind_each_field(stage, refused, change):
    signed = stage.endorse(stage.batch())
    with refused("participants: settlement key"):
        stage.settle(replace(signed, batch=replace(signed.batch, **change)))


def test_signatures_bind_positions_and_members(stage):
    signed = stage.endorse(stage.batch())
    moved = stage.batch(("wallet", CNY, -200), ("provider", CNY, 200), also=["acquirer"]).positions
    with pytest.raises(BadSignature):
        stage.settle(replace(signed, batch=replace(signed.batch, positions=moved)))
    fewer = tuple(each for each in signed.batch.members if each != stage.account("acquirer"))
    kept = tuple(signed.endorsements[place] for place, each in enumerate(signed.batch.members) if each in fewer)
    with pytest.raises(BadSignature):
        stage.settle(SignedBatch(replace(signed.batch, members=fewer), kept))


def test_suspended_member_settles_nothing(stage, refused):
    signed = stage.endorse(stage.batch())
    stage.govern_participants(Participants.suspend_call(stage.account("provider")))
    with refused("participants: suspended"):
        stage.settle(signed)
    stage.govern_participants(Participants.reinstate_call(stage.account("provider")))
    stage.settle(signed)


@pytest.mark.parametrize("stranger", ["extra_0", "bank_cny"])
def test_only_agents_and_providers_are_members(stage, refused, stranger):
    with refused("participants: not a member"):
        stage.settle(stage.endorse(stage.batch(also=[stranger])))


def test_positions_are_ascending_and_unique(stage, refused):
    positions = stage.batch().positions
    for wrong in (positions[::-1], (positions[0], *positions)):
        with refused("settlement: positions"):
            stage.settle(stage.endorse(stage.batch(positions=wrong)))


def test_position_of_a_non_member_refused(stage, refused):
    batch = stage.batch(("wallet", CNY, -100), ("bank_cny", CNY, 100))
    members = tuple(each for each in batch.members if each != stage.account("bank_cny"))
    with refused("settlement: position of a non-member"):
        stage.settle(stage.endorse(replace(batch, members=members)))


@pytest.mark.parametrize(
    "moves",
    [
        [("wallet", CNY, -100), ("provider", CNY, 101)],
        [("wallet", CNY, -100), ("provider", CNY, 101), ("provider", THB, -1)],
        [("wallet", CNY, -100), ("provider", CNY, 100), ("provider", THB, -5), ("acquirer", THB, 4)],
    ],
    ids=["created", "across currencies", "in the last currency"],
)
def test_each_currency_sums_to_zero(stage, refused, moves):
    with refused("settlement: not zero-sum"):
        stage.settle(stage.endorse(stage.batch(*moves)))


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
    stage.send("wallet/compliance", "Participants", "revoke_key", stage.account("wallet/compliance"))
    with refused("participants: compliance key"):
        stage.settle(stage.endorse(stage.batch()))


def sixteen_members(stage) -> list[str]:
    extras = [f"extra_{number}" for number in range(13)]
    for start in (0, 7):
        stage.govern_participants(
            *(Participants.admit_call(stage.admission(name, Role.FX_PROVIDER)) for name in extras[start : start + 7])
        )
    return ["wallet", "acquirer", "provider", *extras]


def test_largest_batches_settle_within_their_gas_limit(stage):
    names = sixteen_members(stage)
    currencies = (CNY, THB, 702, 840)
    stage.govern_ledger(*(Ledger.define_currency_call(money.currency(each)) for each in currencies[2:]))
    for currency in currencies[2:]:
        stage.govern_participants(Participants.set_settlement_bank_call(currency, stage.account("bank_cny")))
    for currency, bank in zip(currencies, ("bank_cny", "bank_thb", "bank_cny", "bank_cny"), strict=True):
        stage.send(bank, "Ledger", "issue", stage.account("wallet"), currency, FUNDS)
    moves = [(name, currency, -15 if name == "wallet" else 1) for name in names for currency in currencies]
    signed = [stage.endorse(stage.batch(*moves, lane=lane)) for lane in range(8)]
    receipt = stage.settle(*signed)
    assert len(receipt.logs) == 8
    assert stage.net("extra_12", 840) == 8
    # Half a block at the network's gas limit of 60 million, so that the base fee stays where it is.
    assert receipt.gas_used < gas_limit(signed) <= 30_000_000


def test_usual_batch_settles_within_its_gas_limit(stage):
    signed = stage.endorse(stage.batch())
    assert stage.settle(signed).gas_used < gas_limit([signed])


def test_successor_goes_on_where_its_predecessor_ended(stage, refused):
    first = stage.endorse(stage.batch())
    stage.settle(first)
    contracts = stage.contracts
    creation = settlement_creation(addresses_of(contracts), contracts.settlement.address)
    successor = stage.sender("relayer").transact(None, creation).contract
    late = stage.endorse(stage.batch(sequence=1))
    stage.govern(Call(stage.ledger.address, Ledger.replace_settlement_call(contracts.settlement.address, successor)))
    with refused("ledger: only settlement"):
        stage.settle(late)
    renewed = replace(stage, contracts=replace(contracts, settlement=PinnedContract(successor, b"")))
    assert renewed.settlement.next_sequence(stage.account("wallet"), 0) == 1
    with refused("settlement: sequence"):
        renewed.settle(renewed.endorse(renewed.batch()))
    with refused("participants: settlement key"):
        renewed.settle(late)
    renewed.settle(renewed.endorse(renewed.batch(sequence=1)))
    renewed.settle(renewed.endorse(renewed.batch(sequence=2)))
    assert renewed.settlement.next_sequence(stage.account("wallet"), 0) == 3
    assert stage.settlement.batch_hash(Place(stage.account("wallet"), 0, 0)) == batch_hash(first.batch)
