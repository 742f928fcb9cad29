"""Council: a quorum and a delay stand before everything; no single key does anything but pause."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from contracts.chain.abi import encode_call, encode_creation
from contracts.chain.council import Call, Council, ProposalState
from contracts.chain.participants import NO_ADDRESS
from contracts.terms.errors import Conflict, Forbidden, NotFound

DELAY = 100


@dataclass(frozen=True)
class Chamber:
    """A council of three with quorum two and a delay, not the network's own."""

    stage: object
    council: Council

    def by(self, name: str):
        return self.stage.sender(name)

    def propose_unpause(self, name: str = "governor_1") -> int:
        return self.council.propose(self.by(name), [Call(self.council.address, Council.unpause_call())])

    def approved(self, *calls: Call) -> int:
        number = self.council.propose(self.by("governor_1"), calls)
        self.council.approve(self.by("governor_2"), number)
        return number

    def run(self, *calls: Call) -> None:
        number = self.approved(*calls)
        self.stage.pass_time(DELAY)
        self.council.execute(self.by("stranger"), number)

    def own(self, data: bytes) -> Call:
        return Call(self.council.address, data)


def create(stage, governors: list[str], quorum: int) -> str | None:
    code = encode_creation("Council", governors, quorum, DELAY, stage.account("guardian"))
    return stage.sender("deployer").transact(None, code).contract


@pytest.fixture
def chamber(stage):
    governors = [stage.account(f"governor_{number}") for number in (1, 2, 3)]
    return Chamber(stage, Council(stage.client, create(stage, governors, 2)))


def test_founded_as_told(stage, chamber):
    council = chamber.council
    assert council.governors() == tuple(stage.account(f"governor_{number}") for number in (1, 2, 3))
    assert (council.quorum(), council.delay(), council.guardian()) == (2, DELAY, stage.account("guardian"))
    assert not council.paused()


def test_quorum_and_delay_then_anyone_executes(stage, chamber):
    chamber.council.pause(chamber.by("guardian"))
    number = chamber.approved(chamber.own(Council.unpause_call()))
    assert chamber.council.proposal(number).executable_at == stage.now() + DELAY
    stage.pass_time(DELAY)
    chamber.council.execute(chamber.by("stranger"), number)
    assert not chamber.council.paused()
    assert chamber.council.proposal(number).state == ProposalState.EXECUTED


def test_one_approval_short_refused(stage, chamber, refused):
    number = chamber.propose_unpause()
    stage.pass_time(10 * DELAY)
    with refused("council: quorum not reached"):
        chamber.council.execute(chamber.by("governor_1"), number)


def test_delay_runs_from_the_last_needed_approval(stage, chamber, refused):
    number = chamber.propose_unpause()
    stage.pass_time(DELAY)
    chamber.council.approve(chamber.by("governor_2"), number)
    due = chamber.council.proposal(number).executable_at
    # A third approval must not start it anew.
    stage.pass_time(due - stage.now() - 10)
    chamber.council.approve(chamber.by("governor_3"), number)
    assert chamber.council.proposal(number).executable_at == due
    with refused("council: delay not over"):
        chamber.council.execute(chamber.by("governor_1"), number)
    stage.pass_time(due - stage.now())
    chamber.council.execute(chamber.by("governor_1"), number)


def test_only_governors_propose_and_approve(chamber, refused):
    with refused("council: not a governor"):
        chamber.propose_unpause("stranger")
    number = chamber.propose_unpause()
    for name in ("stranger", "guardian"):
        with refused("council: not a governor"):
            chamber.council.approve(chamber.by(name), number)


def test_a_governor_approves_once(chamber, refused):
    number = chamber.propose_unpause()
    with refused("council: already approved"):
        chamber.council.approve(chamber.by("governor_1"), number)
    assert chamber.council.proposal(number).approvals == 1


def test_proposer_alone_cancels(stage, chamber, refused):
    number = chamber.approved(chamber.own(Council.unpause_call()))
    with refused("council: not the proposer"):
        chamber.council.cancel(chamber.by("governor_2"), number)
    chamber.council.cancel(chamber.by("governor_1"), number)
    stage.pass_time(DELAY)
    for late in (chamber.council.execute, chamber.council.approve, chamber.council.cancel):
        with refused("council: closed proposal"):
            late(chamber.by("governor_1" if late != chamber.council.approve else "governor_3"), number)


def test_executes_once(chamber, stage, refused):
    number = chamber.approved(chamber.own(Council.unpause_call()))
    stage.pass_time(DELAY)
    chamber.council.execute(chamber.by("stranger"), number)
    with refused("council: closed proposal"):
        chamber.council.execute(chamber.by("stranger"), number)


def test_cannot_execute_itself_from_within(chamber, stage, refused):
    first_id = 0
    number = chamber.approved(chamber.own(encode_call("Council", "execute", first_id)))
    assert number == first_id
    stage.pass_time(DELAY)
    with refused("council: closed proposal"):
        chamber.council.execute(chamber.by("stranger"), number)


def test_delay_ends_on_its_second(stage, chamber):
    number = chamber.approved(chamber.own(Council.unpause_call()))
    due = chamber.council.proposal(number).executable_at
    execute = encode_call("Council", "execute", number)
    stage.client.request("evm_setNextBlockTimestamp", due - 1)
    early = chamber.by("stranger").send(chamber.council.address, execute, 200_000)
    stage.client.request("evm_setNextBlockTimestamp", due)
    punctual = chamber.by("governor_3").send(chamber.council.address, execute, 200_000)
    assert [stage.client.receipt(each).succeeded for each in (early, punctual)] == [False, True]


def test_proposals_are_numbered_from_zero(chamber):
    assert [chamber.propose_unpause() for _ in range(3)] == [0, 1, 2]


def test_unanimous_council_stands(stage):
    governors = [stage.account("governor_1"), stage.account("governor_2")]
    assert Council(stage.client, create(stage, governors, 2)).quorum() == 2


def test_unknown_proposal_refused(chamber):
    with pytest.raises(NotFound):
        chamber.council.approve(chamber.by("governor_1"), 0)


def test_calls_run_together_or_not_at_all(stage, chamber, refused):
    chamber.council.pause(chamber.by("guardian"))
    foreign = Call(stage.participants.address, encode_call("Participants", "suspend", stage.account("wallet")))
    number = chamber.approved(chamber.own(Council.unpause_call()), foreign)
    stage.pass_time(DELAY)
    with refused("participants: only the council"):
        chamber.council.execute(chamber.by("stranger"), number)
    assert chamber.council.paused()


def test_target_needs_code(stage, chamber, refused):
    number = chamber.approved(Call(stage.account("stranger"), b""))
    stage.pass_time(DELAY)
    with refused("council: target has no code"):
        chamber.council.execute(chamber.by("stranger"), number)


def test_proposals_carry_matching_calls(chamber, stage, refused):
    with refused("council: empty proposal"):
        chamber.council.propose(chamber.by("governor_1"), [])
    data = encode_call("Council", "propose", [chamber.council.address], [])
    with refused("council: targets and calls differ"):
        chamber.by("governor_1").transact(chamber.council.address, data)


def test_governors_read_what_they_approve(chamber):
    calls = (chamber.own(Council.unpause_call()), chamber.own(Council.set_guardian_call(NO_ADDRESS)))
    number = chamber.council.propose(chamber.by("governor_1"), calls)
    assert chamber.council.proposed_calls(number) == calls


def test_guardian_alone_pauses(chamber, refused):
    for name in ("stranger", "governor_1"):
        with refused("council: not the guardian"):
            chamber.council.pause(chamber.by(name))
    chamber.council.pause(chamber.by("guardian"))
    assert chamber.council.paused()


@pytest.mark.parametrize("name", ["guardian", "governor_1", "stranger"])
@pytest.mark.parametrize(
    "data",
    [
        Council.unpause_call(),
        Council.set_governors_call(["0x" + "11" * 20], 1),
        Council.set_guardian_call("0x" + "11" * 20),
    ],
    ids=["unpause", "set_governors", "set_guardian"],
)
def test_no_single_key_changes_the_council(chamber, refused, name, data):
    with refused("council: only by its own execution"):
        chamber.by(name).transact(chamber.council.address, data)


def test_new_governors_void_open_proposals(stage, chamber, refused):
    old = chamber.approved(chamber.own(Council.unpause_call()))
    governors = [stage.account("governor_3"), stage.account("stranger")]
    chamber.run(chamber.own(Council.set_governors_call(governors, 1)))
    assert (chamber.council.governors(), chamber.council.quorum()) == (tuple(governors), 1)
    with refused("council: lapsed proposal"):
        chamber.council.execute(chamber.by("stranger"), old)
    with refused("council: not a governor"):
        chamber.propose_unpause("governor_1")
    assert chamber.council.proposal(chamber.propose_unpause("stranger")).executable_at == stage.now() + DELAY


def test_new_guardian_takes_over(stage, chamber):
    chamber.run(chamber.own(Council.set_guardian_call(stage.account("stranger"))))
    with pytest.raises(Forbidden):
        chamber.council.pause(chamber.by("guardian"))
    chamber.council.pause(chamber.by("stranger"))


@pytest.mark.parametrize(
    ("governors", "quorum", "reason"),
    [
        (["governor_1", "governor_1"], 1, "council: governors"),
        (["governor_1", None], 1, "council: governors"),
        (["governor_1", "governor_2"], 0, "council: quorum"),
        (["governor_1", "governor_2"], 3, "council: quorum"),
        ([], 1, "council: quorum"),
    ],
    ids=["twice", "nobody", "quorum 0", "quorum over", "none"],
)
def test_no_impossible_council(stage, refused, governors, quorum, reason):
    with refused(reason):
        create(stage, [stage.account(name) if name else NO_ADDRESS for name in governors], quorum)


def test_carry_names_the_first_refusal(stage):
    with pytest.raises(Conflict):
        stage.council.carry([stage.sender("governor_1")], [Call(stage.council.address, Council.unpause_call())])
