"""Positions: what the provider holds, by its own book and by the chain at the same final block."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.context import BridgeContext
from bridge.positions import repository
from bridge.positions.accounts import Account
from bridge.reservations import repository as reservations
from bridge.tables import final_blocks
from contracts.terms.errors import ChainUnavailable
from serving.final_blocks import RememberedBlock, last_final_block


@dataclass(frozen=True)
class CurrencyPosition:
    """One currency, in minor units. `stock`, `capital` and `conversion` are the book's accounts, which sum to zero;
    `available` is what may still be reserved."""

    currency: int
    stock: int
    capital: int
    conversion: int
    on_chain: int
    reserved: int
    available: int

    @property
    def agrees(self) -> bool:
        """Whether the book's stock is the chain's."""
        return self.stock == self.on_chain


class Positions:
    """Reads the book and holds it against the chain."""

    def __init__(self, bridge: BridgeContext) -> None:
        self._bridge = bridge

    def proven(self) -> tuple[RememberedBlock, list[CurrencyPosition]]:
        """The newest final block in the book, and each currency's position in the book and on chain at that block.

        Raises ChainUnavailable when the chain cannot be asked.
        """
        with self._bridge.database.read() as connection:
            block = last_final_block(connection, final_blocks)
            book = repository.balances(connection)
            reserved = {code: value for code, (value, _) in reservations.live_values(connection).items()}
            stock = repository.stocked(connection)
        if block is None:
            raise ChainUnavailable("no final block was seen yet")
        return block, [
            CurrencyPosition(
                currency=code,
                stock=accounts[Account.STOCK],
                capital=accounts[Account.CAPITAL],
                conversion=accounts[Account.CONVERSION],
                on_chain=self._bridge.ledger.net_position(self._bridge.account, code, block.number),
                reserved=reserved.get(code, 0),
                available=stock.get(code, 0) - reserved.get(code, 0),
            )
            for code, accounts in book.items()
        ]
