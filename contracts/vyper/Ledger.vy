# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Ledger
@license Apache-2.0
@notice Tokenised settlement balances: ERC-6909, the token id being the ISO 4217 numeric code.
@dev Inside, a participant has one signed net position per currency; a net debit cap says how far it may go below
     zero. Between participants value moves only through Settlement, whose own event tells of it (no Transfer is
     logged for a batch: that would tell the world each pair). Amounts are minor units.
"""

import terms

interface Participants:
    def status(account: address) -> uint8: view
    def settlement_bank_of(currency: uint16) -> address: view

event Transfer:
    caller: address
    sender: indexed(address)
    receiver: indexed(address)
    id: indexed(uint256)
    amount: uint256

event Approval:
    owner: indexed(address)
    spender: indexed(address)
    id: indexed(uint256)
    amount: uint256

event OperatorSet:
    owner: indexed(address)
    spender: indexed(address)
    approved: bool

event CapChanged:
    account: indexed(address)
    currency: indexed(uint16)
    cap: uint256

event SettlementReplaced:
    old: indexed(address)
    new: indexed(address)

ACTIVE: constant(uint8) = 1
# Positions must stay far from the ends of int256, so that no later sum can overflow.
MAX_AMOUNT: constant(uint256) = 2**127 - 1

COUNCIL: immutable(address)
PARTICIPANTS: immutable(Participants)

settlement: public(address)
net_position: public(HashMap[address, HashMap[uint16, int256]])
cap: public(HashMap[address, HashMap[uint16, uint256]])
totalSupply: public(HashMap[uint256, uint256])
allowance: public(HashMap[address, HashMap[address, HashMap[uint256, uint256]]])
isOperator: public(HashMap[address, HashMap[address, bool]])


@deploy
def __init__(council: address, participants: address, settlement: address):
    """
    @param council The council that may replace Settlement
    @param participants The register of settlement banks and standings
    @param settlement The first Settlement (its address is known before it is deployed)
    """
    COUNCIL = council
    PARTICIPANTS = Participants(participants)
    self.settlement = settlement
    log SettlementReplaced(old=empty(address), new=settlement)


@external
def issue(account: address, currency: uint16, amount: uint256):
    """
    @notice Create balance for an active participant. The currency's settlement bank only.
    """
    self._require_bank(currency)
    self._require_active(account)
    assert amount <= MAX_AMOUNT, "ledger: amount"
    self.net_position[account][currency] += convert(amount, int256)
    self.totalSupply[convert(currency, uint256)] += amount
    log Transfer(
        caller=msg.sender,
        sender=empty(address),
        receiver=account,
        id=convert(currency, uint256),
        amount=amount,
    )


@external
def redeem(account: address, currency: uint16, amount: uint256):
    """
    @notice Take back balance that a participant has. The currency's settlement bank only.
    """
    self._require_bank(currency)
    self._take(account, currency, amount)
    self.totalSupply[convert(currency, uint256)] -= amount
    log Transfer(
        caller=msg.sender,
        sender=account,
        receiver=empty(address),
        id=convert(currency, uint256),
        amount=amount,
    )


@external
def set_cap(account: address, currency: uint16, cap: uint256):
    """
    @notice Set how far a participant's position may go below zero. The currency's settlement bank only.
    """
    self._require_bank(currency)
    assert cap <= MAX_AMOUNT, "ledger: amount"
    self.cap[account][currency] = cap
    log CapChanged(account=account, currency=currency, cap=cap)


@external
def apply(positions: DynArray[terms.Position, terms.MAX_POSITIONS]):
    """
    @notice Move positions. Settlement only, which calls `check` once all batches of its call are applied.
    """
    assert msg.sender == self.settlement, "ledger: only settlement"
    for position: terms.Position in positions:
        self.net_position[position.account][position.currency] += convert(position.delta, int256)


@view
@external
def check(positions: DynArray[terms.Position, terms.MAX_POSITIONS]):
    """
    @notice Revert when an account that these positions debit stands below its net debit cap.
    @dev Who only receives is not asked: a cap lowered under a standing debt must not stop its repayment.
    """
    for position: terms.Position in positions:
        if position.delta < 0:
            lowest: int256 = -convert(self.cap[position.account][position.currency], int256)
            net: int256 = self.net_position[position.account][position.currency]
            assert net >= lowest, "ledger: insufficient liquidity"


@external
def replace_settlement(old: address, new: address):
    """
    @notice Retire a Settlement and admit its successor in one step. Council only.
    @param old The Settlement in office: a proposal made for another one must not run
    """
    assert msg.sender == COUNCIL, "ledger: only the council"
    assert old == self.settlement, "ledger: settlement"
    self.settlement = new
    log SettlementReplaced(old=old, new=new)


@external
def transfer(receiver: address, id: uint256, amount: uint256) -> bool:
    """
    @notice ERC-6909. One side must be the currency's settlement bank.
    """
    self._transfer(msg.sender, receiver, id, amount)
    return True


@external
def transferFrom(sender: address, receiver: address, id: uint256, amount: uint256) -> bool:
    """
    @notice ERC-6909. One side must be the currency's settlement bank.
    """
    if msg.sender != sender and not self.isOperator[sender][msg.sender]:
        allowed: uint256 = self.allowance[sender][msg.sender][id]
        assert allowed >= amount, "ledger: insufficient allowance"
        if allowed != max_value(uint256):
            self.allowance[sender][msg.sender][id] = allowed - amount
    self._transfer(sender, receiver, id, amount)
    return True


@external
def approve(spender: address, id: uint256, amount: uint256) -> bool:
    """
    @notice ERC-6909.
    """
    self.allowance[msg.sender][spender][id] = amount
    log Approval(owner=msg.sender, spender=spender, id=id, amount=amount)
    return True


@external
def setOperator(spender: address, approved: bool) -> bool:
    """
    @notice ERC-6909.
    """
    self.isOperator[msg.sender][spender] = approved
    log OperatorSet(owner=msg.sender, spender=spender, approved=approved)
    return True


@view
@external
def balanceOf(owner: address, id: uint256) -> uint256:
    """
    @return The owner's net position when positive, else 0
    """
    if id > convert(max_value(uint16), uint256):
        return 0
    return self._balance(owner, convert(id, uint16))


@pure
@external
def supportsInterface(interface_id: bytes4) -> bool:
    """
    @return True for ERC-165 and ERC-6909
    """
    return interface_id == 0x01ffc9a7 or interface_id == 0x0f632fb3


@internal
def _transfer(sender: address, receiver: address, id: uint256, amount: uint256):
    assert id <= convert(max_value(uint16), uint256), "ledger: unknown currency"
    currency: uint16 = convert(id, uint16)
    bank: address = staticcall PARTICIPANTS.settlement_bank_of(currency)
    assert bank != empty(address), "ledger: unknown currency"
    assert sender == bank or receiver == bank, "ledger: only through settlement"
    self._require_active(receiver)
    self._take(sender, currency, amount)
    self.net_position[receiver][currency] += convert(amount, int256)
    log Transfer(caller=msg.sender, sender=sender, receiver=receiver, id=id, amount=amount)


@internal
def _take(account: address, currency: uint16, amount: uint256):
    assert self._balance(account, currency) >= amount, "ledger: insufficient balance"
    self.net_position[account][currency] -= convert(amount, int256)


@view
@internal
def _balance(account: address, currency: uint16) -> uint256:
    return convert(max(self.net_position[account][currency], 0), uint256)


@view
@internal
def _require_bank(currency: uint16):
    bank: address = staticcall PARTICIPANTS.settlement_bank_of(currency)
    assert msg.sender == bank, "ledger: not the settlement bank"


@view
@internal
def _require_active(account: address):
    assert staticcall PARTICIPANTS.status(account) == ACTIVE, "ledger: not an active participant"
