# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Council
@license Apache-2.0
@notice M-of-N governors who propose, approve and, after a delay, execute calls on the network's contracts.
@dev The council is the only caller that the other contracts obey, so no single key admits, suspends, upgrades or
     raises a limit. One guardian may stop settlement at once; only the council itself starts it again.
     Governors approve the calls that they read, by their hash: a number alone could come to mean other calls when
     the chain forgets its last blocks.
"""

import agenda
import seats
import signatures

initializes: agenda
initializes: seats

event Proposed:
    id: indexed(uint256)
    proposer: indexed(address)

event Approved:
    id: indexed(uint256)
    governor: indexed(address)
    approvals: uint256

event Withdrawn:
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

event GuardianChanged:
    guardian: indexed(address)

flag State:
    OPEN
    CANCELLED
    EXECUTED

struct Proposal:
    proposer: address
    calls_hash: bytes32
    epoch: uint256
    approvals: uint256
    executable_at: uint64
    state: State

# A year. A delay meant in other units would lock the network for ever, or overflow.
MAX_DELAY: constant(uint64) = 365 * 86400

APPROVAL_TYPEHASH: constant(bytes32) = keccak256("Approval(uint256 proposal,bytes32 callsHash,uint256 epoch)")

# Immutable so that two networks with different delays differ in code, which the genesis file pins.
DELAY: immutable(uint64)

_paused: bool
_guardian: address
_proposal_count: uint256
_proposals: HashMap[uint256, Proposal]
_approved: HashMap[uint256, HashMap[address, bool]]

# For good: a signature outlives the withdrawal, and whoever holds it could approve again in its governor's name.
_withdrew: HashMap[uint256, HashMap[address, bool]]


@deploy
def __init__(governors: DynArray[address, seats.MAX], quorum: uint256, delay: uint64, guardian: address):
    """
    @notice Found the council. The deployer keeps no power.
    @param governors The first governors, each named once
    @param quorum How many of them must approve
    @param delay Seconds between the last needed approval and the earliest execution
    @param guardian The key that may pause settlement
    """
    assert delay <= MAX_DELAY, "council: delay"
    DELAY = delay
    self._guardian = guardian
    seats.appoint(governors, quorum)


@external
def propose(targets: DynArray[address, agenda.MAX], calls: DynArray[Bytes[agenda.MAX_SIZE], agenda.MAX]) -> uint256:
    """
    @notice Propose calls that run together or not at all. Counts as the proposer's approval.
    @param targets The contracts to call
    @param calls ABI-encoded calls, calls[i] for targets[i]
    @return The proposal's id
    """
    assert msg.sender in seats.holders, "council: not a governor"
    id: uint256 = self._proposal_count
    self._proposal_count = id + 1
    self._proposals[id] = Proposal(
        proposer=msg.sender,
        calls_hash=agenda.remember(id, targets, calls),
        epoch=seats.epoch,
        approvals=0,
        executable_at=0,
        state=State.OPEN,
    )
    log Proposed(id=id, proposer=msg.sender)
    self._approve(id, msg.sender)
    return id


@external
def approve(id: uint256, calls_hash: bytes32):
    """
    @notice Approve an open proposal; the delay starts with the approval that completes the quorum.
    @param id The proposal
    @param calls_hash The hash of the calls that the governor read: keccak256(abi_encode(targets, calls))
    """
    assert msg.sender in seats.holders, "council: not a governor"
    self._require_open(id)
    assert calls_hash == self._proposals[id].calls_hash, "council: other calls"
    assert not self._approved[id][msg.sender], "council: already approved"
    self._approve(id, msg.sender)


@external
def approve_by_signature(id: uint256, approvals: DynArray[signatures.Signature, seats.MAX]):
    """
    @notice Bring governors' signed approvals of an open proposal. Anyone may.
    @dev A governor that approved already is passed over, so that whoever brings one signature first spoils nothing;
         so is one that withdrew, which approves again by its own transaction only.
    @param id The proposal
    @param approvals Signatures of EIP-712 `Approval(uint256 proposal,bytes32 callsHash,uint256 epoch)`
    """
    self._require_open(id)
    digest: bytes32 = signatures.digest(
        signatures.domain_separator(),
        keccak256(abi_encode(APPROVAL_TYPEHASH, id, self._proposals[id].calls_hash, seats.epoch)),
    )
    before: uint256 = self._proposals[id].approvals
    for approval: signatures.Signature in approvals:
        governor: address = signatures.signer(digest, approval)
        assert governor != empty(address), "council: signature"
        assert governor in seats.holders, "council: not a governor"
        if not (self._approved[id][governor] or self._withdrew[id][governor]):
            self._approve(id, governor)
    assert self._proposals[id].approvals > before, "council: already approved"


@external
def withdraw(id: uint256):
    """
    @notice Take one's approval of an open proposal back. Below the quorum, its delay starts anew once reached again.
    @param id The proposal
    """
    assert msg.sender in seats.holders, "council: not a governor"
    self._require_open(id)
    assert self._approved[id][msg.sender], "council: not approved"
    self._approved[id][msg.sender] = False
    self._withdrew[id][msg.sender] = True
    approvals: uint256 = self._proposals[id].approvals - 1
    self._proposals[id].approvals = approvals
    if approvals < seats.quorum:
        self._proposals[id].executable_at = 0
    log Withdrawn(id=id, governor=msg.sender, approvals=approvals)


@external
def cancel(id: uint256):
    """
    @notice End one's own open proposal for ever.
    @param id The proposal
    """
    self._require_open(id)
    assert msg.sender == self._proposals[id].proposer, "council: not the proposer"
    self._proposals[id].state = State.CANCELLED
    log Cancelled(id=id)


@external
def execute(id: uint256):
    """
    @notice Run an approved proposal's calls. Anyone may, once the delay is over. A failing call undoes all.
    @param id The proposal
    """
    self._require_open(id)
    assert self._proposals[id].approvals >= seats.quorum, "council: quorum not reached"
    assert block.timestamp >= convert(self._proposals[id].executable_at, uint256), "council: delay not over"
    # Closed before the calls, so that no call can run, approve or cancel the proposal a second time.
    self._proposals[id].state = State.EXECUTED
    agenda.run(id)
    log Executed(id=id, executor=msg.sender)


@external
def pause():
    """
    @notice Stop settlement at once. Guardian only.
    """
    assert msg.sender == self._guardian, "council: not the guardian"
    self._paused = True
    log Paused(guardian=msg.sender)


@external
def unpause():
    """
    @notice Allow settlement again. By an executed proposal only.
    """
    assert msg.sender == self, "council: only by its own execution"
    self._paused = False
    log Unpaused()


@external
def set_governors(governors: DynArray[address, seats.MAX], quorum: uint256):
    """
    @notice Replace the governors. By an executed proposal only; all proposals still open lapse.
    @param governors The governors from now on, each named once
    @param quorum How many of them must approve
    """
    assert msg.sender == self, "council: only by its own execution"
    seats.appoint(governors, quorum)


@external
def set_guardian(guardian: address):
    """
    @notice Replace the guardian. By an executed proposal only.
    @param guardian The key that may pause settlement from now on; zero for none
    """
    assert msg.sender == self, "council: only by its own execution"
    self._guardian = guardian
    log GuardianChanged(guardian=guardian)


@view
@external
def paused() -> bool:
    """
    @notice Whether settlement is stopped.
    @return True until an executed proposal starts it again
    """
    return self._paused


@view
@external
def guardian() -> address:
    """
    @notice Who may stop settlement at once.
    @return The guardian, zero for none
    """
    return self._guardian


@view
@external
def governors() -> DynArray[address, seats.MAX]:
    """
    @notice Who may propose and approve.
    @return The governors in office
    """
    return seats.holders


@view
@external
def quorum() -> uint256:
    """
    @notice How many governors must approve.
    @return The number that makes a proposal executable
    """
    return seats.quorum


@view
@external
def epoch() -> uint256:
    """
    @notice How often the governors changed.
    @return The epoch, which every signed approval names
    """
    return seats.epoch


@view
@external
def delay() -> uint64:
    """
    @notice How long an approved proposal waits, for the governors to think again.
    @return Seconds between the last needed approval and the earliest execution
    """
    return DELAY


@view
@external
def domain_separator() -> bytes32:
    """
    @notice What binds a signed approval to this council and this chain.
    @return The EIP-712 domain separator
    """
    return signatures.domain_separator()


@view
@external
def proposal_count() -> uint256:
    """
    @notice How many proposals were made; their ids count from zero.
    @return The next proposal's id
    """
    return self._proposal_count


@view
@external
def proposal(id: uint256) -> Proposal:
    """
    @notice How a proposal stands.
    @param id The proposal
    @return Proposer, hash of the calls, epoch, approvals, earliest execution (0 below the quorum), state (0: none such)
    """
    return self._proposals[id]


@view
@external
def calls_hash(id: uint256) -> bytes32:
    """
    @notice What a governor's approval must name.
    @param id The proposal
    @return keccak256(abi_encode(targets, calls)), zero for an unknown proposal
    """
    return self._proposals[id].calls_hash


@view
@external
def proposed_calls(id: uint256) -> (DynArray[address, agenda.MAX], DynArray[Bytes[agenda.MAX_SIZE], agenda.MAX]):
    """
    @notice What a proposal calls, for a governor to read before approving.
    @param id The proposal
    @return The contracts to call
    @return ABI-encoded calls, one for each
    """
    return agenda.targets[id], agenda.data[id]


@view
@external
def has_approved(id: uint256, governor: address) -> bool:
    """
    @notice Whether a governor's approval stands.
    @param id The proposal
    @param governor Whose approval
    @return False also once it was withdrawn
    """
    return self._approved[id][governor]


@view
@external
def has_withdrawn(id: uint256, governor: address) -> bool:
    """
    @notice Whether a governor ever withdrew, so that its signature no longer counts here.
    @param id The proposal
    @param governor Whose approval
    @return True for ever after the first withdrawal
    """
    return self._withdrew[id][governor]


@internal
def _approve(id: uint256, governor: address):
    self._approved[id][governor] = True
    approvals: uint256 = self._proposals[id].approvals + 1
    self._proposals[id].approvals = approvals
    if approvals == seats.quorum:
        self._proposals[id].executable_at = convert(block.timestamp, uint64) + DELAY
    log Approved(id=id, governor=governor, approvals=approvals)


@view
@internal
def _require_open(id: uint256):
    assert id < self._proposal_count, "council: unknown proposal"
    assert self._proposals[id].state == State.OPEN, "council: closed proposal"
    assert self._proposals[id].epoch == seats.epoch, "council: lapsed proposal"
