# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Participants
@license Apache-2.0
@notice Who takes part: identity, roles, standing, keys, endpoint and the payment codes answered for.
@dev A key's whole state is one storage word, so that one storage proof tells an auditor whose it is, what for and
     until when. An address once used as a key is never free again, not even after it died.
"""

event Admitted:
    account: indexed(address)
    roles: uint256
    settlement_key: address
    compliance_key: address

event Suspended:
    account: indexed(address)

event Reinstated:
    account: indexed(address)

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

event MessageKeyChanged:
    account: indexed(address)
    message_key: bytes32

event EndpointChanged:
    account: indexed(address)
    endpoint: String[128]

event CodesChanged:
    account: indexed(address)
    codes: DynArray[String[64], 16]

event SettlementBankChanged:
    currency: indexed(uint16)
    account: indexed(address)

struct Participant:
    lei: String[20]
    bic: String[11]
    country: String[2]
    roles: uint256
    status: uint8
    message_key: bytes32
    endpoint: String[128]
    codes: DynArray[String[64], 16]

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

SETTLEMENT: constant(uint32) = 1
COMPLIANCE: constant(uint32) = 2
OPEN_ENDED: constant(uint64) = max_value(uint64)
# Bounds how long a replaced key may still sign, so that a stolen key cannot grant itself for ever.
MAX_OVERLAP: constant(uint256) = 7 * 86400

COUNCIL: immutable(address)

# account << 96 | purpose << 64 | valid_until; a key signs while the block time is below valid_until.
keys: public(HashMap[address, uint256])
current_key: public(HashMap[address, HashMap[uint32, address]])
message_key_holder: public(HashMap[bytes32, address])
settlement_bank_of: public(HashMap[uint16, address])
_participants: HashMap[address, Participant]
_accounts: DynArray[address, 256]


@deploy
def __init__(council: address):
    """
    @param council The council that admits and suspends
    """
    COUNCIL = council


@external
def admit(
    account: address,
    lei: String[20],
    bic: String[11],
    country: String[2],
    roles: uint256,
    message_key: bytes32,
    endpoint: String[128],
    codes: DynArray[String[64], 16],
    settlement_key: address,
    compliance_key: address,
):
    """
    @notice Admit a participant as active. Council only.
    @param account The participant's stable address
    @param roles Bit flags: 1 debtor agent, 2 creditor agent, 4 FX provider, 8 settlement bank, 16 auditor
    @param message_key Raw Ed25519 public key (RFC 8032) of its HTTP signatures
    @param codes "SCHEME:PREFIX" of the payment codes it answers for
    @param compliance_key May be empty only for a participant that stands in no batch
    """
    self._require_council()
    assert account != empty(address), "participants: account"
    assert self._participants[account].status == NONE_, "participants: already admitted"
    assert roles != 0 and roles <= ALL_ROLES, "participants: roles"
    assert len(lei) == 20, "participants: lei"
    self._participants[account] = Participant(
        lei=lei,
        bic=bic,
        country=country,
        roles=roles,
        status=ACTIVE,
        message_key=empty(bytes32),
        endpoint=endpoint,
        codes=codes,
    )
    self._accounts.append(account)
    self._assign_key(account, SETTLEMENT, settlement_key)
    if roles & MEMBER_ROLES != 0 or compliance_key != empty(address):
        self._assign_key(account, COMPLIANCE, compliance_key)
    if roles & MEMBER_ROLES != 0 or message_key != empty(bytes32):
        self._assign_message_key(account, message_key)
    log Admitted(
        account=account, roles=roles, settlement_key=settlement_key, compliance_key=compliance_key
    )


@external
def suspend(account: address):
    """
    @notice Bar a participant from new batches. Council only.
    """
    self._require_council()
    assert self._participants[account].status == ACTIVE, "participants: not active"
    self._participants[account].status = SUSPENDED
    log Suspended(account=account)


@external
def reinstate(account: address):
    """
    @notice Let a suspended participant take part again. Council only.
    """
    self._require_council()
    assert self._participants[account].status == SUSPENDED, "participants: not suspended"
    self._participants[account].status = ACTIVE
    log Reinstated(account=account)


@external
def rotate_key(account: address, purpose: uint32, new_key: address, overlap_until: uint64):
    """
    @notice Replace a participant's settlement (1) or compliance (2) key, by that key itself or the council.
    @param overlap_until Block time until which the old key still signs (at most 7 days ahead; past = dead at once)
    """
    self._require_admitted(account)
    old_key: address = self.current_key[account][purpose]
    if msg.sender != COUNCIL:
        assert msg.sender == old_key and self._alive(old_key), "participants: not the current key"
    assert convert(overlap_until, uint256) <= block.timestamp + MAX_OVERLAP, "participants: overlap too long"
    if old_key != empty(address):
        # A revoked key must not come back to life by being rotated away.
        self._end_key(old_key, min(overlap_until, self._valid_until(self.keys[old_key])))
    self._assign_key(account, purpose, new_key)
    log KeyRotated(
        account=account, purpose=purpose, old_key=old_key, new_key=new_key, overlap_until=overlap_until
    )


@external
def revoke_key(key: address):
    """
    @notice Kill a key at once, by that key itself or the council.
    """
    assert msg.sender == key or msg.sender == COUNCIL, "participants: not the key"
    assert self._alive(key), "participants: dead key"
    self._end_key(key, convert(block.timestamp, uint64))
    word: uint256 = self.keys[key]
    log KeyRevoked(account=self._account_of(word), purpose=self._purpose_of(word), key=key)


@external
def set_message_key(account: address, message_key: bytes32):
    """
    @notice Replace the Ed25519 key of a participant's messages, by its settlement key or the council.
    """
    self._require_own_or_council(account)
    self._assign_message_key(account, message_key)
    log MessageKeyChanged(account=account, message_key=message_key)


@external
def set_endpoint(account: address, endpoint: String[128]):
    """
    @notice Move a participant's HTTP endpoint, by its settlement key or the council.
    """
    self._require_own_or_council(account)
    self._participants[account].endpoint = endpoint
    log EndpointChanged(account=account, endpoint=endpoint)


@external
def set_codes(account: address, codes: DynArray[String[64], 16]):
    """
    @notice Change the payment codes a participant answers for. Council only.
    """
    self._require_council()
    self._require_admitted(account)
    self._participants[account].codes = codes
    log CodesChanged(account=account, codes=codes)


@external
def set_settlement_bank(currency: uint16, account: address):
    """
    @notice Name the bank that issues and redeems a currency (ISO 4217 numeric code). Council only.
    """
    self._require_council()
    assert self._participants[account].roles & SETTLEMENT_BANK != 0, "participants: not a settlement bank"
    self.settlement_bank_of[currency] = account
    log SettlementBankChanged(currency=currency, account=account)


@view
@external
def participant(account: address) -> Participant:
    """
    @return The participant's record; status 0 when never admitted
    """
    return self._participants[account]


@view
@external
def status(account: address) -> uint8:
    """
    @return 0 none, 1 active, 2 suspended, 3 left
    """
    return self._participants[account].status


@view
@external
def accounts() -> DynArray[address, 256]:
    """
    @return All accounts ever admitted, in order of admission
    """
    return self._accounts


@view
@external
def key_holder(key: address, purpose: uint32) -> address:
    """
    @return The account whose living key this is for the purpose, else the zero address
    """
    word: uint256 = self.keys[key]
    if self._purpose_of(word) != purpose or not self._alive(key):
        return empty(address)
    return self._account_of(word)


@view
@external
def check_members(
    members: DynArray[address, 16],
    settlement_keys: DynArray[address, 16],
    compliance_keys: DynArray[address, 16],
):
    """
    @notice Revert with the first reason why these members, with these signers, may not settle.
    @param settlement_keys settlement_keys[i] signed for members[i]
    @param compliance_keys compliance_keys[i] attested for members[i]
    """
    for i: uint256 in range(len(members), bound=16):
        member: address = members[i]
        status: uint8 = self._participants[member].status
        assert status == ACTIVE or status == SUSPENDED, "participants: not a member"
        assert self._participants[member].roles & MEMBER_ROLES != 0, "participants: not a member"
        assert status == ACTIVE, "participants: suspended"
        assert self._signs_for(settlement_keys[i], member, SETTLEMENT), "participants: settlement key"
        assert self._signs_for(compliance_keys[i], member, COMPLIANCE), "participants: compliance key"


@internal
def _assign_key(account: address, purpose: uint32, key: address):
    assert purpose == SETTLEMENT or purpose == COMPLIANCE, "participants: purpose"
    assert key != empty(address), "participants: empty key"
    assert self.keys[key] == 0, "participants: key in use"
    self.keys[key] = self._pack(account, purpose, OPEN_ENDED)
    self.current_key[account][purpose] = key


@internal
def _end_key(key: address, valid_until: uint64):
    word: uint256 = self.keys[key]
    self.keys[key] = self._pack(self._account_of(word), self._purpose_of(word), valid_until)


@internal
def _assign_message_key(account: address, message_key: bytes32):
    assert message_key != empty(bytes32), "participants: empty key"
    assert self.message_key_holder[message_key] == empty(address), "participants: key in use"
    self.message_key_holder[message_key] = account
    self._participants[account].message_key = message_key


@view
@internal
def _signs_for(key: address, account: address, purpose: uint32) -> bool:
    word: uint256 = self.keys[key]
    return (
        self._account_of(word) == account
        and self._purpose_of(word) == purpose
        and convert(self._valid_until(word), uint256) > block.timestamp
    )


@view
@internal
def _alive(key: address) -> bool:
    return convert(self._valid_until(self.keys[key]), uint256) > block.timestamp


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


@view
@internal
def _require_council():
    assert msg.sender == COUNCIL, "participants: only the council"


@view
@internal
def _require_admitted(account: address):
    assert self._participants[account].status != NONE_, "participants: unknown account"


@view
@internal
def _require_own_or_council(account: address):
    self._require_admitted(account)
    if msg.sender != COUNCIL:
        assert self._signs_for(msg.sender, account, SETTLEMENT), "participants: not the settlement key"
