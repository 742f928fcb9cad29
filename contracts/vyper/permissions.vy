# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Permissions
@license Apache-2.0
@notice Who may transfer for whom: the operators and allowances of ERC-6909, "Methods".
@dev A permission is given for any id, defined or not: only the transfer itself says what may move. It reaches no
     further than its owner's own hand, which moves nothing round Settlement.
"""

event Approval:
    owner: indexed(address)
    spender: indexed(address)
    id: indexed(uint256)
    amount: uint256

event OperatorSet:
    owner: indexed(address)
    spender: indexed(address)
    approved: bool

# ERC-6909, "Definitions": an allowance of this size is infinite.
INFINITE: constant(uint256) = max_value(uint256)

_allowance: HashMap[address, HashMap[address, HashMap[uint256, uint256]]]
_is_operator: HashMap[address, HashMap[address, bool]]


@external
def approve(spender: address, id: uint256, amount: uint256) -> bool:
    """
    @notice ERC-6909: allow a spender to transfer an amount of the caller's, in place of what was allowed before.
    @param spender Who may call `transferFrom`
    @param id ISO 4217 numeric code
    @param amount Minor units; the largest uint256 is infinite and is not used up
    @return True
    """
    self._allowance[msg.sender][spender][id] = amount
    log Approval(owner=msg.sender, spender=spender, id=id, amount=amount)
    return True


@external
def setOperator(spender: address, approved: bool) -> bool:
    """
    @notice ERC-6909: let a spender transfer anything of the caller's, or no longer.
    @param spender Who may call `transferFrom`
    @param approved Whether it may
    @return True
    """
    self._is_operator[msg.sender][spender] = approved
    log OperatorSet(owner=msg.sender, spender=spender, approved=approved)
    return True


@view
@external
def allowance(owner: address, spender: address, id: uint256) -> uint256:
    """
    @notice ERC-6909: what a spender may still transfer for an owner.
    @param owner Whose balance it is
    @param spender Who may call `transferFrom`
    @param id ISO 4217 numeric code
    @return Minor units, not counting an operator's permission
    """
    return self._allowance[owner][spender][id]


@view
@external
def isOperator(owner: address, spender: address) -> bool:
    """
    @notice ERC-6909: whether a spender may transfer anything of an owner's.
    @param owner Whose balances they are
    @param spender Who may call `transferFrom`
    @return True when the owner said so
    """
    return self._is_operator[owner][spender]


@internal
def spend(owner: address, id: uint256, amount: uint256):
    """
    @notice Use the caller's permission to transfer for an owner.
    @dev ERC-6909, `transferFrom`: neither the owner nor an operator uses up an allowance, nor is an infinite one.
         No Approval is logged, which the ERC asks only of an allowance set by its owner.
    """
    if msg.sender == owner or self._is_operator[owner][msg.sender]:
        return
    allowed: uint256 = self._allowance[owner][msg.sender][id]
    assert allowed >= amount, "ledger: insufficient allowance"
    if allowed != INFINITE:
        self._allowance[owner][msg.sender][id] = allowed - amount
