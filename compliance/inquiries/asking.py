"""Asking the other agent: an inquiry for the courier, with a note and an act of the log."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from sqlalchemy import Connection

from compliance import repository
from compliance.cases import repository as cases
from compliance.cases.acts import ASK, Act
from compliance.client import Screening
from compliance.inquiries import repository as inquiries
from compliance.inquiries.repository import ASKED, KnownInquiry
from compliance.screening import decide
from compliance.screening.particulars import named
from compliance.screening.record import Decided
from contracts.terms.documents import to_document
from contracts.terms.identifiers import Address
from contracts.terms.parties import Party
from serving.jsontext import dump


def ask(connection: Connection, screening: Screening, officer: str, question: str, now: int) -> None:
    """Ask about a payment; by the service itself without an officer."""
    name, key, peer = str(uuid.uuid4()), (screening.uetr, screening.side), other_agent(screening)
    note = repository.keep_note(connection, written(question, _asked_about(screening)))
    inquiries.add(connection, KnownInquiry(name, ASKED, *key, peer, note, now))
    cases.add_act(connection, Act(*key, ASK, officer, now, note, {"inquiry": name, "peer": peer}))


def ask_by_rule(connection: Connection, new: Iterable[Decided]) -> None:
    """Ask for the particulars that decisions request, of each payment once, however often it is decided."""
    for decided in new:
        screening, facts = decided.inputs.screening, decided.inputs.facts
        if not decided.verdict.asks:
            continue
        by_officers = sum(each.action == decide.ASK for each in facts.reviews)
        if inquiries.asked(connection, screening.uetr, screening.side) > by_officers:
            continue
        wanted = named(decided.verdict.asks)
        question = f"The name alone does not tell this customer from somebody who is listed: which {wanted}?"
        ask(connection, screening, "", question, facts.decided_at)


def other_agent(screening: Screening) -> Address:
    """Whom a side asks: an agent the other agent, a provider the debtor's."""
    return screening.creditor_agent if screening.side == "debtor" else screening.debtor_agent


def _asked_about(screening: Screening) -> Party | None:
    """The other agent's customer; a provider knows none."""
    return screening.creditor if screening.side == "debtor" else screening.debtor


def written(question: str, party: Party | None) -> str:
    return dump({"question": question, "party": None if party is None else to_document(party)})
