"""Wallets in a process of their own: they scan, pay and wait for the end, and say when each thing happened.

`python -m tests.benchmarks.wallets` reads one Task as JSON from standard input and writes one Report to standard
output. Times are seconds of the system's monotonic clock, which all processes share.
"""

from __future__ import annotations

import asyncio
import json
import random
import secrets
import subprocess
import sys
import time
from bisect import bisect_right
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass

from tests.benchmarks.wire import NoAnswer, Wire

REFUSED_PAUSE = 0.1
"""Seconds after which a wallet that was refused goes on."""
PATIENCE = 60
"""Seconds that a wallet waits for the end of a payment."""
BULK = 1000
BEAT = 0.2
"""Seconds for which a platform gathers what its customers pay."""


@dataclass(frozen=True)
class Wallet:
    """A customer's wallet; `shops` are merchants abroad: the text of a code and the least amount in minor units."""

    port: int
    account: str
    token: str
    shops: list[tuple[str, int]]


@dataclass(frozen=True)
class Task:
    """What to do.

    `mode`: "closed" (`many` wallets pay again and again for `seconds`), "open" (`rate` payments a second for `seconds`,
    whatever becomes of them), "count" (`many` payments one by one, some `seconds` apart), "quote" (lists of
    `many` prices for `seconds`, which nobody pays), "accept" and "bulk" (pay with `quotes` of the first wallet, without
    waiting for an end), "lists" and "steady lists" (as "closed" and "open" by platforms: whoever has a token prices and
    pays for all wallets that share it, `many` payments a list, or every `BEAT` whatever is due, once its last list was
    taken).
    """

    mode: str
    wallets: list[Wallet]
    seed: int = 1
    seconds: float = 0
    many: int = 0
    rate: float = 0
    quotes: Sequence[str] = ()


@dataclass
class Paid:
    """One payment. `due`: when it was meant to begin, which the time to its end counts from; then when its price was
    shown, when it was acknowledged, and when its end was shown. `ended`: its final status, or what went wrong."""

    due: float
    began: float = 0
    quoted: float = 0
    accepted: float = 0
    shown: float = 0
    uetr: str = ""
    quote: str = ""
    ended: str = ""


@dataclass(frozen=True)
class Report:
    """What came of a task, from `began` on; `cpu` is the processor time that the wallets took themselves, and `wall`
    what to add to a monotonic time for seconds since 1970."""

    began: float
    ended: float
    cpu: float
    wall: float
    paid: list[Paid]


def run(task: Task) -> Report:
    """Have a process do a task; return when it is done, with all payments at their end."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.wallets"],
        input=json.dumps(asdict(task)),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    return Report(**{**found, "paid": [Paid(**each) for each in found["paid"]]})


class _Street:
    """All wallets of a task on their way."""

    def __init__(self, task: Task) -> None:
        self._task, self._chooses = task, random.Random(task.seed)
        self._wires = {wallet.port: Wire(wallet.port) for wallet in task.wallets}
        self.paid: list[Paid] = []

    async def work(self) -> None:
        task = self._task
        doing = {"closed": self._closed, "open": self._open, "count": self._count, "quote": self._quote}
        doing |= {"lists": self._lists, "steady lists": self._steady_lists}
        await (doing[task.mode]() if task.mode in doing else self._accept())
        for wire in self._wires.values():
            wire.close()

    async def _closed(self) -> None:
        end = time.monotonic() + self._task.seconds

        async def again_and_again() -> None:
            while time.monotonic() < end:
                paid = await self._pay(time.monotonic())
                if paid.ended and not paid.shown:
                    await asyncio.sleep(REFUSED_PAUSE)

        await asyncio.gather(*(again_and_again() for _ in range(self._task.many)))

    async def _open(self) -> None:
        """Nobody waits for anybody: a payment that is late to begin counts its time from when it was due."""
        running = [asyncio.create_task(self._pay(due)) async for due in _arrivals(self._task)]
        await asyncio.gather(*running)

    async def _count(self) -> None:
        for _ in range(self._task.many):
            await self._pay(time.monotonic())
            await asyncio.sleep(self._task.seconds * self._chooses.uniform(0.75, 1.25))

    async def _pay(self, due: float) -> Paid:
        wallet = self._chooses.choice(self._task.wallets)
        paid, wire = Paid(due, time.monotonic()), self._wires[wallet.port]
        self.paid.append(paid)
        try:
            await self._shop(paid, wallet, wire)
        except NoAnswer as failure:
            paid.ended = f"no answer ({failure})"
        return paid

    async def _shop(self, paid: Paid, wallet: Wallet, wire: Wire) -> None:
        code, least = self._chooses.choice(wallet.shops)
        asked = {"account": wallet.account, "code": code, "amount": str(self._chooses.randint(least, 2 * least))}
        status, found = await wire.post("/v1/quotes", wallet.token, asked)
        if status != 201:
            paid.ended = f"no price ({status})"
            return
        paid.quoted, paid.quote = time.monotonic(), found["quote_id"]
        body = {"quote_id": paid.quote}
        status, found = await wire.post("/v1/payments", wallet.token, body, secrets.token_hex(16))
        if status != 202:
            paid.ended = f"not taken ({status})"
            return
        paid.accepted, paid.uetr = time.monotonic(), found["uetr"]
        _, found = await wire.get(f"/v1/payments/{paid.uetr}?wait={PATIENCE}", wallet.token)
        paid.shown, paid.ended = time.monotonic(), found.get("status", "not shown")

    async def _quote(self) -> None:
        end = time.monotonic() + self._task.seconds
        async with self._platforms() as platforms:
            while time.monotonic() < end:
                for each in platforms:
                    with suppress(NoAnswer):
                        await each.price([Paid(time.monotonic()) for _ in range(self._task.many)])

    async def _lists(self) -> None:
        """Each platform has two lists on their way: one is priced and accepted while the other settles."""
        end = time.monotonic() + self._task.seconds

        async def again_and_again(platform: Platform) -> None:
            while time.monotonic() < end:
                now = time.monotonic()
                await platform.pay([Paid(now) for _ in range(self._task.many)])

        async with self._platforms() as platforms:
            await asyncio.gather(*(again_and_again(each) for each in platforms for _ in range(2)))

    async def _steady_lists(self) -> None:
        """Every beat each platform pays what was due since its last list, once that one was answered."""
        task, begin = self._task, time.monotonic()
        due = [begin + number / task.rate for number in range(int(task.rate * task.seconds))]
        async with self._platforms() as platforms:
            shares = (due[number :: len(platforms)] for number in range(len(platforms)))
            await asyncio.gather(*(each.pay_when_due(share) for each, share in zip(platforms, shares, strict=True)))

    @asynccontextmanager
    async def _platforms(self) -> AsyncIterator[list[Platform]]:
        """Whoever shares a token, following its payments meanwhile."""
        by_token: dict[str, list[Wallet]] = {}
        for wallet in self._task.wallets:
            by_token.setdefault(wallet.token, []).append(wallet)
        made = [Platform(each, self._wires[each[0].port], self._chooses, self.paid) for each in by_token.values()]
        following = [asyncio.create_task(each.follow()) for each in made]
        await asyncio.gather(*(each.following.wait() for each in made))
        yield made
        for each in following:
            each.cancel()

    async def _accept(self) -> None:
        """Pay with quotes at hand: `many` requests at a time, of one payment or of as many as one request may hold."""
        wallet, most = self._task.wallets[0], BULK if self._task.mode == "bulk" else 1
        quotes = self._task.quotes
        lists = iter([quotes[first : first + most] for first in range(0, len(quotes), most)])

        async def send() -> None:
            for some in lists:
                began = time.monotonic()
                taken = await self._send(self._wires[wallet.port], wallet.token, some)
                self.paid += [Paid(began, began, accepted=time.monotonic(), uetr=uetr) for uetr in taken]

        await asyncio.gather(*(send() for _ in range(self._task.many)))

    async def _send(self, wire: Wire, token: str, quotes: Sequence[str]) -> list[str]:
        """The UETRs of what was taken."""
        if self._task.mode == "accept":
            _, found = await wire.post("/v1/payments", token, {"quote_id": quotes[0]}, secrets.token_hex(16))
            return [found["uetr"]] if "uetr" in found else []
        body = [{"idempotency_key": secrets.token_hex(16), "quote_id": each} for each in quotes]
        _, found = await wire.post("/v1/payments/bulk", token, {"payments": body})
        return [each["accepted"]["uetr"] for each in found["answers"] if "accepted" in each]


class Platform:
    """One caller with many accounts, such as a super app's own back end: everything goes in lists."""

    def __init__(self, wallets: list[Wallet], wire: Wire, chooses: random.Random, paid: list[Paid]) -> None:
        self._wallets, self._wire, self._chooses, self._paid = wallets, wire, chooses, paid
        self._token = wallets[0].token
        self._open: dict[str, tuple[Paid, asyncio.Event]] = {}
        self._early: dict[str, str] = {}
        self.following = asyncio.Event()

    async def follow(self) -> None:
        """Hear how each payment ends."""
        events = self._wire.events("/v1/payments/events?ends=true", self._token, self.following.set)
        async for event in events:
            if event["uetr"] in self._open:
                self._end(event["uetr"], event["status"])
            else:
                self._early[event["uetr"]] = event["status"]  # before the answer that names it

    async def pay_when_due(self, due: Sequence[float]) -> None:
        """Every beat what is due by then, one list at a time until it is taken; then wait for the ends of all."""
        lists, done = list[asyncio.Task[None]](), 0
        while done < len(due):
            await asyncio.sleep(BEAT)
            ready = bisect_right(due, time.monotonic(), lo=done)
            if ready == done:
                continue
            taken = asyncio.Event()
            lists.append(asyncio.create_task(self.pay([Paid(each) for each in due[done:ready]], taken)))
            done = ready
            await taken.wait()
        await asyncio.gather(*lists)

    async def pay(self, paid: list[Paid], taken: asyncio.Event | None = None) -> None:
        """Price, pay and wait for the ends of a list; `taken` is set once it was accepted or refused."""
        waiting: list[asyncio.Event] = []
        try:
            waiting = await self._accept(await self.price(paid))
        except NoAnswer as failure:
            for each in paid:
                each.ended = each.ended or f"no answer ({failure})"
        finally:
            if taken is not None:
                taken.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await asyncio.gather(*(event.wait() for event in waiting))

    async def price(self, paid: list[Paid]) -> list[Paid]:
        """Ask for the prices of a list; those of its payments that have one. Raises NoAnswer."""
        self._paid += paid
        asked = []
        for each in paid:
            each.began = time.monotonic()
            wallet = self._chooses.choice(self._wallets)
            code, least = self._chooses.choice(wallet.shops)
            amount = str(self._chooses.randint(least, 2 * least))
            asked.append({"account": wallet.account, "code": code, "amount": amount})
        status, found = await self._wire.post("/v1/quotes/bulk", self._token, {"quotes": asked})
        now, answers = time.monotonic(), found.get("answers", [{}] * len(paid))
        for each, answer in zip(paid, answers, strict=True):
            if "quote" in answer:
                each.quoted, each.quote = now, answer["quote"]["quote_id"]
            else:
                each.ended = f"no price ({answer.get('problem', {}).get('status', status)})"
        return [each for each in paid if each.quote]

    async def _accept(self, paid: list[Paid]) -> list[asyncio.Event]:
        """What will be set when each of those that were taken has ended."""
        if not paid:
            return []
        body = [{"idempotency_key": secrets.token_hex(16), "quote_id": each.quote} for each in paid]
        status, found = await self._wire.post("/v1/payments/bulk", self._token, {"payments": body})
        now, answers = time.monotonic(), found.get("answers", [{}] * len(paid))
        ends: list[asyncio.Event] = []
        for each, answer in zip(paid, answers, strict=True):
            if "accepted" in answer:
                each.accepted, each.uetr = now, answer["accepted"]["uetr"]
                ends.append(asyncio.Event())
                self._open[each.uetr] = each, ends[-1]
                if each.uetr in self._early:
                    self._end(each.uetr, self._early.pop(each.uetr))
            else:
                each.ended = f"not taken ({answer.get('problem', {}).get('status', status)})"
        return ends

    def _end(self, uetr: str, status: str) -> None:
        paid, ended = self._open.pop(uetr)
        paid.shown, paid.ended = time.monotonic(), status
        ended.set()


async def _arrivals(task: Task) -> AsyncIterator[float]:
    """When each payment is due, as soon as it is."""
    begin = time.monotonic()
    for number in range(int(task.rate * task.seconds)):
        due = begin + number / task.rate
        if (left := due - time.monotonic()) > 0:
            await asyncio.sleep(left)
        yield due


def main() -> None:
    document = json.load(sys.stdin)
    task = Task(**{**document, "wallets": [Wallet(**each) for each in document["wallets"]]})
    street, began, cpu = _Street(task), time.monotonic(), time.process_time()
    with suppress(KeyboardInterrupt):
        asyncio.run(street.work())
    report = Report(began, time.monotonic(), time.process_time() - cpu, time.time() - time.monotonic(), street.paid)
    json.dump(asdict(report), sys.stdout)


if __name__ == "__main__":
    main()
