# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Council
@license Apache-2.0
@notice M-of-N governors who propose, approve and, after a delay, execute calls on the network's contracts.
@dev The council is the only caller that the other contracts obey, so no single key admits, suspends, upgrades or
     raises a limit. One guardian may stop settlement at once; only the council itself starts it again.
"""

event Proposed:
    id: indexed(uint256)
    proposer: indexed(address)

event Approved:
    id: indexed(uint256)
    governor: indexed(address)
    approvals: uint256

event Cancelled:
    id: indexed(uint256)

event Executed:
    id: indexed(uint256)
    executor: indexed(address)

event Paused:
    guardian: indexed(address)

event Unpaused:
    pass

event GovernorsChanged:
    governors: DynArray[address, 16]
    quorum: uint256

event GuardianChanged:
    guardian: indexed(address)

flag State:
    OPEN
    CANCELLED
    EXECUTED

struct Proposal:
    proposer: address
    epoch: uint256
    approvals: uint256
    executable_at: uint64
    state: State

MAX_CALLS: constant(uint256) = 8
MAX_CALL_SIZE: constant(uint256) = 4096

# Immutable so that two networks with different delays differ in code, which the genesis file pins.
DELAY: immutable(uint64)

paused: public(bool)
guardian: public(address)
quorum: public(uint256)
proposal_count: public(uint256)

# Counts changes of the governors: what an earlier set approved must not run under a later one.
epoch: public(uint256)

_governors: DynArray[address, 16]
_proposals: HashMap[uint256, Proposal]
_targets: HashMap[uint256, DynArray[address, MAX_CALLS]]
_calls: HashMap[uint256, DynArray[Bytes[MAX_CALL_SIZE], MAX_CALLS]]
_approved: HashMap[uint256, HashMap[address, bool]]


@deploy
def __init__(governors: DynArray[address, 16], quorum: uint256, delay: uint64, guardian: address):
    """
    @param governors The first governors, each named once
    @param quorum How many of them must approve
    @param delay Seconds between the last needed approval and the earliest execution
    @param guardian The key that may pause settlement
    """
    DELAY = delay
    self.guardian = guardian
    self._appoint(governors, quorum)


@external
def propose(
    targets: DynArray[address, MAX_CALLS], calls: DynArray[Bytes[MAX_CALL_SIZE], MAX_CALLS]
) -> uint256:
    """
    @notice Propose calls that run together or not at all. Counts as the proposer's approval.
    @param targets The contracts to call
    @param calls ABI-encoded calls, calls[i] for targets[i]
    @return The proposal's id
    """
    assert msg.sender in self._governors, "council: not a governor"
    assert len(targets) > 0, "council: empty proposal"
    assert len(targets) == len(calls), "council: targets and calls differ"
    id: uint256 = self.proposal_count
    self.proposal_count = id + 1
    self._proposals[id] = Proposal(
        proposer=msg.sender, epoch=self.epoch, approvals=0, executable_at=0, state=State.OPEN
    )
    self._targets[id] = targets
    self._calls[id] = calls
    log Proposed(id=id, proposer=msg.sender)
    self._approve(id, msg.sender)
    return id


@external
def approve(id: uint256):
    """
    @notice Approve an open proposal; the delay starts with the approval that completes the quorum.
    """
    assert msg.sender in self._governors, "council: not a governor"
    self._require_open(id)
    assert not self._approved[id][msg.sender], "council: already approved"
    self._approve(id, msg.sender)


@external
def cancel(id: uint256):
    """
    @notice Withdraw one's own open proposal.
    """
    self._require_open(id)
    assert msg.sender == self._proposals[id].proposer, "council: not the proposer"
    self._proposals[id].state = State.CANCELLED
    log Cancelled(id=id)


@external
def execute(id: uint256):
    """
    @notice Run an approved proposal's calls. Anyone may, once the delay is over. A failing call undoes all.
    """
    self._require_open(id)
    assert self._proposals[id].approvals >= self.quorum, "council: quorum not reached"
    assert block.timestamp >= convert(self._proposals[id].executable_at, uint256), "council: delay not over"
    # Closed before the calls, so that no call can run the proposal a second time.
    self._proposals[id].state = State.EXECUTED
    for i: uint256 in range(len(self._targets[id]), bound=MAX_CALLS):
        target: address = self._targets[id][i]
        # A call to an address without code succeeds and does nothing: it would pass for done.
        assert target.is_contract, "council: target has no code"
        raw_call(target, self._calls[id][i])
    log Executed(id=id, executor=msg.sender)


@external
def pause():
    """
    @notice Stop settlement at once. Guardian only.
    """
    assert msg.sender == self.guardian, "council: not the guardian"
    self.paused = True
    log Paused(guardian=msg.sender)


@external
def unpause():
    """
    @notice Allow settlement again. By an executed proposal only.
    """
    self._require_self()
    self.paused = False
    log Unpaused()


@external
def set_governors(governors: DynArray[address, 16], quorum: uint256):
    """
    @notice Replace the governors. By an executed proposal only; all proposals still open lapse.
    """
    self._require_self()
    self.epoch += 1
    self._appoint(governors, quorum)


@external
def set_guardian(guardian: address):
    """
    @notice Replace the guardian. By an executed proposal only.
    """
    self._require_self()
    self.guardian = guardian
    log GuardianChanged(guardian=guardian)


@view
@external
def delay() -> uint64:
    """
    @return Seconds between the last needed approval and the earliest execution
    """
    return DELAY


@view
@external
def governors() -> DynArray[address, 16]:
    """
    @return The governors in office
    """
    return self._governors


@view
@external
def proposal(id: uint256) -> Proposal:
    """
    @return Proposer, epoch, approvals, earliest execution time (0 until the quorum approved) and state
    """
    return self._proposals[id]


@view
@external
def proposed_calls(id: uint256) -> (DynArray[address, MAX_CALLS], DynArray[Bytes[MAX_CALL_SIZE], MAX_CALLS]):
    """
    @return Targets and ABI-encoded calls, for a governor to read before approving
    """
    return self._targets[id], self._calls[id]


@view
@external
def has_approved(id: uint256, governor: address) -> bool:
    """
    @return Whether the governor approved the proposal
    """
    return self._approved[id][governor]


@internal
def _appoint(governors: DynArray[address, 16], quorum: uint256):
    for i: uint256 in range(len(governors), bound=16):
        assert governors[i] != empty(address), "council: governors"
        for j: uint256 in range(i, bound=16):
            assert governors[i] != governors[j], "council: governors"
    assert quorum > 0 and quorum <= len(governors), "council: quorum"
    self._governors = governors
    self.quorum = quorum
    log GovernorsChanged(governors=governors, quorum=quorum)


@internal
def _approve(id: uint256, governor: address):
    self._approved[id][governor] = True
    approvals: uint256 = self._proposals[id].approvals + 1
    self._proposals[id].approvals = approvals
    if approvals == self.quorum:
        self._proposals[id].executable_at = convert(block.timestamp, uint64) + DELAY
    log Approved(id=id, governor=governor, approvals=approvals)


@view
@internal
def _require_open(id: uint256):
    assert id < self.proposal_count, "council: unknown proposal"
    assert self._proposals[id].state == State.OPEN, "council: closed proposal"
    assert self._proposals[id].epoch == self.epoch, "council: lapsed proposal"


@view
@internal
def _require_self():
    assert msg.sender == self, "council: only by its own execution"
