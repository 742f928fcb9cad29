"""What a run found."""

from __future__ import annotations


class Violation(AssertionError):
    """Something that must never be, is."""
