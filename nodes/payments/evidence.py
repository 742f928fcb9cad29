"""Gathering the evidence of a settled payment: what its members signed, and the chain's proof that it was settled."""

from __future__ import annotations

from collections.abc import Sequence

from contracts.chain.proofs import SettledAt, fetch_block_proof
from contracts.chain.settlement import settling_contract
from contracts.terms.batch import Endorsement
from contracts.terms.commitments import (
    agreement_hash,
    attestation_hash,
    payment_leaf,
    quote_hash,
    typed_digest,
)
from contracts.terms.errors import NotFound
from contracts.terms.evidence import FORMAT, Evidence, SignedAgreement, SignedQuote
from contracts.terms.identifiers import Address
from contracts.terms.merkle import MerkleTree
from contracts.terms.signing import recover
from nodes.batches import repository as batches
from nodes.batches.commit import complete
from nodes.batches.form import leaves_of
from nodes.batches.repository import FormedBatch
from nodes.context import NodeContext
from nodes.payments import agreements, repository


def evidence_of(node: NodeContext, uetr: str) -> Evidence:
    """The evidence of a payment that this debtor agent settled. Raises NotFound, ChainUnavailable."""
    with node.database.read() as connection:
        formed = batches.settled_with(connection, uetr)
        payment = repository.find(connection, uetr)
        if formed is None or payment is None or formed.block_number is None:
            raise NotFound("no settled payment of this debtor agent has this UETR")
        if not payment.quote_signature:
            raise NotFound("this payment was recovered after a backup was restored; what its peers signed was lost")
        leaves = leaves_of(connection, formed)
        agreed = agreements.of_payment(connection, uetr)
    assert formed.transaction_hash is not None, "a settled batch has a transaction"
    settlement = settling_contract(node.chain, formed.transaction_hash, formed.name)
    signed = complete(node, formed, settlement)
    signed_agreements = tuple(SignedAgreement(*each) for each in agreed)
    quotes = (SignedQuote(payment.quote, payment.quote_signature),)
    keys = _signers(node.office.domain_of(settlement), formed, signed.endorsements, signed_agreements, quotes)
    settled = SettledAt(settlement, formed.batch.place, formed.block_number)
    proof = fetch_block_proof(node.chain, node.network, settled, keys)
    return Evidence(
        format=FORMAT,
        chain_id=node.network.chain_id,
        header=proof.header,
        seals=proof.seals,
        settlement_proof=proof.settlement_proof,
        participants_proof=proof.participants_proof,
        batch=formed.batch,
        endorsements=signed.endorsements,
        payment=payment.terms,
        path=MerkleTree([payment_leaf(terms) for terms in leaves]).path(formed.uetrs.index(uetr)),
        agreements=signed_agreements,
        quotes=quotes,
        office=proof.office,
    )


def _signers(
    domain: bytes,
    formed: FormedBatch,
    endorsements: Sequence[Endorsement],
    agreements: Sequence[SignedAgreement],
    quotes: Sequence[SignedQuote],
) -> set[Address]:
    """The addresses of all keys that signed something in the evidence."""
    pairs = [(formed.name, each.settlement_signature) for each in endorsements]
    pairs += [(attestation_hash(each.attestation), each.attestation_signature) for each in endorsements]
    pairs += [(agreement_hash(each.agreement), each.signature) for each in agreements]
    pairs += [(quote_hash(each.quote), each.signature) for each in quotes]
    return {recover(typed_digest(domain, name), signature) for name, signature in pairs}
