"""Step 4 of the demo: a merchant returns one payment in two parts, at the rate that it was paid at."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from contracts.terms.money import currency, format_decimal
from devnet.network.api import Problem
from devnet.network.people import currency_of
from devnet.network.stage import require
from devnet.network.traffic import await_end

if TYPE_CHECKING:
    from devnet.network.demo import Demo

_PATIENCE, _LOOK_AGAIN = 10.0, 0.1


def return_in_two_parts(demo: Demo) -> None:
    """Half, then the rest; the customer has all but the fee again, and one unit more is refused."""
    demo.head("4", "a return: half of one payment at the original rate, then the rest")
    paid = demo.paid[0]
    payer, shop = paid.purchase.payer, paid.purchase.merchant
    wallet, acquirer = demo.apis.nodes[payer.country], demo.apis.nodes[shop.country]
    before, price = wallet.balance(payer.id, payer.owner)[0], paid.standing.total - paid.standing.fee
    for part, amount in (("half", paid.purchase.amount // 2), ("rest", None)):
        uetr = acquirer.return_payment(paid.standing.uetr, shop.owner, f"return-{part}", amount)
        ended = await_end(acquirer, uetr, shop.owner)
        demo.count(ended)
        require(ended.status == "settled", f"the return of the {part} is {ended.status}: {ended.detail}")
    received = _await_balance(demo, payer.country, payer.id, payer.owner, before + price) - before
    require(received == price, f"the customer has {received} minor units again, not {price}")
    try:
        acquirer.return_payment(paid.standing.uetr, shop.owner, "return-one-more", 1)
    except Problem as refused:
        unit = currency(currency_of(payer.country))
        demo.say(
            f"{payer.name} has {unit.alpha} {format_decimal(received, unit)} again, to the minor unit, less the fee"
        )
        demo.say(f"one unit more: refused with {refused.iso_reason}")
        return
    require(False, "more was returned than was paid")


def _await_balance(demo: Demo, country: str, account: str, owner: str, wanted: int) -> int:
    """The balance once it is `wanted`, or as it stands: the customer's bank books a return when the block is final."""
    end = time.monotonic() + _PATIENCE
    while (found := demo.apis.nodes[country].balance(account, owner)[0]) != wanted and time.monotonic() < end:
        time.sleep(_LOOK_AGAIN)
    return found
