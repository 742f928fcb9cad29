# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Settlement
@license Apache-2.0
@notice Settles batches of payments: all legs of all payments of a batch, in all currencies, or nothing.
@dev Each member of a batch signs it twice: its settlement key the batch, its compliance key an attestation about
     it. Batches of one call share one liquidity check at the end, so batches that could not settle one by one may
     settle together. Calls only itself and contracts fixed at deployment, none of which calls back.
"""

import merkle
import signatures
import terms

# Vyper calls a function that returns nothing only as nonpayable; the two checks are views at their ends.
interface Council:
    def paused() -> bool: view

interface Participants:
    def check_members(
        members: DynArray[address, terms.MAX_MEMBERS],
        settlement_keys: DynArray[address, terms.MAX_MEMBERS],
        compliance_keys: DynArray[address, terms.MAX_MEMBERS],
    ): nonpayable

interface Ledger:
    def apply(positions: DynArray[terms.Position, terms.MAX_POSITIONS]) -> bool: nonpayable
    def check(positions: DynArray[terms.Position, terms.MAX_POSITIONS]): nonpayable

interface Settlement:
    def settle(batches: DynArray[terms.SignedBatch, terms.MAX_BATCHES]): nonpayable
    def batch_hash(debtor_agent: address, lane: uint8, sequence: uint64) -> bytes32: view
    def next_sequence(debtor_agent: address, lane: uint8) -> uint64: view

event BatchSettled:
    debtorAgent: indexed(address)
    lane: indexed(uint8)
    sequence: indexed(uint64)
    batchHash: bytes32
    paymentsRoot: bytes32
    paymentCount: uint32

LANES: constant(uint8) = 8
WOULD_SETTLE: constant(String[64]) = "settlement: would settle"
# Solidity ABI: the selector of Error(string), which a revert with a reason begins with.
ERROR: constant(bytes4) = 0x08c379a0

COUNCIL: immutable(Council)
PARTICIPANTS: immutable(Participants)
LEDGER: immutable(Ledger)
PREDECESSOR: immutable(address)

# Debtor agent -> lane -> sequence -> EIP-712 struct hash of the batch settled here.
_batch_hash: HashMap[address, HashMap[uint8, HashMap[uint64, bytes32]]]
_next_sequence: HashMap[address, HashMap[uint8, uint64]]


@deploy
def __init__(council: address, participants: address, ledger: address, predecessor: address):
    """
    @param council The council whose guardian may stop settlement
    @param participants The register of members and their keys
    @param ledger The balances that batches move
    @param predecessor The retired Settlement whose sequences go on here; zero for the first
    """
    COUNCIL = Council(council)
    PARTICIPANTS = Participants(participants)
    LEDGER = Ledger(ledger)
    PREDECESSOR = predecessor


@external
def settle(batches: DynArray[terms.SignedBatch, terms.MAX_BATCHES]):
    """
    @notice Settle batches in the given order, all or none. A batch already settled is skipped.
    @param batches Batches with endorsements[i] given by members[i]
    """
    assert not staticcall COUNCIL.paused(), "settlement: paused"
    domain: bytes32 = signatures.domain_separator()
    short: DynArray[uint256, terms.MAX_BATCHES] = []
    for i: uint256 in range(len(batches), bound=terms.MAX_BATCHES):
        batch_hash: bytes32 = terms.batch_hash(batches[i].batch)
        if not self._comes_next(batches[i].batch, batch_hash):
            continue
        self._check_members(batches[i].batch.members, batches[i].batch.debtorAgent)
        self._check_endorsements(batches[i].batch.members, batches[i].endorsements, batch_hash, domain)
        self._check_positions(batches[i].batch.positions, batches[i].batch.members)
        if not self._apply(batches[i].batch, batch_hash):
            short.append(i)
    # What a batch took too much of, others of the call may have brought.
    for i: uint256 in short:
        self._check_liquidity(batches[i].batch.positions)


@external
def would_settle(batches: DynArray[terms.SignedBatch, terms.MAX_BATCHES]) -> String[64]:
    """
    @notice Why `settle` would refuse these batches now. For reading; a transaction changes nothing either.
    @dev Settles in a call to itself that always reverts, so what is asked is what is done.
    @param batches What `settle` would be given
    @return The first reason, "" when they would settle
    """
    if msg.sender == self:
        extcall Settlement(self).settle(batches)
        raise WOULD_SETTLE
    success: bool = False
    answer: Bytes[132] = b""
    success, answer = raw_call(self, msg.data, max_outsize=132, revert_on_failure=False)
    if len(answer) < 68 or convert(slice(answer, 0, 4), bytes4) != ERROR:
        return "settlement: no reason"
    reason: String[64] = abi_decode(slice(answer, 4, len(answer) - 4), String[64])
    return "" if reason == WOULD_SETTLE else reason


@view
@external
def verify(batch: terms.Batch, leaf: bytes32, proof: merkle.InclusionProof) -> bool:
    """
    @notice Whether a payment settled, for contracts that rely on it.
    @param batch The batch that carried the payment
    @param leaf The EIP-712 struct hash of the payment
    @param proof The leaf's place among the batch's payments and its siblings up to the root
    @return True when the batch was settled, here or before an upgrade, and the leaf stands in it
    """
    stored: bytes32 = self._stored(batch.debtorAgent, batch.lane, batch.sequence)
    if stored != terms.batch_hash(batch):
        return False
    return merkle.includes(batch.paymentsRoot, batch.paymentCount, leaf, proof)


@view
@external
def batch_hash(debtor_agent: address, lane: uint8, sequence: uint64) -> bytes32:
    """
    @notice The batch settled at a place, here or before an upgrade.
    @param debtor_agent The debtor agent in whose name the batch was
    @param lane The debtor agent's lane
    @param sequence The place in the lane
    @return The EIP-712 struct hash of the batch, zero when none was settled there
    """
    return self._stored(debtor_agent, lane, sequence)


@view
@external
def next_sequence(debtor_agent: address, lane: uint8) -> uint64:
    """
    @notice Where a lane stands, here or before an upgrade.
    @param debtor_agent The debtor agent whose lane it is
    @param lane The lane
    @return The sequence that the lane's next batch must carry
    """
    return self._next(debtor_agent, lane)


@view
@external
def domain_separator() -> bytes32:
    """
    @notice What binds all signatures to this contract on this chain.
    @return The EIP-712 domain separator
    """
    return signatures.domain_separator()


@view
@internal
def _comes_next(batch: terms.Batch, batch_hash: bytes32) -> bool:
    """
    @return True when the batch comes next in its lane, and in time; False when this very batch was settled before
    """
    next: uint64 = self._next(batch.debtorAgent, batch.lane)
    if batch.sequence < next and self._stored(batch.debtorAgent, batch.lane, batch.sequence) == batch_hash:
        return False
    assert batch.paymentCount > 0 and len(batch.members) > 0, "settlement: empty batch"
    assert batch.lane < LANES, "settlement: lane"
    assert batch.sequence == next, "settlement: sequence"
    assert block.timestamp <= convert(batch.deadline, uint256), "settlement: deadline"
    return True


@pure
@internal
def _check_members(members: DynArray[address, terms.MAX_MEMBERS], debtor_agent: address):
    assert debtor_agent in members, "settlement: members"
    last: address = empty(address)
    for member: address in members:
        assert convert(member, uint256) > convert(last, uint256), "settlement: members"
        last = member


@pure
@internal
def _check_positions(
    positions: DynArray[terms.Position, terms.MAX_POSITIONS],
    members: DynArray[address, terms.MAX_MEMBERS],
):
    # One number orders (currency, account); it also says where one currency ends and the next begins.
    last: uint256 = 0
    total: int256 = 0
    for position: terms.Position in positions:
        place: uint256 = (convert(position.currency, uint256) << 160) | convert(position.account, uint256)
        assert place > last, "settlement: positions"
        assert position.account in members, "settlement: position of a non-member"
        if place >> 160 != last >> 160:
            assert total == 0, "settlement: not zero-sum"
        total += convert(position.delta, int256)
        last = place
    assert total == 0, "settlement: not zero-sum"


@internal
def _check_endorsements(
    members: DynArray[address, terms.MAX_MEMBERS],
    endorsements: DynArray[terms.Endorsement, terms.MAX_MEMBERS],
    batch_hash: bytes32,
    domain: bytes32,
):
    assert len(endorsements) == len(members), "settlement: members"
    batch_digest: bytes32 = signatures.digest(domain, batch_hash)
    settlement_keys: DynArray[address, terms.MAX_MEMBERS] = []
    compliance_keys: DynArray[address, terms.MAX_MEMBERS] = []
    for endorsement: terms.Endorsement in endorsements:
        attestation: bytes32 = terms.attestation_hash(batch_hash, endorsement)
        settlement_keys.append(self._signer(batch_digest, endorsement.settlement))
        compliance_keys.append(self._signer(signatures.digest(domain, attestation), endorsement.compliance))
        assert (
            convert(endorsement.validUntil, uint256) >= block.timestamp
        ), "settlement: attestation expired"
    extcall PARTICIPANTS.check_members(members, settlement_keys, compliance_keys)


@pure
@internal
def _signer(digest: bytes32, signature: signatures.Signature) -> address:
    signer: address = signatures.signer(digest, signature)
    assert signer != empty(address), "settlement: signature"
    return signer


@internal
def _apply(batch: terms.Batch, batch_hash: bytes32) -> bool:
    """
    @return False when it left somebody below its net debit cap
    """
    self._batch_hash[batch.debtorAgent][batch.lane][batch.sequence] = batch_hash
    self._next_sequence[batch.debtorAgent][batch.lane] = batch.sequence + 1
    log BatchSettled(
        debtorAgent=batch.debtorAgent,
        lane=batch.lane,
        sequence=batch.sequence,
        batchHash=batch_hash,
        paymentsRoot=batch.paymentsRoot,
        paymentCount=batch.paymentCount,
    )
    return extcall LEDGER.apply(batch.positions)


@internal
def _check_liquidity(positions: DynArray[terms.Position, terms.MAX_POSITIONS]):
    extcall LEDGER.check(positions)


@view
@internal
def _stored(debtor_agent: address, lane: uint8, sequence: uint64) -> bytes32:
    own: bytes32 = self._batch_hash[debtor_agent][lane][sequence]
    if own == empty(bytes32) and PREDECESSOR != empty(address):
        return staticcall Settlement(PREDECESSOR).batch_hash(debtor_agent, lane, sequence)
    return own


@view
@internal
def _next(debtor_agent: address, lane: uint8) -> uint64:
    own: uint64 = self._next_sequence[debtor_agent][lane]
    if own == 0 and PREDECESSOR != empty(address):
        return staticcall Settlement(PREDECESSOR).next_sequence(debtor_agent, lane)
    return own
