"""Wallets that pay through a network that fails: each asks again, with the same key, until it knows."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TypeVar

from contracts.terms.money import currency, parse_decimal
from devnet.network.api import NoAnswer, Problem, Standing
from devnet.network.people import currency_of
from devnet.network.traffic import Purchase, purchases
from tests.end_to_end.load import Order
from tests.faults.stage import Faulty

WAIT = 3.0
"""Seconds that a wallet waits for the end of its payment in one request."""
PAUSE = 0.2
ATTEMPTS = 300
_SPOILT = (ValueError, KeyError, TypeError, AttributeError)
"""What becomes of an answer of which half arrived, or whose bytes came twice: nobody signs what a wallet hears."""
_HEARD = (401, 404, 405, 408, 413, 431)
"""What only a question that was spoilt on its way is answered with: all that are asked here are right."""
Answer = TypeVar("Answer")


def small(purchase: Purchase) -> Purchase:
    """The same purchase for the least that the merchant asks, so that customers can pay many; the amount is typed."""
    least = parse_decimal(purchase.merchant.least, currency(currency_of(purchase.merchant.country)))
    return replace(purchase, amount=least + purchase.amount % 100, printed=True)


def pay_all(faulty: Faulty, count: int, seed: int, wallets: int) -> list[Order]:
    """Make so many purchases, `wallets` at a time. Each was acknowledged, or refused, and followed to its end where
    that could be seen in time."""
    wanted = map(small, purchases(count, seed))
    with ThreadPoolExecutor(wallets, thread_name_prefix="wallet") as pool:
        return list(pool.map(lambda purchase: _pay(faulty, purchase), wanted))


def _pay(faulty: Faulty, purchase: Purchase) -> Order:
    stage, wallet, payer = faulty.stage, faulty.wallets[purchase.payer.country], purchase.payer
    code = stage.codes[purchase.merchant.id]
    priced = _ask(lambda: wallet.quote(payer.id, payer.owner, code, purchase.amount), (409, 422))
    assert priced.target_amount == purchase.amount, "a price for another purchase"
    order = Order(purchase, priced.id, secrets.token_hex(16))
    try:
        order.uetr = _ask(lambda: wallet.pay(order.quote_id, payer.owner, order.key))
    except Problem as problem:
        order.refused = problem.detail
        return order
    for _ in range(ATTEMPTS):
        order.seen = _ask(lambda: _standing(faulty, order))
        if order.seen.final:
            break
    return order


def _standing(faulty: Faulty, order: Order) -> Standing:
    seen = faulty.wallets[order.payer.country].payment(order.uetr, order.payer.owner, WAIT)
    assert seen.uetr == order.uetr, "an answer about another payment"
    return seen


def _ask(question: Callable[[], Answer], also: tuple[int, ...] = ()) -> Answer:
    """Ask until there is an answer. Raises Problem when the node refuses what it has understood, and none of `also`."""
    for _ in _attempts():
        try:
            return question()
        except (NoAnswer, *_SPOILT):
            continue
        except Problem as problem:
            if problem.status not in (400, 503, *_HEARD, *also):
                raise
    raise AssertionError("no answer after many attempts")


def _attempts() -> Iterator[int]:
    for number in range(ATTEMPTS):
        yield number
        threading.Event().wait(PAUSE)
