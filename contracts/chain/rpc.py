"""JSON-RPC to a chain node, over HTTP or in process."""

from __future__ import annotations

import json
from typing import Any, Protocol

from contracts.chain.reverts import reason_in, refusal
from contracts.terms.errors import ChainUnavailable, FeiqianError

_REVERTED = 3  # the error code for a revert with data (execution-apis, eth_call)


class Transport(Protocol):
    """Where requests go; every web3.py provider is one."""

    def make_request(self, method: Any, params: Any) -> Any:
        """The JSON-RPC response object: a dict with `result` or `error`."""
        ...


class RpcError(ChainUnavailable):
    """The chain's node answered with an error that is no contract's refusal; `code` is the JSON-RPC code."""

    title = "The chain's node refused the request"

    def __init__(self, method: str, code: int, message: str) -> None:
        super().__init__(f"{method}: {message}", code=code)
        self.message = message


class HttpTransport:
    """web3.py's requests and responses on one kept-alive session, usable from several threads. `timeout` in seconds."""

    def __init__(self, url: str, timeout: float = 5.0) -> None:
        # Imported here because an offline auditor needs neither.
        import requests
        from web3 import HTTPProvider

        self._session = requests.Session()
        self._session.trust_env = False
        self._provider = HTTPProvider(url)
        self._headers = dict(self._provider.get_request_headers())
        self._url, self._timeout = url, timeout
        self._failure = requests.RequestException

    def make_request(self, method: Any, params: Any) -> Any:
        """Raises ChainUnavailable when no proper answer comes in time."""
        # A session that gets out of step would hand one request another one's answer, so each is told by its id.
        request = self._provider.encode_rpc_request(method, params)
        try:
            response = self._session.post(self._url, request, headers=self._headers, timeout=self._timeout)
            answer = self._provider.decode_rpc_response(response.content)
        except (self._failure, ValueError) as failure:
            raise ChainUnavailable(f"{self._url}: {method}: {failure or type(failure).__name__}") from failure
        if not isinstance(answer, dict) or answer.get("id") != json.loads(request)["id"]:
            raise ChainUnavailable(f"{self._url}: {method}: the answer is not the response to this request")
        return answer

    def close(self) -> None:
        self._session.close()


def request(transport: Transport, method: str, *params: Any) -> Any:
    """The result of one call. Raises the refusal of a contract that reverted, else RpcError or ChainUnavailable."""
    answer = transport.make_request(method, list(params))
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
