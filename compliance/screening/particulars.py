"""What would tell the other agent's customer from a listed entry, and is not known: what that agent is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from compliance.lists.entries import ListEntry
from compliance.policy import Policy
from compliance.screening.decide import PartyMatch
from compliance.screening.questions import Inputs

Told = Mapping[str, frozenset[str]]
"""Which particulars lists tell of an entry, by its reference."""

_CALLED = {"birth_date": "birth date", "nationality": "nationality"}
_OTHER = {"debtor": "creditor", "creditor": "debtor"}


def told(entries: Iterable[ListEntry], policy: Policy) -> Told:
    """What may be asked about each entry; nothing where the policy asks for nothing."""
    if not policy.ask:
        return {}
    found = {entry.reference: _told_of(entry) & set(policy.ask) for entry in entries}
    return {reference: particulars for reference, particulars in found.items() if particulars}


def missing(inputs: Inputs, matches: Sequence[PartyMatch], known: Told, policy: Policy) -> tuple[str, ...]:
    """Which particulars to ask for. None where a match that would hold is of the own customer, whom officers can look
    up, or where nothing that is missing would tell it apart; none of another agent that is this institution itself."""
    if not known:
        return ()
    screening = inputs.screening
    role = _OTHER.get(screening.side, "")
    party = screening.party(role) if role else None
    holding = [each for each in matches if each.match.score >= policy.hold_score]
    if party is None or screening.debtor_agent == screening.creditor_agent:
        return ()
    lacking = [
        {name for name in known.get(_entry(each), ()) if not getattr(party, name)} if each.role == role else set()
        for each in holding
    ]
    if not lacking or not all(lacking):
        return ()
    wanted = set[str]().union(*lacking)
    return tuple(name for name in policy.ask if name in wanted)


def named(particulars: Sequence[str]) -> str:
    """In words, such as "birth date and nationality"."""
    return " and ".join(_CALLED[each] for each in particulars)


def _told_of(entry: ListEntry) -> frozenset[str]:
    born = {"birth_date"} if entry.birth_dates and entry.kind == "person" else set()
    return frozenset(born | ({"nationality"} if entry.nationalities else set()))


def _entry(found: PartyMatch) -> str:
    return f"{found.match.list_name} {found.match.entry_id}"
