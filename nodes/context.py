"""What the rooms of a node share: its keys, its book, its view of the chain and the way to its peers."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from fastapi import Request

from compliance.client import ComplianceClient
from contracts.chain.client import ChainClient
from contracts.chain.clock import ChainClock
from contracts.chain.directory import ChainKeyDirectory
from contracts.chain.follower import FinalBlock
from contracts.chain.network import Network
from contracts.chain.office import Office
from contracts.chain.settlement import Settlement
from contracts.chain.transactions import TransactionSender
from contracts.terms.errors import ChainUnavailable, Unavailable
from contracts.terms.identifiers import Address
from contracts.terms.money import Currency, currency
from contracts.terms.signing import Signer
from nodes.bell import Bell
from nodes.payments.admission import Admission
from nodes.settings import NodeSettings
from serving.claims import Claims
from serving.client import PeerClient
from serving.cosigning import SignedRecord
from serving.database import Database
from serving.gather import Gatherer
from serving.idempotency import IdempotencyKeys
from serving.troubles import Troubles

STALL_TOLERANCE = 20.0
"""Seconds without a new final block after which no new payment is taken: deadlines could not be judged."""


@dataclass
class Seen:
    """How far this process has read the chain. Each process of a node reads all of it, and one acts on each block."""

    block: FinalBlock | None = None


@dataclass(frozen=True)
class NodeContext:
    """Built once in `app.py`; the rooms take from it what they need."""

    settings: NodeSettings
    database: Database
    network: Network
    chain: ChainClient
    office: Office
    sender: TransactionSender
    clock: ChainClock
    directory: ChainKeyDirectory
    signer: Signer
    peers: PeerClient
    compliance: ComplianceClient
    signed: SignedRecord
    idempotency: IdempotencyKeys
    claims: Claims
    admission: Admission
    wake: threading.Event = field(default_factory=threading.Event)
    """Set when there is work for the worker."""
    bell: Bell = field(default_factory=Bell)
    """Rung when the worker moved payments."""
    troubles: Troubles = field(default_factory=Troubles)
    gatherer: Gatherer = field(default_factory=Gatherer)
    """Makes lists of what requests ask for in the same moment."""
    seen: Seen = field(default_factory=Seen)

    @property
    def account(self) -> Address:
        return self.settings.account

    @property
    def currency(self) -> Currency:
        return currency(self.settings.currency)

    @property
    def settlement(self) -> Settlement:
        """The Settlement in office."""
        return Settlement(self.chain, self.office.incumbent)

    @property
    def domain(self) -> bytes:
        """The EIP-712 domain separator that everything is signed under now."""
        return self.office.domain_of(self.office.incumbent)

    def require_whole(self) -> None:
        """Raises Unavailable after a backup was restored, until all that was signed since is settled or dead.

        A payment taken meanwhile could not be settled before its deadline; a bank stays closed until it knows its
        books, and says from when it is open.
        """
        if self.signed.quiet:
            opens = self.signed.quiet_until
            raise Unavailable(
                f"this node was restored from a backup and reads what it missed; it opens after chain time {opens}",
                opens_after=opens,
            )

    def require_chain(self) -> None:
        """Raises ChainUnavailable when the chain stands still: what is held stays safe, nothing new is taken.

        Raises Unavailable as `require_whole` does.
        """
        self.require_whole()
        self.require_moving()

    def require_moving(self) -> None:
        """Raises ChainUnavailable when the chain stands still or was never seen."""
        if self.clock.final_time() == 0 or self.clock.stalled(STALL_TOLERANCE):
            raise ChainUnavailable("the chain makes no blocks; nothing is lost, try again later")


async def context(request: Request) -> NodeContext:
    """A FastAPI dependency: the node that serves this request."""
    found: NodeContext = request.app.state.node
    return found
