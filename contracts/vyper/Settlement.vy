# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Settlement
@license Apache-2.0
@notice Settles batches of payments: all legs of all payments of a batch, in all currencies, or nothing.
@dev Each member of a batch signs it twice: its settlement key the batch, its compliance key an attestation about
     it. Batches of one call share one liquidity check at the end, so batches that could not settle one by one may
     settle together. Calls only contracts fixed at deployment, none of which calls back.
"""

import terms

# Vyper calls a function that returns nothing only as nonpayable; the two checks are views at their ends.
interface Council:
    def paused() -> bool: view

interface Participants:
    def check_members(
        members: DynArray[address, 16],
        settlement_keys: DynArray[address, 16],
        compliance_keys: DynArray[address, 16],
    ): nonpayable

interface Ledger:
    def apply(positions: DynArray[terms.Position, terms.MAX_POSITIONS]): nonpayable
    def check(positions: DynArray[terms.Position, terms.MAX_POSITIONS]): nonpayable

interface Predecessor:
    def next_sequence(debtor_agent: address, lane: uint8) -> uint64: view

event BatchSettled:
    debtorAgent: indexed(address)
    lane: indexed(uint8)
    sequence: indexed(uint64)
    batchHash: bytes32
    paymentsRoot: bytes32
    paymentCount: uint32

struct Batch:
    debtorAgent: address
    lane: uint8
    sequence: uint64
    paymentsRoot: bytes32
    paymentCount: uint32
    members: DynArray[address, 16]
    positions: DynArray[terms.Position, 64]
    deadline: uint64

struct Signature:
    r: bytes32
    s: bytes32
    v: uint8

struct Endorsement:
    settlement: Signature
    policyHash: bytes32
    logHead: bytes32
    validUntil: uint64
    compliance: Signature

struct SignedBatch:
    batch: Batch
    endorsements: DynArray[Endorsement, 16]

MAX_BATCHES: constant(uint256) = 8
MAX_MEMBERS: constant(uint256) = 16
MAX_POSITIONS: constant(uint256) = 64
LANES: constant(uint8) = 8

# SEC 2, section 2.4.1: half of secp256k1's group order; a larger s is the second form of the same signature.
MAX_S: constant(uint256) = 57896044618658097711785492504343953926418782139537452191302581570759080747168

DOMAIN_TYPEHASH: constant(bytes32) = keccak256(
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
NAME_HASH: constant(bytes32) = keccak256("Feiqian")
VERSION_HASH: constant(bytes32) = keccak256("1")
POSITION_TYPEHASH: constant(bytes32) = keccak256("Position(address account,uint16 currency,int128 delta)")
BATCH_TYPEHASH: constant(bytes32) = keccak256(
    "Batch(address debtorAgent,uint8 lane,uint64 sequence,bytes32 paymentsRoot,uint32 paymentCount,address[] members,Position[] positions,uint64 deadline)Position(address account,uint16 currency,int128 delta)"
)
ATTESTATION_TYPEHASH: constant(bytes32) = keccak256(
    "Attestation(bytes32 batchHash,bytes32 policyHash,bytes32 logHead,uint64 validUntil)"
)

COUNCIL: immutable(Council)
PARTICIPANTS: immutable(Participants)
LEDGER: immutable(Ledger)
PREDECESSOR: immutable(address)

# Debtor agent -> lane -> sequence -> EIP-712 struct hash of the settled batch.
batch_hash: public(HashMap[address, HashMap[uint8, HashMap[uint64, bytes32]]])
_next_sequence: HashMap[address, HashMap[uint8, uint64]]


@deploy
def __init__(council: address, participants: address, ledger: address, predecessor: address):
    """
    @param predecessor The retired Settlement whose sequences go on here; zero for the first
    """
    COUNCIL = Council(council)
    PARTICIPANTS = Participants(participants)
    LEDGER = Ledger(ledger)
    PREDECESSOR = predecessor


@external
def settle(batches: DynArray[SignedBatch, MAX_BATCHES]):
    """
    @notice Settle batches in the given order, all or none. A batch already settled is skipped.
    @param batches Batches with endorsements[i] given by members[i]
    """
    assert not staticcall COUNCIL.paused(), "settlement: paused"
    domain: bytes32 = self._domain_separator()
    settled: DynArray[uint256, MAX_BATCHES] = []
    for i: uint256 in range(len(batches), bound=MAX_BATCHES):
        if self._settle_one(batches[i], domain):
            settled.append(i)
    for i: uint256 in settled:
        extcall LEDGER.check(batches[i].batch.positions)


@view
@external
def next_sequence(debtor_agent: address, lane: uint8) -> uint64:
    """
    @return The sequence that the lane's next batch must carry
    """
    return self._next(debtor_agent, lane)


@view
@external
def domain_separator() -> bytes32:
    """
    @return The EIP-712 domain separator that all signatures are made under
    """
    return self._domain_separator()


@internal
def _settle_one(signed: SignedBatch, domain: bytes32) -> bool:
    """
    @return False when the same batch was settled before
    """
    batch_hash: bytes32 = self._hash_batch(signed.batch)
    debtor_agent: address = signed.batch.debtorAgent
    lane: uint8 = signed.batch.lane
    sequence: uint64 = signed.batch.sequence
    if self.batch_hash[debtor_agent][lane][sequence] == batch_hash:
        return False
    assert signed.batch.paymentCount > 0 and len(signed.batch.members) > 0, "settlement: empty batch"
    assert lane < LANES, "settlement: lane"
    assert sequence == self._next(debtor_agent, lane), "settlement: sequence"
    assert block.timestamp <= convert(signed.batch.deadline, uint256), "settlement: deadline"
    self._check_members(signed.batch.members, debtor_agent, len(signed.endorsements))
    self._check_endorsements(signed.batch.members, signed.endorsements, batch_hash, domain)
    self._check_positions(signed.batch.positions, signed.batch.members)
    self.batch_hash[debtor_agent][lane][sequence] = batch_hash
    self._next_sequence[debtor_agent][lane] = sequence + 1
    extcall LEDGER.apply(signed.batch.positions)
    log BatchSettled(
        debtorAgent=debtor_agent,
        lane=lane,
        sequence=sequence,
        batchHash=batch_hash,
        paymentsRoot=signed.batch.paymentsRoot,
        paymentCount=signed.batch.paymentCount,
    )
    return True


@pure
@internal
def _check_members(members: DynArray[address, MAX_MEMBERS], debtor_agent: address, endorsements: uint256):
    assert len(members) == endorsements, "settlement: members"
    assert debtor_agent in members, "settlement: members"
    last: address = empty(address)
    for member: address in members:
        assert convert(member, uint256) > convert(last, uint256), "settlement: members"
        last = member


@internal
def _check_endorsements(
    members: DynArray[address, MAX_MEMBERS],
    endorsements: DynArray[Endorsement, MAX_MEMBERS],
    batch_hash: bytes32,
    domain: bytes32,
):
    batch_digest: bytes32 = self._digest(domain, batch_hash)
    settlement_keys: DynArray[address, MAX_MEMBERS] = []
    compliance_keys: DynArray[address, MAX_MEMBERS] = []
    for endorsement: Endorsement in endorsements:
        attestation: bytes32 = keccak256(
            abi_encode(
                ATTESTATION_TYPEHASH,
                batch_hash,
                endorsement.policyHash,
                endorsement.logHead,
                endorsement.validUntil,
            )
        )
        settlement_keys.append(self._signer(batch_digest, endorsement.settlement))
        compliance_keys.append(self._signer(self._digest(domain, attestation), endorsement.compliance))
        assert (
            convert(endorsement.validUntil, uint256) >= block.timestamp
        ), "settlement: attestation expired"
    extcall PARTICIPANTS.check_members(members, settlement_keys, compliance_keys)


@pure
@internal
def _check_positions(
    positions: DynArray[terms.Position, MAX_POSITIONS], members: DynArray[address, MAX_MEMBERS]
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


@pure
@internal
def _signer(digest: bytes32, signature: Signature) -> address:
    assert signature.v == 27 or signature.v == 28, "settlement: signature"
    assert convert(signature.s, uint256) <= MAX_S, "settlement: signature"
    signer: address = ecrecover(digest, signature.v, signature.r, signature.s)
    assert signer != empty(address), "settlement: signature"
    return signer


@pure
@internal
def _hash_batch(batch: Batch) -> bytes32:
    hashes: DynArray[bytes32, MAX_POSITIONS] = []
    for position: terms.Position in batch.positions:
        hashes.append(
            keccak256(
                abi_encode(POSITION_TYPEHASH, position.account, position.currency, position.delta)
            )
        )
    # EIP-712 hashes an array's elements without its length, which the ABI puts into the first word.
    members_hash: bytes32 = keccak256(
        slice(abi_encode(batch.members, ensure_tuple=False), 32, 32 * len(batch.members))
    )
    positions_hash: bytes32 = keccak256(slice(abi_encode(hashes, ensure_tuple=False), 32, 32 * len(hashes)))
    return keccak256(
        abi_encode(
            BATCH_TYPEHASH,
            batch.debtorAgent,
            batch.lane,
            batch.sequence,
            batch.paymentsRoot,
            batch.paymentCount,
            members_hash,
            positions_hash,
            batch.deadline,
        )
    )


@view
@internal
def _next(debtor_agent: address, lane: uint8) -> uint64:
    own: uint64 = self._next_sequence[debtor_agent][lane]
    if own == 0 and PREDECESSOR != empty(address):
        return staticcall Predecessor(PREDECESSOR).next_sequence(debtor_agent, lane)
    return own


@pure
@internal
def _digest(domain: bytes32, struct_hash: bytes32) -> bytes32:
    return keccak256(concat(x"1901", domain, struct_hash))


@view
@internal
def _domain_separator() -> bytes32:
    return keccak256(abi_encode(DOMAIN_TYPEHASH, NAME_HASH, VERSION_HASH, chain.id, self))
