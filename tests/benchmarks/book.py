"""What the books of the institutions and the chain say afterwards about payments that were measured."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass

from sqlalchemy import text

from serving.database import DatabaseReader
from tests.benchmarks.city import NODES, City

STEPS = ("accept", "clear", "agree", "batch", "sign", "settle")
"""The events of a payment at its debtor agent, in their order."""


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
