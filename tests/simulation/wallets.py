"""People: customers who pay, ask again and withdraw, merchants who return, officers who decide about what is held."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from compliance.screening.decide import REFUSE, RELEASE
from contracts.terms.errors import FeiqianError, IdempotencyKeyReused, NoPrice, Unavailable
from contracts.terms.payment import State
from nodes.merchants.codes import write_code
from nodes.payments import service as payments
from nodes.payments.accept import Order, accept
from nodes.qr import Saying
from nodes.quotes.service import PriceRequest, quote
from nodes.returns.service import ReturnRequest, return_payment
from tests.simulation import stage as stages
from tests.simulation.cast import BANKS, Institution
from tests.simulation.services import Service
from tests.simulation.stage import Away, Stage

TRIES = 12
AMOUNTS = (100, 999, 1_234, 5_000, 20_001, 45_000)
"""What things cost, in minor units of the merchant's currency."""


@dataclass(frozen=True)
class Habits:
    """How customers pay in a run: so many times at each bank, from `begin` on within `lasts` seconds."""

    each: int
    begin: float
    lasts: float
    amounts: tuple[int, ...]


@dataclass
class People:
    """Everybody outside the services. `until` is when they begin nothing new (seconds of virtual time)."""

    stage: Stage
    until: float
    habits: Habits
    answered: int = 0
    refused: int = 0
    works: bool = False
    """Whether a payment that was made when all was calm has settled."""
    paid: list[tuple[Institution, Institution, str]] = field(default_factory=list)
    """(payer's bank, merchant's bank, UETR) of every payment that was acknowledged."""

    def start(self) -> None:
        run = self.stage.scheduler
        for bank in BANKS:
            run.spawn(run.world, f"customers of {bank.name}", partial(self._pay, bank))
            run.spawn(run.world, f"merchant of {bank.name}", partial(self._return, bank))
            officers = self.stage.services[f"compliance {bank.name}"]
            run.spawn(run.world, f"officers of {bank.name}", partial(self._decide, officers))

    def try_again(self) -> None:
        """Once all is calm, one bank's customer pays until a payment has settled: the network works, whatever was."""
        run, number = self.stage.scheduler, 0
        while not self.works:
            number += 1
            bank, to = run.luck.sample(BANKS, 2)  # of some currency the provider may have nothing left
            service, code = self.stage.node(bank), _code(to, 777)
            uetr = self._pay_calmly(service, bank, to, code, f"{bank.name}-calm-{number}")
            while uetr and not self.works and uetr in {each[0] for each in open_payments(service)}:
                run.sleep(2.0)
                self.works = uetr in self.stage.oracle.settled
            run.sleep(2.0)

    def _pay_calmly(self, service: Service, bank: Institution, to: Institution, code: str, key: str) -> str:
        """The UETR of a payment, or an empty text."""
        try:
            asked = PriceRequest("plain", "plain", code, None)
            shown = self.stage.call(service, "quote", partial(quote, request=asked))
            answer = self.stage.call(service, "pay", partial(accept, caller="plain", order=Order(key, shown.id, 0)))
        except (Away, Unavailable, NoPrice):
            return ""
        self._acknowledge(service, bank, to, key, answer["uetr"])
        uetr: str = answer["uetr"]
        return uetr

    def _pay(self, bank: Institution) -> None:
        run, habits = self.stage.scheduler, self.habits
        run.sleep(habits.begin)
        for number in range(habits.each):
            run.sleep(run.luck.random() * habits.lasts / habits.each)
            if run.now > self.until:
                return
            to = run.luck.choice([each for each in BANKS if each is not bank])
            who = "alike" if run.luck.random() < 0.15 else "plain"
            self._pay_once(bank, to, who, f"{bank.name}-{number}")

    def _pay_once(self, bank: Institution, to: Institution, who: str, key: str) -> None:
        service, run = self.stage.node(bank), self.stage.scheduler
        amount = run.luck.choice(self.habits.amounts)
        code = _code(to, amount)
        shown = self._insist(service, "quote", lambda node: quote(node, PriceRequest(who, who, code, None)), 3)
        if shown is None:
            return
        order = Order(key, shown.id, run.luck.choice([0, 100]))
        run.sleep(run.luck.random() * 4)
        for _ in range(2 if run.luck.random() < 0.5 else 1):  # some ask again although they were answered
            answer = self._insist(
                service, "pay", lambda node: accept(node, who, order), TRIES, partial(self._refused_again, service, key)
            )
            if answer is not None:
                self._acknowledge(service, bank, to, key, answer["uetr"])
        if answer is not None and run.luck.random() < 0.15:
            self._misuse(service, who, order)
        if answer is not None and run.luck.random() < 0.3:
            run.sleep(run.luck.random() * 3)
            self._insist(service, "cancel", lambda node: payments.cancel(node, answer["uetr"], who), 2)

    def _acknowledge(self, service: Service, bank: Institution, to: Institution, key: str, uetr: str) -> None:
        self.stage.trace(f"wallet: {service.name} answered key {key}: payment {uetr}")
        self.stage.oracle.acknowledged(service, key, uetr)
        self.answered += 1
        if (bank, to, uetr) not in self.paid:
            self.paid.append((bank, to, uetr))

    def _refused_again(self, service: Service, key: str, refusal: FeiqianError) -> None:
        """Whoever heard of a payment once hears of it for ever, unless a backup that lacks it was restored."""
        if (service.name, key) in self.stage.oracle.told and not service.restored_at:
            raise self.stage.oracle.fail(f"{service.name} answered key {key}, and refuses it now: {refusal.detail}")

    def _misuse(self, service: Service, who: str, order: Order) -> None:
        """The same key for another order is refused, unless a backup that did not know it was restored."""
        try:
            self.stage.call(service, "misuse", lambda node: accept(node, who, Order(order.key, "another", 0)))
        except IdempotencyKeyReused:
            return
        except (FeiqianError, Away):
            return
        raise self.stage.oracle.fail(f"{service.name} took key {order.key} for two orders")

    def _return(self, bank: Institution) -> None:
        """The merchant of a bank gives some payments back, whole or in part."""
        run, done = self.stage.scheduler, set[str]()
        while run.now < self.until:
            run.sleep(5 + 10 * run.luck.random())
            received = [uetr for _, to, uetr in self.paid if to is bank and uetr not in done]
            if not received:
                continue
            uetr = run.luck.choice(received)
            done.add(uetr)
            amount = run.luck.choice([None, 50])
            request = ReturnRequest("shop", f"return-{uetr}", uetr, amount, "CUST")
            service = self.stage.node(bank)
            answer = self._insist(service, "return", partial(return_payment, request=request), 4)
            if answer is not None:
                self.stage.trace(f"merchant: {service.name} returns {uetr} as {answer['uetr']}")
                self.stage.oracle.acknowledged(service, request.key, answer["uetr"])

    def _decide(self, service: Service) -> None:
        """Officers look now and then; of some holds they never decide."""
        run, left = self.stage.scheduler, set[str]()
        while run.now < self.until:
            run.sleep(4 + 4 * run.luck.random())
            page = self._insist(service, "holds", lambda _: service.holds.page(0, 10), 1)  # type: ignore[union-attr]
            for hold in page.holds if page else ():
                screening = hold.decided.inputs.screening
                if screening.uetr in left:
                    continue
                left.add(screening.uetr)
                action = run.luck.choice([RELEASE, RELEASE, REFUSE, ""])
                for officer in ("ann", "ben") if action else ():
                    self._review(service, (screening.uetr, screening.side), officer, action)

    def _review(self, service: Service, key: tuple[str, str], officer: str, action: str) -> None:
        self.stage.trace(f"officer {officer}: {service.name} {action} {key[0]}")
        self._insist(service, "review", lambda _: service.holds.review(key, officer, action, "looked"), 3)  # type: ignore[union-attr]

    def _insist(
        self,
        service: Service,
        what: str,
        act: Callable[[Any], Any],
        tries: int,
        judge: Callable[[FeiqianError], None] = lambda _: None,
    ) -> Any:
        """Ask until there is an answer; None when there is none, or a refusal."""
        run = self.stage.scheduler
        for _ in range(tries):
            try:
                return self.stage.call(service, what, act)
            except (Away, Unavailable):
                run.sleep(0.5 + 2 * run.luck.random())
            except FeiqianError as refusal:
                self.refused += 1
                self.stage.trace(f"{service.name} refused {what}: {refusal.detail}")
                judge(refusal)
                return None
        return None


def _code(bank: Institution, amount: int) -> str:
    """What the merchant of a bank shows."""
    saying = Saying(amount, merchant_name=f"Shop of {bank.name}", merchant_city="City", category="5411")
    return write_code([stages.shops[bank.name]], saying)


def open_payments(service: Service) -> list[tuple[Any, ...]]:
    """(uetr, state, deadline) of the payments at a node that can still move."""
    states = ", ".join(f"'{state.value}'" for state in State if not state.final)
    return service.disk.look(f"SELECT uetr, state, deadline FROM payments WHERE state IN ({states})")
