"""Whom a code names: the institution that answers for it, by the registry on chain, says."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from contracts.terms.errors import FeiqianError, PeerUnavailable, UnknownInstitution, UnknownMerchant
from contracts.terms.parties import Participant
from nodes import qr
from nodes.context import NodeContext
from nodes.peers.client import NodeClient, Payee
from serving.client import Peer

_pool = ThreadPoolExecutor(max_workers=16, thread_name_prefix="payee")


def find_payee(node: NodeContext, code: qr.PaymentCode) -> tuple[Participant, Payee]:
    """Ask the institution that answers for the code; of a proxy scheme, every member, side by side.

    Raises UnknownMerchant, UnknownInstitution, and PeerUnavailable when one that might know does not answer.
    """
    unreachable: PeerUnavailable | None = None
    asked_somebody = False
    for account in code.accounts:
        kind, _, identifier = account.lookup_key.partition(":")
        agents = [agent for agent in node.directory.answering(kind, identifier) if agent.account != node.account]
        questions = [(node, agent, account.lookup_key) for agent in agents]
        for agent, answer in zip(agents, _pool.map(_ask, questions), strict=True):
            asked_somebody = True
            if isinstance(answer, Payee):
                return agent, answer
            unreachable = answer if isinstance(answer, PeerUnavailable) else unreachable
    if unreachable is not None:
        raise unreachable
    if asked_somebody:
        raise UnknownMerchant("the institution that answers for this code does not know the merchant")
    raise UnknownInstitution("no other member of this network answers for this code")


def _ask(question: tuple[NodeContext, Participant, str]) -> Payee | FeiqianError:
    node, agent, lookup_key = question
    try:
        return NodeClient(node.peers, Peer(agent.account, agent.endpoint)).payee(lookup_key)
    except FeiqianError as failure:
        return failure
