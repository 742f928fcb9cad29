"""Establish: contracts on chain, members admitted by the council, currencies issued. Again changes nothing."""

from __future__ import annotations

from contracts.chain.client import ChainClient
from contracts.chain.council import Call, Council
from contracts.chain.deploy import CouncilTerms, check_deployment, deploy_network
from contracts.chain.ledger import Ledger
from contracts.chain.participants import NO_ADDRESS, Admission, Participants
from contracts.chain.transactions import TransactionSender
from contracts.terms.identifiers import Address
from contracts.terms.money import currency
from contracts.terms.parties import Participant, Status
from devnet.network import cast
from devnet.network.cast import Institution, Member
from devnet.network.folder import NetworkFolder
from devnet.network.found import keystore_address
from serving.keys import open_message_key


def deploy(folder: NetworkFolder, client: ChainClient) -> None:
    """Put the pinned contracts on chain, or check the ones that stand there. Raises ContractRefusal."""
    contracts, accounts = folder.network.contracts, folder.plan.accounts
    if client.code(contracts.settlement.address, "latest"):
        check_deployment(client, contracts)
        return
    terms = CouncilTerms(
        governors=tuple(accounts[governor] for governor in cast.GOVERNORS),
        quorum=cast.QUORUM,
        delay=cast.COUNCIL_DELAY,
        guardian=accounts[cast.GUARDIAN],
    )
    deployed = deploy_network(folder.sender(client, cast.DEPLOYER), terms)
    assert deployed == contracts, "the contracts are those that the network file pins"


def admit(folder: NetworkFolder, client: ChainClient) -> None:
    """The council admits whoever is missing, defines the currencies and names their settlement banks, two of three
    governors approving."""
    contracts = folder.network.contracts
    calls = [Call(contracts.participants.address, data) for data in _admissions(folder, client)]
    calls += [Call(contracts.ledger.address, data) for data in _definitions(folder, client)]
    if calls:
        governors = [folder.sender(client, governor) for governor in cast.GOVERNORS[: cast.QUORUM]]
        Council(client, contracts.council.address).carry(governors, calls)


def issue(folder: NetworkFolder, client: ChainClient) -> None:
    """Each settlement bank issues its currency to its country's institution and to the FX provider, once."""
    ledger = Ledger(client, folder.network.contracts.ledger.address)
    sent: list[tuple[TransactionSender, list[bytes]]] = []
    for bank in cast.BANKS:
        numeric, amount = currency(bank.currency).numeric, cast.prefunding(bank.currency)
        missing = [
            account for account in _holders(folder, bank) if ledger.net_position(account, numeric, "latest") == 0
        ]
        # A position may be zero after payments too; the supply tells whether the issue is still to be made.
        if missing and ledger.total_supply(numeric, "latest") < 2 * amount:
            sender = folder.sender(client, bank.slug)
            calls = [(ledger.address, Ledger.issue_call(account, numeric, amount)) for account in missing]
            sent.append((sender, sender.send_all(calls)))
    for sender, hashes in sent:
        sender.wait(hashes)


def _holders(folder: NetworkFolder, bank: Member) -> tuple[Address, Address]:
    accounts = folder.plan.accounts
    return accounts[cast.institution(bank.country).slug], accounts[cast.PROVIDER.slug]


def _admissions(folder: NetworkFolder, client: ChainClient) -> list[bytes]:
    registry, accounts = Participants(client, folder.network.contracts.participants.address), folder.plan.accounts
    known = set(registry.accounts("latest"))
    calls = [
        Participants.admit_call(_admission(folder, member))
        for member in cast.MEMBERS
        if accounts[member.slug] not in known
    ]
    for bank in cast.BANKS:
        numeric = currency(bank.currency).numeric
        if registry.settlement_bank_of(numeric, "latest") is None:
            calls.append(Participants.set_settlement_bank_call(numeric, accounts[bank.slug]))
    return calls


def _definitions(folder: NetworkFolder, client: ChainClient) -> list[bytes]:
    defined = Ledger(client, folder.network.contracts.ledger.address).currencies("latest")
    wanted = [currency(bank.currency) for bank in cast.BANKS]
    return [Ledger.define_currency_call(each) for each in wanted if each.numeric not in defined]


def _admission(folder: NetworkFolder, member: Member) -> Admission:
    is_bank = member in cast.BANKS
    participant = Participant(
        account=folder.plan.accounts[member.slug],
        lei=member.lei,
        bic=member.bic,
        country=member.country,
        roles=member.roles,
        status=Status.ACTIVE,
        message_key=b"" if is_bank else open_message_key(folder.key(member.slug, "message"), folder.password).public,
        endpoint="" if is_bank else folder.url(_service(member)),
        codes=member.codes if isinstance(member, Institution) else (),
    )
    settlement = keystore_address(folder.key(member.slug, "settlement"))
    return Admission(
        participant, settlement, NO_ADDRESS if is_bank else keystore_address(folder.key(member.slug, "compliance"))
    )


def _service(member: Member) -> str:
    """The service that others reach this member at."""
    return member.node if isinstance(member, Institution) else cast.PROVIDER_BRIDGE
