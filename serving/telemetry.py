"""Logs: one JSON object a line on standard error, with the service's name; never a secret or a person's name."""

from __future__ import annotations

import logging
import sys

import structlog
from structlog.typing import EventDict, Processor


def configure_logs(service: str, level: str = "info") -> None:
    """Set up structured logs for this process."""
    structlog.configure(
        processors=[
            _named(service),
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )


def _named(service: str) -> Processor:
    """Every line says whose it is, whichever thread wrote it: a context variable would name one thread's alone."""

    def name(_: object, __: str, event: EventDict) -> EventDict:
        return {"service": service, **event}

    return name
