"""The script: everything that can happen to a payment, as those ask for it who have lost an answer before.

Each act asks again with the same key until it is answered, and leaves in `Script.deeds` whatever it paid.
"""

from __future__ import annotations

import os
import secrets
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import permutations
from typing import TypeVar

from devnet.network import cast
from devnet.network.api import NoAnswer, Problem, Standing
from devnet.network.people import CUSTOMERS, MERCHANTS, Customer, Merchant, open_account
from tests.end_to_end.load import Stage

PATIENCE = 240.0
"""Seconds; a few recoveries take long where many other things run."""
RESEMBLING = Customer("joseph-koney", "Joseph Koney", "SG", "")
"""One letter more than an entry of the sanctions list has: held, not refused."""
_AMOUNTS = {"CN": 1_000, "TH": 5_000, "SG": 300}
"""Minor units of the merchant's currency."""
_DIRECTIONS = list(permutations(_AMOUNTS, 2))
_NOTE = "another person, by the birth date"

Answer = TypeVar("Answer")


@dataclass
class Deed:
    """One payment under one key. `customer` pays `merchant`, or gets money again in a return; `again` asks anew for it
    and gives the UETR; `ended` is how it was seen to end."""

    country: str
    owner: str
    uetr: str
    again: Callable[[], str]
    customer: Customer
    merchant: Merchant
    is_return: bool = False
    ended: Standing | None = None

    @property
    def standing(self) -> Standing:
        assert self.ended is not None, "every act follows its payments to their ends"
        return self.ended


@dataclass
class Script:
    """A network and what was done to it so far."""

    stage: Stage
    deeds: list[Deed] = field(default_factory=list)
    opened: list[Customer] = field(default_factory=list)

    def settled(self) -> list[Deed]:
        return [deed for deed in self.deeds if deed.standing.status == "settled"]

    def balance(self, country: str, account: str, owner: str) -> tuple[int, int]:
        """In all, and available."""
        return insist(lambda: self.stage.apis.nodes[country].balance(account, owner))

    def end(self, deed: Deed) -> Standing:
        """How a payment ends."""
        node = self.stage.apis.nodes[deed.country]
        end = time.monotonic() + PATIENCE
        while not (seen := insist(lambda: node.payment(deed.uetr, deed.owner, 5))).final:
            assert time.monotonic() < end, f"{deed.uetr} is {seen.status} for ever"
        deed.ended = seen
        return seen


def insist(ask: Callable[[], Answer]) -> Answer:
    """Ask until there is an answer: what has not come, 429 and 503 are none."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return ask()
        except (NoAnswer, Problem) as failure:
            is_answer = isinstance(failure, Problem) and failure.status not in (429, 503)
            if is_answer or time.monotonic() > end:
                raise
        time.sleep(0.05)


def until(look: Callable[[], Answer], what: str) -> Answer:
    """What `look` gives once it gives something."""
    end = time.monotonic() + PATIENCE
    while not (found := insist(look)):
        assert time.monotonic() < end, f"waited in vain until {what}"
        time.sleep(0.1)
    return found


def open_an_account(script: Script, number: int) -> None:
    """An operator opens an account, books what is paid in, and registers a merchant."""
    country = list(_AMOUNTS)[number % 3]
    newcomer = Customer(f"newcomer-{len(script.opened)}", "Lin Mei", country, "1980-01-01")
    node = script.stage.apis.nodes[country]
    insist(lambda: open_account(node, newcomer))
    script.opened.append(newcomer)
    merchant = _shop(country)
    assert insist(lambda: node.register_merchant(merchant.registration)) == script.stage.codes[merchant.id]


def pay(script: Script, number: int) -> None:
    """A customer scans a merchant's code and pays; the number chooses the direction."""
    home, abroad = _DIRECTIONS[number % len(_DIRECTIONS)]
    script.end(_start(script, _payer(home), _shop(abroad)))


def pay_each_way(script: Script, number: int) -> None:
    """One payment in each direction, one after the other."""
    for direction in range(len(_DIRECTIONS)):
        pay(script, number + direction)


def be_charged(script: Script, number: int) -> None:
    """A merchant scans a customer's code."""
    home, abroad = _DIRECTIONS[number % len(_DIRECTIONS)]
    payer, shop, acquirer = _payer(home), _shop(abroad), script.stage.apis.nodes[abroad]
    issuer, key = script.stage.apis.nodes[home], secrets.token_hex(16)
    code = insist(lambda: issuer.consumer_code(payer.id, payer.owner, 300_000))

    def again() -> str:
        return acquirer.charge(shop.id, shop.owner, code, _AMOUNTS[abroad], key)

    deed = Deed(home, payer.owner, insist(again), again, payer, shop)
    script.deeds.append(deed)
    script.end(deed)


def be_held_and_cancel(script: Script, number: int) -> None:
    """Compliance holds a payment, and the customer withdraws it."""
    deed = _be_held(script, number)
    with suppress(Problem):  # it was cancelled, and the answer was lost
        insist(lambda: script.stage.apis.nodes[deed.country].cancel(deed.uetr, deed.owner))
    assert script.end(deed).status in ("cancelled", "expired")


def be_held_and_refused(script: Script, number: int) -> None:
    """Compliance holds a payment, and two officers refuse it."""
    deed = _be_held(script, number)
    _decide(script, deed, deed.country, "debtor", "refuse", ("ann", "bob"))
    assert script.end(deed).status in ("refused", "expired")


def be_held_and_released(script: Script, number: int) -> None:
    """Compliance of both agents holds a payment, and two officers of each release it."""
    deed = _be_held(script, number)
    _decide(script, deed, deed.country, "debtor", "release", ("ann", "bob"))
    _decide(script, deed, deed.merchant.country, "creditor", "release", ("eve", "dan"))
    script.end(deed)


def be_returned(script: Script, number: int) -> None:
    """A merchant returns a third of what it was paid."""
    home, abroad = _DIRECTIONS[number % len(_DIRECTIONS)]
    paid, acquirer = _start(script, _payer(home), _shop(abroad)), script.stage.apis.nodes[abroad]
    if script.end(paid).status != "settled":
        return
    shop, key, part = paid.merchant, secrets.token_hex(16), _AMOUNTS[abroad] // 3

    def is_paid() -> bool:
        received = acquirer.merchant_payments(shop.id, shop.owner)
        return any((each["uetr"], each["status"]) == (paid.uetr, "settled") for each in received)

    def again() -> str:
        return acquirer.return_payment(paid.uetr, shop.owner, key, part)

    until(is_paid, "the merchant is paid")
    deed = Deed(abroad, shop.owner, insist(again), again, paid.customer, shop, is_return=True)
    script.deeds.append(deed)
    script.end(deed)


def be_too_late(script: Script, number: int) -> None:
    """The provider stands still from when the payment is accepted: it expires."""
    home, abroad = _DIRECTIONS[number % len(_DIRECTIONS)]
    provider = script.stage.processes.pids()[cast.PROVIDER_BRIDGE]
    try:
        deed = _start(script, _payer(home), _shop(abroad), lambda: os.killpg(provider, signal.SIGSTOP))
        script.end(deed)
    finally:
        os.killpg(provider, signal.SIGCONT)


Act = Callable[[Script, int], None]
ACTS: tuple[Act, ...] = (
    pay,
    be_charged,
    open_an_account,
    be_held_and_cancel,
    be_returned,
    be_held_and_refused,
    be_held_and_released,
    be_too_late,
    pay_each_way,
)
"""The whole script; the quick ones first."""


def _payer(country: str) -> Customer:
    return next(each for each in CUSTOMERS if each.country == country)


def _shop(country: str) -> Merchant:
    return next(each for each in MERCHANTS if each.country == country)


def _start(script: Script, payer: Customer, shop: Merchant, priced: Callable[[], None] = lambda: None) -> Deed:
    """A payment that was acknowledged; `priced` hears when its price is known."""
    node, key = script.stage.apis.nodes[payer.country], secrets.token_hex(16)
    code, amount = script.stage.codes[shop.id], _AMOUNTS[shop.country]
    quote = insist(lambda: node.quote(payer.id, payer.owner, code, amount))
    priced()

    def again() -> str:
        return node.pay(quote.id, payer.owner, key)

    deed = Deed(payer.country, payer.owner, insist(again), again, payer, shop)
    script.deeds.append(deed)
    return deed


def _be_held(script: Script, number: int) -> Deed:
    """A payment that is held, or has expired before anybody could screen it."""
    deed = _start(script, RESEMBLING, _shop(("CN", "TH")[number % 2]))
    node = script.stage.apis.nodes[deed.country]
    until(lambda: node.payment(deed.uetr, deed.owner).status in ("held", "expired"), "it is held")
    return deed


def _decide(script: Script, deed: Deed, country: str, side: str, action: str, officers: tuple[str, ...]) -> None:
    """What officers of one side decide once it is held there, unless it ends before."""
    compliance, node = script.stage.apis.compliance[country], script.stage.apis.nodes[deed.country]

    def is_held() -> bool:
        return any((each["uetr"], each["side"]) == (deed.uetr, side) for each in compliance.holds(officers[0]))

    def is_over() -> bool:
        return node.payment(deed.uetr, deed.owner).final

    until(lambda: is_held() or is_over(), f"it is held at the {side} agent")
    for officer in officers if insist(is_held) else ():
        with suppress(Problem):  # it has ended meanwhile
            insist(partial(compliance.decide, officer, deed.uetr, side, action, _NOTE))
