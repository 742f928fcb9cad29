# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Terms
@license Apache-2.0
@notice What Settlement and Ledger both speak of.
"""

struct Position:
    account: address
    currency: uint16
    delta: int128

MAX_POSITIONS: constant(uint256) = 64
