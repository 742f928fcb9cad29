"""The customer's side of CPM: a code with a short life, good for one payment up to an amount."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from contracts.terms.commitments import keccak
from contracts.terms.errors import InsufficientFunds
from nodes.accounts import service as accounts
from nodes.consumer_codes import repository
from nodes.context import NodeContext
from nodes.qr.consumer import ConsumerCode, new_token, write_consumer_code

LIFETIME = 120
"""Seconds of chain time for which a shown code may be used."""


@dataclass(frozen=True)
class IssuedCode:
    """The text to show, and the chain time until which it may be used."""

    text: str
    expires: int


def issue(node: NodeContext, caller: str, account_id: str, most: int) -> IssuedCode:
    """Issue a code for the caller's own account. `most` (minor units of its currency) is the standing consent.

    Raises UnknownAccount, Forbidden, InsufficientFunds, ChainUnavailable.
    """
    node.require_chain()
    token, expires = new_token(), node.clock.now() + LIFETIME

    def work(connection: Connection) -> None:
        account = accounts.find_own(connection, account_id, caller)
        if most > account.available:
            raise InsufficientFunds("the account has less than the code would allow; choose a smaller amount")
        repository.add(
            connection, token_hash=token_hash(token), account=account.id, caller=caller, most=most, expires=expires
        )

    node.database.write(work)
    return IssuedCode(write_consumer_code(ConsumerCode(node.settings.issuer_prefix, token)), expires)


def token_hash(token: str) -> bytes:
    """What is kept of a token: whoever reads the database cannot spend with it."""
    return keccak(token.encode())
