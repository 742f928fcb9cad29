"""Step 2 of a payment: recorded, and the customer's money earmarked, in one transaction."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from contracts.terms.errors import FeiqianError, InsufficientFunds, QuoteAlreadyUsed
from contracts.terms.identifiers import new_uetr
from contracts.terms.money import Money
from contracts.terms.payment import State
from nodes.accounts import service as accounts
from nodes.context import NodeContext
from nodes.payments import end, repository
from nodes.payments.record import PaymentRecord
from nodes.quotes import service as quotes
from serving.idempotency import Answer, Keyed


@dataclass(frozen=True)
class Order:
    """What a wallet asks for: pay with this quote, once under this key.

    `tolerance` (basis points) is how much more the payment may cost if it is held and released at a new price.
    """

    key: str
    quote_id: str
    tolerance: int


@dataclass(frozen=True)
class _Asked:
    """An order and who gives it."""

    caller: str
    order: Order

    @property
    def keyed(self) -> Keyed:
        said = f"payment {self.order.quote_id} {self.order.tolerance}"
        return Keyed(self.caller, self.order.key, said.encode())


def accept(node: NodeContext, caller: str, order: Order) -> Answer:
    """Pay with a quote, once per idempotency key: the UETR and the state the payment was accepted in. Orders that
    wallets give in the same moment are accepted as one list.

    Raises QuoteExpired, QuoteAlreadyUsed, NotFound, InsufficientFunds, IdempotencyKeyReused, Busy, ChainUnavailable.
    """
    [answer] = accept_all(node, caller, [order])
    if isinstance(answer, FeiqianError):
        raise answer
    return answer


def accept_all(node: NodeContext, caller: str, orders: Sequence[Order]) -> list[Answer | FeiqianError]:
    """As `accept` for each order in turn, in one transaction: its answer, or its refusal, which stops no other."""
    return node.gatherer.ask("accept", [_Asked(caller, order) for order in orders], partial(_accept_all, node))


def _accept_all(node: NodeContext, asked: Sequence[_Asked]) -> list[Answer | FeiqianError]:
    def act(connection: Connection, places: Sequence[int]) -> list[Answer | FeiqianError]:
        return _record_all(connection, node, [asked[place] for place in places])

    node.admission.look(node.database)
    keyed = [each.keyed for each in asked]
    answers = node.database.write(lambda connection: node.idempotency.all_within(connection, keyed, act))
    node.wake.set()
    node.bell.ring()
    return answers


def record_payment(connection: Connection, node: NodeContext, caller: str, quote_id: str, tolerance: int) -> Answer:
    """Take the quote, earmark the money and record the payment, in the caller's transaction. Raises as `accept`."""
    [answer] = _record_all(connection, node, [_Asked(caller, Order("", quote_id, tolerance))])
    if isinstance(answer, FeiqianError):
        raise answer
    return answer


def _record_all(connection: Connection, node: NodeContext, asked: Sequence[_Asked]) -> list[Answer | FeiqianError]:
    """Take each quote, earmark its money and record the payment; or say why not, which stops no other and leaves
    nothing behind."""
    try:
        node.require_chain()
    except FeiqianError as failure:
        return [failure] * len(asked)
    offered = quotes.find_all(connection, [each.order.quote_id for each in asked])
    held = accounts.find_all(connection, {each.priced.account for each in offered.values()})
    free = {account.id: account.available for account in held.values()}
    new: dict[str, PaymentRecord] = {}
    """By the quote that each takes."""
    answers: list[Answer | FeiqianError] = []
    for each in asked:
        quote_id = each.order.quote_id
        try:
            priced = _usable(node, each, offered.get(quote_id), taken=quote_id in new)
            payment = _payment(node, held[priced.account], priced, each.order.tolerance)
            if payment.earmark > free[payment.account]:
                raise InsufficientFunds(accounts.NOT_ENOUGH)
        except FeiqianError as refusal:
            answers.append(refusal)
            continue
        free[payment.account] -= payment.earmark
        new[quote_id] = payment
        state = payment.state
        answers.append({"uetr": payment.uetr, "status": state.value, "iso20022": state.iso20022})
    quotes.use_all(connection, {quote_id: payment.uetr for quote_id, payment in new.items()})
    end.earmark_all(connection, list(new.values()))
    repository.add_all(connection, list(new.values()))
    node.admission.take(Counter(payment.creditor_agent for payment in new.values()))
    return answers


def _usable(node: NodeContext, asked: _Asked, offered: quotes.Offered | None, taken: bool) -> quotes.CustomerQuote:
    if taken:
        raise QuoteAlreadyUsed(quotes.USED)
    priced = quotes.usable(offered, asked.caller, node.clock.now(), node.office.incumbent)
    node.admission.require_room(priced.creditor_agent)
    return priced


def _payment(
    node: NodeContext, account: accounts.Account, priced: quotes.CustomerQuote, tolerance: int
) -> PaymentRecord:
    return PaymentRecord(
        uetr=new_uetr(),
        side="debtor",
        state=State.ACCEPTED,
        account=priced.account,
        debtor_agent=node.account,
        creditor_agent=priced.creditor_agent,
        provider=priced.quote.provider,
        source=Money(priced.quote.source_amount, priced.source_currency),
        target=Money(priced.quote.target_amount, priced.target_currency),
        fee=priced.fee,
        payee_key=priced.payee_key,
        reference=priced.reference,
        debtor=account.party,
        creditor=priced.payee,
        quote=priced.quote,
        quote_signature=priced.signature,
        deadline=node.clock.now() + node.settings.payment_lifetime,
        accepted_at=time.time_ns() // 1_000_000,
        most=priced.total * (10_000 + tolerance) // 10_000,
        contract=priced.contract,
    )


def refusing(refusal: FeiqianError) -> Callable[[Connection], Answer]:
    """What to do once under an idempotency key that was refused before its transaction began: refuse it for ever."""

    def act(_: Connection) -> Answer:
        raise refusal

    return act
