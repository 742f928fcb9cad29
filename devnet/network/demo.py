"""The main job in eight steps: what a network must do, done and checked in front of whoever watches."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import quantiles

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from audit.sums import SumsReport
from compliance.lists.loader import SHIPPED_LIST, load_list
from contracts.chain.client import ChainClient
from contracts.terms.money import currency, format_decimal
from devnet.network import auditor, charges, officers, returns
from devnet.network.api import Apis, NodeApi, Standing
from devnet.network.cast import institution
from devnet.network.folder import NetworkFolder
from devnet.network.people import CUSTOMERS, Customer, Merchant, currency_of, open_account, welcome
from devnet.network.processes import Processes
from devnet.network.run import run
from devnet.network.stage import merchant_of, require
from devnet.network.traffic import Paid, await_end, pay_all, purchases

PAYMENT_LIFETIME, HOLD_LIFETIME, HEARTBEAT = 10, 20, 2.0
"""Seconds: short lives and a quick pulse, so that what expires does so while somebody watches."""
_LISTED = "OFAC SDN 11018"
_LISTED_REASON = "RR04"
_LOOK_AGAIN = 0.1


@dataclass
class Demo:
    """A network under demonstration, and what was seen so far."""

    folder: NetworkFolder
    processes: Processes
    console: Console
    apis: Apis
    codes: dict[str, str] = field(default_factory=dict)
    paid: list[Paid] = field(default_factory=list)
    ended: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, folder: NetworkFolder, processes: Processes, console: Console) -> Demo:
        return cls(folder, processes, console, Apis.of(folder))

    def perform(self, payments: int, seed: int) -> None:
        """All eight steps. Raises DemoFailed, or what a service refused."""
        self.begin()
        self.pay_over_all_directions(payments, seed)
        self.refuse_a_listed_payer()
        untouched = officers.decide_holds(self)
        returns.return_in_two_parts(self)
        charges.charge_customers(self)
        self.expire_when_a_bank_is_away(seed)
        officers.await_the_untouched(self, untouched)
        self.audit()
        self.add_up()
        self.console.print(self.result())

    def begin(self) -> None:
        """Every process runs, every member is admitted, customers have money, merchants have codes."""
        self.head("0", "three institutions, an FX provider and a chain, as processes")
        with self._timed("ready"):
            run(self.folder, self.processes)
            self.codes = dict(welcome(self.apis))

    def pay_over_all_directions(self, payments: int, seed: int) -> None:
        """Step 1."""
        self.head("1", f"{payments} cross-currency payments by QR code over all six directions")
        columns = (TextColumn("  settling"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.console) as progress:
            bar = progress.add_task("settling", total=payments)
            self.paid = pay_all(self.apis, self.codes, purchases(payments, seed), lambda _: progress.advance(bar))
        for each in self.paid:
            self.count(each.standing)
            self.ended["expired"] += each.expired
            require(
                each.standing.status == "settled",
                f"payment {each.standing.uetr} is {each.standing.status}, not settled: "
                f"{each.standing.reason} {each.standing.detail}",
            )

    def refuse_a_listed_payer(self) -> None:
        """Step 2."""
        self.head("2", "a payer who is on a sanctions list")
        payer, bank, shop = _listed_customer(), self.apis.nodes["SG"], merchant_of("CN")
        open_account(bank, payer)
        before = bank.balance(payer.id, payer.owner)
        uetr = self.pay(bank, payer, shop.id, 2500)
        ended = await_end(bank, uetr, payer.owner)
        self.count(ended)
        require(ended.status == "refused", f"the listed payer's payment is {ended.status}, not refused")
        require(ended.reason == _LISTED_REASON, f"the reason is {ended.reason}, not {_LISTED_REASON}")
        after = bank.balance(payer.id, payer.owner)
        require(after == before, "the listed payer's money is not free again")
        self.say(f"{payer.name} ({_LISTED}): accepted, screened, refused with {ended.reason}; the earmark is released")

    def expire_when_a_bank_is_away(self, seed: int) -> None:
        """Step 6."""
        self.head("6", "a merchant whose bank's node has been stopped")
        payer, wallet, shop = CUSTOMERS[0], self.apis.nodes["CN"], merchant_of("TH")
        away = institution("TH").node
        before = wallet.balance(payer.id, payer.owner)
        quote = wallet.quote(payer.id, payer.owner, self.codes[shop.id], 12_000)
        self.processes.stop([away])
        uetr = wallet.pay(quote.id, payer.owner, f"while-{away}-is-away")
        self.say(f"{away} stopped; payment {uetr[:8]} waits; meanwhile the auditor, who trusts the network file alone:")
        self.prove(seed)
        with self._timed(f"payment {uetr[:8]} ended"):
            ended = await_end(wallet, uetr, payer.owner)
        self.count(ended)
        require(ended.status == "expired", f"the payment is {ended.status}, not expired")
        final = self._chain().final_header()
        require(final.timestamp > ended.deadline, "no final block is later than the deadline")
        require(wallet.balance(payer.id, payer.owner) == before, "the customer's money is not free again")
        self.say(
            f"expired: final block {final.number} has chain time {final.timestamp}, the deadline was {ended.deadline}; "
            "the customer's money is free"
        )
        with self._timed(f"{away} started again"):
            self.processes.start([away])
            self.processes.wait([away])
        ended = await_end(wallet, self.pay(wallet, payer, shop.id, 12_000), payer.owner)
        self.count(ended)
        require(ended.status == "settled", f"the next payment is {ended.status}, not settled: {ended.detail}")
        self.say("the next payment to the same merchant settled")

    def prove(self, seed: int) -> None:
        """One payment, offline, and that no byte of its evidence can be another."""
        shown = next(each for each in self.paid if each.purchase.payer.country == "CN")
        evidence = self.folder.path / "evidence.json"
        content = self.apis.nodes["CN"].evidence(shown.standing.uetr)
        evidence.write_bytes(content)
        proven = auditor.verify_evidence(self.folder, evidence)
        require(proven.content, f"the evidence of {shown.standing.uetr} was not accepted: {proven.said}")
        self.say(f"{evidence.name} ({len(content)} bytes): proven offline, without network or database")
        altered = self.folder.path / "evidence-altered.json"
        altered.write_bytes(auditor.flipped(content, seed))
        refused = auditor.verify_evidence(self.folder, altered)
        require(not refused.content and "refused at step" in refused.said, f"one byte flipped, and: {refused.said}")
        self.say(f"one byte flipped: {refused.said.strip().splitlines()[-1]}")

    def audit(self) -> None:
        """Step 7."""
        self.head("7", "the auditor once more: every payment of every batch")
        leaves = self.folder.path / "leaves.json"
        batches = auditor.gather_leaves(self.apis, leaves)
        complete = auditor.check_completeness(self.folder, leaves)
        require(complete.content, f"the batches are not complete: {complete.said}")
        self.say(f"{batches} batches of all institutions: {complete.said.strip().splitlines()[-1]}")

    def add_up(self) -> None:
        """Step 8."""
        self.head("8", "the sums, to the minor unit")
        report = auditor.await_sums(self.folder, self.apis)
        self.console.print(_sums_table(report))
        require(not report.problems, "the sums differ: " + "; ".join(report.problems))

    def result(self) -> Table:
        """What a banker wants to know."""
        settled = [each for node in self.apis.nodes.values() for each in node.batches()]
        payments = sum(int(each["batch"]["payment_count"]) for each in settled)
        require(payments == self.ended["settled"], f"{payments} payments are in batches, {self.ended} were seen")
        chain = self._chain()
        receipts = [chain.receipt(bytes.fromhex(each["transaction"][2:])) for each in settled]
        gas = sum(receipt.gas_used for receipt in receipts if receipt is not None)
        seconds = [each.seconds for each in self.paid]
        hundredths = quantiles(seconds, n=100, method="inclusive") if len(seconds) > 1 else seconds * 99
        rows = {
            "payments settled": str(self.ended["settled"]),
            "refused": str(self.ended["refused"]),
            "expired": str(self.ended["expired"]),
            "turnover": ", ".join(_turnover(self.paid)),
            "scan to final, p50": f"{hundredths[49]:.2f} s",
            "scan to final, p95": f"{hundredths[94]:.2f} s",
            "batches": str(len(settled)),
            "payments a batch": f"{payments / len(settled):.1f}",
            "gas a payment": f"{gas // payments:,}",
        }
        table = Table("figure", "value", title="what was seen")
        for name, figure in rows.items():
            table.add_row(name, figure)
        return table

    def summary(self) -> str:
        """How all payments ended, in a few words."""
        ended = self.ended
        return (
            f"{ended['settled']} payments settled, {ended['refused']} refused, {ended['expired']} expired, all proven"
        )

    def pay(self, wallet: NodeApi, payer: Customer, merchant: str, amount: int) -> str:
        quote = wallet.quote(payer.id, payer.owner, self.codes[merchant], amount)
        return wallet.pay(quote.id, payer.owner, f"{payer.id}-{quote.id}")

    def _chain(self) -> ChainClient:
        return self.folder.chain()

    def count(self, standing: Standing) -> None:
        self.ended[standing.status] += 1

    def head(self, number: str, text: str) -> None:
        self.console.print(f"[bold]step {number}[/]: {text}", highlight=False)

    def say(self, text: str) -> None:
        self.console.print(f"  {text}", highlight=False, markup=False, soft_wrap=True)

    @contextmanager
    def _timed(self, text: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.say(f"{text} ({time.monotonic() - began:.1f} s)")


def _listed_customer() -> Customer:
    """A customer with the name of a real, public entry of the list."""
    entry = next(each for each in load_list(SHIPPED_LIST).entries if each.reference == _LISTED)
    family, _, given = entry.name.partition(", ")
    return Customer("listed-payer", f"{given} {family.title()}", "SG", "")


def shop_to_try() -> Merchant:
    """The merchant that a visitor of a kept network may pay."""
    return merchant_of("TH")


def _sums_table(report: SumsReport) -> Table:
    table = Table("currency", *(Column(name, justify="right") for name in ("issued", "on chain", "in all books")), "")
    for each in report.sums:
        unit = currency(each.currency)
        amounts = (each.issued - each.redeemed, each.positions, each.books or 0)
        table.add_row(unit.alpha, *(format_decimal(amount, unit) for amount in amounts), "✓" if each.balanced else "✗")
    return table


def _turnover(paid: list[Paid]) -> Iterator[str]:
    """What merchants received, by currency."""
    received: Counter[str] = Counter()
    for each in paid:
        received[currency_of(each.purchase.merchant.country)] += each.standing.target_amount
    for code, amount in sorted(received.items()):
        yield f"{code} {format_decimal(amount, currency(code))}"
