"""Found: everything a network needs before its first process starts, written into one folder."""

from __future__ import annotations

import json
import os
import random
import re
import secrets
import socket
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from compliance.policy import SHIPPED_POLICY
from contracts.chain.deploy import planned_contracts
from contracts.chain.network import Network
from contracts.terms.errors import Conflict
from contracts.terms.identifiers import Address
from contracts.terms.signing import LocalSigner
from devnet.network import cast
from devnet.network.cast import Institution, Member
from devnet.network.databases import make_databases
from devnet.network.folder import CHAIN, HOST, SERVICES, NetworkFolder, Plan
from serving.keys import write_keystore

_GAS_LIMIT = 60_000_000
_FEES = 10**24
_KEYSTORE_COST = 2**12
"""scrypt's N: the keys of a network for one afternoon need not cost a second each to open."""
_PORTS = range(20_000, 32_000)
"""Below the range from which systems lend ports to outgoing connections: a restarted service finds its port free."""


def found(
    path: Path,
    payment_lifetime: int = 30,
    heartbeat: float = 5.0,
    hold_lifetime: int = 86400,
    server: str | None = None,
) -> NetworkFolder:
    """Write a new network into an empty or missing folder: fresh random keys, free ports on 127.0.0.1, settings.

    `payment_lifetime` and `hold_lifetime` (what compliance holds) in seconds, `heartbeat` is the seconds between blocks
    when idle; `server` the URL of a PostgreSQL server on which each service gets a database. Raises Conflict, and what
    `make_databases` raises.
    """
    path = path.resolve()
    if path.exists() and any(path.iterdir()):
        raise Conflict(f"{path} is not empty; found a network in a new folder")
    for each in ("settings", "databases", "logs", "keys"):
        (path / each).mkdir(parents=True, mode=0o700)
    write_private(path / "password", secrets.token_urlsafe(24) + "\n")
    databases = make_databases(server, [each for each in SERVICES if each != CHAIN]) if server else {}
    plan = Plan(free_ports(), {}, _names(), heartbeat, payment_lifetime, databases)
    folder = NetworkFolder(path, plan)
    accounts = _write_keys(folder)
    folder = NetworkFolder(path, Plan(**{**asdict(plan), "accounts": accounts}))
    _write_network(folder)
    _write_policy(folder, hold_lifetime)
    for service in SERVICES:
        if service != CHAIN:
            folder.settings(service).write_text(_toml(_settings(folder, service)))
    # Last: a folder with a plan is a whole one.
    write_private(path / "plan.json", json.dumps(asdict(folder.plan), indent=1) + "\n")
    return folder


def free_ports() -> dict[str, int]:
    """A port for each service that nobody listens on now."""
    ports: dict[str, int] = {}
    for service in SERVICES:
        candidates = (random.choice(_PORTS) for _ in range(1000))  # noqa: S311 (a port is no secret)
        ports[service] = next(port for port in candidates if port not in ports.values() and _is_free(port))
    return ports


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def _names() -> dict[str, str]:
    names = {CHAIN: cast.NETWORK_NAME, cast.PROVIDER_BRIDGE: cast.PROVIDER.name}
    names[cast.PROVIDER_COMPLIANCE] = f"{cast.PROVIDER.name}, compliance"
    for each in cast.INSTITUTIONS:
        names |= {each.node: each.name, each.compliance: f"{each.name}, compliance"}
    return names


def _write_keys(folder: NetworkFolder) -> dict[str, Address]:
    """Keystores of everyone; the accounts by owner."""
    people = (*cast.GOVERNORS, cast.GUARDIAN, cast.DEPLOYER)
    accounts = {owner: _write_key(folder, owner, "account") for owner in people}
    for member in cast.MEMBERS:
        accounts[member.slug] = _write_key(folder, member.slug, "account")
        _write_key(folder, member.slug, "settlement")
        if member not in cast.BANKS:
            _write_key(folder, member.slug, "compliance")
            _write_key(folder, member.slug, "message")
    for service in SERVICES:
        if service != CHAIN:
            _write_key(folder, service, "token")
    sealer = secrets.token_bytes(32)
    write_private(folder.sealer_key, sealer.hex() + "\n")
    return accounts | {cast.SEALER: LocalSigner(sealer).address}


def _write_key(folder: NetworkFolder, owner: str, purpose: str) -> Address:
    secret = secrets.token_bytes(32)
    write_keystore(folder.key(owner, purpose), secret, folder.password, _KEYSTORE_COST)
    return LocalSigner(secret).address


def _write_network(folder: NetworkFolder) -> None:
    accounts = folder.plan.accounts
    payers = [accounts[owner] for owner in (*cast.GOVERNORS, cast.GUARDIAN, cast.DEPLOYER)]
    payers += [accounts[bank.slug] for bank in cast.BANKS]
    payers += [keystore_address(folder.key(each.slug, "settlement")) for each in cast.INSTITUTIONS]
    network = Network(
        name=cast.NETWORK_NAME,
        chain_id=cast.CHAIN_ID,
        timestamp=int(time.time()) - 1,
        gas_limit=_GAS_LIMIT,
        validators=(accounts[cast.SEALER],),
        alloc=dict.fromkeys(payers, _FEES),
        contracts=planned_contracts(accounts[cast.DEPLOYER], cast.COUNCIL_DELAY),
    )
    folder.network_file.write_text(json.dumps(network.to_json(), indent=1) + "\n")


def _write_policy(folder: NetworkFolder, hold_lifetime: int) -> None:
    """The shipped policy with this network's own time for officers to decide."""
    shipped = SHIPPED_POLICY.read_text()
    policy, changed = re.subn(r"(?m)^seconds = [0-9_]+", f"seconds = {hold_lifetime}", shipped)
    assert changed == 1, "the shipped policy states one time for holds"
    folder.policy_file.write_text(policy)


def keystore_address(file: Path) -> Address:
    """The address of a keystore's secp256k1 key, which stands beside the encrypted secret."""
    return "0x" + str(json.loads(file.read_text())["address"]).lower().removeprefix("0x")


def _settings(folder: NetworkFolder, service: str) -> Mapping[str, object]:
    member = next(each for each in (*cast.INSTITUTIONS, cast.PROVIDER) if service.startswith(f"{each.slug}-"))
    kind = SERVICES[service]
    common = {
        "name": folder.plan.names[service],
        "account": folder.plan.accounts[member.slug],
        "host": HOST,
        "port": folder.plan.ports[service],
        "endpoint": folder.url(service),
        "database": folder.plan.databases.get(service, str(folder.database(service))),
        "state_folder": str(folder.databases),
        "network": str(folder.network_file),
        "chain_url": folder.url(CHAIN),
        "message_key": str(folder.key(member.slug, "message")),
        "token_key": str(folder.key(service, "token")),
        "password_file": str(folder.password_file),
    }
    if kind == "compliance":
        keystore = folder.key(member.slug, "compliance")
        return common | {"compliance_key": str(keystore), "policy": str(folder.policy_file)}
    return common | _signing_settings(folder, member)


def _signing_settings(folder: NetworkFolder, member: Member) -> dict[str, object]:
    """What the services with a settlement key need: nodes and the bridge."""
    shared: dict[str, object] = {
        "settlement_key": str(folder.key(member.slug, "settlement")),
        "compliance_endpoint": folder.url(f"{member.slug}-compliance"),
    }
    if not isinstance(member, Institution):
        return shared | {"rate_date": cast.RATE_DATE}
    return shared | {
        "currency": member.currency,
        "country": member.country,
        "merchant_scheme": member.scheme,
        "merchant_prefix": member.prefix,
        "issuer_prefix": member.issuer,
        "payment_lifetime": folder.plan.payment_lifetime,
    }


def _toml(values: Mapping[str, object]) -> str:
    """TOML of texts and integers; both are written as JSON writes them."""
    return "".join(f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in values.items())


def write_private(path: Path, text: str) -> None:
    """A new file that only its owner may read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
