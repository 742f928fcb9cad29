"""One nursery for all networks of a test session: what they are forked from is loaded once."""

from __future__ import annotations

from functools import cache

from devnet.network.nursery import Nursery


@cache
def nursery() -> Nursery:
    """It ends with this process."""
    return Nursery()
