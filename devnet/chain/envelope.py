"""JSON-RPC 2.0 around the methods: one request or a batch in, one body out."""

import json
import logging
from typing import Any

from pydantic_core import from_json

from devnet.chain.chain import Chain
from devnet.chain.errors import INTERNAL_ERROR, INVALID_REQUEST, PARSE_ERROR, RpcError

log = logging.getLogger("feiqian.chain")

MAXIMUM_BODY = 5_000_000
MAXIMUM_BATCH = 100


def answer_body(chain: Chain, body: bytes) -> bytes | None:
    """The response to a request body; None when there were only notifications. Seals nothing."""
    try:
        # Not json.loads: under py-evm's recursion limit deep nesting would overflow the stack.
        request = from_json(body, allow_inf_nan=False)
    except ValueError:
        return _encode(_failure(None, RpcError(PARSE_ERROR, "parse error: want one JSON document")))
    if not isinstance(request, list):
        answer = _answer(chain, request)
        return None if answer is None else _encode(answer)
    if not 0 < len(request) <= MAXIMUM_BATCH:
        wrong = RpcError(INVALID_REQUEST, f"invalid request: a batch holds 1 to {MAXIMUM_BATCH} requests")
        return _encode(_failure(None, wrong))
    answers = [answer for answer in (_answer(chain, one) for one in request) if answer is not None]
    return _encode(answers) if answers else None


def too_large() -> bytes:
    """The response to a body over the limit."""
    return _encode(_failure(None, RpcError(INVALID_REQUEST, f"invalid request: over {MAXIMUM_BODY} bytes")))


def _answer(chain: Chain, request: Any) -> dict[str, Any] | None:
    identity = request.get("id") if isinstance(request, dict) else None
    if (
        not isinstance(request, dict)
        or not isinstance(request.get("method"), str)
        or isinstance(identity, dict | list | bool)
    ):
        return _failure(None, RpcError(INVALID_REQUEST, "invalid request: want id, method and params"))
    try:
        result = chain.answer(request["method"], request.get("params"))
        answer = {"jsonrpc": "2.0", "id": identity, "result": result}
    except RpcError as error:
        answer = _failure(identity, error)
    except Exception:
        log.exception("%s failed", request["method"])
        answer = _failure(identity, RpcError(INTERNAL_ERROR, "internal error"))
    return answer if "id" in request else None


def _failure(identity: Any, error: RpcError) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": identity, "error": error.as_json()}


def _encode(answer: Any) -> bytes:
    return json.dumps(answer, separators=(",", ":")).encode()
