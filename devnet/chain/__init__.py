"""The embedded chain: py-evm at Cancun rules behind Ethereum JSON-RPC, kept in SQLite.

A chain, not a member: it imports nothing else of this project.

    chain = open_chain(genesis, ":memory:", sealer_key, dev=True)
    chain.rpc("eth_blockNumber", [])
"""

import os

# Chosen once, at the first hash; pure Python otherwise takes its place silently.
os.environ.setdefault("ETH_HASH_BACKEND", "pysha3")

from devnet.chain.chain import Chain, open_chain
from devnet.chain.errors import ChainError, GenesisError, RpcError

__all__ = ["Chain", "ChainError", "GenesisError", "RpcError", "open_chain"]
