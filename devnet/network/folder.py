"""A network's folder: where each service's settings, keys, database and log stand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import URL, make_url

from contracts.chain.client import ChainClient
from contracts.chain.network import Network, load_network
from contracts.chain.transactions import TransactionSender
from contracts.terms.errors import NotFound
from contracts.terms.identifiers import Address
from devnet.network.cast import INSTITUTIONS, PROVIDER_BRIDGE, PROVIDER_COMPLIANCE
from serving.auth import Tokens
from serving.keys import open_message_key, open_signer

HOST = "127.0.0.1"
CHAIN = "chain"
SERVICES: Mapping[str, str] = {
    CHAIN: "chain",
    **{each.compliance: "compliance" for each in INSTITUTIONS},
    PROVIDER_COMPLIANCE: "compliance",
    PROVIDER_BRIDGE: "bridge",
    **{each.node: "node" for each in INSTITUTIONS},
}
"""Every service by its name, with the `feiqian` command that runs it, in the order in which they start."""


@dataclass(frozen=True)
class Plan:
    """What founding fixed: ports by service, accounts by slug, the services' own names, seconds between idle blocks."""

    ports: Mapping[str, int]
    accounts: Mapping[str, Address]
    names: Mapping[str, str]
    heartbeat: float
    payment_lifetime: int
    databases: Mapping[str, str] = field(default_factory=dict)
    """URLs of the services that keep their books in PostgreSQL."""


@dataclass(frozen=True)
class NetworkFolder:
    """A founded network on disk. `path` is absolute."""

    path: Path
    plan: Plan

    @classmethod
    def open(cls, path: Path) -> NetworkFolder:
        """Raises NotFound when nothing was founded there."""
        file = path / "plan.json"
        if not file.is_file():
            raise NotFound(f"no network was founded in {path}; `feiqian network found {path}` does")
        return cls(path.resolve(), Plan(**json.loads(file.read_text())))

    @property
    def network_file(self) -> Path:
        return self.path / "network.json"

    @property
    def network(self) -> Network:
        return load_network(self.network_file)

    @property
    def policy_file(self) -> Path:
        return self.path / "settings" / "policy.toml"

    def url(self, service: str) -> str:
        return f"http://{HOST}:{self.plan.ports[service]}"

    def settings(self, service: str) -> Path:
        return self.path / "settings" / f"{service}.toml"

    @property
    def databases(self) -> Path:
        """The folder of SQLite files, and of what services on PostgreSQL keep outside their databases."""
        return self.path / "databases"

    def database(self, service: str) -> Path | URL:
        if url := self.plan.databases.get(service):
            return make_url(url)
        return self.databases / f"{service}.db"

    def log(self, service: str) -> Path:
        return self.path / "logs" / f"{service}.log"

    def key(self, owner: str, purpose: str) -> Path:
        return self.path / "keys" / owner / f"{purpose}.json"

    @property
    def sealer_key(self) -> Path:
        return self.path / "keys" / "sealer.hex"

    @property
    def password_file(self) -> Path:
        return self.path / "password"

    @property
    def password(self) -> str:
        return self.password_file.read_text().rstrip("\n")

    def chain(self) -> ChainClient:
        """A client that takes only sealed blocks."""
        return ChainClient(self.url(CHAIN), "seals", self.network.validators)

    def sender(self, client: ChainClient, owner: str) -> TransactionSender:
        """Sends transactions of the account of a governor, a bank or the deployer."""
        return TransactionSender(client, open_signer(self.key(owner, "account"), self.password))

    def tokens(self, service: str) -> Tokens:
        """Issues bearer tokens of a service, as its own command line does."""
        return Tokens(self.plan.names[service], open_message_key(self.key(service, "token"), self.password))
