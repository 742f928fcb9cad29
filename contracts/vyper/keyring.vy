# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Keyring
@license Apache-2.0
@notice Which key serves which participant, for what purpose, and until when.
@dev A key's whole state is one storage word, so that one storage proof tells an auditor whose it is, what for and
     until when. Keys of all purposes share one map with the accounts, an address standing there as a 32-byte word:
     what once served anyone for anything is never free again, not even after it died.
     Of each purpose an account has at most two living keys: the current one and, while their overlap lasts, the one
     that it replaced. So one step can end them all, and no message is tried against a crowd of keys.
"""

event KeyRotated:
    account: indexed(address)
    purpose: indexed(uint32)
    old_key: address
    new_key: address
    overlap_until: uint64

event KeyRevoked:
    account: indexed(address)
    purpose: indexed(uint32)
    key: address

event MessageKeyRotated:
    account: indexed(address)
    old_key: bytes32
    new_key: bytes32
    overlap_until: uint64

event MessageKeyRevoked:
    account: indexed(address)
    key: bytes32

struct KeyState:
    key: bytes32
    purpose: uint32
    valid_until: uint64

NO_PURPOSE: constant(uint32) = 0
SETTLEMENT: constant(uint32) = 1
COMPLIANCE: constant(uint32) = 2
MESSAGE: constant(uint32) = 3
OPEN_ENDED: constant(uint64) = max_value(uint64)
# Bounds how long a replaced key may still sign, so that a stolen key cannot grant itself for ever.
MAX_OVERLAP: constant(uint256) = 7 * 86400

# account << 96 | purpose << 64 | valid_until; a key signs while the block time is below valid_until.
_words: HashMap[bytes32, uint256]
_current: HashMap[address, HashMap[uint32, bytes32]]
_previous: HashMap[address, HashMap[uint32, bytes32]]


@view
@external
def keys(key: address) -> uint256:
    """
    @notice The storage word of a settlement or compliance key, also of a dead one.
    @param key The key's address
    @return account << 96 | purpose << 64 | valid_until; zero when never used
    """
    return self._words[self.word_of(key)]


@view
@external
def message_keys(key: bytes32) -> uint256:
    """
    @notice The storage word of a message key, also of a dead one.
    @param key Raw Ed25519 public key (RFC 8032)
    @return account << 96 | purpose << 64 | valid_until; zero when never used
    """
    return self._words[key]


@view
@external
def current_key(account: address, purpose: uint32) -> address:
    """
    @notice The newest settlement (1) or compliance (2) key of an account, which may be dead.
    @param account A participant's account
    @param purpose 1 or 2; another purpose has no such key
    @return The key's address, zero when there is none
    """
    if purpose != SETTLEMENT and purpose != COMPLIANCE:
        return empty(address)
    return self.address_of(self._current[account][purpose])


@view
@external
def keys_of(account: address) -> DynArray[KeyState, 6]:
    """
    @notice The newest key and the one before it of each purpose, dead or alive.
    @param account A participant's account
    @return By purpose (1 settlement, 2 compliance, 3 message), the newest first; addresses as 32-byte words
    """
    found: DynArray[KeyState, 6] = []
    for purpose: uint32 in range(SETTLEMENT, MESSAGE + 1):
        for key: bytes32 in [self._current[account][purpose], self._previous[account][purpose]]:
            if key != empty(bytes32):
                valid_until: uint64 = self._valid_until(self._words[key])
                found.append(KeyState(key=key, purpose=purpose, valid_until=valid_until))
    return found


@view
@external
def key_holder(key: address, purpose: uint32) -> address:
    """
    @notice Whose living settlement (1) or compliance (2) key this is.
    @param key The key's address
    @param purpose What it must serve for
    @return The account, zero when the key is dead, unknown or of another purpose
    """
    return self.holder(self.word_of(key), purpose)


@view
@external
def message_key_holder(key: bytes32) -> address:
    """
    @notice Whose living message key this is.
    @param key Raw Ed25519 public key
    @return The account, zero when the key is dead or unknown
    """
    return self.holder(key, MESSAGE)


@internal
def reserve(account: address):
    """
    @notice Keep an account's address from ever serving as a key: it acts on the Ledger.
    """
    assert self._words[self.word_of(account)] == 0, "participants: key in use"
    self._words[self.word_of(account)] = self._pack(account, NO_PURPOSE, 0)


@internal
def assign(account: address, purpose: uint32, key: bytes32):
    assert key != empty(bytes32), "participants: empty key"
    assert self._words[key] == 0, "participants: key in use"
    self._words[key] = self._pack(account, purpose, OPEN_ENDED)
    self._previous[account][purpose] = self._current[account][purpose]
    self._current[account][purpose] = key


@internal
def rotate(account: address, purpose: uint32, new_key: bytes32, overlap_until: uint64):
    assert convert(overlap_until, uint256) <= block.timestamp + MAX_OVERLAP, "participants: overlap too long"
    oldest: bytes32 = self._previous[account][purpose]
    if self._alive(oldest):
        self.revoke(oldest)
    old: bytes32 = self._current[account][purpose]
    # Not before this block: what the key signed and this block settled before stays provable by its word.
    self._end(old, max(overlap_until, convert(block.timestamp, uint64)))
    self.assign(account, purpose, new_key)
    if purpose == MESSAGE:
        log MessageKeyRotated(account=account, old_key=old, new_key=new_key, overlap_until=overlap_until)
    else:
        log KeyRotated(
            account=account,
            purpose=purpose,
            old_key=self.address_of(old),
            new_key=self.address_of(new_key),
            overlap_until=overlap_until,
        )


@internal
def revoke(key: bytes32):
    assert self._alive(key), "participants: dead key"
    self._end(key, convert(block.timestamp, uint64))
    word: uint256 = self._words[key]
    if self._purpose_of(word) == MESSAGE:
        log MessageKeyRevoked(account=self._account_of(word), key=key)
    else:
        log KeyRevoked(account=self._account_of(word), purpose=self._purpose_of(word), key=self.address_of(key))


@internal
def end_all(account: address):
    for purpose: uint32 in range(SETTLEMENT, MESSAGE + 1):
        self._end(self._current[account][purpose], convert(block.timestamp, uint64))
        self._end(self._previous[account][purpose], convert(block.timestamp, uint64))


@internal
def _end(key: bytes32, valid_until: uint64):
    # Only ever earlier: a dead key must not come back to life by being rotated away.
    word: uint256 = self._words[key]
    if valid_until < self._valid_until(word):
        self._words[key] = self._pack(self._account_of(word), self._purpose_of(word), valid_until)


@view
@internal
def holder(key: bytes32, purpose: uint32) -> address:
    word: uint256 = self._words[key]
    if self._purpose_of(word) != purpose or not self._lives(word):
        return empty(address)
    return self._account_of(word)


@view
@internal
def signs_for(key: address, account: address, purpose: uint32) -> bool:
    word: uint256 = self._words[self.word_of(key)]
    return word >> 64 == (convert(account, uint256) << 32) | convert(purpose, uint256) and self._lives(word)


@view
@internal
def current(account: address, purpose: uint32) -> bytes32:
    """
    @return The newest key, which may be dead; zero when there is none
    """
    return self._current[account][purpose]


@view
@internal
def is_current(key: address, account: address, purpose: uint32) -> bool:
    """
    @return True when the key is alive and no newer one replaced it: an overlap is for signatures under way, not for
            new acts
    """
    return self._current[account][purpose] == self.word_of(key) and self._alive(self.word_of(key))


@view
@internal
def _alive(key: bytes32) -> bool:
    return self._lives(self._words[key])


@view
@internal
def _lives(word: uint256) -> bool:
    return convert(self._valid_until(word), uint256) > block.timestamp


@pure
@internal
def _valid_until(word: uint256) -> uint64:
    return convert(word & convert(OPEN_ENDED, uint256), uint64)


@pure
@internal
def _pack(account: address, purpose: uint32, valid_until: uint64) -> uint256:
    return (
        (convert(account, uint256) << 96) | (convert(purpose, uint256) << 64) | convert(valid_until, uint256)
    )


@pure
@internal
def _account_of(word: uint256) -> address:
    return convert(word >> 96, address)


@pure
@internal
def _purpose_of(word: uint256) -> uint32:
    return convert((word >> 64) & convert(max_value(uint32), uint256), uint32)


@pure
@internal
def word_of(key: address) -> bytes32:
    return convert(convert(key, uint256), bytes32)


@pure
@internal
def address_of(key: bytes32) -> address:
    return convert(convert(key, uint256), address)
