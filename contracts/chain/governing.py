"""What a governor does at the council, and what it checks before it puts its name to anything.

The chain node is not trusted with a signature: calls are hashed from what was shown, never taken as a hash from it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contracts.chain.client import ChainClient, Finality, check_finality
from contracts.chain.council import Call, Council, Proposal, ProposalState, calls_hash
from contracts.chain.deploy import check_deployment
from contracts.chain.network import Network, load_network
from contracts.chain.office import check_successor
from contracts.chain.wording import write_call
from contracts.terms.attestation import Approval, SignedApproval
from contracts.terms.documents import from_document
from contracts.terms.errors import BadSignature, Conflict, Forbidden, Malformed, NotFound
from contracts.terms.identifiers import Address, Hash
from contracts.terms.signing import LocalSigner, recover


@dataclass(frozen=True)
class Chamber:
    """A network's council, its code checked against our own sources."""

    network: Network
    client: ChainClient
    council: Council


@dataclass(frozen=True)
class Standing:
    """The council as a final block has it; `chain_time` is that block's, in seconds."""

    chain_time: int
    governors: tuple[Address, ...]
    quorum: int
    delay: int
    epoch: int
    guardian: Address
    paused: bool


@dataclass(frozen=True)
class Motion:
    """A proposal with the calls that it would make, and whose approvals it has."""

    number: int
    proposal: Proposal
    calls: tuple[Call, ...]
    approved_by: tuple[Address, ...]
    withdrawn_by: tuple[Address, ...]

    def stage(self, standing: Standing) -> str:
        """Where it stands: open, approved (may run at its time), lapsed, cancelled or executed."""
        if self.proposal.state != ProposalState.OPEN:
            return "cancelled" if self.proposal.state == ProposalState.CANCELLED else "executed"
        if self.proposal.epoch != standing.epoch:
            return "lapsed"
        return "approved" if self.proposal.executable_at else "open"


def open_chamber(network_file: Path, chain_url: str, finality: Finality) -> Chamber:
    """Raises Malformed for a wrong file or another chain, ContractRefusal for other contracts than the pinned ones."""
    network = load_network(network_file)
    client = ChainClient(chain_url, finality, network.validators)
    check_finality(client, network.chain_id)
    check_deployment(client, network.contracts)
    return Chamber(network, client, Council(client, network.contracts.council.address))


def open_key(keystore: Path, password_file: Path) -> LocalSigner:
    """A governor's secp256k1 key (keystore version 3). Raises Malformed, saying which file, never what is in it."""
    from eth_account import Account

    try:
        document, password = json.loads(keystore.read_bytes()), password_file.read_text().rstrip("\n")
    except OSError as failure:
        raise Malformed(f"{failure.filename}: {failure.strerror}") from failure
    except ValueError as failure:
        raise Malformed(f"{keystore} is no keystore, or {password_file} is no text") from failure
    try:
        return LocalSigner(bytes(Account.decrypt(document, password)))
    except Exception as failure:  # a damaged file fails in as many ways as its decoders have
        raise Malformed(f"the keystore {keystore} does not open: wrong password or damaged file") from failure


def read_standing(chamber: Chamber, newest: bool = False) -> Standing:
    """The council in the newest final block, or in the `newest` of all: what one's own transaction has done."""
    council, client = chamber.council, chamber.client
    final = None if newest else client.final_header()
    block = final.number if final else "latest"
    return Standing(
        chain_time=final.timestamp if final else client.newest_timestamp(),
        governors=council.governors(block),
        quorum=council.quorum(block),
        delay=council.delay(block),
        epoch=council.epoch(block),
        guardian=council.guardian(block),
        paused=council.paused(block),
    )


def read_motion(chamber: Chamber, number: int, governors: Sequence[Address], newest: bool = False) -> Motion:
    """Raises NotFound, and Malformed when the node's calls are not those of its hash."""
    council, block = chamber.council, "latest" if newest else None
    proposal = council.proposal(number, block)
    if not proposal.state:
        raise NotFound(f"there is no proposal {number}")
    calls = council.proposed_calls(number, block)
    if calls_hash(calls) != proposal.calls_hash:
        raise Malformed(f"the node shows other calls of proposal {number} than the council has")
    return Motion(
        number,
        proposal,
        calls,
        tuple(each for each in governors if council.has_approved(number, each, block)),
        tuple(each for each in governors if council.has_withdrawn(number, each, block)),
    )


def open_motions(chamber: Chamber, standing: Standing) -> tuple[Motion, ...]:
    """Everything that still waits for approvals, time or execution."""
    council = chamber.council
    proposals = ((number, council.proposal(number)) for number in range(council.proposal_count()))
    waiting = [n for n, each in proposals if each.state == ProposalState.OPEN and each.epoch == standing.epoch]
    return tuple(read_motion(chamber, number, standing.governors) for number in waiting)


def sign(chamber: Chamber, number: int, read: Hash, governor: LocalSigner) -> SignedApproval:
    """Approve the calls whose hash the governor `read`. Raises why that approval would count for nothing."""
    standing = read_standing(chamber)
    motion = read_motion(chamber, number, standing.governors)
    if governor.address not in standing.governors:
        raise Forbidden(f"{governor.address} is not a governor")
    if (stage := motion.stage(standing)) not in ("open", "approved"):
        raise Conflict(f"proposal {number} is {stage}")
    check_read(chamber, motion, read)
    if governor.address in motion.approved_by:
        raise Conflict(f"{governor.address} approved proposal {number} already")
    if governor.address in motion.withdrawn_by:
        raise Conflict("whoever withdrew approves again by a transaction only: feiqian council approve")
    approval = Approval(number, read, standing.epoch)
    signature = chamber.council.sign_approval(governor, approval)
    return SignedApproval(chamber.network.chain_id, chamber.council.address, governor.address, approval, signature)


def check_read(chamber: Chamber, motion: Motion, read: Hash) -> None:
    """Refuse to approve other calls than those that were read (Conflict), or what reading does not show
    (as `check_call`)."""
    if (named := calls_hash(motion.calls)) != read:
        raise Conflict(f"proposal {motion.number} makes other calls: 0x{named.hex()}; read them first")
    for call in motion.calls:
        check_call(chamber, call)


def check_call(chamber: Chamber, call: Call) -> None:
    """An address does not show what a new Settlement does to everyone's balances: its code must be our own sources'.

    Raises UnknownSuccessor.
    """
    contracts, words = chamber.network.contracts, write_call(call, chamber.network.contracts)
    if (words.get("contract"), words.get("function")) == ("ledger", "replace_settlement"):
        check_successor(chamber.client, contracts, words["arguments"]["old"], words["arguments"]["new"])


def read_approvals(text: str) -> tuple[SignedApproval, ...]:
    """Approvals, one JSON object a line. Raises Malformed."""
    return tuple(from_document(SignedApproval, _json(line)) for line in text.splitlines() if line.strip())


def check_approvals(chamber: Chamber, number: int, approvals: Sequence[SignedApproval]) -> None:
    """What the council would refuse without saying whose. Raises Conflict or BadSignature, naming the governor."""
    proposal = chamber.council.proposal(number)
    for each in approvals:
        whose = f"the approval of {each.governor}"
        if (each.chain_id, each.council) != (chamber.network.chain_id, chamber.council.address):
            raise Conflict(f"{whose} is for another network's council")
        if each.approval != Approval(number, proposal.calls_hash, proposal.epoch):
            raise Conflict(f"{whose} is of another proposal, other calls or another epoch")
        if recover(chamber.council.approval_digest(each.approval), each.signature) != each.governor:
            raise BadSignature(f"{whose} is signed by another key")


def _json(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as failure:
        raise Malformed("an approval is one line of JSON, as `feiqian council sign` prints it") from failure
