"""Attesting over HTTP: what was cleared is attested, at one place, and nothing else ever is."""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from compliance.attesting import policy_hash
from compliance.client import AttestationRefusal, AttestationRequest, SignedAttestation
from compliance.screening.record import Versions
from compliance.settings import ComplianceSettings
from contracts.terms.commitments import attestation_hash, batch_hash, canonical_json, typed_digest
from contracts.terms.documents import to_document
from contracts.terms.signing import recover
from serving.client import PeerRefusal

WALLET, PROVIDER, ACQUIRER, STRANGER = (f"0x{digit * 40}" for digit in "1234")


def test_a_payment_is_cleared_and_attested_on_every_side(start: Any) -> None:
    for account, side in ((WALLET, "debtor"), (ACQUIRER, "creditor"), (PROVIDER, "provider")):
        service = start(account)
        asked = service.question()
        assert asked.side == side
        decision = service.decide(asked)
        assert (decision.outcome, decision.reason, decision.hold_until) == ("clear", "", 0)
        assert (decision.party_commitment == bytes(32)) == (side == "provider")
        batch, own = service.batch(service.terms(asked, decision))
        signed = service.attest(batch, *own)
        assert isinstance(signed, SignedAttestation), signed
        digest = typed_digest(service.domain, attestation_hash(signed.attestation))
        assert recover(digest, signed.signature) == service.compliance_key
        assert signed.attestation.batch_hash == batch_hash(batch)
        assert signed.attestation.valid_until == batch.deadline
        versions = Versions(decision.policy_version, decision.list_version)
        assert signed.attestation.policy_hash == policy_hash(versions)
        assert any(signed.attestation.log_head)


NEVER = "never screened on the debtor's side (payment {})"


def test_promise_2_no_screening_no_attestation(service: Any) -> None:
    asked = service.question()
    never, own = service.batch(service.terms(service.question()))
    assert service.refused(never, *own) == ("not-screened", NEVER.format(own[0].terms.uetr))
    decision = service.decide(asked)
    for name, said in (("Vladimir Putin", "refuse"), ("Vladimir Putyn", "hold")):
        other = service.question(debtor=service.buyer(name=name, birth_date=""))
        batch, own = service.batch(service.terms(other, service.decide(other)))
        problem, detail = service.refused(batch, *own)
        assert problem == "not-screened"
        assert f"decision of the debtor's side is {said}" in detail
    own_leg, other_leg = service.terms(asked, decision).legs
    changed = (
        ({"debtor_commitment": bytes([1]) * 32}, "commitments"),
        ({"debtor_decision": bytes([1]) * 32}, "commitments"),
        ({"legs": (replace(own_leg, amount=10_001), other_leg)}, "other legs"),
        ({"legs": (own_leg, own_leg, other_leg)}, "other legs"),
        ({"creditor_agent": STRANGER}, "other agents"),
        ({"uetr": str(uuid.uuid4())}, "never screened"),
    )
    for change, said in changed:
        batch, own = service.batch(service.terms(asked, decision, **change))
        problem, detail = service.refused(batch, *own)
        assert (problem, said in detail) == ("not-screened", True), detail
    batch, own = service.batch(service.terms(asked, decision))
    assert isinstance(service.attest(batch, *own), SignedAttestation)


def test_an_attestation_anchors_every_decision_before_it(start: Any) -> None:
    service = start()
    asked = [service.question() for _ in range(3)]
    decisions = [service.decide(each) for each in asked]
    batch, own = service.batch(service.terms(asked[0], decisions[0]))
    leaves = []
    for each in asked:
        [opening] = service.get(f"/v1/openings/{each.uetr}", "audit").json()["openings"]
        leaves.append(hashlib.sha256(b"\0" + canonical_json(opening["record"])).digest())
    first_two = hashlib.sha256(b"\1" + leaves[0] + leaves[1]).digest()
    head = hashlib.sha256(b"\1" + first_two + leaves[2]).digest()  # RFC 6962, 2.1
    assert service.attest(batch, *own).attestation.log_head == head


def test_one_unscreened_payment_spoils_its_batch_and_no_other(service: Any) -> None:
    first, second, third = service.question(), service.question(), service.question()
    good = [service.terms(asked, service.decide(asked)) for asked in (first, second)]
    mixed, mixed_own = service.batch(good[0], service.terms(third))
    whole, whole_own = service.batch(good[1])
    answers = service.compliance.attest(
        [AttestationRequest(mixed, tuple(mixed_own)), AttestationRequest(whole, tuple(whole_own))]
    )
    assert [type(answer) for answer in answers] == [AttestationRefusal, SignedAttestation]


def test_a_batch_is_checked_before_it_is_attested(service: Any) -> None:
    asked = service.question()
    terms = service.terms(asked, service.decide(asked))
    batch, own = service.batch(terms)
    for changed in (
        replace(batch, payments_root=bytes([1]) * 32),
        replace(batch, deadline=batch.deadline + 60),
        replace(batch, deadline=service.clock.now() - 5),
        replace(batch, positions=batch.positions[1:]),
        replace(batch, members=batch.members[1:]),
    ):
        assert service.refused(changed, *own)[0] in ("not-agreed", "deadline-passed")
    assert service.refused(replace(batch, positions=()))[0] == "not-agreed"
    twice, both = service.batch(terms, terms)
    assert service.refused(twice, *both)[0] == "not-agreed"


def test_a_payment_is_attested_at_one_place_until_that_batch_is_dead(service: Any) -> None:
    asked = service.question()
    terms = service.terms(asked, service.decide(asked))
    batch, own = service.batch(terms)
    assert isinstance(service.attest(batch, *own), SignedAttestation)
    assert isinstance(service.attest(batch, *own), SignedAttestation)
    elsewhere, own = service.batch(terms, lane=1)
    assert service.refused(elsewhere, *own)[0] == "already-signed"
    service.chain.pass_time(batch.deadline - service.clock.final_time() + 1)
    service.until(lambda: service.clock.final_time() > batch.deadline)
    later, own = service.batch(terms, lane=1)
    assert isinstance(service.attest(later, *own), SignedAttestation)


def test_terms_that_have_no_struct_hash_are_a_problem_document(service: Any) -> None:
    asked = service.question()
    batch, [own] = service.batch(service.terms(asked, service.decide(asked)))
    good = to_document(AttestationRequest(batch, (own,)))
    for path, value in (
        (("batch", "debtor_agent"), "0x1"),
        (("batch", "payments_root"), "0x01"),
        (("own", 0, "terms", "uetr"), "7"),
        (("own", 0, "terms", "quotes_hash"), "0x" + "03" * 33),
        (("own", 0, "terms", "legs", 0, "amount"), "-1"),
        (("own", 0, "terms", "legs", 0, "source"), WALLET.upper()),
    ):
        bad = json.loads(json.dumps(good))
        _set(bad, path, value)
        with pytest.raises(PeerRefusal) as refusal:
            service.client().post(service.peer, "/peer/v1/attestations", json.dumps({"requests": [bad]}).encode())
        assert refusal.value.status == 400, path


def _set(document: Any, path: tuple[str | int, ...], value: object) -> None:
    for step in path[:-1]:
        document = document[step]
    document[path[-1]] = value


def test_under_another_policy_the_old_decision_attests_nothing(start: Any, tmp_path: Path) -> None:
    before = start()
    asked = before.question()
    decision = before.decide(asked)
    before.stop()
    stricter = tmp_path / "policy.toml"
    shipped = ComplianceSettings.model_fields["policy"].default
    stricter.write_text(shipped.read_text().replace("hold = 880", "hold = 870"))
    after = start(policy=stricter)
    assert after.decide(asked) == decision
    batch, own = after.batch(after.terms(asked, decision))
    problem, detail = after.refused(batch, *own)
    assert problem == "not-screened"
    assert "no longer in force" in detail
