# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Merkle
@license Apache-2.0
@notice Whether a leaf stands in the tree over a batch's payments.
@dev Leaves and inner nodes are hashed with different first bytes, and the odd node of a level is carried up as it is.
"""

struct InclusionProof:
    index: uint32
    siblings: DynArray[bytes32, MAX_DEPTH]

# The depth of a tree with 2**32 leaves.
MAX_DEPTH: constant(uint256) = 32


@pure
@internal
def includes(root: bytes32, count: uint32, leaf: bytes32, proof: InclusionProof) -> bool:
    """
    @param count How many leaves the tree has: it says on which levels the leaf's node has a sibling
    @param proof The leaf's place and the sibling hashes from the leaf's level to the root
    @return Whether the leaf stands at proof.index under the root
    """
    if proof.index >= count:
        return False
    node: bytes32 = keccak256(concat(x"00", leaf))
    place: uint256 = convert(proof.index, uint256)
    width: uint256 = convert(count, uint256)
    used: uint256 = 0
    for level: uint256 in range(MAX_DEPTH):
        if width == 1:
            break
        if place ^ 1 < width:
            if used == len(proof.siblings):
                return False
            node = self._parent(node, proof.siblings[used], place & 1 == 1)
            used += 1
        place = place >> 1
        width = (width + 1) >> 1
    return used == len(proof.siblings) and node == root


@pure
@internal
def _parent(node: bytes32, sibling: bytes32, is_right: bool) -> bytes32:
    if is_right:
        return keccak256(concat(x"01", sibling, node))
    return keccak256(concat(x"01", node, sibling))
