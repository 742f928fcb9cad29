"""The one SQLAlchemy MetaData that all tables of a node belong to, and the tables that every service has."""

from __future__ import annotations

from sqlalchemy import MetaData

from serving.claims import claims_table
from serving.cosigning import signed_tables
from serving.final_blocks import final_blocks_table, successors_table
from serving.idempotency import idempotency_table
from serving.replay import seen_messages_table

metadata = MetaData()
seen_messages = seen_messages_table(metadata)
idempotency_keys = idempotency_table(metadata)
final_blocks = final_blocks_table(metadata)
successors = successors_table(metadata)
signed = signed_tables(metadata)
claims = claims_table(metadata)
