"""What the chain's final events mean for the provider's book: pure double entry."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from bridge.positions.accounts import Account
from contracts.chain.events import Event, Issued, Redeemed, Transferred
from contracts.terms.batch import Batch
from contracts.terms.commitments import batch_hash
from contracts.terms.identifiers import Address


@dataclass(frozen=True)
class Conversion:
    """One payment as the provider converts it: the source comes in, the target goes out, in minor units."""

    uetr: str
    source_currency: int
    source_amount: int
    target_currency: int
    target_amount: int


class Posting(NamedTuple):
    """`amount` minor units (signed) on one account. All postings of a reference sum to zero in each currency."""

    reference: str
    account: Account
    currency: int
    amount: int


def settled_postings(conversions: Iterable[Conversion]) -> list[Posting]:
    """What settled payments moved: the source in, the target out, both against conversion."""
    entries = list[Posting]()
    for each in conversions:
        entries += _pair(each.uetr, Account.CONVERSION, each.source_currency, each.source_amount)
        entries += _pair(each.uetr, Account.CONVERSION, each.target_currency, -each.target_amount)
    return entries


def batch_postings(batch: Batch, own: Address) -> list[Posting]:
    """What a settled batch moved as a whole: for one whose payments were lost with the book."""
    reference = f"batch 0x{batch_hash(batch).hex()}"
    moved = [position for position in batch.positions if position.account == own]
    return [entry for each in moved for entry in _pair(reference, Account.CONVERSION, each.currency, each.delta)]


def ledger_postings(event: Event, own: Address) -> list[Posting]:
    """What an event of the Ledger moved between a currency's settlement bank and the provider; nothing if others'."""
    change = ledger_change(event, own)
    if change is None:
        return []
    reference = f"0x{event.origin.transaction_hash.hex()}:{event.origin.position}"
    return _pair(reference, Account.CAPITAL, *change)


def ledger_change(event: Event, own: Address) -> tuple[int, int] | None:
    """Currency and signed amount by which the event changed the own balance, None if it did not."""
    if isinstance(event, Issued) and event.account == own:
        return event.currency, event.amount
    if isinstance(event, Redeemed) and event.account == own:
        return event.currency, -event.amount
    if isinstance(event, Transferred) and event.sender != event.receiver and own in (event.sender, event.receiver):
        return event.currency, event.amount if event.receiver == own else -event.amount
    return None


def _pair(reference: str, against: Account, currency: int, change: int) -> list[Posting]:
    return [Posting(reference, Account.STOCK, currency, change), Posting(reference, against, currency, -change)]
