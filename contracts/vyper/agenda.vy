# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Agenda
@license Apache-2.0
@notice What proposals call: remembered under the proposal's id, named by a hash, run in order. The council's own.
"""

MAX: constant(uint256) = 8
MAX_SIZE: constant(uint256) = 4096

targets: HashMap[uint256, DynArray[address, MAX]]
data: HashMap[uint256, DynArray[Bytes[MAX_SIZE], MAX]]


@internal
def remember(
    id: uint256, targets: DynArray[address, MAX], data: DynArray[Bytes[MAX_SIZE], MAX]
) -> bytes32:
    """
    @return The calls' hash
    """
    assert len(targets) > 0, "council: empty proposal"
    assert len(targets) == len(data), "council: targets and calls differ"
    self.targets[id] = targets
    self.data[id] = data
    return keccak256(abi_encode(targets, data))


@internal
def run(id: uint256):
    for i: uint256 in range(len(self.targets[id]), bound=MAX):
        target: address = self.targets[id][i]
        # A call to an address without code succeeds and does nothing: it would pass for done.
        assert target.is_contract, "council: target has no code"
        raw_call(target, self.data[id][i])
