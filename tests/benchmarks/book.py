"""What the books of the institutions and the chain say afterwards about payments that were measured."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Mapping, Set
from contextlib import closing
from dataclasses import dataclass

from sqlalchemy import TextClause, text

from contracts.terms.payment import State
from serving.database import DatabaseReader
from tests.benchmarks.city import NODES, City

PATIENCE = 600
"""Seconds: longer than any payment lives."""
STEPS = ("accept", "clear", "agree", "batch", "sign", "settle")
"""The events of a payment at its debtor agent, in their order."""

_UNDER_WAY = ", ".join(f"'{state}'" for state in State if not state.final)


@dataclass(frozen=True)
class Batches:
    """Batches that settled: the number of payments and the gas of each."""

    payments: tuple[int, ...]
    gas: tuple[int, ...]


def moved_at(city: City, uetrs: Collection[str]) -> Mapping[str, Mapping[str, float]]:
    """By payment and event: when its debtor agent recorded it last, in seconds since 1970."""
    query = text("SELECT uetr, event, at FROM payment_events JOIN payments USING (uetr) WHERE side = 'debtor'")
    found: dict[str, dict[str, float]] = {}
    for node in NODES:
        reader = DatabaseReader(city.folder.database(node))
        with reader.read() as connection:
            for uetr, event, at in connection.execute(query):
                if uetr in uetrs:
                    found.setdefault(uetr, {})[event] = at / 1000
        reader.close()
    return found


def wait_until_all_ended(city: City) -> None:
    """Return when no payment is under way at any institution. Raises TimeoutError when a deadline should have come."""
    query, end = text(f"SELECT count(*) FROM payments WHERE state IN ({_UNDER_WAY})"), time.monotonic() + PATIENCE
    for node in NODES:
        with closing(DatabaseReader(city.folder.database(node))) as reader:
            while left := _count(reader, query):
                if time.monotonic() > end:
                    raise TimeoutError(f"{node} still has {left} payments under way after {PATIENCE:g} s")
                time.sleep(0.1)


def _count(reader: DatabaseReader, query: TextClause) -> int:
    with reader.read() as connection:
        return int(connection.execute(query).scalar_one())


def batches_of(city: City, uetrs: Set[str]) -> Batches:
    """The settled batches that hold at least one of `uetrs`."""
    chain, payments, gas = city.folder.chain(), list[int](), list[int]()
    query = text("SELECT uetrs, transaction_hash FROM batches WHERE state = 'settled'")
    for node in NODES:
        reader = DatabaseReader(city.folder.database(node))
        with reader.read() as connection:
            rows = [(json.loads(row.uetrs), row.transaction_hash) for row in connection.execute(query)]
        reader.close()
        for members, transaction in rows:
            if not uetrs.isdisjoint(members) and (receipt := chain.receipt(transaction)):
                payments.append(len(members))
                gas.append(receipt.gas_used)
    return Batches(tuple(payments), tuple(gas))
