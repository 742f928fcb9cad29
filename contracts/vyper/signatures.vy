# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Signatures
@license Apache-2.0
@notice Who signed an EIP-712 struct for the contract that uses this module.
@dev Nothing here reverts: each contract refuses in its own words.
"""

struct Signature:
    r: bytes32
    s: bytes32
    v: uint8

# SEC 2, section 2.4.1: half of secp256k1's group order; a larger s is the second form of the same signature.
MAX_S: constant(uint256) = 57896044618658097711785492504343953926418782139537452191302581570759080747168

DOMAIN_TYPEHASH: constant(bytes32) = keccak256(
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
NAME_HASH: constant(bytes32) = keccak256("Feiqian")
VERSION_HASH: constant(bytes32) = keccak256("1")


@pure
@internal
def signer(digest: bytes32, signature: Signature) -> address:
    """
    @return Whose key made the signature; the zero address when v is neither 27 nor 28, s is in the upper half of
        the order, or the signature belongs to no key
    """
    if signature.v != 27 and signature.v != 28:
        return empty(address)
    if convert(signature.s, uint256) > MAX_S:
        return empty(address)
    return ecrecover(digest, signature.v, signature.r, signature.s)


@pure
@internal
def digest(domain: bytes32, struct_hash: bytes32) -> bytes32:
    """
    @return What is signed: keccak(0x19 0x01 || domain separator || struct hash)
    """
    return keccak256(concat(x"1901", domain, struct_hash))


@view
@internal
def domain_separator() -> bytes32:
    """
    @return The separator of this contract on this chain
    """
    return keccak256(abi_encode(DOMAIN_TYPEHASH, NAME_HASH, VERSION_HASH, chain.id, self))
