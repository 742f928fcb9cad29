"""Step 5 of the demo: merchants scan the customers' codes, once in each direction."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from typing import TYPE_CHECKING

from contracts.terms.money import currency, parse_decimal
from devnet.network.api import Problem
from devnet.network.people import CUSTOMERS, Customer, currency_of, paid_in
from devnet.network.stage import merchant_of, require
from devnet.network.traffic import await_end

if TYPE_CHECKING:
    from devnet.network.demo import Demo

_SHARE = 100
"""A customer consents to a hundredth of what was paid in."""


def charge_customers(demo: Demo) -> None:
    """Each code pays once; shown again, it is refused for ever."""
    demo.head("5", "customers show their own codes, merchants scan them: every direction")
    directions = list(permutations(sorted(demo.apis.nodes), 2))
    with ThreadPoolExecutor(max_workers=len(directions)) as pool:
        codes = list(pool.map(lambda pair: _charge(demo, *pair), directions))
    (home, abroad), code = directions[0], codes[0]
    shop = merchant_of(abroad)
    try:
        demo.apis.nodes[abroad].charge(shop.id, shop.owner, code, shop_amount(abroad), f"again-{code[-8:]}")
    except Problem as refused:
        demo.say(f"{len(codes)} codes paid once each; the first, shown again: {refused.detail}")
        return
    require(False, f"a code of {home} was used twice")


def shop_amount(country: str) -> int:
    """The least that the country's first merchant asks for, in minor units."""
    return parse_decimal(merchant_of(country).least, currency(currency_of(country)))


def _charge(demo: Demo, home: str, abroad: str) -> str:
    payer, shop = _payer_of(home), merchant_of(abroad)
    wallet, acquirer = demo.apis.nodes[home], demo.apis.nodes[abroad]
    code = wallet.consumer_code(payer.id, payer.owner, paid_in(home) // _SHARE)
    uetr = acquirer.charge(shop.id, shop.owner, code, shop_amount(abroad), f"till-{code[-8:]}")
    ended = await_end(wallet, uetr, payer.owner)
    demo.count(ended)
    require(ended.status == "settled", f"the code of {payer.name} paid nothing: {ended.status} {ended.detail}")
    return code


def _payer_of(country: str) -> Customer:
    return next(each for each in CUSTOMERS if each.country == country)
