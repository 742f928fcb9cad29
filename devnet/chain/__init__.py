"""The embedded chain: py-evm at Cancun rules behind Ethereum JSON-RPC, kept in SQLite.

A chain, not a member: it imports nothing else of this project.

    chain = open_chain(genesis, ":memory:", sealer_key, dev=True)
    chain.rpc("eth_blockNumber", [])
"""

import os
from typing import TYPE_CHECKING, Any

# Chosen once, at the first hash; pure Python otherwise takes its place silently.
os.environ.setdefault("ETH_HASH_BACKEND", "pysha3")

from devnet.chain.errors import ChainError, GenesisError, RpcError

if TYPE_CHECKING:
    from devnet.chain.chain import Chain, open_chain

__all__ = ["Chain", "ChainError", "GenesisError", "RpcError", "open_chain"]


def __getattr__(name: str) -> Any:
    # Loaded on first use: an EVM takes most of a second, and the command line's help needs none.
    if name in ("Chain", "open_chain"):
        from devnet.chain import chain

        return getattr(chain, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
