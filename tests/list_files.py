"""The public lists, which lie beside the checkout and not in it."""

from __future__ import annotations

from pathlib import Path

import pytest

ABSENT = "the public lists are not beside this checkout (../shared/data/aml/lists)"


def _folder() -> Path | None:
    beside = (parent / "shared" / "data" / "aml" / "lists" for parent in Path(__file__).resolve().parents)
    return next((path for path in beside if path.is_dir()), None)


FOLDER = _folder()
needs_lists = pytest.mark.skipif(FOLDER is None, reason=ABSENT)


def public(name: str) -> Path:
    """A file of the folder. Skips the test where it is absent."""
    if FOLDER is None:
        pytest.skip(ABSENT)
    return FOLDER / name
