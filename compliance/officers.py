"""Who acts as an officer: the subject of a token, which names one person for ever."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from fastapi import Depends

from contracts.terms.errors import Forbidden
from serving.auth import Caller, require

_SUBJECT = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}", re.ASCII)


def officer(scope: str) -> Callable[..., Awaitable[Caller]]:
    """A dependency: the caller with `scope`, under a subject of one spelling. Two spellings of a person's subject would
    count as two persons, and approve their own acts."""

    async def one_person(caller: Caller = Depends(require(scope))) -> Caller:
        if not is_subject(caller.subject):
            raise Forbidden("an officer's subject is 1 to 64 lower-case letters, digits and . _ @ -, first no sign")
        return caller

    return one_person


def is_subject(text: str) -> bool:
    """Whether this can name an officer."""
    return _SUBJECT.fullmatch(text) is not None
