"""What must hold after every event, judged from the services' tables and the chain, past all of the product's code."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from contracts.terms.batch import Batch
from contracts.terms.commitments import batch_hash
from contracts.terms.payment import TRANSITIONS, Event, State
from tests.simulation import cast
from tests.simulation.chain import Block, Chain
from tests.simulation.scheduler import Scheduler
from tests.simulation.services import Service
from tests.simulation.violation import Violation

FINAL = tuple(state.value for state in State if state.final)
OPEN = tuple(state.value for state in State if not state.final)
_OPEN_SQL = ", ".join(f"'{each}'" for each in OPEN)

_UNBALANCED = "SELECT currency, SUM(balance) FROM accounts GROUP BY currency HAVING SUM(balance) <> 0"
_NOT_POSTED = """SELECT a.id, a.balance, COALESCE(p.total, 0) FROM accounts a LEFT JOIN
    (SELECT account, SUM(amount) AS total FROM postings GROUP BY account) p ON p.account = a.id
    WHERE a.balance <> COALESCE(p.total, 0)"""
_EARMARKS = f"""SELECT a.id, a.earmarked, COALESCE(p.total, 0) FROM accounts a LEFT JOIN
    (SELECT account, SUM(source_amount + fee) AS total FROM payments
     WHERE side = 'debtor' AND state IN ({_OPEN_SQL}) GROUP BY account) p ON p.account = a.id
    WHERE a.earmarked <> COALESCE(p.total, 0)"""
_LIVE = "SELECT p.uetr FROM signed_payments p JOIN signed_batches b USING (batch_hash) WHERE b.state = 'live'"
_NEWEST = "SELECT number, timestamp, block_hash FROM final_blocks ORDER BY number DESC LIMIT 1"


@dataclass(frozen=True)
class Signed:
    """A batch that somebody put a name to."""

    name: str
    place: tuple[str, int, int]
    deadline: int
    uetrs: frozenset[str]


@dataclass
class Oracle:
    """Everything that anybody was told and that the chain made final in one run."""

    scheduler: Scheduler
    chain: Chain
    services: Sequence[Service]
    checks: int = 0
    carried: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The UETRs of each batch (hash in hex) that a debtor agent signed."""
    settled: dict[str, str] = field(default_factory=dict)
    """By UETR, the final batch that it is in."""
    places: dict[tuple[str, int, int], str] = field(default_factory=dict)
    """By place, the final batch."""
    signed: dict[str, dict[str, Signed]] = field(default_factory=dict)
    """By who signed (a process's name), the batches by hash."""
    signed_at: dict[str, float] = field(default_factory=dict)
    """By who signed, when that was last."""
    unsure: dict[str, tuple[Signed, ...]] = field(default_factory=dict)
    """By service that was restored from a backup, what it had signed until then."""
    told: dict[tuple[str, str], tuple[str, float]] = field(default_factory=dict)
    """By node and idempotency key, the UETR that was answered, and when."""
    late: dict[tuple[str, str], int] = field(default_factory=dict)
    """By service and UETR, the final block at which a payment was first seen to be past its end."""
    last: dict[str, dict[str, str]] = field(default_factory=dict)
    """By node and UETR, how a payment ended in its book."""

    def fail(self, what: str) -> Violation:
        return self.scheduler.fail(what)

    def committed(self, service: Service) -> None:
        """A commit of a service is durable."""
        self.checks += 1
        {"node": self._judge_node, "bridge": self._judge_bridge, "compliance": self._judge_compliance}[service.kind](
            service
        )

    def finalised(self, blocks: Iterable[Block]) -> None:
        """Blocks became final."""
        for block in blocks:
            for batch in block.settled:
                self._settle(batch)

    def acknowledged(self, service: Service, key: str, uetr: str) -> None:
        """A wallet was told that its order under this key is this payment."""
        known = self.told.get((service.name, key))
        if known is not None and known[0] != uetr and not self._restored_since(service, known[1]):
            raise self.fail(f"{service.name}: key {key} was payment {known[0]} and is {uetr}")
        self.told[service.name, key] = uetr, self.scheduler.now
        if not service.disk.look("SELECT 1 FROM payments WHERE uetr = ?", uetr):
            raise self.fail(f"{service.name}: payment {uetr} was acknowledged and is not there")

    def restored(self, name: str) -> None:
        """A backup took the place of a service's database: it signs nothing until all that it signed is over."""
        self.unsure[name] = tuple(self.signed.get(name, {}).values())

    def watch(self, name: str, path: str, sender: str, body: Any, content: Any) -> None:
        """A service answered: whatever it signed may settle from now on."""
        if path == "/peer/v1/cosignatures" and isinstance(content.get("cosignatures"), list):
            self._watch_signatures(name, body, content["cosignatures"])
        elif path == "/peer/v1/attestations" and isinstance(content.get("attestations"), list):
            self._watch_signatures(name, body, content["attestations"])
            self._judge_screened(name, body, content["attestations"])

    def sent(self, name: str, batches: Iterable[Batch]) -> None:
        """A debtor agent sent batches to the chain: it has signed them."""
        for batch in batches:
            place = (batch.debtor_agent, batch.lane, batch.sequence)
            uetrs = frozenset(self.carried.get(batch_hash(batch).hex(), ()))
            self._sign(name, Signed(batch_hash(batch).hex(), place, batch.deadline, uetrs))

    def _watch_signatures(self, name: str, body: Any, answers: Sequence[Any]) -> None:
        for request, answer in zip(body["requests"], answers, strict=False):
            if not isinstance(answer, dict) or "problem" in answer:
                continue
            batch = request["batch"]
            told = answer.get("batch_hash") or answer.get("attestation", {}).get("batch_hash", "")
            place = (batch["debtor_agent"], int(batch["lane"]), int(batch["sequence"]))
            uetrs = frozenset(each["terms"]["uetr"] for each in request["own"])
            self._sign(name, Signed(told.removeprefix("0x"), place, int(batch["deadline"]), uetrs))

    def _sign(self, name: str, new: Signed) -> None:
        known = self.signed.setdefault(name, {})
        for old in self.unsure.get(name, ()):
            if old.name != new.name and not self._dead(old) and self.places.get(old.place) != old.name:
                raise self.fail(f"{name} signs after its backup, while what it signed before may settle: {old.place}")
        for old in known.values():
            both = old.uetrs & new.uetrs
            if both and old.name != new.name and old.place != new.place and not self._dead(old):
                raise self.fail(f"{name} signed payment {min(both)} at two places: {old.place} and {new.place}")
        known[new.name] = new
        self.signed_at[name] = self.scheduler.now

    def _dead(self, signed: Signed) -> bool:
        """No block that is not final yet can settle it."""
        at_place = self.places.get(signed.place)
        late = signed.deadline < self.chain.newest_final.timestamp
        return (at_place is not None and at_place != signed.name) or (late and at_place is None)

    def _settle(self, batch: Batch) -> None:
        name = batch_hash(batch).hex()
        uetrs = self.carried.get(name)
        if uetrs is None or len(uetrs) != batch.payment_count:
            raise self.fail(f"batch {name} is final and nobody's book had it when it was signed")
        self.places[batch.debtor_agent, batch.lane, batch.sequence] = name
        for uetr in uetrs:
            if uetr in self.settled:
                raise self.fail(f"payment {uetr} settled twice: {self.settled[uetr][:12]} and {name[:12]}")
            self.settled[uetr] = name
            for node, ends in self.last.items():
                if ends.get(uetr, "settled") != "settled":
                    raise self.fail(f"payment {uetr} is final on chain and {ends[uetr]} at {node}")

    def _judge_node(self, service: Service) -> None:
        look = service.disk.look
        for currency, total in look(_UNBALANCED):
            raise self.fail(f"{service.name}: the book of {currency} is out by {total}")
        for account, balance, posted in look(_NOT_POSTED):
            raise self.fail(f"{service.name}: {account} has {balance} and its postings {posted}")
        for account, earmarked, needed in look(_EARMARKS):
            raise self.fail(f"{service.name}: {account} has {earmarked} earmarked and needs {needed}")
        for name, uetrs in look("SELECT batch_hash, uetrs FROM batches WHERE state IN ('signed', 'settled')"):
            self.carried.setdefault(name.hex(), tuple(json.loads(uetrs)))
        newest = look(_NEWEST)
        number, final_time = (newest[0][0], newest[0][1]) if newest else (0, 0)
        if newest:
            self._judge_block(service, number, newest[0][2])
        self._judge_payments(service, number, final_time)
        self._judge_position(service, number)

    def _judge_block(self, service: Service, number: int, block_hash: bytes) -> None:
        if number > self.chain.final or self.chain.blocks[number].hash != block_hash:
            raise self.fail(f"{service.name} acted on block {number}, which is not final")

    def _judge_payments(self, service: Service, number: int, final_time: int) -> None:
        look = service.disk.look
        rows = look("SELECT uetr, state, deadline FROM payments")
        booked = {
            key.partition(":")[2] for (key,) in look("SELECT key FROM journal_entries WHERE key LIKE 'payment:%'")
        }
        waiting = {uetr for (uetr,) in look(_LIVE)} | {uetr for (uetr,) in look("SELECT uetr FROM doubtful_payments")}
        ends: dict[str, str] = {}
        for uetr, state, deadline in rows:
            if (state == "settled") != (uetr in booked):
                raise self.fail(f"{service.name}: payment {uetr} is {state}, booked: {uetr in booked}")
            if state in FINAL:
                ends[uetr] = state
                self._judge_end(service, uetr, state, deadline, final_time)
            elif not _has_exit(state):
                raise self.fail(f"{service.name}: nothing leads out of {state}")
            elif deadline < final_time and uetr not in waiting:
                self._judge_late(service, uetr, state, number)
        before = self.last.get(service.name, {})
        for uetr, state in before.items():
            if ends.get(uetr) != state and not service.restored_at:
                raise self.fail(f"{service.name}: payment {uetr} was {state} and is {ends.get(uetr, 'open or gone')}")
        self.last[service.name] = ends

    def _judge_late(self, service: Service, uetr: str, state: str, number: int) -> None:
        """What is past its end when it is recorded ends with the next final block; nothing stays longer."""
        if self.late.setdefault((service.name, uetr), number) < number:
            raise self.fail(f"{service.name}: {uetr} is still {state} at block {number}, although its end is past")

    def _judge_end(self, service: Service, uetr: str, state: str, deadline: int, final_time: int) -> None:
        if state == "settled":
            if uetr not in self.settled:
                raise self.fail(f"{service.name}: payment {uetr} is settled and in no final batch")
        elif uetr in self.settled:
            raise self.fail(f"{service.name}: payment {uetr} is {state} and final on chain")
        elif state == "expired" and not deadline < final_time:
            raise self.fail(f"{service.name}: payment {uetr} expired at {final_time}, before its end {deadline}")

    def _judge_position(self, service: Service, number: int) -> None:
        """The book's settlement balance is the Ledger's at the last final block that was acted on, but for batches
        that are known to be missing after a restore."""
        who = service.institution
        assert who.unit
        world = self.chain.blocks[number].world
        on_chain = world.contracts[cast.LEDGER].net[who.account, who.unit.numeric]  # type: ignore[attr-defined]
        lost = sum(
            int(position["delta"])
            for (document,) in service.disk.look("SELECT document FROM lost_batches")
            for position in json.loads(document)["batch"]["positions"]
            if position["account"] == who.account
        )
        rows = service.disk.look("SELECT balance FROM accounts WHERE id = ?", f"settlement:{who.unit.alpha}")
        booked = -rows[0][0] if rows else 0
        if booked + lost != on_chain:
            raise self.fail(f"{service.name}: the book has {booked} on chain, {lost} missing, the Ledger {on_chain}")

    def _judge_bridge(self, service: Service) -> None:
        look = service.disk.look
        for reference, currency, total in look(
            "SELECT reference, currency, SUM(amount) FROM postings GROUP BY reference, currency HAVING SUM(amount) <> 0"
        ):
            raise self.fail(f"{service.name}: {reference} is out by {total} in {currency}")
        newest = look(_NEWEST)
        if not newest:
            return
        number, final_time, block_hash = newest[0]
        self._judge_block(service, number, block_hash)
        net = self.chain.blocks[number].world.contracts[cast.LEDGER].net  # type: ignore[attr-defined]
        for currency, total in look("SELECT currency, SUM(amount) FROM postings WHERE account = 'stock' GROUP BY 1"):
            if total != net[service.institution.account, currency]:
                raise self.fail(f"{service.name}: the book has {total} of {currency}, the Ledger another amount")
        if not service.restored_at:
            for currency, live, stock in look(_RESERVED):
                if live > stock:
                    raise self.fail(f"{service.name}: {live} of {currency} are reserved and {stock} there")
        waiting = {uetr for (uetr,) in look(_LIVE)}
        for uetr, state, deadline in look("SELECT uetr, state, deadline FROM reservations"):
            if state in ("reserved", "signed") and deadline < final_time and uetr not in waiting:
                self._judge_late(service, uetr, state, number)
            if state == "released" and uetr in self.settled and not service.restored_at:
                raise self.fail(f"{service.name}: {uetr} is released and final on chain")
            if state == "settled" and uetr not in self.settled:
                raise self.fail(f"{service.name}: {uetr} is settled and in no final batch")

    def _judge_compliance(self, service: Service) -> None:
        [(count, last)] = service.disk.look("SELECT COUNT(*), COALESCE(MAX(sequence), 0) FROM decisions")
        if count != last:
            raise self.fail(f"{service.name}: {count} decisions are numbered up to {last}")

    def _judge_screened(self, name: str, body: Any, answers: Sequence[Any]) -> None:
        """Whatever compliance attested to, it had decided to be clear."""
        service = next(each for each in self.services if each.name == name)
        for request, answer in zip(body["requests"], answers, strict=False):
            if isinstance(answer, dict) and "problem" not in answer:
                for each in request["own"]:
                    uetr = each["terms"]["uetr"]
                    rows = service.disk.look(
                        "SELECT outcome FROM decisions WHERE uetr = ? ORDER BY sequence DESC LIMIT 1", uetr
                    )
                    if not rows or rows[0][0] != "clear":
                        raise self.fail(f"{name} attested to {uetr}, which is not clear: {rows}")

    def _restored_since(self, service: Service, time: float) -> bool:
        return any(at >= time for at in service.restored_at)


_RESERVED = """SELECT r.target_currency, SUM(r.target_amount), COALESCE(MAX(s.on_chain), 0) FROM reservations r
    LEFT JOIN stock s ON s.currency = r.target_currency WHERE r.state IN ('reserved', 'signed') GROUP BY 1"""


def _has_exit(state: str) -> bool:
    return any(source.value == state and event is Event.EXPIRE for source, event in TRANSITIONS)


def sums(chain: Chain) -> Mapping[int, int]:
    """Per currency the sum of all positions in the Ledger, which is what was issued."""
    found: dict[int, int] = {}
    for (_, unit), amount in chain.newest_final.world.contracts[cast.LEDGER].net.items():  # type: ignore[attr-defined]
        found[unit] = found.get(unit, 0) + amount
    return found
