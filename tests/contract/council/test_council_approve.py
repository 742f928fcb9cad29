"""Council.approve: a governor, once, the calls that it read."""

from __future__ import annotations

import pytest

from contracts.chain.council import Council, calls_hash
from contracts.terms.errors import NotFound

DELAY = 100


def test_the_quorums_last_approval_starts_the_delay(stage, chamber):
    number = chamber.propose()
    stage.pass_time(DELAY)
    chamber.approve(number, "governor_2")
    assert chamber.council.proposal(number).executable_at == stage.now() + DELAY
    assert chamber.council.has_approved(number, stage.account("governor_2"))


def test_a_further_approval_does_not_start_it_anew(stage, chamber):
    number = chamber.approved()
    due = chamber.council.proposal(number).executable_at
    stage.pass_time(DELAY // 2)
    chamber.approve(number, "governor_3")
    proposal = chamber.council.proposal(number)
    assert (proposal.approvals, proposal.executable_at) == (3, due)


@pytest.mark.parametrize("name", ["stranger", "guardian"])
def test_only_governors_approve(chamber, refused, name):
    number = chamber.propose()
    with refused("council: not a governor"):
        chamber.approve(number, name)


def test_a_governor_approves_once(chamber, refused):
    number = chamber.approved()
    for name in ("governor_1", "governor_2"):
        with refused("council: already approved"):
            chamber.approve(number, name)
    assert chamber.council.proposal(number).approvals == 2


def test_other_calls_than_those_read_are_refused(chamber, refused):
    number = chamber.propose()
    mine = chamber.council.proposed_calls(number)
    guardian = chamber.own(Council.set_guardian_call(chamber.stage.account("stranger")))
    for other in ((guardian,), (*mine, guardian), (*mine, *mine), ()):
        with refused("council: other calls"):
            chamber.council.approve(chamber.by("governor_2"), number, other)
    with refused("council: other calls"):
        chamber.send("governor_2", "approve", number, bytes(32))


def test_a_number_that_the_chain_gave_away_again_is_not_approved(stage, chamber, refused):
    """The chain forgets its last block; what was proposed there is gone and its number names the thief's calls."""
    before = stage.client.request("evm_snapshot")
    number = chamber.propose()
    read = chamber.council.proposed_calls(number)
    assert stage.client.request("evm_revert", before)
    theft = chamber.own(Council.set_governors_call(chamber.accounts("governor_3"), 1))
    assert chamber.propose(theft, by="governor_3") == number
    with refused("council: other calls"):
        chamber.council.approve(chamber.by("governor_2"), number, read)


def test_an_unknown_proposal_is_refused(chamber, refused):
    chamber.propose()
    with refused("council: unknown proposal"):
        chamber.council.approve(chamber.by("governor_2"), 1, [chamber.unpause])
    with pytest.raises(NotFound):
        chamber.council.approve(chamber.by("governor_2"), 2**256 - 1, [chamber.unpause])


def test_a_cancelled_proposal_is_refused(chamber, refused):
    number = chamber.propose()
    chamber.council.cancel(chamber.by("governor_1"), number)
    with refused("council: closed proposal"):
        chamber.approve(number, "governor_2")


def test_an_executed_proposal_is_refused(chamber, refused):
    number = chamber.run(chamber.unpause)
    with refused("council: closed proposal"):
        chamber.approve(number, "governor_3")


def test_a_lapsed_proposal_is_refused(chamber, refused):
    number = chamber.propose()
    chamber.lapse()
    with refused("council: lapsed proposal"):
        chamber.approve(number, "governor_2")


def test_the_calls_hash_is_the_contracts(chamber):
    number = chamber.propose(chamber.unpause, chamber.own(b""), chamber.own(b"\1" * 33))
    [stored] = chamber.council._client.read("Council", chamber.council.address, "calls_hash", number)
    assert stored == calls_hash(chamber.council.proposed_calls(number))
