"""JSON-RPC to a chain node, over HTTP or in process."""

from __future__ import annotations

import itertools
import json
from typing import Any, Protocol

from contracts.chain.reverts import reason_in, refusal
from contracts.terms.errors import ChainUnavailable, FeiqianError

_HEADERS = {"Content-Type": "application/json"}
_REVERTED = 3  # the error code for a revert with data (execution-apis, eth_call)


class Transport(Protocol):
    """Where requests go; every web3.py provider is one."""

    def make_request(self, method: Any, params: Any) -> Any:
        """The JSON-RPC response object: a dict with `result` or `error`."""
        ...

    def make_batch_request(self, requests: Any) -> Any:
        """The response objects of several (method, params), in their order."""
        ...


class RpcError(ChainUnavailable):
    """The chain's node answered with an error that is no contract's refusal; `code` is the JSON-RPC code."""

    title = "The chain's node refused the request"

    def __init__(self, method: str, code: int, message: str) -> None:
        super().__init__(f"{method}: {message}", code=code)
        self.message = message


class HttpTransport:
    """JSON-RPC 2.0 over kept-alive connections, usable from several threads. `timeout` in seconds."""

    def __init__(self, url: str, timeout: float = 5.0) -> None:
        import urllib3  # here, because an offline auditor must not even have it loaded

        self._url, self._ids = url, itertools.count(1)
        self._pool = urllib3.PoolManager(maxsize=8, timeout=timeout, retries=False)
        self._failures = urllib3.exceptions.HTTPError, ValueError

    def make_request(self, method: Any, params: Any) -> Any:
        """Raises ChainUnavailable when no proper answer comes in time."""
        [answer] = self.make_batch_request([(method, params)])
        return answer

    def make_batch_request(self, requests: Any) -> Any:
        """As one HTTP request. Raises ChainUnavailable when no proper answer comes in time."""
        # A connection that gets out of step would hand one request another one's answer, so each is told by its id.
        asked = [
            {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": params} for method, params in requests
        ]
        methods = ", ".join(each["method"] for each in asked)
        body = json.dumps(asked if len(asked) > 1 else asked[0]).encode()
        try:
            response = self._pool.request("POST", self._url, body=body, headers=_HEADERS)
            answered = json.loads(response.data)
        except self._failures as failure:
            raise ChainUnavailable(f"{self._url}: {methods}: {failure or type(failure).__name__}") from failure
        several = answered if len(asked) > 1 and isinstance(answered, list) else [answered]
        answers = {each["id"]: each for each in several if isinstance(each, dict) and isinstance(each.get("id"), int)}
        if answers.keys() != {each["id"] for each in asked}:
            raise ChainUnavailable(f"{self._url}: {methods}: the answer is not the response to this request")
        return [answers[each["id"]] for each in asked]

    def close(self) -> None:
        self._pool.clear()


def request(transport: Transport, method: str, *params: Any) -> Any:
    """The result of one call. Raises the refusal of a contract that reverted, else RpcError or ChainUnavailable."""
    return result(method, transport.make_request(method, list(params)))


def result(method: str, answer: Any) -> Any:
    """What a response object brings. Raises as `request`."""
    if error := answer.get("error"):
        raise _error(method, error)
    if "result" not in answer:
        raise ChainUnavailable(f"{method}: the answer has neither result nor error")
    return answer["result"]


def _error(method: str, error: Any) -> FeiqianError:
    if not isinstance(error, dict):
        return RpcError(method, 0, str(error)[:200])
    code, message, data = error.get("code", 0), str(error.get("message", ""))[:500], error.get("data")
    if code == _REVERTED or "execution reverted" in message:
        return refusal(_reason(message, data))
    return RpcError(method, code if isinstance(code, int) else 0, message)


def _reason(message: str, data: Any) -> str:
    if isinstance(data, str) and data.startswith("0x"):
        return reason_in(bytes.fromhex(data[2:]))
    return message.partition("execution reverted")[2].removeprefix(":").strip()
