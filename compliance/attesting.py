"""Attesting: the compliance key signs a batch only when each own payment in it was screened and is clear."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection

import compliance.log.repository as log
from compliance import repository
from compliance.chaintime import ChainTime
from compliance.client import AttestationRefusal, AttestationRequest, SignedAttestation
from compliance.repository import Key
from compliance.screening.decide import CLEAR
from compliance.screening.record import Screened, Versions
from compliance.screening.rulebook import RuleBook, Rules
from contracts.chain.office import Office
from contracts.terms.attestation import Attestation
from contracts.terms.commitments import attestation_hash, batch_hash, canonical_json, keccak, typed_digest
from contracts.terms.cosigning import check_batch
from contracts.terms.errors import FeiqianError, NotScreened
from contracts.terms.identifiers import Address
from contracts.terms.payment import Leg, PaymentTerms
from contracts.terms.signing import Signer
from serving.cosigning import SignedRecord
from serving.database import Database


class AttestationService:
    """Attests for one institution, under the domain of the Settlement in office."""

    def __init__(
        self,
        database: Database,
        account: Address,
        rules: Rules,
        time: ChainTime,
        record: SignedRecord,
        signer: Signer,
        office: Office,
    ) -> None:
        self._database, self._account, self._rules = database, account, rules
        self._time, self._record, self._signer, self._office = time, record, signer, office

    def attest(self, requests: Sequence[AttestationRequest]) -> list[SignedAttestation | AttestationRefusal]:
        """One answer per request, in order; what is signed was durably recorded before.

        Raises ChainUnavailable when chain time is not known, ComplianceUnavailable when a list is too old.
        """
        now, settlement, book = self._time.now(), self._office.incumbent, self._rules.take()
        recorded = self._database.write(
            lambda connection: [self._check(connection, each, now, settlement, book) for each in requests]
        )
        return [self._sign(each, settlement) if isinstance(each, Attestation) else each for each in recorded]

    def _check(
        self, connection: Connection, request: AttestationRequest, now: int, settlement: Address, book: RuleBook
    ) -> Attestation | AttestationRefusal:
        name = batch_hash(request.batch)
        try:
            check_batch(request.batch, request.own, self._account, now)
            payments = [payment.terms for payment in request.own]
            uetrs = [terms.uetr for terms in payments]
            known = screened_under(book, connection, repository.screened(connection, uetrs))
            for terms in payments:
                check_screened(terms, self._account, known, book.versions)
            self._record.record(connection, request.batch, uetrs, settlement)
        except FeiqianError as error:
            return AttestationRefusal(name, error.kind(), error.reason, _named(error))
        end = log.frontier(connection)
        log.remember_anchor(connection, name, end)
        return Attestation(name, policy_hash(book.versions), end.root, request.batch.deadline)

    def _sign(self, attestation: Attestation, settlement: Address) -> SignedAttestation:
        digest = typed_digest(self._office.domain_of(settlement), attestation_hash(attestation))
        return SignedAttestation(attestation, self._signer.sign(digest))


def policy_hash(versions: Versions) -> bytes:
    """The `policyHash` of an attestation: keccak of the canonical JSON of the policy and list versions."""
    return keccak(canonical_json({"list_version": versions.lists, "policy_version": versions.policy}))


def screened_under(book: RuleBook, connection: Connection, known: Mapping[Key, Screened]) -> Mapping[Key, Screened]:
    """Payments that were cleared under older lists are screened again: what is still clear counts as screened under
    those in force, so that new lists stop no payment that they do not concern."""
    older = {
        key: screened
        for key, screened in known.items()
        if screened.outcome == CLEAR and screened.versions != book.versions
        if screened.versions.policy == book.versions.policy
    }
    if not older:
        return known
    decided = repository.decided(connection, sorted({uetr for uetr, _ in older}))
    still = {key: each for key, each in older.items() if book.outcome(decided[key].inputs) == CLEAR}
    return {**known, **{key: replace(screened, versions=book.versions) for key, screened in still.items()}}


def check_screened(terms: PaymentTerms, account: Address, known: Mapping[Key, Screened], versions: Versions) -> None:
    """Refuse a payment that was not cleared exactly as it stands in the batch. Raises NotScreened."""
    own_legs = sorted(_legs(terms, account), key=_leg_order)
    for side in sides_of(terms, account):
        screened = known.get((terms.uetr, side))
        if screened is None:
            raise NotScreened(f"never screened on the {side}'s side", uetr=terms.uetr)
        if screened.outcome != CLEAR:
            raise NotScreened(f"the decision of the {side}'s side is {screened.outcome}", uetr=terms.uetr)
        if screened.versions != versions:
            raise NotScreened("screened under a policy or lists that are no longer in force", uetr=terms.uetr)
        agents = (screened.debtor_agent, screened.creditor_agent)
        if agents != (terms.debtor_agent, terms.creditor_agent):
            raise NotScreened("screened with other agents", uetr=terms.uetr)
        if sorted(screened.legs, key=_leg_order) != own_legs:
            raise NotScreened("screened with other legs", uetr=terms.uetr)
        _check_commitments(terms, side, screened)


def sides_of(terms: PaymentTerms, account: Address) -> tuple[str, ...]:
    """The sides on which `account` stands in a payment: as an agent, or else as a provider between them."""
    agents = (("debtor", terms.debtor_agent), ("creditor", terms.creditor_agent))
    return tuple(side for side, agent in agents if agent == account) or ("provider",)


def _check_commitments(terms: PaymentTerms, side: str, screened: Screened) -> None:
    found = {
        "debtor": (terms.debtor_commitment, terms.debtor_decision),
        "creditor": (terms.creditor_commitment, terms.creditor_decision),
    }.get(side)
    if found is not None and found != (screened.party_commitment, screened.decision_commitment):
        raise NotScreened(f"the {side}'s commitments are not those of the decision", uetr=terms.uetr)


def _legs(terms: PaymentTerms, account: Address) -> list[Leg]:
    return [leg for leg in terms.legs if account in (leg.source, leg.target)]


def _leg_order(leg: Leg) -> tuple[str, str, int, int]:
    return leg.source, leg.target, leg.currency, leg.amount


def _named(error: FeiqianError) -> str:
    payment = error.fields.get("uetr")
    return f"{error.detail} (payment {payment})" if payment else error.detail
