"""What one institution may ask of another's node; each wrong question is refused alone, and leaves no trace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from bridge.client import BridgeClient, Cosignature, CosignRequest, FirmQuote, QuoteRequest, Refusal
from contracts.terms.batch import Batch, members_of, net_positions
from contracts.terms.commitments import batch_hash, payment_leaf, quotes_hash, typed_digest
from contracts.terms.commitments import domain_separator as separator
from contracts.terms.cosigning import IncludedPayment
from contracts.terms.identifiers import new_uetr
from contracts.terms.merkle import MerkleTree
from contracts.terms.parties import Party
from contracts.terms.payment import Leg, PaymentTerms
from contracts.terms.quote import Quote
from contracts.terms.signing import recover
from devnet.network.found import keystore_address
from nodes.payments.record import UNKNOWN
from nodes.peers.client import Charge, NodeClient, Payee, Proposal
from serving.client import Peer, PeerRefusal

CNY, THB, SGD = 156, 764, 702
HASH = b"\x07" * 32
LIFETIME = 3_000
"""Seconds of chain time that proposals live here: longer than all tests of this folder on a busy machine."""
DEBTOR = Party("Zhang Wei", "person", "CN", "1988-04-12", "CN", "zhang-wei")


@dataclass(frozen=True)
class Door:
    """The Thai node, as another institution reaches it."""

    stage: Any

    def ask(self, slug: str = "jinshan") -> NodeClient:
        return NodeClient(self.stage.calls(slug), self.stage.peer("TH"))

    def cosign(self, requests: Sequence[CosignRequest], slug: str = "jinshan") -> list[Any]:
        return BridgeClient(self.stage.calls(slug), self.stage.peer("TH")).cosign(requests)

    def account(self, slug: str) -> str:
        return str(self.stage.folder.plan.accounts[slug])

    def now(self) -> int:
        return int(self.stage.chain.final_header().timestamp)

    def quoted(self, slug: str, source: int, amount: int = 1_000) -> Quote:
        bridge = self.stage.apis.bridge
        calls = BridgeClient(self.stage.calls(slug), Peer(bridge.account, bridge.url))
        [firm] = calls.quote([QuoteRequest("1", source, THB, target_amount=amount)])
        assert isinstance(firm, FirmQuote)
        return firm.quote

    def records(self) -> list[Any]:
        """How much is recorded of what others ask; what time alone does to it is left out."""
        events = "payment_events WHERE event NOT IN ('drop', 'expire')"
        tables = ("payments", events, "agreements", "signed_batches", "postings")
        counts = ", ".join(f"(SELECT count(*) FROM {table})" for table in tables)
        return list(self.stage.rows("chaophraya-node", f"SELECT {counts}")[0])


def proposal(door: Door, quote: Quote, **terms: Any) -> Proposal:
    """A payment to the first Thai merchant by this quote, as its buyer must propose it."""
    stage, creditor = door.stage, door.account("chaophraya")
    shop = stage.shop("TH").id
    [(payee_key,)] = stage.rows("chaophraya-node", f"SELECT lookup_key FROM merchants WHERE id = '{shop}'")
    legs = (
        Leg(quote.buyer, quote.provider, quote.source_currency, quote.source_amount),
        Leg(quote.provider, creditor, quote.target_currency, quote.target_amount),
    )
    made = PaymentTerms(
        uetr=new_uetr(),
        debtor_agent=quote.buyer,
        creditor_agent=creditor,
        legs=legs,
        quotes_hash=quotes_hash([quote]),
        debtor_commitment=HASH,
        creditor_commitment=UNKNOWN,
        debtor_decision=HASH,
        creditor_decision=UNKNOWN,
        deadline=door.now() + LIFETIME,
    )
    return Proposal(replace(made, **terms), quote, payee_key, "T1", DEBTOR)


@pytest.fixture(scope="module")
def door(stage: Any) -> Door:
    return Door(stage)


@pytest.fixture
def good(door: Door) -> Proposal:
    return proposal(door, door.quoted("jinshan", CNY))


@pytest.fixture
def agreed(door: Door, good: Proposal) -> PaymentTerms:
    """The terms of the good proposal with the creditor side's part."""
    answer = door.ask().agree([good])
    [part] = answer.agreed
    return replace(good.terms, creditor_commitment=part.creditor_commitment, creditor_decision=part.creditor_decision)


def wrong_proposals(door: Door, good: Proposal) -> list[tuple[Proposal, str]]:
    """Each with the ISO reason of its refusal."""
    quote, terms = good.quote, good.terms
    first, second = terms.legs
    stranger, now = door.account("merlion"), door.now()
    foreign = replace(quote, buyer=stranger)

    def requoted(**change: Any) -> Proposal:
        return proposal(door, replace(quote, **change))

    def other(**change: Any) -> Proposal:
        return replace(good, terms=replace(terms, **change))

    cases = [
        (replace(good, quote=replace(quote, target_amount=quote.target_amount + 1)), "AM09"),
        (replace(good, quote=replace(quote, nonce=HASH)), "AM09"),
        (other(quotes_hash=HASH), "AM09"),
        (other(legs=()), "AM09"),
        (other(legs=(second, first)), "AM09"),
        (other(legs=(first, second, second)), "AM09"),
        (other(legs=(first, replace(second, amount=second.amount + 1))), "AM09"),
        (other(legs=(first, replace(second, target=stranger))), "AM09"),
        (other(debtor_agent=stranger), "AM09"),
        (other(creditor_agent=stranger), "AM09"),
        (other(creditor_commitment=HASH), "AM09"),
        (other(creditor_decision=HASH), "AM09"),
        (requoted(provider=stranger), "AM09"),
        (requoted(provider="0x" + "12" * 20), "AM09"),
        (requoted(buyer=stranger), "AM09"),
        (replace(other(quotes_hash=quotes_hash([foreign])), quote=foreign), "AM09"),
        (requoted(target_currency=SGD), "AM09"),
        (requoted(target_currency=999), "AM11"),
        (requoted(source_currency=0), "AM11"),
        (requoted(target_amount=0), "AM12"),
        (requoted(source_amount=0), "AM12"),
        (requoted(source_amount=2**100), "AM12"),
        (requoted(target_amount=10**15 + 1), "AM12"),
        (other(deadline=0), "TM01"),
        (other(deadline=now - 1), "TM01"),
        (other(deadline=now + 4_000), "FF01"),
        (other(deadline=2**64 - 1), "FF01"),
        (other(original_uetr=new_uetr()), "RR09"),
        (replace(good, payee_key="SG.PAYNOW:201912345K"), "AC03"),
        (replace(good, payee_key=""), "AC03"),
    ]
    return [(replace(case, terms=replace(case.terms, uetr=new_uetr())), reason) for case, reason in cases]


def test_each_wrong_proposal_is_refused_and_the_good_one_beside_it_agreed(door: Door, good: Proposal) -> None:
    wrong, before = wrong_proposals(door, good), door.records()
    proposals = [good, *(each for each, _ in wrong)]
    answer = door.ask().agree(proposals)
    refused = {each.uetr: (each.pending, each.reason) for each in answer.not_agreed}
    assert [refused[each.terms.uetr] for each, _ in wrong] == [(False, reason) for _, reason in wrong]
    assert [each.uetr for each in answer.agreed] == [good.terms.uetr]
    payments, *_ = door.records()
    assert payments == before[0] + 1
    again = door.ask().agree([good])
    assert (again.agreed, again.signature) == (answer.agreed, answer.signature)


@pytest.mark.usefixtures("agreed")
def test_a_known_uetr_is_nobody_elses_and_never_other_terms(door: Door, good: Proposal) -> None:
    before = door.records()
    later = replace(good, terms=replace(good.terms, deadline=good.terms.deadline + 1))
    by_other = proposal(door, door.quoted("merlion", SGD), uetr=good.terms.uetr)
    for asked, slug in (
        (later, "jinshan"),
        (replace(good, debtor=replace(DEBTOR, name="Li Na")), "jinshan"),
        (replace(good, reference="T2"), "jinshan"),
        (by_other, "merlion"),
        (replace(by_other, debtor=DEBTOR), "merlion"),
    ):
        [refused] = door.ask(slug).agree([asked]).not_agreed
        assert (refused.pending, refused.reason) == (False, "AM09")
    assert door.records() == before
    assert [each.state for each in door.ask().status([good.terms.uetr, new_uetr()])] == ["agreed"]
    assert door.ask("merlion").status([good.terms.uetr]) == []
    assert door.ask("chaophraya").status([good.terms.uetr]) == []


def test_who_is_no_debtor_agent_proposes_nothing(door: Door, good: Proposal) -> None:
    for call in (lambda: door.ask("silkroad").agree([good]), lambda: door.ask().agree([good] * 501)):
        with pytest.raises(PeerRefusal) as refused:
            call()
        assert (refused.value.status, refused.value.problem) in ((403, "forbidden"), (400, "malformed"))


def batch_of(door: Door, terms: PaymentTerms, **change: Any) -> CosignRequest:
    tree = MerkleTree([payment_leaf(terms)])
    batch = Batch(
        debtor_agent=terms.debtor_agent,
        lane=3,
        sequence=0,
        payments_root=tree.root,
        payment_count=1,
        members=members_of([terms]),
        positions=net_positions([terms]),
        deadline=door.now() + 12,
    )
    return CosignRequest(replace(batch, **change), (IncludedPayment(terms, tree.path(0)),))


def test_each_wrong_batch_is_refused_and_the_right_one_signed_for_one_place(
    door: Door, good: Proposal, agreed: PaymentTerms
) -> None:
    terms, stranger, now = agreed, door.account("merlion"), door.now()
    right, before = batch_of(door, terms), door.records()
    positions, creditor = right.batch.positions, terms.creditor_agent
    unagreed = proposal(door, good.quote).terms
    cases: list[tuple[CosignRequest, str]] = [
        (batch_of(door, unagreed), "not-agreed"),
        (batch_of(door, replace(terms, creditor_decision=HASH)), "not-agreed"),
        (batch_of(door, replace(terms, deadline=terms.deadline + 1)), "not-agreed"),
        (replace(right, own=()), "not-agreed"),
        (replace(right, own=right.own * 2), "not-agreed"),
        (batch_of(door, terms, positions=()), "not-agreed"),
        (batch_of(door, terms, positions=tuple(p for p in positions if p.account != creditor)), "not-agreed"),
        (batch_of(door, terms, positions=tuple(replace(p, delta=-p.delta) for p in positions)), "not-agreed"),
        (batch_of(door, terms, deadline=now - 1), "deadline-passed"),
        (batch_of(door, terms, deadline=now + LIFETIME // 2), "not-agreed"),
        (batch_of(door, terms, deadline=terms.deadline + 1), "not-agreed"),
        (batch_of(door, terms, lane=8), "not-agreed"),
        (batch_of(door, terms, payment_count=2), "not-agreed"),
        (batch_of(door, terms, payments_root=HASH), "not-agreed"),
        (batch_of(door, terms, members=(terms.debtor_agent,)), "not-agreed"),
        (batch_of(door, terms, members=tuple(reversed(right.batch.members))), "not-agreed"),
        (batch_of(door, terms, debtor_agent=stranger), "not-agreed"),
    ]
    answers = door.cosign([case for case, _ in cases])
    assert [each.problem if isinstance(each, Refusal) else each for each in answers] == [kind for _, kind in cases]
    of_another = batch_of(door, terms, debtor_agent=stranger, members=tuple(sorted({*right.batch.members, stranger})))
    assert [each.problem for each in door.cosign([right, of_another], "merlion")] == ["not-agreed"] * 2
    assert door.records() == before

    right = batch_of(door, terms)  # of now: a batch lives for seconds
    signed, again, other = door.cosign([right, right, batch_of(door, terms, sequence=1)])
    assert isinstance(signed, Cosignature)
    assert again == signed
    assert "another batch" in other.detail, other
    network = door.stage.folder.network
    digest = typed_digest(separator(network.chain_id, network.contracts.settlement.address), batch_hash(right.batch))
    key = keystore_address(door.stage.folder.key("chaophraya", "settlement"))
    assert recover(digest, signed.settlement_signature) == key
    assert door.records()[3] == before[3] + 1


def test_two_batches_for_one_place_are_signed_and_none_elsewhere(door: Door, agreed: PaymentTerms) -> None:
    """One place decides about both, so signing twice there is harmless; at another place it is not."""
    one = batch_of(door, agreed)
    other = replace(one, batch=replace(one.batch, deadline=one.batch.deadline - 1))
    elsewhere = [replace(one, batch=replace(one.batch, **at)) for at in ({"lane": 4}, {"sequence": 9})]
    signed, second, *refused = door.cosign([one, other, *elsewhere])
    assert isinstance(signed, Cosignature)
    assert isinstance(second, Cosignature)
    assert signed.batch_hash != second.batch_hash
    assert [each.problem for each in refused] == ["already-signed"] * 2


def test_charges_and_lookups_that_are_refused(door: Door) -> None:
    payer, before = door.stage.payer("TH"), door.records()
    payee = Payee("SG.PAYNOW:201912345K", Party("Katong Kitchen", "organization", "SG"), SGD)
    code = door.stage.node("TH").consumer_code(payer.id, payer.owner, 5_000)
    right = Charge("till-7", code[12:38], payee, 100, "")
    for charge, expected in (
        (replace(right, token="A" * 26), (404, "not-found", "RR09")),
        (replace(right, token=""), (404, "not-found", "RR09")),
        (replace(right, amount=0), (400, "bad-amount", "AM12")),
        (replace(right, amount=2**100), (400, "bad-amount", "AM12")),
        (replace(right, amount=10_000), (422, "limit-exceeded", "AM14")),
        (replace(right, payee=replace(payee, currency=999)), (400, "unknown-currency", "AM11")),
        (replace(right, payee=replace(payee, currency=THB)), (422, "unsupported", "AG03")),
    ):
        with pytest.raises(PeerRefusal) as refused:
            door.ask("merlion").charge(charge)
        found = (refused.value.status, refused.value.problem, refused.value.iso_reason)
        assert found == expected, charge
    assert door.ask().payees(["SG.PAYNOW:201912345K"]) == [None]
    assert door.records() == before
    used = "SELECT count(*) FROM consumer_codes WHERE most = 5000 AND charge_id IS NOT NULL"
    assert door.stage.rows("chaophraya-node", used) == [(0,)]
