"""Council.execute: anyone, once, after quorum and delay; all calls or none; no way round through the calls."""

from __future__ import annotations

import pytest

from contracts.chain.abi import encode_call
from contracts.chain.council import Call, Council, ProposalState, calls_hash
from contracts.chain.participants import NO_ADDRESS
from contracts.terms.errors import Forbidden

DELAY = 100


def test_quorum_and_delay_then_anyone_executes(stage, chamber):
    chamber.council.pause(chamber.by("guardian"))
    number = chamber.approved()
    stage.pass_time(DELAY)
    chamber.execute(number, "stranger")
    assert not chamber.council.paused()
    assert chamber.council.proposal(number).state == ProposalState.EXECUTED


def test_one_approval_short_refused(stage, chamber, refused):
    """A council of M-1: the proposer alone, however long it waits."""
    number = chamber.propose()
    stage.pass_time(100 * DELAY)
    with refused("council: quorum not reached"):
        chamber.execute(number, "governor_1")


def test_delay_not_over_refused(stage, chamber, refused):
    number = chamber.approved()
    stage.pass_time(DELAY // 2)
    with refused("council: delay not over"):
        chamber.execute(number)


def test_delay_ends_on_its_second(stage, chamber):
    number = chamber.approved()
    due = chamber.council.proposal(number).executable_at
    execute = encode_call("Council", "execute", number)
    stage.client.request("evm_setNextBlockTimestamp", due - 1)
    early = chamber.by("stranger").send(chamber.council.address, execute, 300_000)
    stage.client.request("evm_setNextBlockTimestamp", due)
    punctual = chamber.by("governor_3").send(chamber.council.address, execute, 300_000)
    assert [stage.client.receipt(each).succeeded for each in (early, punctual)] == [False, True]


def test_unknown_proposal_refused(chamber, refused):
    with refused("council: unknown proposal"):
        chamber.execute(0)


def test_executes_once(chamber, refused):
    number = chamber.run(chamber.unpause)
    with refused("council: closed proposal"):
        chamber.execute(number)


def test_lapsed_proposal_refused(stage, chamber, refused):
    number = chamber.approved()
    chamber.lapse()
    with refused("council: lapsed proposal"):
        chamber.execute(number)


@pytest.mark.parametrize("target", ["stranger", None], ids=["a person", "nobody"])
def test_target_needs_code(stage, chamber, refused, target):
    """A call to an address without code would succeed and do nothing."""
    number = chamber.approved(Call(stage.account(target) if target else NO_ADDRESS, b""))
    stage.pass_time(DELAY)
    with refused("council: target has no code"):
        chamber.execute(number)


def test_calls_run_together_or_not_at_all(stage, chamber, refused):
    chamber.council.pause(chamber.by("guardian"))
    foreign = Call(stage.participants.address, encode_call("Participants", "suspend", stage.account("wallet")))
    number = chamber.approved(chamber.unpause, foreign)
    stage.pass_time(DELAY)
    with refused("participants: only the council"):
        chamber.execute(number)
    assert chamber.council.paused()
    assert chamber.council.proposal(number).state == ProposalState.OPEN


def test_too_little_gas_spoils_nothing(stage, chamber):
    """Whoever executes chooses the gas; a call that dies of it takes the whole execution along."""
    chamber.council.pause(chamber.by("guardian"))
    guardian = chamber.own(Council.set_guardian_call(stage.account("stranger")))
    number = chamber.approved(*[guardian] * 7, chamber.unpause)
    stage.pass_time(DELAY)
    execute = encode_call("Council", "execute", number)
    limits = iter(range(30_000, 1_000_000, 5_000))
    tries = 0
    while chamber.council.proposal(number).state == ProposalState.OPEN:
        assert chamber.council.paused()
        assert chamber.council.guardian() == stage.account("guardian")
        chamber.by("stranger").send(chamber.council.address, execute, next(limits))
        tries += 1
    assert not chamber.council.paused()
    assert chamber.council.guardian() == stage.account("stranger")
    assert tries > 5


def test_cannot_execute_itself_from_within(stage, chamber, refused):
    number = chamber.approved(chamber.own(encode_call("Council", "execute", 0)))
    assert number == 0
    stage.pass_time(DELAY)
    with refused("council: closed proposal"):
        chamber.execute(number)


def test_runs_another_approved_one_from_within(stage, chamber, refused):
    """Nothing that anyone could not do in the same block; the other one needs its own quorum and delay."""
    chamber.council.pause(chamber.by("guardian"))
    inner = chamber.approved()
    early = chamber.propose()
    outer = chamber.approved(chamber.own(encode_call("Council", "execute", inner)))
    hasty = chamber.approved(chamber.own(encode_call("Council", "execute", early)))
    stage.pass_time(DELAY)
    chamber.execute(outer)
    assert not chamber.council.paused()
    with refused("council: quorum not reached"):
        chamber.execute(hasty)


def test_a_target_that_executes_again_is_refused(stage, chamber, puppet, refused):
    number = chamber.approved(puppet.spring)
    puppet.arm(chamber.council.address, encode_call("Council", "execute", number))
    stage.pass_time(DELAY)
    with refused("council: closed proposal"):
        chamber.execute(number)


@pytest.mark.parametrize("function", ["approve", "withdraw", "cancel"])
def test_a_governor_that_is_a_target_meets_a_closed_proposal(stage, found, puppet, refused, function):
    """The proposal's own proposer, called by it, tries to move it while it runs."""
    chamber = found(["governor_1", "governor_2", puppet.address])
    council = chamber.council
    calls = [puppet.spring]
    data = encode_call("Council", "propose", [puppet.address], [puppet.spring.data])
    puppet.act(council.address, data)
    number = council.proposal_count() - 1
    assert council.proposal(number).proposer == puppet.address
    chamber.approve(number, "governor_1")
    arguments = [number, calls_hash(calls)] if function == "approve" else [number]
    puppet.arm(council.address, encode_call("Council", function, *arguments))
    stage.pass_time(DELAY)
    with refused("council: closed proposal"):
        chamber.execute(number)


def test_a_target_gains_no_office_by_being_called(stage, chamber, puppet, refused):
    """The council calls the puppet, the puppet calls the council: it is still the puppet that calls."""
    number = chamber.approved(puppet.spring)
    stage.pass_time(DELAY)
    for data in (Council.unpause_call(), Council.set_guardian_call(puppet.address)):
        puppet.arm(chamber.council.address, data)
        with refused("council: only by its own execution"):
            chamber.execute(number)
    puppet.arm(chamber.council.address, encode_call("Council", "propose", [puppet.address], [b""]))
    with refused("council: not a governor"):
        chamber.execute(number)
    puppet.arm(stage.participants.address, encode_call("Participants", "suspend", stage.account("wallet")))
    with pytest.raises(Forbidden):
        chamber.execute(number)


def test_calls_after_a_change_of_governors_still_run(stage, chamber, refused):
    """The quorum approved the list as a whole; what others approved separately lapses in its midst."""
    chamber.council.pause(chamber.by("guardian"))
    other = chamber.approved(chamber.own(Council.set_guardian_call(stage.account("stranger"))))
    fresh = chamber.own(Council.set_governors_call(chamber.accounts("extra_0", "extra_1"), 2))
    number = chamber.approved(fresh, chamber.unpause)
    smuggled = chamber.approved(fresh, chamber.own(encode_call("Council", "execute", other)))
    stage.pass_time(DELAY)
    with refused("council: lapsed proposal"):
        chamber.execute(smuggled)
    chamber.execute(number)
    assert not chamber.council.paused()
    assert chamber.council.governors() == tuple(chamber.accounts("extra_0", "extra_1"))


def test_the_council_itself_holds_no_seat(stage, chamber, refused):
    """Calls that make the council propose or approve as a governor are those of a stranger."""
    other = chamber.propose()
    approve = encode_call("Council", "approve", other, calls_hash([chamber.unpause]))
    propose = encode_call("Council", "propose", [chamber.council.address], [Council.unpause_call()])
    for data in (approve, propose):
        number = chamber.approved(chamber.own(data))
        stage.pass_time(DELAY)
        with refused("council: not a governor"):
            chamber.execute(number)
