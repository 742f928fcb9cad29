"""Council's views of what is not there, and the way of a whole list of calls through it (`carry`)."""

from __future__ import annotations

import pytest

from contracts.chain.council import Call, Council, ProposalState
from contracts.chain.participants import NO_ADDRESS, Participants
from contracts.terms.errors import Conflict
from contracts.terms.parties import Role


def test_an_unknown_proposal_reads_empty(stage, chamber):
    proposal = chamber.council.proposal(7)
    assert (proposal.proposer, proposal.calls_hash, proposal.state) == (NO_ADDRESS, bytes(32), ProposalState(0))
    assert chamber.council.proposed_calls(7) == ()
    assert not chamber.council.has_approved(7, stage.account("governor_1"))
    assert stage.client.read("Council", chamber.council.address, "calls_hash", 7) == (bytes(32),)


def test_every_change_of_governors_opens_an_epoch(chamber):
    epoch = chamber.council.epoch()
    chamber.lapse()
    assert chamber.council.epoch() == epoch + 1


def test_carry_takes_any_number_of_calls_in_order(stage):
    """More than a proposal holds, each admission on what the one before left."""
    names = [f"extra_{number}" for number in range(11)]
    calls = [Participants.admit_call(stage.admission(name, Role.FX_PROVIDER)) for name in names]
    before = len(stage.participants.accounts())
    stage.govern_participants(*calls)
    assert stage.participants.accounts()[before:] == tuple(stage.account(name) for name in names)


def test_carry_names_the_first_refusal(stage):
    with pytest.raises(Conflict):
        stage.council.carry([stage.sender("governor_1")], [Call(stage.council.address, Council.unpause_call())])
