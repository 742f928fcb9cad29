"""What settling costs in gas: a payment in a batch, beside a transaction for each payment; and a member."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from contracts.chain.participants import Participants
from contracts.terms.batch import Batch
from contracts.terms.commitments import keccak
from contracts.terms.merkle import root_of
from contracts.terms.parties import Role
from tests.benchmarks.tables import Table, verdict
from tests.contract.conftest import CNY, EXTRAS, THB, Stage, embedded, found

INSTITUTIONS = ("wallet", "acquirer", "provider", *EXTRAS)
PAYMENTS = (1, 10, 100, 1_000, 10_000)
TARGETS = {1_000: 400, 10_000: 45}
USUAL_PAYMENT = 10_000
FUNDS = 10**15


def tables() -> Iterator[Table]:
    with embedded() as chain:
        stage = found(chain, "seals")
        prepare(stage)
        yield _payments(stage)
        yield _members(stage)


def _payments(stage: Stage) -> Table:
    alone = _alone(stage)
    rows = []
    for count in PAYMENTS:
        gas = settled(stage, INSTITUTIONS[:8], count)
        target = TARGETS.get(count)
        rows.append((count, gas, gas / count, alone, alone * count / gas, verdict(gas / count, target)))
    return Table(
        "Gas a payment, in one batch between 8 institutions: 16 positions, 16 signatures",
        ("payments", "gas of the batch", "gas a payment", "gas a payment, each alone", "times less", "target"),
        tuple(rows),
        "Each alone: a batch of one payment with its 3 members, 4 positions and 6 signatures, measured. Both in the "
        "steady state: every member has held both currencies and settled before.",
    )


def _members(stage: Stage) -> Table:
    """An endorsement's gas is the slope over members that have no position: they do nothing but endorse."""
    without = {count: settled(stage, INSTITUTIONS[:count], 1_000, moved=0) for count in (2, 16)}
    endorsement = (without[16] - without[2]) / 14
    rows = []
    for count in (2, 4, 8, 16):
        gas = settled(stage, INSTITUTIONS[:count], 1_000)
        signed, recovering = round(count * endorsement), 2 * count * 3_000
        parts = (f"{part / gas:.0%}" for part in (signed, recovering))
        rows.append((count, 2 * count, 2 * count, gas, signed, next(parts), recovering, next(parts)))
    return Table(
        "Gas of settle by members, with two positions each and both signatures",
        ("members", "positions", "signatures", "gas", "endorsements", "part", "ecrecover", "part "),
        tuple(rows),
        f"An endorsement costs {endorsement:,.0f} gas: (16 members without positions - 2 such) / 14. It is two "
        "signatures carried, recovered and looked up, and the attestation hashed; ecrecover alone is 2 x 3,000 of it.",
    )


def prepare(stage: Stage) -> None:
    """Bring a founded network into the steady state: institutions admitted, rich in both currencies, settled once."""
    for some in (EXTRAS[:7], EXTRAS[7:]):
        admissions = (stage.admission(name, Role.FX_PROVIDER | Role.DEBTOR_AGENT) for name in some)
        stage.govern_participants(*map(Participants.admit_call, admissions))
    for name in INSTITUTIONS:
        stage.send("bank_cny", "Ledger", "issue", stage.account(name), CNY, FUNDS)
        stage.send("bank_thb", "Ledger", "issue", stage.account(name), THB, FUNDS)
    settled(stage, INSTITUTIONS, 1)


def settled(stage: Stage, names: Sequence[str], payments: int, moved: int = USUAL_PAYMENT) -> int:
    """The gas of a batch of the wallet in which half of the institutions pay the other half, in both currencies.

    `moved` 0 makes a batch without positions.
    """
    half = len(names) // 2
    signs = {name: -1 if place < half else 1 for place, name in enumerate(names)}
    amount = payments * moved // half
    moves = [(name, unit, sign * amount * rate) for unit, rate in ((CNY, 1), (THB, -5)) for name, sign in signs.items()]
    batch = stage.batch(*moves, also=names, payment_count=payments, **_next(stage, payments))
    return _gas(stage, batch if moved else replace(batch, positions=()))


def _alone(stage: Stage) -> int:
    moves = (
        ("wallet", CNY, -USUAL_PAYMENT),
        ("provider", CNY, USUAL_PAYMENT),
        ("provider", THB, -5 * USUAL_PAYMENT),
        ("acquirer", THB, 5 * USUAL_PAYMENT),
    )
    return _gas(stage, stage.batch(*moves, payment_count=1, **_next(stage, 1)))


def _next(stage: Stage, payments: int) -> dict[str, object]:
    sequence = stage.settlement.next_sequence(stage.account("wallet"), 0)
    root = root_of([keccak(number.to_bytes(4, "big")) for number in range(payments)])
    return {"sequence": sequence, "payments_root": root}


def _gas(stage: Stage, batch: Batch) -> int:
    return stage.settle(stage.endorse(batch)).gas_used
