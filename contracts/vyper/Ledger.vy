# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Ledger
@license Apache-2.0
@notice Tokenised settlement balances: ERC-6909, the token id being the ISO 4217 numeric code.
@dev Inside, a participant has one signed net position per currency; a net debit cap says how far it may go below
     zero. Between participants value moves only through Settlement, whose own event tells of it (no Transfer is
     logged for a batch: that would tell the world each pair). Amounts are minor units. Sum of a currency's net
     positions = its total supply = issued - redeemed, always. Calls only Participants, which does not call back.
"""

import permissions
import terms
import tokens

exports: (
    tokens.currencies,
    tokens.name,
    tokens.symbol,
    tokens.decimals,
    permissions.approve,
    permissions.setOperator,
    permissions.allowance,
    permissions.isOperator,
)

interface Participants:
    def status(account: address) -> uint8: view
    def settlement_bank_of(currency: uint16) -> address: view

event Transfer:
    caller: address
    sender: indexed(address)
    receiver: indexed(address)
    id: indexed(uint256)
    amount: uint256

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

# ERC-165: the exclusive or of an interface's selectors.
ERC165: constant(bytes4) = 0x01ffc9a7
ERC6909: constant(bytes4) = 0x0f632fb3
ERC6909_METADATA: constant(bytes4) = 0x71abc795
ERC6909_TOKEN_SUPPLY: constant(bytes4) = 0xbd85b039

COUNCIL: immutable(address)
PARTICIPANTS: immutable(Participants)

_settlement: address
_net_position: HashMap[address, HashMap[uint16, int256]]
_cap: HashMap[address, HashMap[uint16, uint256]]
_total_supply: HashMap[uint256, uint256]

# After the contract's own words, so that auditors find these where they are, whatever the modules keep.
initializes: permissions
initializes: tokens


@deploy
def __init__(council: address, participants: address, settlement: address):
    """
    @param council The council that defines currencies and may replace Settlement
    @param participants The register of settlement banks and standings
    @param settlement The first Settlement (its address is known before it is deployed)
    """
    COUNCIL = council
    PARTICIPANTS = Participants(participants)
    self._settlement = settlement
    log SettlementReplaced(old=empty(address), new=settlement)


@external
def define_currency(currency: uint16, code: String[3], name: String[32], decimals: uint8):
    """
    @notice Let a currency be settled, once and for ever. Council only.
    @param currency ISO 4217 numeric code, the token id
    @param code ISO 4217 alphabetic code, three capital letters
    @param name What a wallet shows
    @param decimals Of the minor unit, at most 4
    """
    self._require_council()
    tokens.define(currency, code, name, decimals)


@external
def issue(account: address, currency: uint16, amount: uint256):
    """
    @notice Create balance for an active participant. The currency's settlement bank only.
    @dev ERC-6909, `Transfer`: minting is logged as coming from the zero address.
    @param account Whose balance grows
    @param currency ISO 4217 numeric code
    @param amount Minor units, below 2**127
    """
    self._require_bank(currency)
    self._require_active(account)
    assert amount <= MAX_AMOUNT, "ledger: amount"
    id: uint256 = convert(currency, uint256)
    self._net_position[account][currency] += convert(amount, int256)
    self._total_supply[id] += amount
    log Transfer(caller=msg.sender, sender=empty(address), receiver=account, id=id, amount=amount)


@external
def redeem(account: address, currency: uint16, amount: uint256):
    """
    @notice Take back balance that a participant has. The currency's settlement bank only.
    @dev ERC-6909, `Transfer`: burning is logged as going to the zero address.
    @param account Whose balance shrinks, whatever its standing
    @param currency ISO 4217 numeric code
    @param amount Minor units, at most the balance: a credit line is not redeemable, neither one's own nor, beyond
        what was issued, what others paid out of theirs
    """
    self._require_bank(currency)
    self._take(account, currency, amount)
    id: uint256 = convert(currency, uint256)
    assert amount <= self._total_supply[id], "ledger: insufficient supply"
    self._total_supply[id] -= amount
    log Transfer(caller=msg.sender, sender=account, receiver=empty(address), id=id, amount=amount)


@external
def set_cap(account: address, currency: uint16, cap: uint256):
    """
    @notice Set how far a participant's position may go below zero. The currency's settlement bank only.
    @param account The participant
    @param currency ISO 4217 numeric code
    @param cap Minor units, below 2**127
    """
    self._require_bank(currency)
    assert cap <= MAX_AMOUNT, "ledger: amount"
    self._cap[account][currency] = cap
    log CapChanged(account=account, currency=currency, cap=cap)


@external
def apply(positions: DynArray[terms.Position, terms.MAX_POSITIONS]) -> bool:
    """
    @notice Move positions. Settlement only, which calls `check` at its end for those that it was told False of.
    @param positions Of one batch, summing to zero per currency
    @return True when no account that they debit stands below its net debit cap, which credits only can change
    """
    assert msg.sender == self._settlement, "ledger: only settlement"
    covered: bool = True
    for position: terms.Position in positions:
        self._net_position[position.account][position.currency] += convert(position.delta, int256)
        if position.delta < 0 and not self._is_covered(position.account, position.currency):
            covered = False
    return covered


@view
@external
def check(positions: DynArray[terms.Position, terms.MAX_POSITIONS]):
    """
    @notice Revert when an account that these positions debit stands below its net debit cap.
    @dev Who only receives is not asked: a cap lowered under a standing debt must not stop its repayment.
    @param positions Of one batch
    """
    for position: terms.Position in positions:
        if position.delta < 0:
            covered: bool = self._is_covered(position.account, position.currency)
            assert covered, "ledger: insufficient liquidity"


@external
def replace_settlement(old: address, new: address):
    """
    @notice Retire a Settlement and admit its successor in one step. Council only.
    @param old The Settlement in office: a proposal made for another one must not run
    @param new Its successor
    """
    self._require_council()
    assert old == self._settlement, "ledger: settlement"
    self._settlement = new
    log SettlementReplaced(old=old, new=new)


@external
def transfer(receiver: address, id: uint256, amount: uint256) -> bool:
    """
    @notice ERC-6909: transfer of the caller's balance, one side being the currency's settlement bank.
    @dev An amount of zero and a transfer to oneself are transfers like others: the ERC makes no exception.
    @param receiver An active participant
    @param id ISO 4217 numeric code
    @param amount Minor units, at most the balance
    @return True
    """
    self._transfer(msg.sender, receiver, id, amount)
    return True


@external
def transferFrom(sender: address, receiver: address, id: uint256, amount: uint256) -> bool:
    """
    @notice ERC-6909: transfer for an owner, one side being the currency's settlement bank.
    @param sender The owner, who made the caller its operator or allowed it the amount, or is the caller
    @param receiver An active participant
    @param id ISO 4217 numeric code
    @param amount Minor units, at most the owner's balance
    @return True
    """
    permissions.spend(sender, id, amount)
    self._transfer(sender, receiver, id, amount)
    return True


@view
@external
def balanceOf(owner: address, id: uint256) -> uint256:
    """
    @notice ERC-6909: what an owner may transfer.
    @param owner Any address
    @param id ISO 4217 numeric code
    @return The net position when positive, else 0, also for a currency that is not defined
    """
    if not tokens.is_defined(id):
        return 0
    return self._balance(owner, convert(id, uint16))


@view
@external
def totalSupply(id: uint256) -> uint256:
    """
    @notice ERC-6909 token supply: issued less redeemed.
    @dev Less than the sum of all balances while someone stands below zero.
    @param id ISO 4217 numeric code
    @return Minor units, the sum of all net positions
    """
    return self._total_supply[id]


@view
@external
def net_position(account: address, currency: uint16) -> int256:
    """
    @notice What a participant owns, or owes below zero.
    @param account Any address
    @param currency ISO 4217 numeric code
    @return Minor units
    """
    return self._net_position[account][currency]


@view
@external
def cap(account: address, currency: uint16) -> uint256:
    """
    @notice How far a participant's position may go below zero.
    @param account Any address
    @param currency ISO 4217 numeric code
    @return Minor units
    """
    return self._cap[account][currency]


@view
@external
def is_clear(account: address) -> bool:
    """
    @notice Whether a participant may leave as far as money goes.
    @param account Any address
    @return True when its net position and its cap are zero in every defined currency
    """
    for currency: uint16 in tokens.defined:
        if self._net_position[account][currency] != 0 or self._cap[account][currency] != 0:
            return False
    return True


@view
@external
def settlement() -> address:
    """
    @notice The contract that alone may move value between participants.
    @return The Settlement in office
    """
    return self._settlement


@pure
@external
def supportsInterface(interface_id: bytes4) -> bool:
    """
    @notice ERC-165: which interfaces this contract has.
    @param interface_id The exclusive or of an interface's selectors
    @return True for ERC-165, ERC-6909 and its metadata and token supply extensions
    """
    return interface_id in [ERC165, ERC6909, ERC6909_METADATA, ERC6909_TOKEN_SUPPLY]


@internal
def _transfer(sender: address, receiver: address, id: uint256, amount: uint256):
    assert tokens.is_defined(id), "ledger: unknown currency"
    currency: uint16 = convert(id, uint16)
    bank: address = staticcall PARTICIPANTS.settlement_bank_of(currency)
    assert sender == bank or receiver == bank, "ledger: only through settlement"
    self._require_active(receiver)
    self._take(sender, currency, amount)
    self._net_position[receiver][currency] += convert(amount, int256)
    log Transfer(caller=msg.sender, sender=sender, receiver=receiver, id=id, amount=amount)


@internal
def _take(account: address, currency: uint16, amount: uint256):
    assert self._balance(account, currency) >= amount, "ledger: insufficient balance"
    self._net_position[account][currency] -= convert(amount, int256)


@view
@internal
def _balance(account: address, currency: uint16) -> uint256:
    return convert(max(self._net_position[account][currency], 0), uint256)


@view
@internal
def _is_covered(account: address, currency: uint16) -> bool:
    # A balance needs no credit line, and so no look at it.
    net: int256 = self._net_position[account][currency]
    return net >= 0 or net >= -convert(self._cap[account][currency], int256)


@view
@internal
def _require_council():
    assert msg.sender == COUNCIL, "ledger: only the council"


@view
@internal
def _require_bank(currency: uint16):
    assert tokens.is_defined(convert(currency, uint256)), "ledger: unknown currency"
    bank: address = staticcall PARTICIPANTS.settlement_bank_of(currency)
    assert msg.sender == bank, "ledger: not the settlement bank"


@view
@internal
def _require_active(account: address):
    assert staticcall PARTICIPANTS.status(account) == ACTIVE, "ledger: not an active participant"
