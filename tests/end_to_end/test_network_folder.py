"""What founding a network writes: settings that every service takes, secrets that nobody else reads."""

from __future__ import annotations

import stat
from itertools import chain
from pathlib import Path

import pytest

from bridge.settings import BridgeSettings
from compliance.settings import ComplianceSettings
from contracts.terms.errors import Conflict, NotFound
from devnet.network import cast
from devnet.network.auditor import flipped
from devnet.network.folder import CHAIN, SERVICES, NetworkFolder
from devnet.network.found import found, keystore_address
from devnet.network.traffic import purchases
from nodes.settings import NodeSettings
from serving.keys import open_signer
from serving.settings import ServiceSettings, load_settings

KINDS: dict[str, type[ServiceSettings]] = {
    "node": NodeSettings,
    "bridge": BridgeSettings,
    "compliance": ComplianceSettings,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> NetworkFolder:
    path = tmp_path_factory.mktemp("founded") / "network"
    found(path, payment_lifetime=7)
    return NetworkFolder.open(path)


@pytest.mark.parametrize("service", [each for each in SERVICES if each != CHAIN])
def test_every_service_takes_its_settings(folder: NetworkFolder, service: str) -> None:
    settings = load_settings(KINDS[SERVICES[service]], folder.settings(service))
    assert settings.endpoint == folder.url(service)
    assert settings.name == folder.plan.names[service]
    if isinstance(settings, NodeSettings):
        assert settings.payment_lifetime == 7


def test_ports_differ_and_are_on_this_machine_only(folder: NetworkFolder) -> None:
    assert len(set(folder.plan.ports.values())) == len(SERVICES)
    assert all(folder.url(service).startswith("http://127.0.0.1:") for service in SERVICES)


def test_secrets_are_their_owners_alone(folder: NetworkFolder) -> None:
    secrets = [folder.password_file, folder.sealer_key, *(folder.path / "keys").rglob("*.json")]
    assert len(secrets) > 25
    assert {stat.S_IMODE(each.stat().st_mode) for each in secrets} == {0o600}


def test_the_network_pins_validators_and_contracts(folder: NetworkFolder, tmp_path: Path) -> None:
    network = folder.network
    assert network.validators == (folder.plan.accounts[cast.SEALER],)
    other = found(tmp_path / "other").network
    ours = {pin.address for pin in network.contracts.pins().values()}
    assert len(ours) == 4
    assert not ours & {pin.address for pin in other.contracts.pins().values()}


def test_whoever_sends_transactions_can_pay_for_them(folder: NetworkFolder) -> None:
    settling = [keystore_address(folder.key(each.slug, "settlement")) for each in cast.INSTITUTIONS]
    accounts = [folder.plan.accounts[each] for each in chain(cast.GOVERNORS, [cast.DEPLOYER])]
    assert folder.network.alloc.keys() >= {*settling, *accounts}


def test_a_keystore_names_the_address_of_its_key(folder: NetworkFolder) -> None:
    file = folder.key(cast.INSTITUTIONS[0].slug, "settlement")
    assert keystore_address(file) == open_signer(file, folder.password).address


def test_no_second_network_in_a_folder(folder: NetworkFolder) -> None:
    with pytest.raises(Conflict, match="not empty"):
        found(folder.path)


def test_a_folder_without_a_network_says_how_to_found_one(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="feiqian network found"):
        NetworkFolder.open(tmp_path)


def test_purchases_go_all_six_ways_and_follow_the_seed() -> None:
    chosen = purchases(60, seed=5)
    directions = {(each.payer.country, each.merchant.country) for each in chosen}
    assert len(directions) == 6
    assert all(home != abroad for home, abroad in directions)
    assert chosen == purchases(60, seed=5) != purchases(60, seed=6)


def test_a_flip_changes_one_bit_of_one_digit() -> None:
    content = b'{"amount": "1250"}'
    for seed in range(20):
        changed = flipped(content, seed)
        [place] = [place for place in range(len(content)) if content[place] != changed[place]]
        assert content[place] ^ changed[place] == 1
        assert changed[place : place + 1].isdigit()
