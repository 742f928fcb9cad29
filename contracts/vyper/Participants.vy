# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Participants
@license Apache-2.0
@notice Who takes part: identity, roles, standing, keys, endpoint and the payment codes answered for.
@dev Who leaves, leaves for ever: its account and its keys are never free again. What is said of keys is in
     keyring.vy, of roles and status in standing.vy.
"""

import keyring
import standing

initializes: keyring
initializes: standing
exports: (
    keyring.keys,
    keyring.message_keys,
    keyring.current_key,
    keyring.keys_of,
    keyring.key_holder,
    keyring.message_key_holder,
    standing.status,
)

interface Ledger:
    def is_clear(account: address) -> bool: view

event Admitted:
    account: indexed(address)
    roles: uint256
    settlement_key: address
    compliance_key: address

event Suspended:
    account: indexed(address)

event Reinstated:
    account: indexed(address)

event Left:
    account: indexed(address)

event RolesChanged:
    account: indexed(address)
    roles: uint256

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

struct Identity:
    lei: String[20]
    bic: String[11]
    country: String[2]
    endpoint: String[128]
    codes: DynArray[String[64], 16]

COUNCIL: immutable(address)
LEDGER: immutable(Ledger)

_identities: HashMap[address, Identity]
_accounts: DynArray[address, 256]
_settlement_bank_of: HashMap[uint16, address]
# Of how many currencies an account is the settlement bank.
_offices: HashMap[address, uint256]


@deploy
def __init__(council: address, ledger: address):
    """
    @param council The council that admits and suspends
    @param ledger The Ledger that says whether a leaving participant owes or owns (deployed after this contract)
    """
    COUNCIL = council
    LEDGER = Ledger(ledger)


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
    @param account The participant's stable address, which is no key of anyone's
    @param lei Legal entity identifier (ISO 17442), 20 characters
    @param bic Business identifier code (ISO 9362)
    @param country ISO 3166-1 alpha-2
    @param roles Bit flags: 1 debtor agent, 2 creditor agent, 4 FX provider, 8 settlement bank, 16 auditor
    @param message_key Raw Ed25519 public key (RFC 8032) of its HTTP signatures; empty only for no member of batches
    @param endpoint Where its service answers
    @param codes "SCHEME:PREFIX" of the payment codes it answers for
    @param settlement_key The key that signs batches
    @param compliance_key The key that attests; empty only for a participant that stands in no batch
    """
    self._require_council()
    assert account != empty(address), "participants: account"
    assert standing.status_of(account) == standing.NONE_, "participants: already admitted"
    standing.set_roles(account, roles)
    standing.set_status(account, standing.ACTIVE)
    assert len(lei) == 20, "participants: lei"
    self._identities[account] = Identity(lei=lei, bic=bic, country=country, endpoint=endpoint, codes=codes)
    self._accounts.append(account)
    keyring.reserve(account)
    keyring.assign(account, keyring.SETTLEMENT, keyring.word_of(settlement_key))
    if roles & standing.MEMBER_ROLES != 0 or compliance_key != empty(address):
        keyring.assign(account, keyring.COMPLIANCE, keyring.word_of(compliance_key))
    if roles & standing.MEMBER_ROLES != 0 or message_key != empty(bytes32):
        keyring.assign(account, keyring.MESSAGE, message_key)
    log Admitted(
        account=account, roles=roles, settlement_key=settlement_key, compliance_key=compliance_key
    )


@external
def suspend(account: address):
    """
    @notice Bar a participant from new batches. Council only.
    @param account An active participant
    """
    self._require_council()
    assert standing.status_of(account) == standing.ACTIVE, "participants: not active"
    standing.set_status(account, standing.SUSPENDED)
    log Suspended(account=account)


@external
def reinstate(account: address):
    """
    @notice Let a suspended participant take part again. Council only.
    @param account A suspended participant
    """
    self._require_council()
    assert standing.status_of(account) == standing.SUSPENDED, "participants: not suspended"
    standing.set_status(account, standing.ACTIVE)
    log Reinstated(account=account)


@external
def leave(account: address):
    """
    @notice End a participation for ever, by the account's settlement key or the council. All its keys die at once.
    @param account An active or suspended participant that owns nothing, owes nothing, has no net debit cap and is no
        currency's settlement bank
    """
    self._require_own_or_council(account)
    assert self._offices[account] == 0, "participants: settlement bank in office"
    assert staticcall LEDGER.is_clear(account), "participants: balance or cap"
    standing.set_status(account, standing.LEFT)
    self._identities[account].endpoint = ""
    self._identities[account].codes = []
    keyring.end_all(account)
    log Left(account=account)


@external
def set_roles(account: address, roles: uint256):
    """
    @notice Change what a participant may do. Council only.
    @param account An active or suspended participant; to become a member of batches it needs a compliance key and a
        message key, which `rotate_key` and `rotate_message_key` give
    @param roles Bit flags as in `admit`
    """
    self._require_council()
    standing.require_here(account)
    is_bank: bool = roles & standing.SETTLEMENT_BANK != 0
    assert is_bank or self._offices[account] == 0, "participants: settlement bank in office"
    if roles & standing.MEMBER_ROLES != 0:
        assert keyring.current(account, keyring.COMPLIANCE) != empty(bytes32), "participants: empty key"
        assert keyring.current(account, keyring.MESSAGE) != empty(bytes32), "participants: empty key"
    standing.set_roles(account, roles)
    log RolesChanged(account=account, roles=roles)


@external
def rotate_key(account: address, purpose: uint32, new_key: address, overlap_until: uint64):
    """
    @notice Replace a participant's settlement or compliance key, by that key itself or the council.
    @dev A key that the replaced one had replaced, and whose overlap still runs, dies at once.
    @param account An active or suspended participant
    @param purpose 1 settlement, 2 compliance
    @param new_key An address that never served as a key or an account
    @param overlap_until Block time until which the old key still signs (at most 7 days ahead; past = dead at once)
    """
    standing.require_here(account)
    assert purpose == keyring.SETTLEMENT or purpose == keyring.COMPLIANCE, "participants: purpose"
    if msg.sender != COUNCIL:
        assert keyring.is_current(msg.sender, account, purpose), "participants: not the current key"
    keyring.rotate(account, purpose, keyring.word_of(new_key), overlap_until)


@external
def revoke_key(key: address):
    """
    @notice Kill a settlement or compliance key at once, by that key itself or the council.
    @param key A living key
    """
    assert msg.sender == key or msg.sender == COUNCIL, "participants: not the key"
    keyring.revoke(keyring.word_of(key))


@external
def rotate_message_key(account: address, new_key: bytes32, overlap_until: uint64):
    """
    @notice Replace the Ed25519 key of a participant's messages, by its settlement key or the council.
    @dev The EVM cannot check Ed25519, so the settlement key speaks for the message key.
    @param account An active or suspended participant
    @param new_key Raw Ed25519 public key (RFC 8032) that never served anyone
    @param overlap_until Block time until which the old key still signs (at most 7 days ahead; past = dead at once)
    """
    self._require_own_or_council(account)
    keyring.rotate(account, keyring.MESSAGE, new_key, overlap_until)


@external
def revoke_message_key(key: bytes32):
    """
    @notice Kill a message key at once, by its participant's settlement key or the council.
    @param key A living message key
    """
    account: address = keyring.holder(key, keyring.MESSAGE)
    assert account != empty(address), "participants: dead key"
    self._require_own_or_council(account)
    keyring.revoke(key)


@external
def set_endpoint(account: address, endpoint: String[128]):
    """
    @notice Move a participant's HTTP endpoint, by its settlement key or the council.
    @param account An active or suspended participant
    @param endpoint Where its service answers
    """
    self._require_own_or_council(account)
    self._identities[account].endpoint = endpoint
    log EndpointChanged(account=account, endpoint=endpoint)


@external
def set_codes(account: address, codes: DynArray[String[64], 16]):
    """
    @notice Change the payment codes a participant answers for. Council only.
    @param account An active or suspended participant
    @param codes "SCHEME:PREFIX" each
    """
    self._require_council()
    standing.require_here(account)
    self._identities[account].codes = codes
    log CodesChanged(account=account, codes=codes)


@external
def set_settlement_bank(currency: uint16, account: address):
    """
    @notice Name the bank that issues and redeems a currency. Council only.
    @param currency ISO 4217 numeric code
    @param account A participant with the role, which has not left
    """
    self._require_council()
    assert standing.roles_of(account) & standing.SETTLEMENT_BANK != 0, "participants: not a settlement bank"
    standing.require_here(account)
    former: address = self._settlement_bank_of[currency]
    if former != empty(address):
        self._offices[former] -= 1
    self._offices[account] += 1
    self._settlement_bank_of[currency] = account
    log SettlementBankChanged(currency=currency, account=account)


@view
@external
def participant(account: address) -> Participant:
    """
    @notice What the register says of an account.
    @param account Any address
    @return The participant's record; status 0 when never admitted. The message key is the newest, which may be dead
    """
    identity: Identity = self._identities[account]
    return Participant(
        lei=identity.lei,
        bic=identity.bic,
        country=identity.country,
        roles=standing.roles_of(account),
        status=standing.status_of(account),
        message_key=keyring.current(account, keyring.MESSAGE),
        endpoint=identity.endpoint,
        codes=identity.codes,
    )


@view
@external
def accounts() -> DynArray[address, 256]:
    """
    @notice Everyone who ever took part.
    @return All accounts ever admitted, in order of admission
    """
    return self._accounts


@view
@external
def settlement_bank_of(currency: uint16) -> address:
    """
    @notice Who issues and redeems a currency.
    @param currency ISO 4217 numeric code
    @return The settlement bank in office, zero when none was ever named
    """
    return self._settlement_bank_of[currency]


@view
@external
def check_members(
    members: DynArray[address, 16],
    settlement_keys: DynArray[address, 16],
    compliance_keys: DynArray[address, 16],
):
    """
    @notice Revert with the first reason why these members, with these signers, may not settle.
    @param members Accounts
    @param settlement_keys settlement_keys[i] signed for members[i]
    @param compliance_keys compliance_keys[i] attested for members[i]
    """
    for i: uint256 in range(len(members), bound=16):
        member: address = members[i]
        standing.require_member(member)
        assert keyring.signs_for(settlement_keys[i], member, keyring.SETTLEMENT), "participants: settlement key"
        assert keyring.signs_for(compliance_keys[i], member, keyring.COMPLIANCE), "participants: compliance key"


@view
@internal
def _require_council():
    assert msg.sender == COUNCIL, "participants: only the council"


@view
@internal
def _require_own_or_council(account: address):
    standing.require_here(account)
    if msg.sender != COUNCIL:
        own: bool = keyring.is_current(msg.sender, account, keyring.SETTLEMENT)
        assert own, "participants: not the settlement key"
