"""Two agents without their nodes: they ask their own compliance and the FX provider's bridge as nodes do, with the
institutions' real keys, so that each door can be measured by itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import TypeVar

from bridge.client import BridgeClient, Cosignature, CosignRequest, FirmQuote, QuoteRequest, ReservationRequest
from compliance.client import AttestationRequest, ComplianceClient, Decision, Screening, SignedAttestation
from contracts.chain.client import ChainClient
from contracts.chain.directory import ChainKeyDirectory
from contracts.chain.participants import Participants
from contracts.chain.settlement import Settlement
from contracts.chain.transactions import TransactionSender
from contracts.terms.batch import MAX_BATCHES_PER_CALL, Batch, Endorsement, SignedBatch, members_of, net_positions
from contracts.terms.commitments import batch_hash, domain_separator, payment_leaf, quotes_hash, typed_digest
from contracts.terms.cosigning import IncludedPayment
from contracts.terms.errors import PeerUnavailable
from contracts.terms.identifiers import Address, new_uetr
from contracts.terms.merkle import MerkleTree
from contracts.terms.parties import Party
from contracts.terms.payment import Leg, PaymentTerms
from contracts.terms.signing import Signer
from devnet.network import cast
from devnet.network.cast import Institution
from devnet.network.folder import NetworkFolder
from serving.client import Peer, PeerClient
from serving.keys import open_message_key, open_signer
from serving.messages import Messenger

Answer = TypeVar("Answer")

LIFETIME = 120
"""Seconds from its quote until a payment's deadline."""
BATCH_LIFETIME = 13
"""Seconds by this machine's clock, which the chain goes by, until a batch's deadline."""
AMOUNT = 2_000
CNY, THB = 156, 764
MERCHANT = Party("Siam Mango House", "organization", "TH")


@dataclass(frozen=True)
class Agent:
    """One institution's side: what it signs with and whom it asks."""

    account: Address
    settlement: Signer
    compliance: ComplianceClient
    bridge: BridgeClient


@dataclass(frozen=True)
class Payment:
    """A payment on its way: both sides' questions, the price, and the terms once both sides are clear."""

    screenings: tuple[Screening, Screening]
    firm: FirmQuote
    terms: PaymentTerms


class Agents:
    """A debtor agent in China and a creditor agent in Thailand, between whom the provider converts.

    Every answer that is not the wished one is an AssertionError: figures of refusals are none.
    """

    def __init__(self, folder: NetworkFolder, client: ChainClient, customers: Sequence[Party]) -> None:
        contracts = folder.network.contracts
        directory = ChainKeyDirectory(Participants(client, contracts.participants.address))
        self.provider = folder.plan.accounts[cast.PROVIDER.slug]
        self.debtor, self.creditor = (
            _agent(folder, directory, cast.institution(country), self.provider) for country in ("CN", "TH")
        )
        self._client, self._settlement = client, Settlement(client, contracts.settlement.address)
        self._domain = domain_separator(cast.CHAIN_ID, contracts.settlement.address)
        self._sender = TransactionSender(client, self.debtor.settlement)
        self._customers = cycle(customers)

    def quote(self, count: int) -> list[FirmQuote]:
        """Prices for so many payments, asked for as one list."""
        answers = self.debtor.bridge.quote([QuoteRequest(new_uetr(), CNY, THB, AMOUNT) for _ in range(count)])
        return [_wished(answer, FirmQuote) for answer in answers]

    def planned(self, quotes: Sequence[FirmQuote]) -> list[Payment]:
        """A payment for each price, of the next customers. Nobody has been asked about them."""
        deadline = self._now() + LIFETIME
        payers = islice(self._customers, len(quotes))
        return [self._planned(firm, payer, deadline) for firm, payer in zip(quotes, payers, strict=True)]

    def screen(self, side: int, payments: Sequence[Payment]) -> list[Decision]:
        """Both agents' compliance, 0 the debtor's and 1 the creditor's, about its side of a list."""
        asked = [payment.screenings[side] for payment in payments]
        answers = (self.debtor, self.creditor)[side].compliance.screen(asked)
        decisions = [_wished(answer, Decision) for answer in answers]
        assert all(decision.clear for decision in decisions), decisions[0]
        return decisions

    def reserve(self, terms: Sequence[PaymentTerms], quotes: Sequence[FirmQuote]) -> None:
        """The provider sets its currency aside for a list of payments."""
        asked = [ReservationRequest(each, firm.quote) for each, firm in zip(terms, quotes, strict=True)]
        for answer in _insist(lambda: self.debtor.bridge.reserve(asked)):
            assert not answer.refused, answer.refused[0]

    def batches(self, lists: Sequence[Sequence[PaymentTerms]]) -> list[CosignRequest]:
        """A batch of each list, the next of the first lane."""
        first, deadline = self._settlement.next_sequence(self.debtor.account, 0), int(time.time()) + BATCH_LIFETIME
        return [self._batch(terms, first + place, deadline) for place, terms in enumerate(lists)]

    def attest(self, side: int, request: CosignRequest) -> SignedAttestation:
        """Both agents' compliance, 0 the debtor's and 1 the creditor's, about a batch."""
        asked = AttestationRequest(request.batch, request.own)
        [answer] = (self.debtor, self.creditor)[side].compliance.attest([asked])
        return _wished(answer, SignedAttestation)

    def cosign(self, request: CosignRequest) -> Endorsement:
        """The provider's two signatures on a batch."""
        [answer] = _insist(lambda: self.debtor.bridge.cosign([request]))
        return _wished(answer, Cosignature).endorsement

    def settle(
        self,
        requests: Sequence[CosignRequest],
        attested: Sequence[tuple[SignedAttestation, SignedAttestation]],
        cosigned: Sequence[Endorsement],
    ) -> int:
        """Settle signed batches; the number of the block in which the last of them is final."""
        signed = [self._signed(*each) for each in zip(requests, attested, cosigned, strict=True)]
        for start in range(0, len(signed), MAX_BATCHES_PER_CALL):
            receipt = self._settlement.settle(self._sender, signed[start : start + MAX_BATCHES_PER_CALL])
        self.until(lambda: self._client.final_header().number >= receipt.block_number)
        return receipt.block_number

    def until(self, happened: Callable[[], bool], patience: float = 30.0) -> None:
        """Wait for what another process does."""
        end = time.monotonic() + patience
        while not happened():
            assert time.monotonic() < end, "it did not happen in time"
            time.sleep(0.02)

    def _now(self) -> int:
        return self._client.final_header().timestamp

    def _planned(self, firm: FirmQuote, payer: Party, deadline: int) -> Payment:
        quote, debtor, creditor = firm.quote, self.debtor.account, self.creditor.account
        legs = (
            Leg(debtor, self.provider, CNY, quote.source_amount),
            Leg(self.provider, creditor, THB, quote.target_amount),
        )
        unknown, uetr = bytes(32), new_uetr()
        terms = PaymentTerms(
            uetr, debtor, creditor, legs, quotes_hash([quote]), unknown, unknown, unknown, unknown, deadline
        )
        first, second = (
            Screening(uetr, side, payer, MERCHANT, debtor, creditor, (leg,))
            for side, leg in zip(("debtor", "creditor"), legs, strict=True)
        )
        return Payment((first, second), firm, terms)

    def _batch(self, terms: Sequence[PaymentTerms], sequence: int, deadline: int) -> CosignRequest:
        tree = MerkleTree([payment_leaf(each) for each in terms])
        members, positions = members_of(terms), net_positions(terms)
        batch = Batch(self.debtor.account, 0, sequence, tree.root, len(terms), members, positions, deadline)
        return CosignRequest(batch, tuple(IncludedPayment(each, tree.path(i)) for i, each in enumerate(terms)))

    def _signed(
        self,
        request: CosignRequest,
        attested: tuple[SignedAttestation, SignedAttestation],
        cosigned: Endorsement,
    ) -> SignedBatch:
        digest, endorsements = typed_digest(self._domain, batch_hash(request.batch)), {self.provider: cosigned}
        for agent, given in zip((self.debtor, self.creditor), attested, strict=True):
            signature = agent.settlement.sign(digest)
            endorsements[agent.account] = Endorsement(signature, given.attestation, given.signature)
        return SignedBatch(request.batch, tuple(endorsements[member] for member in request.batch.members))


def _agent(folder: NetworkFolder, directory: ChainKeyDirectory, of: Institution, provider: Address) -> Agent:
    account = folder.plan.accounts[of.slug]
    message_key = open_message_key(folder.key(of.slug, "message"), folder.password)
    # Longer than a node waits: slow doors are to be measured too.
    calls = PeerClient(Messenger(account, message_key, directory), timeout=60)
    return Agent(
        account,
        open_signer(folder.key(of.slug, "settlement"), folder.password),
        ComplianceClient(calls, Peer(account, folder.url(of.compliance))),
        BridgeClient(calls, Peer(provider, folder.url(cast.PROVIDER_BRIDGE))),
    )


def _insist(ask: Callable[[], Answer]) -> Answer:
    """Ask once more, as nodes do: the service may close a connection that was idle just as it is used again."""
    try:
        return ask()
    except PeerUnavailable:
        return ask()


def _wished(answer: object, kind: type[Answer]) -> Answer:
    assert isinstance(answer, kind), answer
    return answer
