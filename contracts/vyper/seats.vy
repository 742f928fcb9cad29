# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Seats
@license Apache-2.0
@notice Which governors sit on the council, and how many of them must agree. The council's own.
@dev The quorum changes only with the governors, and every change opens a new epoch: no proposal is ever judged by
     two quorums, and nothing that an earlier set approved runs under a later one.
"""

event GovernorsChanged:
    governors: DynArray[address, MAX]
    quorum: uint256

MAX: constant(uint256) = 16

holders: DynArray[address, MAX]
quorum: uint256
epoch: uint256


@internal
def appoint(governors: DynArray[address, MAX], quorum: uint256):
    for i: uint256 in range(len(governors), bound=MAX):
        # The council in its own ranks would need a quorum to make up its quorum.
        assert governors[i] not in [empty(address), self], "council: governors"
        for j: uint256 in range(i, bound=MAX):
            assert governors[i] != governors[j], "council: governors"
    assert quorum > 0 and quorum <= len(governors), "council: quorum"
    self.holders = governors
    self.quorum = quorum
    self.epoch += 1
    log GovernorsChanged(governors=governors, quorum=quorum)
