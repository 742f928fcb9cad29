"""A request answered by one worker thread: what it depends on, its function, and the writing of its answer.

The framework alone hands each of these to a thread and comes back to the event loop in between: that was a third of the
processor time of a signed request.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from fastapi import Request, Response
from fastapi.routing import APIRoute

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

Result = TypeVar("Result")


class OneThreadRoute(APIRoute):
    """A route whose plain function runs where its request is answered. Its dependencies are coroutines that wait for
    nothing. A coroutine function is left on the event loop."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        self.waits = inspect.iscoroutinefunction(endpoint)
        super().__init__(path, endpoint if self.waits else _in_place(endpoint), **options)


def _in_place(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """The function as a coroutine function, which the framework does not take to a thread of its own."""

    @functools.wraps(endpoint)
    async def called(*args: Any, **named: Any) -> Any:
        return endpoint(*args, **named)

    return called


def run_here(work: Coroutine[Any, Any, Result]) -> Result:
    """What a coroutine gives that waits for nothing."""
    try:
        work.send(None)
    except StopIteration as ended:
        result: Result = ended.value
        return result
    work.close()
    raise AssertionError("what a worker thread answers waits for nothing: make its dependencies coroutines")
