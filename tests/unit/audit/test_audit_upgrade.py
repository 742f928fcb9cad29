"""A network whose Settlement was replaced twice: payments of each are provable, and nothing is missing across them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.completeness import check_completeness
from audit.errors import AgreementMissing, NotInOffice, NotProven, StateNotProven
from audit.sums import check_sums
from audit.verify import verify
from contracts.chain.abi import encode_call, event_topic
from contracts.chain.council import Call, Council
from contracts.chain.deploy import addresses_of, settlement_creation
from contracts.chain.ledger import Ledger
from contracts.chain.settlement import Settlement, settling_contract
from contracts.chain.slots import LEDGER_SETTLEMENT
from contracts.terms.commitments import batch_hash
from contracts.terms.errors import ChainUnavailable, UnknownSuccessor
from contracts.terms.evidence import Evidence, OfficeProof, read_evidence, write_evidence
from contracts.terms.identifiers import Address
from tests.unit.audit.changes import changed_at, holds, lied_to, nudged, places

if TYPE_CHECKING:
    from tests.unit.audit.conftest import Stage

FIRST, SECOND, THIRD = 2, 3, 4
"""A batch of each Settlement, by its sequence."""


@pytest.fixture(scope="module")
def upgraded(stage: Stage) -> Iterator[Stage]:
    """The stage with a batch of two payments under each of two successors of its Settlement."""
    snapshot = stage.client.request("evm_snapshot")
    again = stage.copied()
    for sequence in (SECOND, THIRD):
        again.replace_settlement()
        again.settle(sequence, tuple(again.payment(f"payment {sequence}.{number}") for number in range(2)))
    yield again
    assert stage.client.request("evm_revert", snapshot)


@pytest.fixture
def further(upgraded: Stage) -> Iterator[Stage]:
    """A copy to which more happens; its chain goes back to where it was."""
    snapshot = upgraded.client.request("evm_snapshot")
    yield upgraded.copied()
    assert upgraded.client.request("evm_revert", snapshot)


@pytest.fixture(scope="module")
def evidence(upgraded: Stage) -> Evidence:
    """Of a payment of the first successor, made when the second was in office."""
    return upgraded.evidence(SECOND, 1)


def test_promise_6_a_payment_of_each_settlement_is_provable(upgraded: Stage) -> None:
    """Also of those that are retired by now."""
    for sequence, settlement in zip((FIRST, SECOND, THIRD), upgraded.settlements, strict=True):
        found = upgraded.evidence(sequence, 1)
        verified = verify(read_evidence(write_evidence(found)), upgraded.network)
        assert (verified.settlement, verified.payment) == (settlement, upgraded.payments[sequence][1])
        assert (found.office is None) is (sequence == FIRST)


def test_evidence_from_before_successors_were_known_still_holds(upgraded: Stage) -> None:
    old = write_evidence(upgraded.evidence(FIRST, 0)).replace(b',\n "office": null', b"")
    assert b"office" not in old
    verify(read_evidence(old), upgraded.network)


def test_promise_6_each_field_of_a_successors_evidence_is_bound(upgraded: Stage, evidence: Evidence) -> None:
    for path in places(evidence):
        with pytest.raises(NotProven):
            verify(changed_at(evidence, path, nudged), upgraded.network)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_promise_6_any_changed_byte_of_a_proof_of_office_is_refused(
    upgraded: Stage, evidence: Evidence, data: st.DataObject
) -> None:
    content = write_evidence(evidence)
    place = data.draw(st.integers(content.index(b'"office"'), len(content) - 1))
    changed = data.draw(st.integers(0, 255).filter(lambda byte: byte != content[place]))
    found = holds(content[:place] + bytes([changed]) + content[place + 1 :], upgraded.network)
    assert found is None or found == evidence


def office(change: Callable[[Any], Any]) -> Callable[[Stage, Evidence], Evidence]:
    return lambda _, e: replace(e, office=change(e.office))


def header_of(number: Callable[[Stage], int]) -> Callable[[Stage, Evidence], Evidence]:
    """The proof under another block's header."""

    def forge(stage: Stage, evidence: Evidence) -> Evidence:
        sealed = stage.client.sealed_header(number(stage))
        return changed_at(evidence, ("office",), lambda one: replace(one, header=sealed.encoded, seals=sealed.seals))

    return forge


FORGERIES: dict[str, tuple[type[NotProven], Callable[[Stage, Evidence], Evidence]]] = {
    "no office": (NotInOffice, lambda _, e: replace(e, office=None)),
    "the office of its successor": (NotInOffice, lambda s, e: replace(e, office=s.evidence(THIRD, 0).office)),
    "the office of another block": (NotInOffice, header_of(lambda s: s.blocks[SECOND] - 1)),
    "an office that nobody sealed": (NotInOffice, office(lambda one: replace(one, seals=()))),
    "an office sealed by a stranger": (
        NotInOffice,
        lambda s, e: changed_at(e, ("office", "seals"), lambda _: (s.sign("wallet", bytes(32)),)),
    ),
    "another contract's word": (
        NotInOffice,
        lambda _, e: changed_at(e, ("office", "ledger_proof"), lambda _: e.settlement_proof),
    ),
    "another slot of the Ledger": (
        NotInOffice,
        lambda s, e: changed_at(e, ("office", "ledger_proof"), lambda _: s.ledger_slots(SECOND, 1)),
    ),
    "two slots of the Ledger": (
        NotInOffice,
        lambda s, e: changed_at(e, ("office", "ledger_proof"), lambda _: s.ledger_slots(SECOND, 0, 1)),
    ),
    "its storage under another's name": (
        NotInOffice,
        lambda s, e: changed_at(e, ("settlement_proof", "address"), lambda _: s.settlements[0]),
    ),
    "another's storage": (
        StateNotProven,
        lambda s, e: changed_at(
            e, ("settlement_proof", "account_proof"), lambda _: s.evidence(THIRD, 0).settlement_proof.account_proof
        ),
    ),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_promise_6_a_forged_office_is_refused_at_its_step(upgraded: Stage, evidence: Evidence, forgery: str) -> None:
    refusal, forge = FORGERIES[forgery]
    with pytest.raises(NotProven) as failure:
        verify(forge(upgraded, evidence), upgraded.network)
    assert type(failure.value) is refusal, failure.value


def test_the_pinned_settlement_is_proven_one_way_only(upgraded: Stage) -> None:
    """That it was in office is true, and not asked for: the same payment would be proven by two different files."""
    found = upgraded.evidence(FIRST, 0)
    true = OfficeProof(found.header, found.seals, upgraded.ledger_slots(FIRST, LEDGER_SETTLEMENT))
    with pytest.raises(NotInOffice, match="only a successor"):
        verify(replace(found, office=true), upgraded.network)


def test_an_office_is_not_proven_by_a_later_block(upgraded: Stage, evidence: Evidence) -> None:
    later = upgraded.evidence(THIRD, 0)
    assert later.office is not None
    with pytest.raises(NotInOffice, match="later block"):
        verify(replace(evidence, settlement_proof=later.settlement_proof, office=later.office), upgraded.network)


def test_what_was_signed_for_the_predecessor_proves_nothing_of_its_successor(upgraded: Stage) -> None:
    found = upgraded.evidence(SECOND, 0)
    before = upgraded.agreements(SECOND, 0, upgraded.settlements[0])
    with pytest.raises(AgreementMissing):
        verify(replace(found, agreements=before), upgraded.network)


def test_a_batch_of_the_block_that_retired_its_settlement_is_provable(further: Stage) -> None:
    """The state after that block names the next one already; the block before it names this one."""
    stage = further
    ledger, retired, governor = stage.network.contracts.ledger.address, stage.settlement, stage.sender("governor")
    successor = stage.deployed_successor()
    council = Council(stage.client, stage.network.contracts.council.address)
    number = council.propose(governor, [Call(ledger, Ledger.replace_settlement_call(retired, successor))])
    signed = stage.signed(THIRD + 1, (stage.payment("last"),))
    stage.client.request("evm_setAutomine", False)
    settled = stage.sender("wallet").send(retired, Settlement.settle_call([signed]), 2_000_000)
    executed = governor.send(council.address, encode_call("Council", "execute", number), 2_000_000)
    stage.client.request("evm_mine")
    stage.client.request("evm_setAutomine", True)
    receipts = governor.wait([settled, executed])
    assert receipts[0].block_number == receipts[1].block_number
    stage.blocks[THIRD + 1] = receipts[0].block_number
    assert Ledger(stage.client, ledger).settlement(receipts[0].block_number) == successor
    verified = verify(stage.evidence(THIRD + 1, 0), stage.network)
    assert (verified.settlement, verified.block_number) == (retired, receipts[0].block_number)
    assert settling_contract(stage.client, settled, batch_hash(signed.batch)) == retired
    with pytest.raises(ChainUnavailable):
        settling_contract(stage.client, settled, batch_hash(stage.batches[THIRD].batch))


def test_promise_7_nothing_is_missing_across_all_settlements(upgraded: Stage) -> None:
    leaves = [upgraded.leaves(sequence) for sequence in range(5)]
    report = check_completeness(upgraded.client, upgraded.network, leaves)
    assert report.problems == ()
    assert report.settlements == upgraded.settlements
    assert [(lane.batches, lane.payments) for lane in report.lanes] == [(5, 12)]
    assert check_sums(upgraded.client, upgraded.network).problems == ()


def batches(stage: Stage, logs: list[Any]) -> list[Any]:
    return [log for log in logs if log["address"].lower() in stage.settlements]


@pytest.mark.parametrize("hidden", range(5))
def test_promise_7_a_hidden_batch_of_any_settlement_shows(upgraded: Stage, hidden: int) -> None:
    def hide(logs: list[Any]) -> list[Any]:
        found = batches(upgraded, logs)
        return [log for log in logs if log not in found or found.index(log) != hidden]

    [problem] = check_completeness(lied_to(upgraded, hide), upgraded.network).problems
    assert problem.endswith(f"no event of batch {hidden} (1 missing of 5)")


def test_promise_7_a_hidden_replacement_shows(upgraded: Stage) -> None:
    topic = "0x" + event_topic("Ledger", "SettlementReplaced").hex()

    def hide(logs: list[Any]) -> list[Any]:
        told = [log for log in logs if log["topics"][0] == topic]
        return [log for log in logs if log not in told[-1:]]

    problems = check_completeness(lied_to(upgraded, hide), upgraded.network).problems
    assert (
        f"the Settlement in office is {upgraded.settlements[2]}, by the events it is {upgraded.settlements[1]}"
        in problems
    )


def test_promise_7_a_batch_that_a_retired_settlement_claims_shows(upgraded: Stage) -> None:
    def move(logs: list[Any]) -> list[Any]:
        last = batches(upgraded, logs)[-1:]
        return [log | {"address": upgraded.settlements[0]} if log in last else log for log in logs]

    problems = check_completeness(lied_to(upgraded, move), upgraded.network).problems
    old, new = upgraded.settlements[0], upgraded.settlements[2]
    assert f"{old} settled a batch while {new} was in office" in problems


@pytest.mark.parametrize("what", ["no contract", "another contract", "another predecessor"])
def test_a_settlement_of_another_release_stops_the_audit(further: Stage, what: str) -> None:
    pins = further.network.contracts

    def other() -> Address:
        if what == "no contract":
            return further.account("stranger")
        if what == "another contract":
            return pins.council.address
        creation = settlement_creation(addresses_of(pins), pins.settlement.address)
        created = further.sender("deployer").transact(None, creation)
        assert created.contract is not None
        return created.contract

    further.govern(pins.ledger.address, Ledger.replace_settlement_call(further.settlement, other()))
    with pytest.raises(UnknownSuccessor, match="install the release that knows it"):
        check_completeness(further.client, further.network)


def test_a_retired_settlement_does_not_come_back(further: Stage) -> None:
    """Its sequences ended when it was retired; what its successors settled would be open again."""
    ledger = further.network.contracts.ledger.address
    further.govern(ledger, Ledger.replace_settlement_call(further.settlement, further.settlements[1]))
    with pytest.raises(UnknownSuccessor, match="PREDECESSOR"):
        check_completeness(further.client, further.network)
