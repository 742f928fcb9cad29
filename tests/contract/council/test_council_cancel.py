"""Council.cancel: the proposer ends its own proposal, whoever approved it."""

from __future__ import annotations

import pytest

from contracts.chain.council import ProposalState

DELAY = 100


def cancel(chamber, number: int, name: str = "governor_1") -> None:
    chamber.council.cancel(chamber.by(name), number)


def test_the_proposer_ends_an_approved_proposal(stage, chamber, refused):
    number = chamber.approved()
    cancel(chamber, number)
    assert chamber.council.proposal(number).state == ProposalState.CANCELLED
    stage.pass_time(DELAY)
    with refused("council: closed proposal"):
        chamber.execute(number)


@pytest.mark.parametrize("name", ["governor_2", "guardian", "stranger"])
def test_nobody_else_does(chamber, refused, name):
    number = chamber.approved()
    with refused("council: not the proposer"):
        cancel(chamber, number, name)


def test_an_unknown_proposal_is_refused(chamber, refused):
    """Also to whoever is nobody: an unknown proposal's proposer is the zero address."""
    chamber.propose()
    with refused("council: unknown proposal"):
        cancel(chamber, 1)


def test_a_cancelled_proposal_is_refused(chamber, refused):
    number = chamber.propose()
    cancel(chamber, number)
    with refused("council: closed proposal"):
        cancel(chamber, number)


def test_an_executed_proposal_is_refused(chamber, refused):
    number = chamber.run(chamber.unpause)
    with refused("council: closed proposal"):
        cancel(chamber, number)


def test_a_lapsed_proposal_is_refused(chamber, refused):
    number = chamber.propose()
    chamber.lapse()
    with refused("council: lapsed proposal"):
        cancel(chamber, number)
