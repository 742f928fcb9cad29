"""settle: what it changes, what it tells, and what it costs."""

from __future__ import annotations

import pytest

from contracts.chain.ledger import Ledger
from contracts.chain.participants import Participants
from contracts.chain.settlement import gas_limit
from contracts.terms import money
from contracts.terms.commitments import batch_hash
from contracts.terms.errors import InsufficientFunds
from contracts.terms.parties import Role

CNY, THB, FUNDS = 156, 764, 1_000_000


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
    stage.settle(good)


def test_no_batches_change_nothing(stage):
    before = stage.books()
    sender = stage.sender("relayer")
    empty = stage.settlement.settle_call([stage.endorse(stage.batch())])[:4] + bytes.fromhex(f"{32:064x}{0:064x}")
    assert sender.transact(stage.settlement.address, empty).logs == ()
    assert stage.books() == before


def test_cap_is_a_credit_line_to_the_last_unit(stage, refused):
    stage.send("bank_thb", "Ledger", "set_cap", stage.account("acquirer"), THB, 70)
    over = stage.batch(("acquirer", THB, -71), ("wallet", THB, 71))
    with refused("ledger: insufficient liquidity"):
        stage.settle(stage.endorse(over))
    stage.settle(stage.endorse(stage.batch(("acquirer", THB, -70), ("wallet", THB, 70))))
    assert stage.net("acquirer", THB) == -70
    assert stage.ledger.balance_of(stage.account("acquirer"), THB) == 0


def test_balance_is_spent_to_the_last_unit(stage, refused):
    with refused("ledger: insufficient liquidity"):
        stage.settle(stage.endorse(stage.batch(("wallet", CNY, -FUNDS - 1), ("provider", CNY, FUNDS + 1))))
    stage.settle(stage.endorse(stage.batch(("wallet", CNY, -FUNDS), ("provider", CNY, FUNDS))))
    assert stage.net("wallet", CNY) == 0


def test_debt_over_a_lowered_cap_can_be_repaid(stage):
    stage.send("bank_thb", "Ledger", "set_cap", stage.account("acquirer"), THB, 70)
    stage.settle(stage.endorse(stage.batch(("acquirer", THB, -70), ("wallet", THB, 70))))
    stage.send("bank_thb", "Ledger", "set_cap", stage.account("acquirer"), THB, 0)
    stage.settle(stage.endorse(stage.batch(("acquirer", THB, 30), ("wallet", THB, -30), sequence=1)))
    assert stage.net("acquirer", THB) == -40


def test_debt_over_a_lowered_cap_is_repaid_out_of_a_joint_settlement(stage):
    """The repaying batch is short until the other one comes, so it is looked at again: at whom it debits only."""
    stage.send("bank_thb", "Ledger", "set_cap", stage.account("acquirer"), THB, 70)
    stage.settle(stage.endorse(stage.batch(("acquirer", THB, -70), ("provider", THB, 70))))
    stage.send("bank_thb", "Ledger", "set_cap", stage.account("acquirer"), THB, 0)
    repaying = stage.endorse(stage.batch(("wallet", THB, -30), ("acquirer", THB, 30), lane=1))
    stage.settle(repaying, stage.endorse(stage.batch(("provider", THB, -30), ("wallet", THB, 30), lane=2)))
    assert stage.net("acquirer", THB) == -40


def test_stuck_batches_settle_together(stage, refused):
    """Gridlock: the acquirer can pay the wallet only out of what the wallet pays it."""
    there = stage.endorse(stage.batch(("wallet", CNY, -900), ("acquirer", CNY, 900)))
    back = stage.endorse(stage.batch(("acquirer", CNY, -600), ("wallet", CNY, 600), lane=1))
    with refused("ledger: insufficient liquidity"):
        stage.settle(back)
    stage.settle(back, there)
    assert (stage.net("wallet", CNY), stage.net("acquirer", CNY)) == (FUNDS - 300, 300)


def test_together_is_not_enough_by_one_unit(stage, refused):
    there = stage.endorse(stage.batch(("wallet", CNY, -599), ("acquirer", CNY, 599)))
    back = stage.endorse(stage.batch(("acquirer", CNY, -600), ("wallet", CNY, 600), lane=1))
    for order in ((back, there), (there, back)):
        with refused("ledger: insufficient liquidity"):
            stage.settle(*order)


def test_later_debit_of_a_joint_call_counts(stage, refused):
    """The first batch alone leaves the acquirer within its balance; the last one takes it below."""
    there = stage.endorse(stage.batch(("wallet", CNY, -900), ("acquirer", CNY, 900)))
    some = stage.endorse(stage.batch(("acquirer", CNY, -600), ("wallet", CNY, 600), lane=1))
    more = stage.endorse(stage.batch(("acquirer", CNY, -301), ("wallet", CNY, 301), lane=2))
    with refused("ledger: insufficient liquidity"):
        stage.settle(there, some, more)
    stage.settle(there, some)


def test_joint_settlement_of_two_debtor_agents(stage):
    """Each debtor agent's lanes count for themselves."""
    theirs = stage.batch(("acquirer", CNY, -50), ("wallet", CNY, 50), debtor_agent=stage.account("acquirer"))
    stage.settle(stage.endorse(theirs), stage.endorse(stage.batch(("wallet", CNY, -80), ("acquirer", CNY, 80))))
    assert stage.net("acquirer", CNY) == 30
    assert stage.settlement.next_sequence(stage.account("acquirer"), 0) == 1
    assert stage.settlement.next_sequence(stage.account("wallet"), 0) == 1


def test_replay_is_skipped(stage):
    signed = stage.endorse(stage.batch())
    stage.settle(signed)
    after = stage.books()
    replayed = stage.settle(signed)
    assert (stage.books(), replayed.logs) == (after, ())
    # Nor can a replay, sent ahead of it, spoil a joint settlement.
    stage.settle(signed, stage.endorse(stage.batch(sequence=1)))
    assert stage.net("wallet", CNY) == FUNDS - 200


def test_settled_batch_is_skipped_whatever_became_of_its_members(stage):
    signed = stage.endorse(stage.batch(("wallet", CNY, -FUNDS), ("provider", CNY, FUNDS)))
    stage.settle(signed)
    stage.pass_time(60)
    stage.govern_participants(Participants.suspend_call(stage.account("provider")))
    stage.send("wallet/compliance", "Participants", "revoke_key", stage.account("wallet/compliance"))
    assert stage.settle(signed).logs == ()


def test_twice_in_one_call_settles_once(stage):
    signed = stage.endorse(stage.batch())
    stage.settle(signed, signed)
    assert stage.net("wallet", CNY) == FUNDS - 100


def test_lanes_have_sequences_of_their_own(stage):
    stage.settle(*(stage.endorse(stage.batch(lane=lane)) for lane in range(8)))
    wallet = stage.account("wallet")
    assert [stage.settlement.next_sequence(wallet, lane) for lane in range(8)] == [1] * 8


def test_zero_position_member_settles(stage):
    stage.settle(stage.endorse(stage.batch(("wallet", CNY, -1), ("provider", CNY, 1), also=["acquirer"])))
    assert stage.net("provider", CNY) == 1


def test_batch_that_nets_to_nothing_settles(stage):
    batch = stage.batch(positions=())
    stage.settle(stage.endorse(batch))
    assert stage.settlement.batch_hash(batch.place) == batch_hash(batch)


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


def test_gas_of_eight_institutions_keeps_its_promise(stage):
    """16 positions, 16 signatures, balances that are not new: at most 400 gas a payment at 1,000 payments."""
    names = sixteen_members(stage)[:8]
    for name in names:
        stage.send("bank_cny", "Ledger", "issue", stage.account(name), CNY, FUNDS)
        stage.send("bank_thb", "Ledger", "issue", stage.account(name), THB, FUNDS)
    moves = [
        (name, currency, sign * 12_345 * (1 + place // 2))
        for place, name in enumerate(names)
        for currency, sign in ((CNY, 1 if place % 2 else -1), (THB, -1 if place % 2 else 1))
    ]
    used = [
        stage.settle(stage.endorse(stage.batch(*moves, sequence=each, payment_count=1_000))).gas_used
        for each in range(3)
    ]
    assert used[-1] <= 400 * 1_000
