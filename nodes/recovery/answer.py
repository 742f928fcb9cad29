"""What we tell another member about a batch that it lost: the payments that name it, and where they stand."""

from __future__ import annotations

from sqlalchemy import Connection

from contracts.terms.commitments import payment_leaf
from contracts.terms.identifiers import Address
from contracts.terms.merkle import InclusionPath, MerkleTree
from nodes.batches import repository as batches
from nodes.batches.form import leaves_of
from nodes.context import NodeContext
from nodes.payments import repository as payments
from nodes.peers.client import SettledPayment
from nodes.recovery import repository


def settled_payments(node: NodeContext, asker: Address, name: bytes) -> list[SettledPayment]:
    """The payments of the batch `name` between us and the asker; none when we do not know it."""
    with node.database.read() as connection:
        standing = _paths(connection, name)
        found = payments.find_all(connection, standing)
    return [
        SettledPayment(each.terms, each.quote, each.payee_key, each.reference, each.debtor, each.creditor, path)
        for each in found
        if (path := standing[each.uetr]) and asker in (each.debtor_agent, each.creditor_agent)
    ]


def _paths(connection: Connection, name: bytes) -> dict[str, InclusionPath]:
    formed = batches.find(connection, name)
    if formed is None:
        return repository.paths(connection, name)
    tree = MerkleTree([payment_leaf(terms) for terms in leaves_of(connection, formed)])
    return {uetr: tree.path(index) for index, uetr in enumerate(formed.uetrs)}
