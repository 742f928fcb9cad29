"""The bridge's tables. Amounts are minor units, currencies ISO 4217 numeric codes, times seconds of chain time."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

from bridge.positions.accounts import Account
from bridge.reservations.states import Event, State
from serving.columns import SERIAL, Octets
from serving.cosigning import signed_tables
from serving.final_blocks import final_blocks_table, successors_table
from serving.replay import seen_messages_table


def _one_of(column: str, values: type[State] | type[Event] | type[Account]) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_is_declared")


metadata = MetaData()
seen_messages = seen_messages_table(metadata)
final_blocks = final_blocks_table(metadata)
successors = successors_table(metadata)
signed = signed_tables(metadata)

quotes = Table(
    "quotes",
    metadata,
    Column("nonce", Octets, primary_key=True),
    Column("buyer", Text, nullable=False),
    Column("source_currency", Integer, nullable=False),
    Column("source_amount", BigInteger, nullable=False),
    Column("target_currency", Integer, nullable=False),
    Column("target_amount", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("signature", Octets, nullable=False),
    Column("rate", Text, nullable=False),
    Column("rate_date", Text, nullable=False),
    Column("spread_bp", Integer, nullable=False),
    Column("residue", Text, nullable=False),
    Column("residue_currency", Integer, nullable=False),
    Column("original_uetr", Text),
)
"""`rate` and `residue` are exact fractions as text, "numerator/denominator"; the residue is the provider's.
`original_uetr` is the payment that a payment at this quote returns, null unless it is one."""

reservations = Table(
    "reservations",
    metadata,
    Column("uetr", Text, primary_key=True),
    Column("leaf", Octets, nullable=False),
    Column("terms", Text, nullable=False),
    Column("quote_nonce", Octets, ForeignKey("quotes.nonce"), nullable=False, unique=True),
    Column("counterparty", Text, nullable=False),
    Column("target_currency", Integer, nullable=False),
    Column("target_amount", BigInteger, nullable=False),
    Column("deadline", BigInteger, nullable=False),
    Column("state", Text, nullable=False, index=True),
    Column("original_uetr", Text, ForeignKey("reservations.uetr"), index=True),
    _one_of("state", State),
    CheckConstraint("target_amount > 0", name="target_amount_is_positive"),
)
"""`leaf` is the payment's EIP-712 hash, `terms` its document; one quote serves one payment for ever. `original_uetr` is
the payment that this one returns, null unless it is a return."""

reservation_events = Table(
    "reservation_events",
    metadata,
    Column("id", SERIAL, primary_key=True, autoincrement=True),
    Column("uetr", Text, ForeignKey("reservations.uetr"), nullable=False, index=True),
    Column("event", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    _one_of("event", Event),
)

postings = Table(
    "postings",
    metadata,
    Column("id", SERIAL, primary_key=True, autoincrement=True),
    Column("reference", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("currency", Integer, nullable=False),
    Column("amount", BigInteger, nullable=False),
    _one_of("account", Account),
    UniqueConstraint("reference", "account", "currency", name="one_posting_a_reference"),
)
"""Double entry: the postings of one reference sum to zero in each currency. `reference` is a UETR, or the place of a
Ledger event (transaction hash and log index)."""

stock = Table(
    "stock",
    metadata,
    Column("currency", Integer, primary_key=True),
    Column("on_chain", BigInteger, nullable=False),
)
"""The own account's net position in the Ledger at the newest final block in `final_blocks`."""
