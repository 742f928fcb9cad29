"""Council.set_governors: by itself only; what the old ones left open lapses."""

from __future__ import annotations

import pytest

from contracts.chain.council import Council
from contracts.chain.participants import NO_ADDRESS

DELAY = 100


def change(chamber, governors: list[str], quorum: int) -> None:
    chamber.run(chamber.own(Council.set_governors_call(governors, quorum)))


def test_new_governors_take_over(stage, chamber, refused):
    epoch = chamber.council.epoch()
    new = chamber.accounts("governor_3", "stranger")
    change(chamber, new, 1)
    council = chamber.council
    assert (council.governors(), council.quorum(), council.epoch()) == (tuple(new), 1, epoch + 1)
    with refused("council: not a governor"):
        chamber.propose(by="governor_1")
    number = chamber.propose(by="stranger")
    assert council.proposal(number).executable_at == stage.now() + DELAY


def test_open_proposals_lapse(stage, chamber, refused):
    approved, open_ = chamber.approved(), chamber.propose()
    change(chamber, chamber.accounts("governor_1", "governor_2", "governor_3"), 2)
    with refused("council: lapsed proposal"):
        chamber.execute(approved)
    with refused("council: lapsed proposal"):
        chamber.approve(open_, "governor_3")


def test_a_lower_quorum_lifts_no_proposal_that_stands(stage, chamber, refused):
    """One approval, of a proposer who will soon need no other: it must ask anew."""
    number = chamber.propose()
    change(chamber, chamber.accounts("governor_1", "governor_2", "governor_3"), 1)
    stage.pass_time(10 * DELAY)
    with refused("council: lapsed proposal"):
        chamber.execute(number)


def test_a_higher_quorum_holds_for_what_was_approved_before(stage, chamber, refused):
    number = chamber.approved()
    change(chamber, chamber.accounts("governor_1", "governor_2", "governor_3"), 3)
    with refused("council: lapsed proposal"):
        chamber.execute(number)
    again = chamber.approved()
    stage.pass_time(DELAY)
    with refused("council: quorum not reached"):
        chamber.execute(again)


def test_a_governor_that_left_approves_nothing(stage, chamber, refused):
    """Neither by transaction nor by a signature under the new epoch."""
    change(chamber, chamber.accounts("governor_1", "governor_2"), 2)
    number = chamber.propose()
    with refused("council: not a governor"):
        chamber.approve(number, "governor_3")
    with refused("council: not a governor"):
        chamber.bring(number, chamber.signature("governor_3", number))


@pytest.mark.parametrize("name", ["guardian", "governor_1", "stranger"])
def test_no_single_key_changes_the_governors(chamber, refused, name):
    with refused("council: only by its own execution"):
        chamber.send(name, "set_governors", chamber.accounts(name), 1)


@pytest.mark.parametrize(
    ("governors", "quorum", "reason"),
    [
        (["governor_1", "governor_1"], 1, "council: governors"),
        (["governor_1", None], 1, "council: governors"),
        (["governor_1", "the council"], 1, "council: governors"),
        (["governor_1", "governor_2"], 0, "council: quorum"),
        (["governor_1", "governor_2"], 3, "council: quorum"),
        (["governor_1", "governor_2"], 2**256 - 1, "council: quorum"),
        ([], 0, "council: quorum"),
    ],
    ids=["twice", "nobody", "the council itself", "quorum 0", "quorum over", "quorum huge", "none"],
)
def test_no_impossible_council(chamber, refused, governors, quorum, reason):
    seats = {None: NO_ADDRESS, "the council": chamber.council.address}
    named = [seats[name] if name in seats else chamber.stage.account(name) for name in governors]
    with refused(reason):
        change(chamber, named, quorum)
    assert chamber.council.quorum() == 2
