"""Traffic: payments that a seed chooses, made by wallets side by side, each followed to its final state."""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import permutations

from contracts.terms.money import currency, parse_decimal
from devnet.network.api import Apis, NodeApi, Standing
from devnet.network.cast import INSTITUTIONS
from devnet.network.people import CUSTOMERS, MERCHANTS, Customer, Merchant, currency_of

WALLETS = 40
ATTEMPTS = 3
"""An expired payment is certainly unsettled, so a customer tries again."""
_PATIENCE = 60.0


@dataclass(frozen=True)
class Purchase:
    """Who pays whom, and how much in minor units of the merchant's currency. `printed` is for the static code, which
    names no amount: the payer types it."""

    payer: Customer
    merchant: Merchant
    amount: int
    printed: bool


@dataclass(frozen=True)
class Paid:
    """How a purchase ended, and the seconds from the scan (quote asked) to the final state shown.

    `expired` is how often it was paid anew because the machine was too busy to settle it in time.
    """

    purchase: Purchase
    standing: Standing
    seconds: float
    expired: int


def purchases(count: int, seed: int) -> list[Purchase]:
    """`count` purchases over all six directions between the three countries, in an order that the seed chooses."""
    chooses = random.Random(seed)  # noqa: S311 (a repeatable demonstration, no secret)
    directions = list(permutations([each.country for each in INSTITUTIONS], 2))
    chosen = [_purchase(chooses, *directions[number % len(directions)]) for number in range(count)]
    chooses.shuffle(chosen)
    return chosen


def _purchase(chooses: random.Random, home: str, abroad: str) -> Purchase:
    payer = chooses.choice([each for each in CUSTOMERS if each.country == home])
    merchant = chooses.choice([each for each in MERCHANTS if each.country == abroad])
    unit = currency(currency_of(abroad))
    amount = chooses.randint(parse_decimal(merchant.least, unit), parse_decimal(merchant.most, unit))
    return Purchase(payer, merchant, amount, printed=chooses.random() < 0.5)


def pay_all(
    apis: Apis, codes: Mapping[str, str], wanted: Sequence[Purchase], paid: Callable[[Paid], None]
) -> list[Paid]:
    """Make all purchases, 40 at a time; `paid` is told of each as it ends. Raises the first NoAnswer or Problem."""

    def run(purchase: Purchase) -> Paid:
        done = pay(apis, codes, purchase)
        paid(done)
        return done

    with ThreadPoolExecutor(max_workers=WALLETS) as pool:
        running = [pool.submit(run, purchase) for purchase in wanted]
        try:
            return [each.result() for each in running]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def pay(apis: Apis, codes: Mapping[str, str], purchase: Purchase) -> Paid:
    """One purchase: the merchant shows a code, the wallet scans it, shows the price, pays and waits."""
    wallet, payer = apis.nodes[purchase.payer.country], purchase.payer
    code = shown_code(apis, codes, purchase)
    scanned = time.monotonic()
    expired = 0
    while True:
        priced = wallet.quote(payer.id, payer.owner, code, purchase.amount if purchase.printed else None)
        uetr = wallet.pay(priced.id, payer.owner, secrets.token_hex(16))
        standing = await_end(wallet, uetr, payer.owner)
        if standing.status != "expired" or expired == ATTEMPTS - 1:
            return Paid(purchase, standing, time.monotonic() - scanned, expired)
        expired += 1


def shown_code(apis: Apis, codes: Mapping[str, str], purchase: Purchase) -> str:
    """The printed code, or one that the merchant's till makes for this amount."""
    merchant = purchase.merchant
    if purchase.printed:
        return codes[merchant.id]
    node = apis.nodes[merchant.country]
    return node.merchant_code(merchant.id, merchant.owner, purchase.amount, f"T{purchase.amount}")


def await_end(wallet: NodeApi, uetr: str, owner: str, patience: float = _PATIENCE) -> Standing:
    """Where the payment ends, or stands after `patience` seconds."""
    return wallet.payment(uetr, owner, wait=patience)
