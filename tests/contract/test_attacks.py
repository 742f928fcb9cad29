"""Attacks on the contracts, each refused with its named reason or shown to do no harm."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from contracts.chain.compile import SOURCES, compiled
from contracts.chain.council import Call
from contracts.chain.deploy import addresses_of, settlement_creation
from contracts.chain.ledger import Ledger
from contracts.chain.network import PinnedContract
from contracts.chain.participants import NO_ADDRESS, Admission, Participants, Purpose
from contracts.terms.batch import SignedBatch
from contracts.terms.commitments import batch_hash, keccak
from contracts.terms.errors import ContractRefusal
from contracts.terms.parties import Role
from tests.contract.spoiled import first_changed, high_s, unendorsed

CNY, THB, FUNDS, CHAIN_ID = 156, 764, 1_000_000, 7_780
MAX_AMOUNT, INT128_MIN, INT128_MAX = 2**127 - 1, -(2**127), 2**127 - 1


def at(stage, address: str):
    """The network as it would look with its Settlement at another address."""
    return replace(stage, contracts=replace(stage.contracts, settlement=PinnedContract(address, b"")))


# Signatures.


def test_signature_of_a_revoked_key(stage, refused):
    signed = stage.endorse(stage.batch())
    for key, reason in (("settlement", "participants: settlement key"), ("compliance", "participants: compliance key")):
        stage.settlement.simulate([signed])
        name = f"provider/{key}"
        snapshot = stage.client.request("evm_snapshot")
        stage.send(name, "Participants", "revoke_key", stage.account(name))
        with refused(reason):
            stage.settle(signed)
        stage.client.request("evm_revert", snapshot)


def test_signature_of_another_batch(stage, refused):
    """Of a batch that differs in its payments alone."""
    signed = stage.endorse(stage.batch())
    other = stage.endorse(stage.batch(payments_root=keccak(b"other payments")))
    with refused("participants: settlement key"):
        stage.settle(
            first_changed(signed, settlement_signature=other.endorsements[0].settlement_signature),
        )
    stage.settle(signed)


def test_signature_of_another_chain(stage, refused):
    with refused("participants: settlement key"):
        stage.settle(stage.endorse(stage.batch(), chain_id=CHAIN_ID + 1))
    stage.settle(stage.endorse(stage.batch(), chain_id=CHAIN_ID))


def test_signature_of_another_contract(stage, refused):
    elsewhere = at(stage, stage.account("stranger"))
    with refused("participants: settlement key"):
        stage.settle(elsewhere.endorse(stage.batch()))
    stage.settle(stage.endorse(stage.batch()))


def test_high_s_twin_of_a_valid_signature(stage, refused):
    """Both forms belong to the key; the contract takes the one, so that a settled call has one form."""
    signed = stage.endorse(stage.batch())
    for field in ("settlement_signature", "attestation_signature"):
        with refused("settlement: signature"):
            stage.settle(first_changed(signed, **{field: high_s(getattr(signed.endorsements[0], field))}))
    stage.settle(signed)


@pytest.mark.parametrize("field", ["settlement_signature", "attestation_signature"])
def test_v_of_0_or_1(stage, refused, field):
    signed = stage.endorse(stage.batch())
    signature = getattr(signed.endorsements[0], field)
    with refused("settlement: signature"):
        stage.settle(first_changed(signed, **{field: signature[:64] + bytes([signature[64] - 27])}))
    stage.settle(signed)


# Batches.


def test_replayed_batch(stage):
    signed = stage.endorse(stage.batch())
    stage.settle(signed)
    after = stage.books()
    for again in ((signed,), (signed, signed), (unendorsed(signed),), (SignedBatch(signed.batch, ()),)):
        assert stage.settle(*again).logs == ()
    assert stage.books() == after


def test_skipped_sequence(stage, refused):
    with refused("settlement: sequence"):
        stage.settle(stage.endorse(stage.batch(sequence=1)))
    stage.settle(stage.endorse(stage.batch(sequence=0)), stage.endorse(stage.batch(sequence=1)))


def test_position_of_a_suspended_member(stage, refused):
    signed = stage.endorse(stage.batch())
    stage.settlement.simulate([signed])
    stage.govern_participants(Participants.suspend_call(stage.account("acquirer")))
    with refused("participants: suspended"):
        stage.settle(signed)


def test_positions_that_do_not_sum_to_zero(stage, refused):
    """All members agree to make money; also across two batches of one call, which would make up for each other."""
    more = stage.endorse(stage.batch(("wallet", CNY, -100), ("provider", CNY, 101)))
    less = stage.endorse(stage.batch(("wallet", CNY, -100), ("provider", CNY, 99), lane=1))
    for batches in ((more,), (less,), (more, less)):
        with refused("settlement: not zero-sum"):
            stage.settle(*batches)


def test_position_of_a_non_member(stage, refused):
    """The wallet and the provider take from the acquirer, who signs nothing."""
    stage.send("bank_cny", "Ledger", "issue", stage.account("acquirer"), CNY, 100)
    batch = stage.batch(("acquirer", CNY, -100), ("wallet", CNY, 100), also=["provider"])
    without = tuple(each for each in batch.members if each != stage.account("acquirer"))
    with refused("settlement: position of a non-member"):
        stage.settle(stage.endorse(replace(batch, members=without)))
    stage.settle(stage.endorse(batch))


def test_member_with_a_zero_position_that_did_not_sign(stage, refused):
    batch = stage.batch(("wallet", CNY, -1), ("provider", CNY, 1), also=["acquirer"])
    signed = stage.endorse(batch)
    silent = batch.members.index(stage.account("acquirer"))
    others = [*signed.endorsements[:silent], *signed.endorsements[silent + 1 :]]
    with refused("settlement: members"):
        stage.settle(replace(signed, endorsements=tuple(others)))
    with refused("participants: settlement key"):
        stage.settle(replace(signed, endorsements=(*others[:silent], others[0], *others[silent:])))
    stage.settle(signed)


def test_batch_under_another_debtor_agents_name(stage, refused):
    """The provider and the acquirer use up the wallet's sequence."""
    batch = stage.batch(("provider", THB, -5), ("acquirer", THB, 5))
    signed = stage.endorse(batch)
    place = batch.members.index(stage.account("wallet"))
    forged = list(signed.endorsements)
    forged[place] = signed.endorsements[place - 1]
    with refused("participants: settlement key"):
        stage.settle(replace(signed, endorsements=tuple(forged)))
    without = tuple(each for each in batch.members if each != stage.account("wallet"))
    with refused("settlement: members"):
        stage.settle(stage.endorse(replace(batch, members=without)))
    assert stage.settlement.next_sequence(stage.account("wallet"), 0) == 0
    stage.settle(signed)


# Attestations.


def test_missing_attestation(stage, refused):
    signed = stage.endorse(stage.batch())
    with refused("settlement: signature"):
        stage.settle(first_changed(signed, attestation_signature=bytes(65)))
    stage.settle(signed)


def test_expired_attestation(stage, refused):
    batch = stage.batch(deadline=stage.now() + 1_000)
    signed = stage.endorse(batch, valid_for=10)
    stage.settlement.simulate([signed])
    stage.pass_time(10)
    with refused("settlement: attestation expired"):
        stage.settle(signed)
    stage.settle(stage.endorse(batch))


def test_attestation_for_another_batch(stage, refused):
    signed = stage.endorse(stage.batch())
    other = stage.endorse(stage.batch(payment_count=4)).endorsements[0]
    with refused("participants: compliance key"):
        stage.settle(first_changed(signed, attestation_signature=other.attestation_signature))
    stage.settle(signed)


def test_attestation_signed_by_the_settlement_key(stage, refused):
    """An institution whose compliance service says no attests with the key that it has in its hands."""
    batch = stage.batch()
    signed = stage.endorse(batch)
    own = stage.endorsement(batch, batch.members[0], attester="settlement")
    with refused("participants: compliance key"):
        stage.settle(first_changed(signed, attestation_signature=own.attestation_signature))
    stage.settle(signed)


def test_settlement_key_that_registers_itself_as_compliance_key(stage, refused):
    """Not by itself, not with the compliance key's help, not by the council: a key serves once."""
    rotate = Participants.rotate_key_call(
        stage.account("wallet"), Purpose.COMPLIANCE, stage.account("wallet/settlement"), 0
    )
    with refused("participants: not the current key"):
        stage.sender("wallet/settlement").transact(stage.participants.address, rotate)
    with refused("participants: key in use"):
        stage.sender("wallet/compliance").transact(stage.participants.address, rotate)
    with refused("participants: key in use"):
        stage.govern_participants(rotate)
    # Nor the other way round: its own compliance key ended first.
    stage.send("wallet/compliance", "Participants", "revoke_key", stage.account("wallet/compliance"))
    with refused("participants: key in use"):
        stage.govern_participants(rotate)


# The ledger.


def test_transfer_round_settlement_after_cosigning(stage, refused):
    """The wallet co-signs 100 CNY away and tries to move its balance first: by itself, an operator, an allowance."""
    signed = stage.endorse(stage.batch())
    wallet, provider, stranger = stage.account("wallet"), stage.account("provider"), stage.account("stranger")
    with refused("ledger: only through settlement"):
        stage.send("wallet", "Ledger", "transfer", provider, CNY, FUNDS)
    stage.send("wallet", "Ledger", "setOperator", stranger, True)
    stage.send("wallet", "Ledger", "approve", provider, CNY, FUNDS)
    for name in ("stranger", "provider", "wallet"):
        with refused("ledger: only through settlement"):
            stage.send(name, "Ledger", "transferFrom", wallet, provider, CNY, FUNDS)
    stage.settle(signed)
    assert stage.net("provider", CNY) == 100


def test_redemption_after_cosigning(stage, refused):
    """Giving one's balance back to the settlement bank is allowed: the batch fails as a whole and nobody loses."""
    signed = stage.endorse(stage.batch())
    stage.send("wallet", "Ledger", "transfer", stage.account("bank_cny"), CNY, FUNDS - 99)
    before = stage.books()
    with refused("ledger: insufficient liquidity"):
        stage.settle(signed)
    assert stage.books() == before


def test_settlement_bank_of_one_currency_issues_another(stage, refused):
    wallet = stage.account("wallet")
    for name, currency in (("bank_cny", THB), ("bank_thb", CNY)):
        for function in ("issue", "redeem", "set_cap"):
            with refused("ledger: not the settlement bank"):
                stage.send(name, "Ledger", function, wallet, currency, 1)
    stage.send("bank_cny", "Ledger", "issue", wallet, CNY, 1)


def test_stranger_moves_positions(stage, refused):
    positions = [(each.account, each.currency, each.delta) for each in stage.batch().positions]
    for name in ("stranger", "wallet", "bank_cny", "governor_1", "deployer"):
        with refused("ledger: only settlement"):
            stage.send(name, "Ledger", "apply", positions)


# The edges of the integer types.


def test_amounts_at_the_edge(stage, refused):
    wallet = stage.account("wallet")
    for function in ("issue", "set_cap"):
        with refused("ledger: amount"):
            stage.send("bank_cny", "Ledger", function, wallet, CNY, MAX_AMOUNT + 1)
        with refused("ledger: amount"):
            stage.send("bank_cny", "Ledger", function, wallet, CNY, 2**256 - 1)
    for _ in range(4):
        stage.send("bank_cny", "Ledger", "issue", wallet, CNY, MAX_AMOUNT)
    assert stage.net("wallet", CNY) == stage.ledger.total_supply(CNY) == FUNDS + 4 * MAX_AMOUNT
    with refused("ledger: insufficient balance"):
        stage.send("bank_cny", "Ledger", "redeem", wallet, CNY, 2**256 - 1)


def test_positions_at_the_edge(stage, refused):
    """int128's ends: a debit of 2**127 needs 2**127 of liquidity, and 64 of them wrap round nothing."""
    largest = ("wallet", CNY, INT128_MIN), ("provider", CNY, INT128_MAX), ("acquirer", CNY, 1)
    with refused("ledger: insufficient liquidity"):
        stage.settle(stage.endorse(stage.batch(*largest)))
    stage.send("bank_cny", "Ledger", "set_cap", stage.account("wallet"), CNY, MAX_AMOUNT)
    stage.settle(stage.endorse(stage.batch(*largest)))
    assert stage.net("wallet", CNY) == FUNDS + INT128_MIN
    again = stage.endorse(stage.batch(*largest, sequence=1))
    with refused("ledger: insufficient liquidity"):
        stage.settle(again)
    for delta in (INT128_MIN, INT128_MAX):
        with refused("settlement: not zero-sum"):
            stage.settle(stage.endorse(stage.batch(("wallet", CNY, delta), ("provider", CNY, delta), sequence=1)))


def test_sequence_and_deadline_at_the_edge(stage, refused):
    with refused("settlement: sequence"):
        stage.settle(stage.endorse(stage.batch(sequence=2**64 - 1)))
    stage.settle(stage.endorse(stage.batch(deadline=2**64 - 1, payment_count=2**32 - 1)))


@pytest.mark.parametrize(
    ("written", "overflowing"),
    [
        ((100).to_bytes(32, "big"), (2**127).to_bytes(32, "big")),
        ((-100).to_bytes(32, "big", signed=True), (-(2**127) - 1).to_bytes(32, "big", signed=True)),
        (CNY.to_bytes(32, "big"), (2**16 + CNY).to_bytes(32, "big")),
        ((77).to_bytes(32, "big"), (2**32 + 77).to_bytes(32, "big")),
    ],
    ids=["delta above int128", "delta below int128", "currency above uint16", "count above uint32"],
)
def test_word_that_is_too_large_for_its_type(stage, written, overflowing):
    """Refused while the call data is read, as every number outside its type is, before any rule of ours."""
    batch = stage.batch(payment_count=77)
    data = stage.settlement.settle_call([stage.endorse(batch)])
    assert written in data
    with pytest.raises(ContractRefusal) as refusal:
        stage.client.call(stage.settlement.address, data.replace(written, overflowing, 1), "latest")
    assert refusal.value.fields["contract_reason"] == ""
    stage.client.call(stage.settlement.address, data, "latest")


# Reentrancy.


def test_receiver_that_is_a_contract_is_never_called(stage):
    """ERC-6909 has no callbacks. The participant's account is a contract that reverts on any call to it."""
    grumpy = "5f5ffd"  # PUSH0 PUSH0 REVERT
    creation = bytes.fromhex(f"62{grumpy}5f526003601df3")  # returns those three bytes as the code
    account = stage.sender("relayer").transact(None, creation).contract
    assert stage.client.code(account, "latest") == bytes.fromhex(grumpy)
    with pytest.raises(ContractRefusal):
        stage.sender("relayer").transact(account, b"", 100_000)
    described = stage.admission("extra_0", Role.FX_PROVIDER)
    admitted = Admission(
        replace(described.participant, account=account), described.settlement_key, described.compliance_key
    )
    stage.govern_participants(Participants.admit_call(admitted))
    stage.send("bank_cny", "Ledger", "issue", account, CNY, 7)
    stage.send("bank_cny", "Ledger", "transfer", account, CNY, 0)
    stage.send("bank_cny", "Ledger", "redeem", account, CNY, 7)
    batch = stage.batch(("wallet", CNY, -100), ("provider", CNY, 100))
    positions = tuple(
        replace(each, account=account) if each.account == stage.account("provider") else each
        for each in batch.positions
    )
    batch = replace(
        batch,
        members=tuple(sorted((stage.account("wallet"), account))),
        positions=tuple(sorted(positions, key=lambda each: (each.currency, each.account))),
    )
    names = {account: "extra_0", stage.account("wallet"): "wallet"}
    stage.settle(SignedBatch(batch, tuple(stage.endorsement(batch, each, name=names[each]) for each in batch.members)))
    assert stage.ledger.net_position(account, CNY) == 100


def test_ledger_calls_nobody_who_could_call_back():
    """Its source, modules included, only reads Participants: a static call changes nothing, whoever answers."""
    imported = re.findall(r"^import (\w+)", (SOURCES / "Ledger.vy").read_text(), re.M)
    for name in ("Ledger", *imported):
        code = re.sub(r'"""[\s\S]*?"""|#.*', "", (SOURCES / f"{name}.vy").read_text())
        assert not re.search(r"extcall|raw_\w+\(|create_\w+\(|\bsend\(", code)
        assert set(re.findall(r"staticcall (\w+)", code)) <= {"PARTICIPANTS"}
    assert "PARTICIPANTS" in compiled("Ledger").immutables


# The council.


def test_council_of_one_less_than_the_quorum(stage, refused):
    """One governor of three, the quorum being two, tries to admit, to upgrade and to change the council."""
    council, alone = stage.council, stage.sender("governor_1")
    address = settlement_creation(addresses_of(stage.contracts), stage.settlement.address)
    rogue = stage.sender("stranger").transact(None, address).contract
    calls = [
        Call(stage.participants.address, Participants.suspend_call(stage.account("wallet"))),
        Call(stage.ledger.address, Ledger.replace_settlement_call(stage.settlement.address, rogue)),
        Call(council.address, council.set_governors_call([stage.account("governor_1")], 1)),
    ]
    proposal = council.propose(alone, calls)
    with refused("council: quorum not reached"):
        council.execute(alone, proposal)
    with refused("council: already approved"):
        council.approve(alone, proposal, calls)
    with refused("council: not a governor"):
        council.approve(stage.sender("stranger"), proposal, calls)
    council.approve(stage.sender("governor_2"), proposal, calls)
    council.execute(stage.sender("stranger"), proposal)
    assert stage.ledger.settlement() == rogue


# Front-running.


def test_cosigned_batch_front_run_by_a_stranger(stage):
    """Whoever sends it, it settles; the debtor agent's own transaction then succeeds and changes nothing."""
    signed = stage.endorse(stage.batch())
    stage.settlement.settle(stage.sender("stranger"), [signed])
    after = stage.books()
    own = stage.settle(signed)
    assert (own.succeeded, own.logs, stage.books()) == (True, (), after)
    assert stage.settlement.batch_hash(signed.batch.place) == batch_hash(signed.batch)


def test_cosigned_batch_front_run_with_spoiled_signatures(stage, refused):
    signed = stage.endorse(stage.batch())
    with refused("settlement: members"):
        stage.settlement.settle(stage.sender("stranger"), [SignedBatch(signed.batch, ())])
    stage.settle(signed)


def test_joint_settlement_front_run_in_part(stage, refused):
    """Of three batches that settle together a stranger sends the one that can settle alone, or one that cannot."""
    there = stage.endorse(stage.batch(("wallet", CNY, -900), ("acquirer", CNY, 900)))
    back = stage.endorse(stage.batch(("acquirer", CNY, -600), ("wallet", CNY, 600), lane=1))
    third = stage.endorse(stage.batch(("acquirer", CNY, -300), ("provider", CNY, 300), lane=2))
    stranger = stage.sender("stranger")
    for alone in (back, third):
        with refused("ledger: insufficient liquidity"):
            stage.settlement.settle(stranger, [alone])
    stage.settlement.settle(stranger, [there])
    stage.settlement.settle(stranger, [third])
    joint = stage.settle(back, there, third)
    assert len(joint.logs) == 1
    assert [stage.net(name, CNY) for name in ("wallet", "acquirer", "provider")] == [FUNDS - 300, 0, 300]


# Upgrades.


def test_retired_settlement_settles_on(stage, refused):
    successor = settlement_creation(addresses_of(stage.contracts), stage.settlement.address)
    renewed = at(stage, stage.sender("relayer").transact(None, successor).contract)
    change = Ledger.replace_settlement_call(stage.settlement.address, renewed.settlement.address)
    signed, empty = stage.endorse(stage.batch()), stage.endorse(stage.batch(positions=()))
    stage.settlement.simulate([signed])
    stage.settlement.simulate([empty])
    stage.govern(Call(stage.ledger.address, change))
    for late in (signed, empty):
        with refused("ledger: only settlement"):
            stage.settle(late)
    renewed.settle(renewed.endorse(stage.batch()))


def test_settlement_that_nobody_admitted(stage, refused):
    """A stranger deploys the same code for the same ledger, as a first Settlement, and the members sign for it."""
    fresh = settlement_creation(addresses_of(stage.contracts), NO_ADDRESS)
    rogue = at(stage, stage.sender("stranger").transact(None, fresh).contract)
    with refused("ledger: only settlement"):
        rogue.settle(rogue.endorse(rogue.batch()))
    stage.settle(stage.endorse(stage.batch()))
