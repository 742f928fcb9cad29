"""Evidence with something changed, and chain nodes that do not tell the truth."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any

from audit.errors import NotProven
from audit.verify import verify
from contracts.chain.client import ChainClient
from contracts.chain.network import Network
from contracts.terms.errors import Malformed
from contracts.terms.evidence import Evidence, read_evidence
from devnet.chain.provider import InProcessProvider

if TYPE_CHECKING:
    from tests.unit.audit.conftest import Stage


def holds(content: bytes, network: Network) -> Evidence | None:
    """The evidence in a file, if it verifies."""
    try:
        read = read_evidence(content)
        verify(read, network)
    except (NotProven, Malformed):
        return None
    return read


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The path of every scalar of nested dataclasses and tuples."""
    if is_dataclass(value):
        for each in fields(value):
            yield from places(getattr(value, each.name), (*path, each.name))
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from places(item, (*path, index))
    elif value is not None:
        yield path


def changed_at(value: Any, path: Sequence[str | int], change: Callable[[Any], Any]) -> Any:
    if not path:
        return change(value)
    first, rest = path[0], path[1:]
    if isinstance(first, int):
        return (*value[:first], changed_at(value[first], rest, change), *value[first + 1 :])
    return replace(value, **{first: changed_at(getattr(value, first), rest, change)})


def nudged(value: Any) -> Any:
    """The same kind of value in its right form, only another."""
    if isinstance(value, int):
        return value + 1
    if isinstance(value, bytes):
        return value[:-1] + bytes([value[-1] ^ 1])
    return str(uuid.UUID(int=5, version=4)) if value == "" else value[:-1] + ("1" if value[-1] == "0" else "0")


@dataclass
class LyingNode:
    """A node whose answers to eth_getLogs are not the truth."""

    provider: InProcessProvider
    change: Callable[[list[Any]], list[Any]]

    def make_request(self, method: Any, params: Any) -> Any:
        answer: Any = self.provider.make_request(method, params)
        return answer | {"result": self.change(answer["result"])} if method == "eth_getLogs" else answer


def lied_to(stage: Stage, change: Callable[[list[Any]], list[Any]]) -> ChainClient:
    return ChainClient(LyingNode(stage.provider, change), "seals", stage.network.validators)
