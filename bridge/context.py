"""What the rooms of a bridge share: its keys, its book, its view of the chain and the way to its compliance."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request

from bridge.attesting import OwnCompliance
from bridge.rates.reference import ReferenceRates
from bridge.settings import BridgeSettings
from contracts.chain.client import ChainClient
from contracts.chain.clock import ChainClock
from contracts.chain.directory import ChainKeyDirectory
from contracts.chain.ledger import Ledger
from contracts.chain.network import Network
from contracts.chain.office import Office
from contracts.chain.settlement import Settlement
from contracts.terms.commitments import typed_digest
from contracts.terms.errors import ChainUnavailable
from contracts.terms.identifiers import Address
from contracts.terms.signing import Signer
from serving.cosigning import SignedRecord
from serving.database import Database

STALL_TOLERANCE = 20.0
"""Seconds without a new final block after which nothing new is promised: deadlines could not be judged."""


@dataclass(frozen=True)
class BridgeContext:
    """Built once in `app.py`; the rooms take from it what they need."""

    settings: BridgeSettings
    database: Database
    network: Network
    chain: ChainClient
    ledger: Ledger
    office: Office
    directory: ChainKeyDirectory
    clock: ChainClock
    signer: Signer
    rates: ReferenceRates
    compliance: OwnCompliance
    signed: SignedRecord

    @property
    def account(self) -> Address:
        return self.settings.account

    @property
    def settlement(self) -> Settlement:
        """The Settlement in office."""
        return Settlement(self.chain, self.office.incumbent)

    def sign(self, struct_hash: bytes, settlement: Address) -> bytes:
        """The settlement key's signature (65 bytes) over the EIP-712 digest of a struct, for a Settlement."""
        return self.signer.sign(typed_digest(self.office.domain_of(settlement), struct_hash))

    def chain_now(self) -> int:
        """Chain time now in seconds, for promising something new.

        Raises ChainUnavailable while the chain stands still or was never seen, Unavailable after a backup was
        restored: what was reserved since is not known until it is settled or dead.
        """
        self.signed.require_whole()
        self.require_moving()
        return self.clock.now()

    def require_moving(self) -> None:
        """Raises ChainUnavailable while the chain stands still or was never seen."""
        if self.clock.final_time() == 0 or self.clock.stalled(STALL_TOLERANCE):
            raise ChainUnavailable("the chain makes no blocks; what is reserved stays safe, try again later")


async def context(request: Request) -> BridgeContext:
    """A FastAPI dependency: the bridge that serves this request."""
    found: BridgeContext = request.app.state.bridge
    return found
