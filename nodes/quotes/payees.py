"""Whom a code names: the institution that answers for it, by the registry on chain, says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from contracts.terms.errors import FeiqianError, PeerUnavailable, UnknownInstitution, UnknownMerchant
from contracts.terms.identifiers import Address
from contracts.terms.parties import Participant
from nodes import qr
from nodes.context import NodeContext
from nodes.peers.client import NodeClient, Payee
from serving.client import Peer

_pool = ThreadPoolExecutor(max_workers=16, thread_name_prefix="payee")


def find_payees(node: NodeContext, codes: Sequence[qr.PaymentCode]) -> list[tuple[Participant, Payee] | FeiqianError]:
    """For each code ask the institution that answers for it, each with one list; of a proxy scheme, every member.

    An error is UnknownMerchant, UnknownInstitution, or PeerUnavailable when one that might know does not answer.
    """
    asked = [list(_questions(node, code)) for code in codes]
    by_agent: dict[Address, tuple[Participant, dict[str, None]]] = {}
    for agent, lookup_key in (question for questions in asked for question in questions):
        by_agent.setdefault(agent.account, (agent, {}))[1][lookup_key] = None
    agents = [(agent, list(keys)) for agent, keys in by_agent.values()]
    found = dict(zip(by_agent, _pool.map(lambda each: _ask(node, *each), agents), strict=True))
    return [_payee(questions, found) for questions in asked]


def only_agent(node: NodeContext, code: qr.PaymentCode) -> list[Participant]:
    """The one institution that can answer for the code, if there is but one."""
    agents = {agent.account: agent for agent, _ in _questions(node, code)}
    return list(agents.values()) if len(agents) == 1 else []


def _questions(node: NodeContext, code: qr.PaymentCode) -> Iterator[tuple[Participant, str]]:
    """Whom to ask for which lookup key, the first that knows one counts."""
    for account in code.accounts:
        kind, _, identifier = account.lookup_key.partition(":")
        for agent in node.directory.answering(kind, identifier):
            if agent.account != node.account:
                yield agent, account.lookup_key


def _payee(
    questions: Sequence[tuple[Participant, str]], found: Mapping[Address, Mapping[str, Payee] | FeiqianError]
) -> tuple[Participant, Payee] | FeiqianError:
    failure: FeiqianError | None = None
    for agent, lookup_key in questions:
        answer = found[agent.account]
        if isinstance(answer, FeiqianError):
            failure = answer if isinstance(answer, PeerUnavailable) else failure
        elif lookup_key in answer:
            return agent, answer[lookup_key]
    if failure is not None:
        return failure
    if questions:
        return UnknownMerchant("the institution that answers for this code does not know the merchant")
    return UnknownInstitution("no other member of this network answers for this code")


def _ask(node: NodeContext, agent: Participant, lookup_keys: Sequence[str]) -> Mapping[str, Payee] | FeiqianError:
    """What an institution knows of these, asked with what other requests ask it in the same moment."""
    client = NodeClient(node.peers, Peer(agent.account, agent.endpoint))
    try:
        answers = node.gatherer.ask(("payees", agent.account), lookup_keys, client.payees)
    except FeiqianError as failure:
        return failure
    return {payee.lookup_key: payee for payee in answers if payee is not None}
