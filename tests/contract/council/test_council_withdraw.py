"""Council.withdraw: what the delay is for."""

from __future__ import annotations

import pytest

from contracts.chain import events

DELAY = 100


def withdraw(chamber, number: int, name: str) -> None:
    chamber.council.withdraw(chamber.by(name), number)


def test_below_the_quorum_nothing_runs_and_the_delay_starts_anew(stage, chamber, refused):
    number = chamber.approved()
    stage.pass_time(DELAY)
    withdraw(chamber, number, "governor_2")
    proposal = chamber.council.proposal(number)
    assert (proposal.approvals, proposal.executable_at) == (1, 0)
    with refused("council: quorum not reached"):
        chamber.execute(number)
    chamber.approve(number, "governor_3")
    assert chamber.council.proposal(number).executable_at == stage.now() + DELAY
    with refused("council: delay not over"):
        chamber.execute(number)
    stage.pass_time(DELAY)
    chamber.execute(number)


def test_above_the_quorum_the_delay_goes_on(stage, chamber):
    number = chamber.approved()
    due = chamber.council.proposal(number).executable_at
    chamber.approve(number, "governor_3")
    stage.pass_time(DELAY)
    withdraw(chamber, number, "governor_1")
    proposal = chamber.council.proposal(number)
    assert (proposal.approvals, proposal.executable_at) == (2, due)
    chamber.execute(number)


def test_may_approve_again_by_its_own_transaction(stage, chamber):
    number = chamber.approved()
    withdraw(chamber, number, "governor_2")
    chamber.approve(number, "governor_2")
    proposal = chamber.council.proposal(number)
    assert (proposal.approvals, proposal.executable_at) == (2, stage.now() + DELAY)


def test_the_record_keeps_that_it_withdrew(stage, chamber):
    number = chamber.approved()
    two = stage.account("governor_2")
    assert not chamber.council.has_withdrawn(number, two)
    withdraw(chamber, number, "governor_2")
    assert (chamber.council.has_approved(number, two), chamber.council.has_withdrawn(number, two)) == (False, True)
    chamber.approve(number, "governor_2")
    assert (chamber.council.has_approved(number, two), chamber.council.has_withdrawn(number, two)) == (True, True)
    other = chamber.propose()
    assert not chamber.council.has_withdrawn(other, two)


def test_the_proposer_withdraws_too(chamber):
    number = chamber.approved()
    withdraw(chamber, number, "governor_1")
    chamber.approve(number, "governor_3")
    assert chamber.council.proposal(number).approvals == 2


def test_everybody_may_withdraw(chamber):
    number = chamber.approved()
    for name in ("governor_1", "governor_2"):
        withdraw(chamber, number, name)
    assert chamber.council.proposal(number).approvals == 0


def test_the_log_tells(stage, chamber):
    number = chamber.approved()
    receipt = chamber.council.withdraw(chamber.by("governor_2"), number)
    names = {chamber.council.address: "Council"}
    [event] = [events.read_event(names, log) for log in receipt.logs]
    assert isinstance(event, events.Withdrawn)
    assert (event.number, event.governor, event.approvals) == (number, stage.account("governor_2"), 1)


@pytest.mark.parametrize("name", ["stranger", "guardian"])
def test_only_governors_withdraw(chamber, refused, name):
    number = chamber.approved()
    with refused("council: not a governor"):
        withdraw(chamber, number, name)


def test_only_what_one_gave(chamber, refused):
    number = chamber.approved()
    with refused("council: not approved"):
        withdraw(chamber, number, "governor_3")
    withdraw(chamber, number, "governor_2")
    with refused("council: not approved"):
        withdraw(chamber, number, "governor_2")
    assert chamber.council.proposal(number).approvals == 1


def test_an_unknown_proposal_is_refused(chamber, refused):
    chamber.approved()
    with refused("council: unknown proposal"):
        withdraw(chamber, 1, "governor_2")


def test_a_cancelled_proposal_is_refused(chamber, refused):
    number = chamber.approved()
    chamber.council.cancel(chamber.by("governor_1"), number)
    with refused("council: closed proposal"):
        withdraw(chamber, number, "governor_2")


def test_an_executed_proposal_is_refused(chamber, refused):
    number = chamber.run(chamber.unpause)
    with refused("council: closed proposal"):
        withdraw(chamber, number, "governor_2")


def test_a_lapsed_proposal_is_refused(chamber, refused):
    number = chamber.approved()
    chamber.lapse()
    with refused("council: lapsed proposal"):
        withdraw(chamber, number, "governor_2")
