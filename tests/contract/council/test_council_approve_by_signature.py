"""Council.approve_by_signature: gathered off chain, brought by anyone, worth what a governor's own approval is."""

from __future__ import annotations

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from contracts.chain.council import Council, calls_hash
from contracts.terms.attestation import Approval
from contracts.terms.commitments import approval_hash, domain_separator, keccak, typed_digest
from contracts.terms.errors import ContractRefusal
from tests.contract.council.conftest import found_on

DELAY, CHAIN_ID = 100, 7_780
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def approvals(chamber, number: int) -> int:
    return chamber.council.proposal(number).approvals


def test_anyone_brings_all_at_once(stage, chamber):
    number = chamber.propose()
    chamber.bring(number, chamber.signature("governor_2", number), chamber.signature("governor_3", number))
    proposal = chamber.council.proposal(number)
    assert (proposal.approvals, proposal.executable_at) == (3, stage.now() + DELAY)
    stage.pass_time(DELAY)
    chamber.execute(number)


def test_a_wallet_signs_the_same(stage, chamber):
    """eth-account's own encoder of typed data, as hardware wallets have it."""
    number = chamber.propose()
    message = {
        "types": {
            "EIP712Domain": [
                {"name": "name", "type": "string"},
                {"name": "version", "type": "string"},
                {"name": "chainId", "type": "uint256"},
                {"name": "verifyingContract", "type": "address"},
            ],
            "Approval": [
                {"name": "proposal", "type": "uint256"},
                {"name": "callsHash", "type": "bytes32"},
                {"name": "epoch", "type": "uint256"},
            ],
        },
        "primaryType": "Approval",
        "domain": {
            "name": "Feiqian",
            "version": "1",
            "chainId": CHAIN_ID,
            "verifyingContract": chamber.council.address,
        },
        "message": {
            "proposal": number,
            "callsHash": chamber.council.proposal(number).calls_hash,
            "epoch": chamber.council.epoch(),
        },
    }
    key = keccak(b"test key of governor_2")
    chamber.bring(number, bytes(Account.sign_message(encode_typed_data(full_message=message), key).signature))
    assert chamber.council.has_approved(number, stage.account("governor_2"))


def test_the_domain_is_the_councils_own(stage, chamber):
    [separator] = stage.client.read("Council", chamber.council.address, "domain_separator")
    assert separator == domain_separator(CHAIN_ID, chamber.council.address)
    assert separator != domain_separator(CHAIN_ID, stage.council.address)


def test_a_full_house_signs_in_one_call(found):
    names = [f"extra_{number}" for number in range(13)] + ["governor_1", "governor_2", "governor_3"]
    chamber = found(names, quorum=16)
    number = chamber.propose()
    signatures = [chamber.signature(name, number) for name in names]
    chamber.bring(number, *signatures)
    assert approvals(chamber, number) == 16
    with pytest.raises(ContractRefusal):  # 17 are more than the decoder takes
        chamber.bring(number, *signatures, signatures[0])


def test_a_governor_counts_once_in_a_list(chamber, refused):
    """A council of M-1: one governor's signature twice is one approval, here of the two more that are needed."""
    number = chamber.propose(by="governor_3")
    mine = chamber.signature("governor_3", number)
    with refused("council: already approved"):
        chamber.bring(number, mine, mine)
    other = chamber.signature("governor_2", number)
    chamber.bring(number, other, other, mine, other)
    assert approvals(chamber, number) == 2


def test_a_second_signature_of_the_same_governor_counts_nothing(chamber, refused):
    """Whoever chooses ECDSA's nonce makes any number of valid signatures of the same words."""
    number = chamber.propose()
    digest = chamber.council.approval_digest(chamber.approval(number))
    first, second = signature_with_nonce(chamber, digest, 7), signature_with_nonce(chamber, digest, 8)
    assert first != second
    chamber.bring(number, first, second)
    assert approvals(chamber, number) == 2
    with refused("council: already approved"):
        chamber.bring(number, second)


def signature_with_nonce(chamber, digest: bytes, nonce: int) -> bytes:
    """ECDSA by hand (SEC 1, 4.1.3), so that the nonce is ours to choose."""
    from coincurve import PrivateKey

    key = int.from_bytes(keccak(b"test key of governor_2"), "big")
    point = PrivateKey.from_int(nonce).public_key.point()
    r, odd = point[0] % ORDER, point[1] & 1
    s = pow(nonce, -1, ORDER) * (int.from_bytes(digest, "big") + r * key) % ORDER
    if s > ORDER // 2:
        s, odd = ORDER - s, 1 - odd
    return r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([27 + odd])


def test_who_approved_by_transaction_is_passed_over(chamber, refused):
    number = chamber.propose()
    chamber.approve(number, "governor_2")
    with refused("council: already approved"):
        chamber.bring(number, chamber.signature("governor_1", number), chamber.signature("governor_2", number))
    chamber.bring(number, chamber.signature("governor_2", number), chamber.signature("governor_3", number))
    assert approvals(chamber, number) == 3


def test_who_brings_one_signature_first_spoils_nothing(chamber):
    """Front-run: somebody saw the list on its way and brought a part of it before."""
    number = chamber.propose()
    second, third = chamber.signature("governor_2", number), chamber.signature("governor_3", number)
    chamber.bring(number, second)
    chamber.bring(number, second, third)
    assert approvals(chamber, number) == 3


def test_nobody_new_is_refused(chamber, refused):
    number = chamber.propose()
    with refused("council: already approved"):
        chamber.bring(number)
    signature = chamber.signature("governor_2", number)
    chamber.bring(number, signature)
    with refused("council: already approved"):
        chamber.bring(number, signature)
    assert approvals(chamber, number) == 2


@pytest.mark.parametrize("name", ["stranger", "guardian", "deployer"])
def test_only_governors_signatures_count(chamber, refused, name):
    number = chamber.propose()
    with refused("council: not a governor"):
        chamber.bring(number, chamber.signature("governor_2", number), chamber.signature(name, number))
    assert approvals(chamber, number) == 1


@pytest.mark.parametrize("change", ["proposal", "calls", "epoch"])
def test_an_approval_of_anything_else_is_nobodys(chamber, refused, change):
    """A signature under other words recovers to some other key."""
    other = chamber.propose(chamber.own(Council.set_guardian_call(chamber.stage.account("stranger"))))
    number = chamber.propose()
    wrong = {
        "proposal": {"proposal": other},
        "calls": {"calls_hash": calls_hash(chamber.council.proposed_calls(other))},
        "epoch": {"epoch": chamber.council.epoch() + 1},
    }[change]
    with refused("council: not a governor"):
        chamber.bring(number, chamber.signature("governor_2", number, **wrong))


def test_an_approval_of_one_proposal_counts_for_no_twin(chamber, refused):
    """The same calls proposed again are another matter."""
    first, second = chamber.propose(), chamber.propose()
    signature = chamber.signature("governor_2", first)
    with refused("council: not a governor"):
        chamber.bring(second, signature)
    chamber.bring(first, signature)


def test_an_approval_for_another_council_is_nobodys(found, refused):
    here, there = found(), found()
    assert here.propose() == there.propose()
    signature = here.signature("governor_2", 0)
    with refused("council: not a governor"):
        there.bring(0, signature)
    here.bring(0, signature)


def test_an_approval_for_another_chain_is_nobodys(chamber, refused):
    number = chamber.propose()
    foreign = typed_digest(
        domain_separator(CHAIN_ID + 1, chamber.council.address), approval_hash(chamber.approval(number))
    )
    with refused("council: not a governor"):
        chamber.bring(number, chamber.signer("governor_2").sign(foreign))


def test_networks_with_equal_addresses_are_not_confused(stage, other_chain, refused):
    """The same deployer founds a second network: its council has the same address, number and calls."""
    here, there = found_on(stage, deployer="extra_0"), found_on(other_chain, deployer="extra_0")
    assert here.council.address == there.council.address
    assert here.propose() == there.propose()
    signature = here.signature("governor_2", 0)
    with refused("council: not a governor"):
        there.bring(0, signature)
    here.bring(0, signature)
    there.bring(0, there.signature("governor_2", 0))


def test_a_bare_hash_is_no_approval(chamber, refused):
    number = chamber.propose()
    for digest in (chamber.approval(number).calls_hash, approval_hash(chamber.approval(number))):
        with refused("council: not a governor"):
            chamber.bring(number, chamber.signer("governor_2").sign(digest))


def test_an_approval_outlives_no_change_of_governors(chamber, refused):
    """The very same governors again: what was signed under their earlier epoch counts neither there nor later."""
    number = chamber.propose()
    old = chamber.signature("governor_2", number)
    chamber.lapse()
    with refused("council: lapsed proposal"):
        chamber.bring(number, old)
    again = chamber.propose()
    calls = calls_hash(chamber.council.proposed_calls(again))
    early = chamber.council.sign_approval(
        chamber.signer("governor_2"), Approval(again, calls, chamber.council.epoch() - 1)
    )
    with refused("council: not a governor"):
        chamber.bring(again, early)
    chamber.bring(again, chamber.signature("governor_2", again))


def test_a_number_that_the_chain_gave_away_again_is_not_approved(stage, chamber, refused):
    before = stage.client.request("evm_snapshot")
    number = chamber.propose()
    signature = chamber.signature("governor_2", number)
    assert stage.client.request("evm_revert", before)
    theft = chamber.own(Council.set_governors_call(chamber.accounts("governor_3"), 1))
    assert chamber.propose(theft, by="governor_3") == number
    with refused("council: not a governor"):
        chamber.bring(number, signature)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda r, s, v: (r, s, 0),
        lambda r, s, v: (r, s, v - 27),
        lambda r, s, v: (r, s, 29),
        lambda r, s, v: (r, s, 255),
        lambda r, s, v: (r, ORDER - s, 55 - v),
        lambda r, s, v: (r, 2**256 - 1, v),
        lambda r, s, v: (0, s, v),
        lambda r, s, v: (r, 0, v),
        lambda r, s, v: (ORDER, s, v),
        lambda r, s, v: (0, 0, 27),
    ],
    ids=["v 0", "v 0 or 1", "v 29", "v 255", "high s", "huge s", "r 0", "s 0", "r the order", "nothing"],
)
def test_a_malformed_signature_is_refused(chamber, refused, spoil):
    number = chamber.propose()
    good = chamber.signature("governor_2", number)
    r, s, v = spoil(int.from_bytes(good[:32], "big"), int.from_bytes(good[32:64], "big"), good[64])
    with refused("council: signature"):
        chamber.bring(number, r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([v]))
    chamber.bring(number, good)


def test_one_malformed_signature_spoils_its_list_only(chamber, refused):
    number = chamber.propose()
    good = chamber.signature("governor_2", number)
    with refused("council: signature"):
        chamber.bring(number, good, bytes(65))
    assert approvals(chamber, number) == 1
    chamber.bring(number, good)


def test_the_zero_address_is_nobody(chamber, refused):
    """ecrecover's answer to nonsense must not meet an empty seat."""
    number = chamber.propose()
    with refused("council: signature"):
        chamber.bring(number, b"\0" * 64 + bytes([27]))


def test_after_a_withdrawal_the_old_signature_is_dead(chamber, refused):
    number = chamber.propose()
    signature = chamber.signature("governor_2", number)
    chamber.bring(number, signature)
    chamber.council.withdraw(chamber.by("governor_2"), number)
    with refused("council: already approved"):
        chamber.bring(number, signature)
    chamber.bring(number, signature, chamber.signature("governor_3", number))
    assert approvals(chamber, number) == 2
    assert not chamber.council.has_approved(number, chamber.stage.account("governor_2"))


def test_a_signature_not_yet_brought_is_dead_too(chamber, refused):
    """Approved by transaction, withdrawn; a signature from before lies somewhere."""
    number = chamber.propose()
    signature = chamber.signature("governor_2", number)
    chamber.approve(number, "governor_2")
    chamber.council.withdraw(chamber.by("governor_2"), number)
    with refused("council: already approved"):
        chamber.bring(number, signature)
    chamber.approve(number, "governor_2")
    chamber.council.withdraw(chamber.by("governor_2"), number)
    with refused("council: already approved"):
        chamber.bring(number, signature)


def test_one_signature_short_of_the_quorum_runs_nothing(stage, found, refused):
    """A council of M-1: three of four needed, two at hand, in every form."""
    chamber = found(["governor_1", "governor_2", "governor_3", "extra_0"], quorum=3)
    number = chamber.propose()
    chamber.bring(number, chamber.signature("governor_2", number))
    for signatures in (["governor_1"], ["governor_2", "governor_2"], ["governor_1", "governor_2"]):
        with refused("council: already approved"):
            chamber.bring(number, *(chamber.signature(name, number) for name in signatures))
    stage.pass_time(10 * DELAY)
    with refused("council: quorum not reached"):
        chamber.execute(number)


def test_an_unknown_proposal_is_refused(chamber, refused):
    number = chamber.propose()
    with refused("council: unknown proposal"):
        chamber.bring(number + 1, chamber.signature("governor_2", number, proposal=number + 1))


def test_a_signature_made_ahead_waits_for_its_proposal(chamber, refused):
    """A number and its calls may be signed before they are proposed; they bind all the same."""
    ahead = Approval(0, calls_hash([chamber.unpause]), chamber.council.epoch())
    signature = chamber.council.sign_approval(chamber.signer("governor_2"), ahead)
    with refused("council: unknown proposal"):
        chamber.bring(0, signature)
    chamber.bring(chamber.propose(), signature)


def test_a_cancelled_proposal_is_refused(chamber, refused):
    number = chamber.propose()
    signature = chamber.signature("governor_2", number)
    chamber.council.cancel(chamber.by("governor_1"), number)
    with refused("council: closed proposal"):
        chamber.bring(number, signature)


def test_an_executed_proposal_is_refused(chamber, refused):
    number = chamber.run(chamber.unpause)
    with refused("council: closed proposal"):
        chamber.bring(number, chamber.signature("governor_3", number))
