"""Council.propose: a governor's calls, remembered whole, with its own approval."""

from __future__ import annotations

import pytest

from contracts.chain.council import Call, Council, ProposalState, calls_hash
from contracts.chain.participants import NO_ADDRESS
from contracts.terms.errors import ContractRefusal


def test_proposals_are_numbered_from_zero(chamber):
    assert [chamber.propose() for _ in range(3)] == [0, 1, 2]
    assert chamber.council.proposal_count() == 3


def test_counts_as_the_proposers_approval(stage, chamber):
    number = chamber.propose()
    proposal = chamber.council.proposal(number)
    assert (proposal.proposer, proposal.state) == (stage.account("governor_1"), ProposalState.OPEN)
    assert (proposal.approvals, proposal.executable_at) == (1, 0)
    assert chamber.council.has_approved(number, stage.account("governor_1"))


def test_alone_the_proposer_starts_the_delay(stage, found):
    chamber = found(["governor_1"], quorum=1)
    assert chamber.council.proposal(chamber.propose()).executable_at == stage.now() + 100


def test_governors_read_what_they_approve(chamber):
    calls = (chamber.unpause, chamber.own(Council.set_guardian_call(NO_ADDRESS)))
    number = chamber.propose(*calls)
    assert chamber.council.proposed_calls(number) == calls
    assert chamber.council.proposal(number).calls_hash == calls_hash(calls)


def test_the_largest_proposal_is_kept_whole(chamber):
    calls = tuple(chamber.own(bytes([number]) * 4096) for number in range(8))
    number = chamber.propose(*calls)
    assert chamber.council.proposed_calls(number) == calls
    assert chamber.council.proposal(number).calls_hash == calls_hash(calls)


def test_a_larger_one_is_refused_whole(chamber):
    """The decoder refuses it, before any words of the contract's: nothing is cut off."""
    for calls in ([chamber.unpause] * 9, [chamber.own(bytes(4097))]):
        with pytest.raises(ContractRefusal):
            chamber.propose(*calls)
    assert chamber.council.proposal_count() == 0


@pytest.mark.parametrize("name", ["stranger", "guardian", "deployer"])
def test_only_governors_propose(chamber, refused, name):
    with refused("council: not a governor"):
        chamber.propose(by=name)


def test_an_empty_proposal_is_refused(chamber, refused):
    with refused("council: empty proposal"):
        chamber.council.propose(chamber.by("governor_1"), [])


@pytest.mark.parametrize(("targets", "calls"), [(1, 0), (1, 2), (2, 1)])
def test_each_target_has_its_call(chamber, refused, targets, calls):
    with refused("council: targets and calls differ"):
        chamber.send("governor_1", "propose", [chamber.council.address] * targets, [Council.unpause_call()] * calls)


def test_a_target_without_a_call_reads_as_one(chamber):
    """Empty call data is a call, of a contract's default function; only a missing one is not."""
    assert chamber.council.proposed_calls(chamber.propose(Call(NO_ADDRESS, b""))) == (Call(NO_ADDRESS, b""),)
