# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Terms
@license Apache-2.0
@notice What the institutions sign and the contracts speak of: positions, batches, endorsements, and their EIP-712 hashes.
"""

import signatures

struct Position:
    account: address
    currency: uint16
    delta: int128

struct Batch:
    debtorAgent: address
    lane: uint8
    sequence: uint64
    paymentsRoot: bytes32
    paymentCount: uint32
    members: DynArray[address, MAX_MEMBERS]
    positions: DynArray[Position, MAX_POSITIONS]
    deadline: uint64

struct Endorsement:
    settlement: signatures.Signature
    policyHash: bytes32
    logHead: bytes32
    validUntil: uint64
    compliance: signatures.Signature

struct SignedBatch:
    batch: Batch
    endorsements: DynArray[Endorsement, MAX_MEMBERS]

# Memory is reserved for declared maxima and its price grows with their square.
MAX_BATCHES: constant(uint256) = 8
MAX_MEMBERS: constant(uint256) = 16
MAX_POSITIONS: constant(uint256) = 64

POSITION_TYPEHASH: constant(bytes32) = keccak256("Position(address account,uint16 currency,int128 delta)")
BATCH_TYPEHASH: constant(bytes32) = keccak256(
    "Batch(address debtorAgent,uint8 lane,uint64 sequence,bytes32 paymentsRoot,uint32 paymentCount,address[] members,Position[] positions,uint64 deadline)Position(address account,uint16 currency,int128 delta)"
)
ATTESTATION_TYPEHASH: constant(bytes32) = keccak256(
    "Attestation(bytes32 batchHash,bytes32 policyHash,bytes32 logHead,uint64 validUntil)"
)


@pure
@internal
def batch_hash(batch: Batch) -> bytes32:
    """
    @return The struct hash of a batch: its name everywhere, on chain and off
    """
    hashes: DynArray[bytes32, MAX_POSITIONS] = []
    for position: Position in batch.positions:
        hashes.append(
            keccak256(abi_encode(POSITION_TYPEHASH, position.account, position.currency, position.delta))
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


@pure
@internal
def attestation_hash(batch_hash: bytes32, endorsement: Endorsement) -> bytes32:
    """
    @return The struct hash of what a member's compliance key attests about a batch
    """
    return keccak256(
        abi_encode(
            ATTESTATION_TYPEHASH,
            batch_hash,
            endorsement.policyHash,
            endorsement.logHead,
            endorsement.validUntil,
        )
    )
