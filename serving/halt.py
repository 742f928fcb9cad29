"""Promise 5: whoever sees another final block, or a Settlement that it does not know, stops at once."""

from __future__ import annotations

import os
from typing import NoReturn

import structlog

from contracts.terms.errors import MustHalt

HALTED = 70
"""The exit code (EX_SOFTWARE of sysexits.h)."""
_log = structlog.get_logger(__name__)


def halt(failure: MustHalt) -> NoReturn:
    """End this process: nothing that it might do next could be trusted."""
    _log.critical(failure.alarm(), why=failure.detail)
    os._exit(HALTED)
