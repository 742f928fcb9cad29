"""The offline check of one payment's evidence: from the network file's validators down to each signature.

Pure: no network, no database, no clock. Each step is its own function and has its own error (`audit.errors`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import rlp

from audit.errors import (
    AgreementMissing,
    BatchNotStored,
    NotAMember,
    NotEndorsed,
    NotInOffice,
    NotProven,
    NotSealed,
    PaymentNotIncluded,
    QuoteDiffers,
    StateNotProven,
    WrongForm,
    WrongNetwork,
)
from audit.keys import ProvenKeys
from audit.tries import proven_value
from contracts.chain.headers import Header, verify_seals
from contracts.chain.network import Network, PinnedContract
from contracts.chain.participants import Purpose
from contracts.chain.slots import LEDGER_SETTLEMENT, batch_hash_slot
from contracts.terms.batch import Batch, Endorsement, Place
from contracts.terms.commitments import (
    agreement_hash,
    attestation_hash,
    batch_hash,
    domain_separator,
    payment_leaf,
    quote_hash,
    quotes_hash,
)
from contracts.terms.errors import FeiqianError, Malformed, NotAgreed
from contracts.terms.evidence import AccountProof, Evidence, SignedAgreement, SignedQuote, check_form
from contracts.terms.identifiers import Address
from contracts.terms.merkle import includes
from contracts.terms.payment import Leg, PaymentTerms

Words = Mapping[int, int]
_STORAGE_ROOT, _CODE_HASH = 2, 3


@dataclass(frozen=True)
class Verified:
    """What the evidence proves. `checks` are the steps passed, in order; times in seconds of chain time."""

    payment: PaymentTerms
    providers: tuple[Address, ...]
    place: Place
    settlement: Address
    batch_hash: bytes
    payment_count: int
    block_number: int
    block_hash: bytes
    block_time: int
    checks: tuple[str, ...]


def verify(evidence: Evidence, network: Network) -> Verified:
    """Prove that the payment was settled on `network`. Raises the NotProven of the first step that fails."""
    passed: list[str] = []
    contracts = network.contracts
    with _step("form", WrongForm, passed):
        check_form(evidence)
    with _step("network", WrongNetwork, passed):
        _check_network(evidence, network)
    with _step("seals", NotSealed, passed):
        header = verify_seals(evidence.header, evidence.seals, network.chain_id, network.validators)
    with _step("office", NotInOffice, passed):
        settlement = _in_office(evidence, header, network)
    with _step("settlement contract", StateNotProven, passed):
        settled = _proven_words(header.state_root, evidence.settlement_proof, settlement)
    with _step("participants contract", StateNotProven, passed):
        words = _proven_words(header.state_root, evidence.participants_proof, contracts.participants)
    with _step("batch", BatchNotStored, passed):
        _check_stored(evidence.batch, settled)
    with _step("payment", PaymentNotIncluded, passed):
        _check_included(evidence)
    with _step("members", NotAMember, passed):
        _check_members(evidence.payment, evidence.batch)
    keys = ProvenKeys(words, header.timestamp, domain_separator(network.chain_id, settlement.address))
    with _step("agreements", AgreementMissing, passed):
        _check_agreements(evidence, keys)
    with _step("quotes", QuoteDiffers, passed):
        _check_quotes(evidence.payment, evidence.quotes, keys)
    with _step("endorsements", NotEndorsed, passed):
        _check_endorsements(evidence.batch, evidence.endorsements, keys)
    return _verified(evidence, header, settlement.address, tuple(passed))


STEPS: Mapping[str, str] = {
    "form": "every value has the one form of its kind",
    "network": "it is evidence of this network",
    "seals": "the network's validators sealed the block",
    "office": "the Settlement is the pinned one, or the pinned Ledger named it as its successor",
    "settlement contract": "the block's state holds that Settlement contract and this storage of it",
    "participants contract": "the block's state holds the pinned Participants contract and these keys",
    "batch": "the Settlement contract stored exactly this batch",
    "payment": "the payment is in the batch, whose deadline is not later than the payment's",
    "members": "every institution that the payment names is a member of the batch",
    "agreements": "the creditor agent and each FX provider agreed to exactly this payment",
    "quotes": "the amounts are those that the FX providers quoted and signed",
    "endorsements": "every member signed the batch, and its compliance attested it",
}
"""The steps in order, and what each proves."""


@contextmanager
def _step(name: str, refusal: type[NotProven], passed: list[str]) -> Iterator[None]:
    try:
        yield
    except (FeiqianError, RecursionError) as failure:
        detail = failure.detail if isinstance(failure, FeiqianError) else "it is nested too deeply"
        raise refusal(detail, step=name) from failure
    passed.append(name)


def _check_network(evidence: Evidence, network: Network) -> None:
    if evidence.chain_id != network.chain_id:
        raise Malformed(f"it names chain {evidence.chain_id}, the network file chain {network.chain_id}")


@dataclass(frozen=True)
class _Successor:
    """A Settlement that the council admitted. Its code is not pinned: who trusts the council trusts what it admits."""

    address: Address
    code_hash: None = None


def _in_office(evidence: Evidence, header: Header, network: Network) -> PinnedContract | _Successor:
    """The Settlement that the evidence is about: the pinned one, or one that the pinned Ledger had named by then."""
    pinned, claimed, office = network.contracts.settlement, evidence.settlement_proof.address, evidence.office
    if (office is None) != (claimed == pinned.address):
        raise Malformed("a successor of the pinned Settlement needs a proof of its office, and only a successor")
    if office is None:
        return pinned
    named = verify_seals(office.header, office.seals, network.chain_id, network.validators)
    if named.number > header.number:
        raise Malformed("its office is proven for a later block than the one that settled")
    words = _proven_words(named.state_root, office.ledger_proof, network.contracts.ledger)
    if words != {LEDGER_SETTLEMENT: int(claimed, 16)}:
        raise Malformed(f"the Ledger did not name {claimed} in block {named.number}")
    return _Successor(claimed)


def _proven_words(state_root: bytes, proof: AccountProof, contract: PinnedContract | _Successor) -> Words:
    """The storage words by slot, proven for a contract in the state with this root."""
    if proof.address != contract.address:
        raise Malformed(f"the proof is of {proof.address}, not of {contract.address}")
    storage_root = _storage_root(state_root, proof, contract.code_hash)
    words = {int.from_bytes(each.slot, "big"): _word(storage_root, each.slot, each.proof) for each in proof.slots}
    if len(words) != len(proof.slots):
        raise Malformed("a slot is proven twice")
    return words


def _storage_root(state_root: bytes, proof: AccountProof, code_hash: bytes | None) -> bytes:
    encoded = proven_value(state_root, bytes.fromhex(proof.address[2:]), proof.account_proof)
    if encoded is None:
        raise Malformed(f"there is no account {proof.address} in the block's state")
    account = rlp.decode(encoded, strict=True)
    if code_hash is not None and account[_CODE_HASH] != code_hash:
        raise Malformed(f"the code at {proof.address} is not the one the network file pins")
    return bytes(account[_STORAGE_ROOT])


def _word(storage_root: bytes, slot: bytes, proof: tuple[bytes, ...]) -> int:
    encoded = proven_value(storage_root, slot, proof)
    return 0 if encoded is None else int.from_bytes(rlp.decode(encoded, strict=True), "big")


def _check_stored(batch: Batch, settled: Words) -> None:
    if settled.keys() != {batch_hash_slot(batch.place)}:
        raise Malformed("the proof is of other storage than the batch's place")
    if settled[batch_hash_slot(batch.place)] != int.from_bytes(batch_hash(batch), "big"):
        raise Malformed("the chain stores another batch at its place, or none")


def _check_included(evidence: Evidence) -> None:
    batch, payment, path = evidence.batch, evidence.payment, evidence.path
    if path.count != batch.payment_count:
        raise NotAgreed(f"the path is of {path.count} payments, the batch has {batch.payment_count}")
    if not includes(batch.payments_root, payment_leaf(payment), path):
        raise NotAgreed("its path does not lead to the batch's root")
    if payment.debtor_agent != batch.debtor_agent:
        raise NotAgreed("the batch is another debtor agent's")
    if batch.deadline > payment.deadline:
        raise NotAgreed("the batch's deadline is later than the payment's")


def _check_members(payment: PaymentTerms, batch: Batch) -> None:
    if strangers := payment.members() - set(batch.members):
        raise NotAgreed(f"{min(strangers)} is no member of the batch")


def _check_agreements(evidence: Evidence, keys: ProvenKeys) -> None:
    """One agreement each of whoever is bound by the payment without being its debtor agent, who signed the batch."""
    payment = evidence.payment
    needed = payment.members() - {payment.debtor_agent}
    if Counter(each.account for each in evidence.agreements) != Counter(needed):
        raise NotAgreed("there is not one agreement of the creditor agent and of each FX provider")
    leaf = payment_leaf(payment)
    for each in evidence.agreements:
        _check_agreement(each, leaf, evidence.batch.deadline, keys)


def _check_agreement(signed: SignedAgreement, leaf: bytes, deadline: int, keys: ProvenKeys) -> None:
    agreement, path = signed.agreement, signed.path
    if path.count != agreement.count or not includes(agreement.root, leaf, path):
        raise NotAgreed(f"{signed.account} agreed to other payments")
    if agreement.deadline < deadline:
        raise NotAgreed(f"the agreement of {signed.account} was void before the batch's deadline")
    keys.require(signed.account, Purpose.SETTLEMENT, agreement_hash(agreement), signed.signature)


def _check_quotes(payment: PaymentTerms, quotes: tuple[SignedQuote, ...], keys: ProvenKeys) -> None:
    """The quotes are the ones the payment names, and what touches an FX provider is what they say, no more."""
    if payment.quotes_hash != quotes_hash(each.quote for each in quotes):
        raise NotAgreed("the payment names other quotes")
    for each in quotes:
        keys.require(each.quote.provider, Purpose.SETTLEMENT, quote_hash(each.quote), each.signature)
    quoted = [leg for each in quotes for leg in _quoted_legs(each, payment)]
    agents = {payment.debtor_agent, payment.creditor_agent}
    converted = [leg for leg in payment.legs if not {leg.source, leg.target} <= agents]
    if Counter(quoted) != Counter(converted):
        raise NotAgreed("the payment's amounts are not those of its quotes")


def _quoted_legs(signed: SignedQuote, payment: PaymentTerms) -> tuple[Leg, Leg]:
    quote = signed.quote
    if quote.buyer != payment.debtor_agent:
        raise NotAgreed(f"the quote of {quote.provider} is for another buyer")
    return (
        Leg(quote.buyer, quote.provider, quote.source_currency, quote.source_amount),
        Leg(quote.provider, payment.creditor_agent, quote.target_currency, quote.target_amount),
    )


def _check_endorsements(batch: Batch, endorsements: tuple[Endorsement, ...], keys: ProvenKeys) -> None:
    if len(endorsements) != len(batch.members):
        raise NotAgreed(f"there are {len(endorsements)} endorsements of {len(batch.members)} members")
    for member, endorsement in zip(batch.members, endorsements, strict=True):
        _check_endorsement(member, batch, endorsement, keys)


def _check_endorsement(member: Address, batch: Batch, endorsement: Endorsement, keys: ProvenKeys) -> None:
    name, attestation = batch_hash(batch), endorsement.attestation
    if attestation.batch_hash != name:
        raise NotAgreed(f"{member} attested another batch")
    # The contract took the batch by its deadline; a later block proves that too, and keys are judged at its time.
    if attestation.valid_until < min(keys.timestamp, batch.deadline):
        raise NotAgreed(f"the attestation of {member} had ended")
    keys.require(member, Purpose.SETTLEMENT, name, endorsement.settlement_signature)
    keys.require(member, Purpose.COMPLIANCE, attestation_hash(attestation), endorsement.attestation_signature)


def _verified(evidence: Evidence, header: Header, settlement: Address, checks: tuple[str, ...]) -> Verified:
    payment = evidence.payment
    return Verified(
        payment=payment,
        providers=tuple(sorted(payment.members() - {payment.debtor_agent, payment.creditor_agent})),
        place=evidence.batch.place,
        settlement=settlement,
        batch_hash=batch_hash(evidence.batch),
        payment_count=evidence.batch.payment_count,
        block_number=header.number,
        block_hash=header.block_hash,
        block_time=header.timestamp,
        checks=checks,
    )
