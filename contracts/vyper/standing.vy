# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Standing
@license Apache-2.0
@notice What a participant may do, and whether it may now.
@dev Roles and status share a storage word: Settlement reads it of every member, an auditor proves it with one slot.
"""

NONE_: constant(uint8) = 0
ACTIVE: constant(uint8) = 1
SUSPENDED: constant(uint8) = 2
LEFT: constant(uint8) = 3

DEBTOR_AGENT: constant(uint256) = 1
CREDITOR_AGENT: constant(uint256) = 2
FX_PROVIDER: constant(uint256) = 4
SETTLEMENT_BANK: constant(uint256) = 8
AUDITOR: constant(uint256) = 16
ALL_ROLES: constant(uint256) = 31
# The roles that stand in batches, and so must be able to attest.
MEMBER_ROLES: constant(uint256) = DEBTOR_AGENT | CREDITOR_AGENT | FX_PROVIDER

# roles << 8 | status
_words: HashMap[address, uint256]


@view
@external
def status(account: address) -> uint8:
    """
    @notice The standing of an account.
    @param account Any address
    @return 0 none, 1 active, 2 suspended, 3 left
    """
    return self.status_of(account)


@internal
def set_status(account: address, status: uint8):
    self._words[account] = (self.roles_of(account) << 8) | convert(status, uint256)


@internal
def set_roles(account: address, roles: uint256):
    assert roles != 0 and roles <= ALL_ROLES, "participants: roles"
    self._words[account] = (roles << 8) | convert(self.status_of(account), uint256)


@view
@internal
def status_of(account: address) -> uint8:
    return convert(self._words[account] & 255, uint8)


@view
@internal
def roles_of(account: address) -> uint256:
    return self._words[account] >> 8


@view
@internal
def require_here(account: address):
    status: uint8 = self.status_of(account)
    assert status != NONE_, "participants: unknown account"
    assert status != LEFT, "participants: left"


@view
@internal
def require_member(account: address):
    word: uint256 = self._words[account]
    status: uint8 = convert(word & 255, uint8)
    assert status == ACTIVE or status == SUSPENDED, "participants: not a member"
    assert (word >> 8) & MEMBER_ROLES != 0, "participants: not a member"
    assert status == ACTIVE, "participants: suspended"
