"""A web3.py provider that talks to a chain in the same process: `Web3(InProcessProvider(chain))`."""

import json
from typing import Any

from web3.providers.base import JSONBaseProvider
from web3.types import RPCEndpoint, RPCResponse

from devnet.chain.chain import Chain
from devnet.chain.envelope import answer_body


class InProcessProvider(JSONBaseProvider):
    """Requests go through the same JSON as over HTTP, and each one, also of several, seals what it made due."""

    def __init__(self, chain: Chain, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._chain = chain

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        response: RPCResponse = self._exchange(self.encode_rpc_request(method, params))
        return response

    def make_batch_request(self, requests: list[tuple[RPCEndpoint, Any]]) -> list[RPCResponse] | RPCResponse:
        return [self.make_request(method, params) for method, params in requests]

    def _exchange(self, body: bytes) -> Any:
        answered = answer_body(self._chain, body)
        self._chain.tick()
        return json.loads(answered or b"null")
