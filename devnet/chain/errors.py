"""What the chain can answer besides a result.

ChainError          the process cannot start or go on: one line for the operator
  GenesisError        the genesis file is wrong, or not the database's
  DatabaseError       the database is locked, foreign, or its SQLite too old
RpcError            one request cannot be answered: JSON-RPC 2.0 code, message, data
"""

from typing import Any

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
SERVER_ERROR = -32000
LIMIT_EXCEEDED = -32005
EXECUTION_REVERTED = 3


class ChainError(Exception):
    """The chain cannot start or go on; the text is one line for the operator."""


class GenesisError(ChainError):
    """The genesis file is wrong, or another chain's."""


class DatabaseError(ChainError):
    """The database is locked by another process, foreign, or its SQLite too old."""


class RpcError(Exception):
    """One request cannot be answered (JSON-RPC 2.0 section 5.1; code 3 as execution-apis has it)."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data

    def as_json(self) -> dict[str, Any]:
        """The `error` member of a JSON-RPC response."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.data is not None:
            error["data"] = self.data
        return error


def invalid_params(message: str) -> RpcError:
    """The request's params do not fit the method."""
    return RpcError(INVALID_PARAMS, message)


def refused(message: str) -> RpcError:
    """The request is well formed but cannot be done; wording follows go-ethereum, which clients match on."""
    return RpcError(SERVER_ERROR, message)
