"""The sums: per currency, issued less redeemed = what the ledger holds in all = all positions = all books."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from audit.history import History, read_history
from contracts.chain.client import ChainClient
from contracts.chain.events import Issued, Redeemed, SettlementBankChanged
from contracts.chain.ledger import Ledger
from contracts.chain.network import Network
from contracts.chain.participants import Participants
from contracts.terms.identifiers import Address

Books = Mapping[Address, Mapping[int, int]]
"""By account, then ISO 4217 numeric code: the settlement balance in minor units that an institution's book says."""


@dataclass(frozen=True)
class CurrencySums:
    """One currency (ISO 4217 numeric code), in minor units; `books` is None where no books were given."""

    currency: int
    issued: int
    redeemed: int
    total_supply: int
    positions: int
    books: int | None

    @property
    def balanced(self) -> bool:
        """True when every way to count gives the same sum."""
        sums = {self.issued - self.redeemed, self.total_supply, self.positions}
        return len(sums if self.books is None else sums | {self.books}) == 1


@dataclass(frozen=True)
class SumsReport:
    """The sums at final block `block_number`; they agree when there are no `problems`."""

    block_number: int
    sums: tuple[CurrencySums, ...]
    problems: tuple[str, ...]


def check_sums(client: ChainClient, network: Network, books: Books | None = None) -> SumsReport:
    """Add up events, ledger and books. Raises as `audit.history.read_history`."""
    history = read_history(client, network)
    block = history.until.number
    ledger = Ledger(client, network.contracts.ledger.address)
    accounts = Participants(client, network.contracts.participants.address).accounts(block)
    positions = {
        currency: {account: ledger.net_position(account, currency, block) for account in accounts}
        for currency in _currencies(history, books)
    }
    sums = tuple(_sums(history, ledger, currency, held, books) for currency, held in positions.items())
    unbalanced = (f"currency {each.currency}: the sums differ" for each in sums if not each.balanced)
    return SumsReport(block, sums, (*unbalanced, *_book_problems(positions, accounts, books or {})))


def _currencies(history: History, books: Books | None) -> list[int]:
    told = {event.currency for event in history.events if isinstance(event, Issued | Redeemed | SettlementBankChanged)}
    return sorted(told.union(*(book.keys() for book in (books or {}).values())))


def _sums(
    history: History, ledger: Ledger, currency: int, held: Mapping[Address, int], books: Books | None
) -> CurrencySums:
    amounts: dict[type, int] = defaultdict(int)
    for event in history.events:
        if isinstance(event, Issued | Redeemed) and event.currency == currency:
            amounts[type(event)] += event.amount
    return CurrencySums(
        currency=currency,
        issued=amounts[Issued],
        redeemed=amounts[Redeemed],
        total_supply=ledger.total_supply(currency, history.until.number),
        positions=sum(held.values()),
        books=None if books is None else sum(book.get(currency, 0) for book in books.values()),
    )


def _book_problems(
    positions: Mapping[int, Mapping[Address, int]], accounts: Sequence[Address], books: Books
) -> Iterator[str]:
    """Sums alone would let two wrong books cancel each other out."""
    for account in sorted(books.keys() - set(accounts)):
        yield f"{account} has a book and is no participant"
    for currency, held in positions.items():
        for account, book in books.items():
            if account in held and book.get(currency, 0) != held[account]:
                yield (
                    f"currency {currency}: the book of {account} says {book.get(currency, 0)}, "
                    f"the chain {held[account]}"
                )
