"""The four contracts once more, in plain Python: a second opinion on what they promise.

Written from what the contracts promise, not from their code. One file a contract; each guard is one line with the
contract's reason, in the contract's order. Nothing here hashes, signs or encodes: a batch is its value, a signature
says who signed what.
"""
