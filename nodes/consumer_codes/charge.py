"""The merchant's side of CPM, at its acquirer, and the debtor agent's answer to it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from contracts.terms.errors import (
    AlreadyUsed,
    FeiqianError,
    LimitExceeded,
    NotFound,
    QuoteExpired,
    UnknownInstitution,
)
from contracts.terms.identifiers import Address
from contracts.terms.money import Money, currency, payable
from contracts.terms.parties import Participant
from nodes.accounts import service as accounts
from nodes.consumer_codes import repository
from nodes.consumer_codes.issue import token_hash
from nodes.context import NodeContext
from nodes.merchants import service as merchants
from nodes.payments.accept import record_payment, refusing
from nodes.peers.client import Charge, NodeClient, Payee
from nodes.qr.consumer import SCHEME, read_consumer_code
from nodes.quotes import service as quotes
from serving.client import Peer
from serving.idempotency import Answer
from serving.jsontext import dump, load


@dataclass(frozen=True)
class ChargeRequest:
    """A merchant scanned a customer's code: `amount` in minor units of the merchant's currency."""

    caller: str
    key: str
    merchant: str
    code: str
    amount: int
    reference: str


def charge(node: NodeContext, request: ChargeRequest) -> Answer:
    """Have the customer's institution pay, once per idempotency key and once per code for ever.

    Raises BadPaymentCode, UnknownMerchant, UnknownInstitution, PeerUnavailable, or the debtor agent's refusal.
    """
    said = f"charge {request.merchant} {request.code} {request.amount} {request.reference}".encode()
    with node.database.read() as connection:
        known = node.idempotency.known(connection, request.caller, request.key, said)
    if known is not None:
        return known
    try:
        answer = _asked(node, request)
    except FeiqianError as refusal:
        return node.idempotency.once(node.database, request.caller, request.key, said, refusing(refusal))
    return node.idempotency.once(node.database, request.caller, request.key, said, lambda _: answer)


def _asked(node: NodeContext, request: ChargeRequest) -> Answer:
    """What the institution answers that issued the code."""
    code = read_consumer_code(request.code)
    with node.database.read() as connection:
        merchant = merchants.find_own(connection, request.merchant, request.caller)
        account = accounts.find(connection, merchant.account)
    payee = Payee(merchant.lookup_key, account.party, account.currency.numeric)
    # The same key gives the same charge, so that asking again after a lost answer is harmless.
    charge_id = f"{request.caller}:{request.key}"
    asked = Charge(charge_id, code.token, payee, request.amount, request.reference)
    issuer = _issuer(node, code.issuer_prefix)
    return NodeClient(node.peers, Peer(issuer.account, issuer.endpoint)).charge(asked)


def answer_charge(node: NodeContext, acquirer: Address, asked: Charge) -> Answer:
    """The debtor agent's part: whose code is it, is it unused, and what does it cost. Then the payment is accepted.

    Raises NotFound, AlreadyUsed, QuoteExpired, LimitExceeded, BadAmount, InsufficientFunds, NoPrice, Unavailable.
    """
    node.require_chain()
    with node.database.read() as connection:
        found = _usable(connection, node, acquirer, asked)
        if isinstance(found, dict):
            return found
        account_id, caller, most = found
        account = accounts.find(connection, account_id)
    target = Money(payable(asked.amount), currency(asked.payee.currency))
    purchase = quotes.Purchase(caller, account, acquirer, asked.payee, target, asked.reference)
    priced = quotes.quote_purchase(node, purchase)
    if priced.total > most:
        raise LimitExceeded("the customer's code allows less than this payment costs")

    def work(connection: Connection) -> Answer:
        again = _usable(connection, node, acquirer, asked)
        if isinstance(again, dict):
            return again
        answer = record_payment(connection, node, caller, priced.id, tolerance=0)
        repository.use(connection, token_hash(asked.token), _use(acquirer, asked), dump(answer))
        return answer

    answer = node.database.write(work)
    node.wake.set()
    return answer


def _usable(
    connection: Connection, node: NodeContext, acquirer: Address, asked: Charge
) -> Answer | tuple[str, str, int]:
    """(account, caller, most) of an unused code, or the answer that the same charge was given before."""
    row = repository.find(connection, token_hash(asked.token))
    if row is None:
        raise NotFound("nobody here has this code")
    if row.charge_id is not None:
        if row.charge_id != _use(acquirer, asked):
            raise AlreadyUsed("this code was used; the customer shows a new one for each payment")
        remembered: Answer = load(row.answer)
        return remembered
    if row.expires < node.clock.now():
        raise QuoteExpired("this code is too old; the customer shows a new one")
    return row.account, row.caller, row.most


def _use(acquirer: Address, asked: Charge) -> str:
    return f"{acquirer}:{asked.charge_id}:{asked.payee.lookup_key}:{asked.payee.currency}:{asked.amount}"


def _issuer(node: NodeContext, prefix: str) -> Participant:
    issuers = node.directory.answering(SCHEME, prefix)
    if len(issuers) != 1 or issuers[0].account == node.account:
        raise UnknownInstitution("no other member of this network issued this code")
    return issuers[0]
