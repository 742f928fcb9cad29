"""Step 3 of the demo: payers whose names are only similar to a listed one are held, and officers decide."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from devnet.network.api import ComplianceApi, Standing
from devnet.network.people import Customer, open_account
from devnet.network.stage import merchant_of, require
from devnet.network.traffic import await_end

if TYPE_CHECKING:
    from devnet.network.demo import Demo

_HOME, _ABROAD, _AMOUNT = "SG", "TH", 5_000
_FIRST, _SECOND = "officer-one", "officer-two"
_PATIENCE, _LOOK_AGAIN = 15.0, 0.1


@dataclass(frozen=True)
class HeldPayment:
    """A held payment, and the payer's balance (in all, available) before it."""

    payer: Customer
    uetr: str
    before: tuple[int, int]


def decide_holds(demo: Demo) -> HeldPayment:
    """One is released by two officers at each agent and settles, two refuse one; the third is returned, untouched."""
    demo.head("3", "payers whose names are only similar to a listed one: officers decide")
    names = {"konny": "Joseph Konny", "josph": "Josph Kony", "koni": "Joseph Koni"}
    held = [_pay_and_be_held(demo, Customer(f"similar-{key}", name, _HOME, "")) for key, name in names.items()]
    released, refused, untouched = held
    queue = {each["uetr"] for each in demo.apis.compliance[_HOME].holds(_FIRST)}
    require({each.uetr for each in held} <= queue, "a held payment is not in the officers' queue")
    _release(demo, released)
    _refuse(demo, refused)
    demo.say(f"a third, of {untouched.payer.name}, is left to its deadline")
    return untouched


def await_the_untouched(demo: Demo, held: HeldPayment) -> None:
    """What nobody decides ends by itself at the policy's deadline."""
    node = demo.apis.nodes[_HOME]
    ended = await_end(node, held.uetr, held.payer.owner)
    demo.count(ended)
    require(ended.status == "expired", f"the hold that nobody touched is {ended.status}, not expired")
    free = node.balance(held.payer.id, held.payer.owner)
    require(free == held.before, "the money of the hold that nobody touched is not free")
    demo.say(f"the hold that nobody touched ended at the policy's deadline, chain time {ended.deadline}")


def _pay_and_be_held(demo: Demo, payer: Customer) -> HeldPayment:
    node, shop = demo.apis.nodes[_HOME], merchant_of(_ABROAD)
    open_account(node, payer)
    before = node.balance(payer.id, payer.owner)
    uetr = demo.pay(node, payer, shop.id, _AMOUNT)
    standing = _await_status(demo, payer, uetr, "held")
    require(standing.status == "held", f"the payment of {payer.name} is {standing.status}, not held")
    return HeldPayment(payer, uetr, before)


def _release(demo: Demo, held: HeldPayment) -> None:
    """Both agents screen the payer, so officers of both release it; it is priced anew after each release."""
    _two_officers(demo.apis.compliance[_HOME], held.uetr, "debtor")
    abroad = demo.apis.compliance[_ABROAD]
    _await_hold(abroad, held.uetr)
    _two_officers(abroad, held.uetr, "creditor")
    ended = await_end(demo.apis.nodes[_HOME], held.uetr, held.payer.owner)
    demo.count(ended)
    require(ended.status == "settled", f"the released payment is {ended.status}: {ended.detail}")
    demo.say(f"{held.payer.name}: held, released by two officers at each agent, priced anew, settled")


def _refuse(demo: Demo, held: HeldPayment) -> None:
    compliance = demo.apis.compliance[_HOME]
    for officer in (_FIRST, _FIRST):
        once = compliance.decide(officer, held.uetr, "debtor", "refuse", "the birth date agrees too")
        require(once["outcome"] == "hold", "one officer alone refused a payment")
    compliance.decide(_SECOND, held.uetr, "debtor", "refuse", "agreed")
    node = demo.apis.nodes[_HOME]
    ended = await_end(node, held.uetr, held.payer.owner)
    demo.count(ended)
    require(ended.status == "refused", f"the payment that officers refused is {ended.status}")
    require(node.balance(held.payer.id, held.payer.owner) == held.before, "a refused payer's money is not free")
    demo.say(f"{held.payer.name}: held, refused by two officers; the money is free")


def _two_officers(compliance: ComplianceApi, uetr: str, side: str) -> None:
    once = compliance.decide(_FIRST, uetr, side, "release", "another person: other birth date")
    again = compliance.decide(_FIRST, uetr, side, "release", "another person: other birth date")
    require(once["outcome"] == again["outcome"] == "hold", "one officer alone released a payment")
    both = compliance.decide(_SECOND, uetr, side, "release", "agreed")
    require(both["outcome"] == "clear", f"two officers released it, and it is {both['outcome']}")


def _await_status(demo: Demo, payer: Customer, uetr: str, status: str) -> Standing:
    end = time.monotonic() + _PATIENCE
    while True:
        standing = demo.apis.nodes[_HOME].payment(uetr, payer.owner)
        if standing.status == status or standing.final or time.monotonic() > end:
            return standing
        time.sleep(_LOOK_AGAIN)


def _await_hold(compliance: ComplianceApi, uetr: str) -> None:
    end = time.monotonic() + _PATIENCE
    while uetr not in {each["uetr"] for each in compliance.holds(_FIRST)}:
        require(time.monotonic() < end, "the creditor agent's compliance does not hold the payment")
        time.sleep(_LOOK_AGAIN)
