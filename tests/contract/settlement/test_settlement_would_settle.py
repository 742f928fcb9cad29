"""would_settle: the answer is what `settle` would do, and asking changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from contracts.chain.abi import encode_call
from contracts.chain.deploy import addresses_of, settlement_creation
from contracts.chain.network import PinnedContract
from contracts.chain.participants import NO_ADDRESS, Participants
from contracts.chain.reverts import REASONS
from contracts.chain.settlement import Settlement
from contracts.terms.batch import SignedBatch
from contracts.terms.errors import FeiqianError
from tests.contract.spoiled import first_changed, high_s

CNY, THB, FUNDS = 156, 764, 1_000_000

WRONG = {
    "lane": lambda stage: [stage.endorse(stage.batch(lane=8))],
    "sequence": lambda stage: [stage.endorse(stage.batch(sequence=1))],
    "deadline": lambda stage: [stage.endorse(stage.batch(deadline=stage.now() - 1))],
    "signature": lambda stage: [
        first_changed(
            (signed := stage.endorse(stage.batch())),
            settlement_signature=high_s(signed.endorsements[0].settlement_signature),
        )
    ],
    "another chain": lambda stage: [stage.endorse(stage.batch(), chain_id=1)],
    "not a member": lambda stage: [stage.endorse(stage.batch(also=["bank_cny"]))],
    "not zero-sum": lambda stage: [stage.endorse(stage.batch(("wallet", CNY, 1)))],
    "liquidity": lambda stage: [stage.endorse(stage.batch(("acquirer", CNY, -1), ("wallet", CNY, 1)))],
    "the second": lambda stage: [stage.endorse(stage.batch()), stage.endorse(stage.batch(sequence=2))],
}


def ask(stage, batches: Sequence[SignedBatch]) -> None:
    """Raises what would_settle answers."""
    if (answer := stage.settlement.would_settle(batches)) is not None:
        raise answer


def question(batches: Sequence[SignedBatch]) -> bytes:
    """The call data of `would_settle(batches)`: that of `settle` under the other selector."""
    selector = encode_call("Settlement", "would_settle", [])[:4]
    return selector + Settlement.settle_call(batches)[4:]


def state(stage) -> tuple[object, ...]:
    place = stage.batch().place
    wallet = stage.account("wallet")
    return stage.books(), stage.settlement.batch_hash(place), stage.settlement.next_sequence(wallet, 0)


def test_what_would_settle_settles(stage):
    signed = stage.endorse(stage.batch())
    before = state(stage)
    assert stage.settlement.would_settle([signed]) is None
    assert state(stage) == before
    stage.settle(signed)
    assert stage.settlement.would_settle([signed]) is None, "a settled batch is skipped"


@pytest.mark.parametrize("wrong", WRONG)
def test_the_reason_is_that_of_settle(stage, wrong):
    batches = WRONG[wrong](stage)
    with pytest.raises(FeiqianError) as refusal:
        stage.settle(*batches)
    answer = stage.settlement.would_settle(batches)
    assert (type(answer), answer.detail) == (type(refusal.value), refusal.value.detail)
    assert answer.fields == refusal.value.fields


def test_pause_and_suspension_are_told(stage, refused):
    signed = stage.endorse(stage.batch())
    stage.govern_participants(Participants.suspend_call(stage.account("provider")))
    with refused("participants: suspended"):
        ask(stage, [signed])
    stage.council.pause(stage.sender("guardian"))
    with refused("settlement: paused"):
        ask(stage, [signed])


def test_together_what_alone_would_not(stage, refused):
    there = stage.endorse(stage.batch(("wallet", CNY, -900), ("acquirer", CNY, 900)))
    back = stage.endorse(stage.batch(("acquirer", CNY, -600), ("wallet", CNY, 600), lane=1))
    with refused("ledger: insufficient liquidity"):
        ask(stage, [back])
    ask(stage, [back, there])


def test_sent_as_a_transaction_it_changes_nothing(stage):
    signed = stage.endorse(stage.batch())
    before = state(stage)
    receipt = stage.sender("stranger").transact(stage.settlement.address, question([signed]), 3_000_000)
    assert (receipt.logs, state(stage)) == ((), before)
    stage.settle(signed)


def test_own_call_always_reverts(stage, refused):
    """The call within the call, which nobody else can make, since it settles."""
    data = question([stage.endorse(stage.batch())])
    with refused("settlement: would settle"):
        stage.client.call(stage.settlement.address, data, "latest", sender=stage.settlement.address)


def test_refusal_without_a_reason_has_a_name(stage, refused):
    """A Settlement for a network whose council does not exist."""
    stage.settlement.simulate([stage.endorse(stage.batch())])
    nowhere = replace(addresses_of(stage.contracts), council=stage.account("stranger"))
    address = stage.sender("relayer").transact(None, settlement_creation(nowhere, NO_ADDRESS)).contract
    orphan = replace(stage, contracts=replace(stage.contracts, settlement=PinnedContract(address, b"")))
    with refused("settlement: no reason"):
        ask(orphan, [orphan.endorse(orphan.batch())])
    with refused(""):
        orphan.settle(orphan.endorse(orphan.batch()))


def test_each_reason_fits_the_answer():
    assert max(map(len, REASONS)) <= 64
