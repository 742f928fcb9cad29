"""Cases at the door."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from compliance.cases.acts import Act
from compliance.cases.neighbours import Neighbour, Neighbourhood
from compliance.cases.repository import Case
from compliance.cases.service import CaseFile
from compliance.holds.schemas import HoldView, NoteText, hold_view
from compliance.schemas import PartyOrNone
from contracts.terms.money import currency
from serving.bodies import Schema

MAX_ATTACHMENT = 2**40


class AssignmentSchema(Schema):
    officer: Annotated[
        str, Field(pattern=r"^([a-z0-9][a-z0-9._@-]{0,63})?$", description="the officer's subject; empty for nobody")
    ]


class PrioritySchema(Schema):
    priority: Annotated[str, Field(pattern="^(low|normal|high|urgent)$", description="low, normal, high or urgent")]


class AttachmentSchema(Schema):
    """A document that is kept elsewhere, named by its hash."""

    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="of its content, lower-case hex")]
    size: Annotated[int, Field(ge=0, le=MAX_ATTACHMENT, description="bytes")]
    name: NoteText


class ActView(Schema):
    """What an officer did, as the log has it, with what was written."""

    act: str
    officer: str
    at: int = Field(description="chain time in seconds")
    about: dict[str, Any]
    note: str | None = Field(description="null where nothing was written, or it was erased")


class NeighbourView(Schema):
    """Another party with which the same customer has payments, the case's own aside."""

    party: PartyOrNone
    payments: int
    paid: dict[str, str] = Field(description="minor units by currency, of what was not refused")
    outcomes: dict[str, int]
    first_at: int = Field(description="chain time in seconds")
    last_at: int = Field(description="chain time in seconds")


class NeighbourhoodView(Schema):
    """Whom a party of the case paid and by whom it was paid, the most frequent first."""

    paid_to: tuple[NeighbourView, ...]
    paid_by: tuple[NeighbourView, ...]
    more: bool = Field(description="whether older payments were left out")


class EarlierCase(Schema):
    """Another case in which one of the parties stands."""

    uetr: str
    side: str
    state: str = Field(description="open, released or refused; open after `due` is a hold that nobody decided")
    opened_at: int = Field(description="chain time in seconds")
    due: int = Field(description="chain time in seconds")
    closed_at: int = Field(description="chain time in seconds; 0 unless officers decided")
    score: int


class CaseView(Schema):
    """A hold with all that is known around it."""

    hold: HoldView
    acts: tuple[ActView, ...]
    neighbourhoods: dict[str, NeighbourhoodView] = Field(description="by the party's role")
    earlier: tuple[EarlierCase, ...]


def case_view(file: CaseFile) -> CaseView:
    return CaseView(
        hold=hold_view(file.hold),
        acts=tuple(_act(each, file) for each in file.acts),
        neighbourhoods={role: _neighbourhood(each) for role, each in file.neighbourhoods.items()},
        earlier=tuple(map(_earlier, file.earlier)),
    )


def _act(act: Act, file: CaseFile) -> ActView:
    note = file.notes.get(act.note) if act.note is not None else None
    content = note.content if note else None
    return ActView(act=act.act, officer=act.officer, at=act.at, about=act.about, note=content)


def _neighbourhood(found: Neighbourhood) -> NeighbourhoodView:
    paid_to, paid_by = (tuple(map(_neighbour, each)) for each in (found.paid_to, found.paid_by))
    return NeighbourhoodView(paid_to=paid_to, paid_by=paid_by, more=found.more)


def _neighbour(found: Neighbour) -> NeighbourView:
    return NeighbourView(
        party=found.party,
        payments=found.payments,
        paid={str(currency(unit)): str(amount) for unit, amount in sorted(found.paid.items())},
        outcomes=dict(found.outcomes),
        first_at=found.first_at,
        last_at=found.last_at,
    )


def _earlier(case: Case) -> EarlierCase:
    return EarlierCase(
        uetr=case.uetr,
        side=case.side,
        state=case.state,
        opened_at=case.opened_at,
        due=case.due,
        closed_at=case.closed_at,
        score=case.score,
    )
