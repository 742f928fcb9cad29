"""Requests for information: our officers ask the other agent's about a hold, and answer what those ask of us.

A question and its answer are notes and acts of the log at both institutions. While one of ours is open the decision is
*request information*; the answer makes it a hold again, for officers to decide.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from compliance import repository
from compliance.cases import repository as cases
from compliance.cases.acts import ANSWER, LEARN, Act
from compliance.chaintime import ChainTime
from compliance.client import MAX_TEXT, Inquiry, InquiryAnswer
from compliance.holds.service import Hold, HoldsService
from compliance.inquiries import repository as inquiries
from compliance.inquiries.asking import ask, other_agent, written
from compliance.inquiries.repository import ASKED, RECEIVED, KnownInquiry
from compliance.repository import Key
from compliance.screening import decide
from compliance.screening.questions import check_party
from compliance.screening.record import new_note
from contracts.terms.documents import from_document
from contracts.terms.errors import Conflict, FeiqianError, Malformed, NotFound
from contracts.terms.identifiers import Address, uetr
from contracts.terms.parties import Party
from serving.database import Database
from serving.jsontext import load

MOST_OPEN = 100
"""Unanswered inquiries of one institution; more are refused."""
OPEN, ANSWERED, REFUSED = "open", "answered", "refused"


@dataclass(frozen=True)
class ReceivedInquiry:
    """What another institution asked, with its texts: None where they were erased. `place` is the one in the list."""

    place: int
    inquiry: KnownInquiry
    question: str | None
    party: Party | None
    answer: str | None


class InquiriesService:
    """The officers' correspondence of one institution. Raises ChainUnavailable when chain time is not known."""

    def __init__(self, database: Database, account: Address, holds: HoldsService, time: ChainTime) -> None:
        self._database, self._account, self._holds, self._time = database, account, holds, time

    def ask(self, key: Key, officer: str, question: str) -> Hold:
        """Ask the other agent about what is held. Raises NotFound, and Conflict when nothing waits (any more)."""
        now = self._time.now()

        def act(connection: Connection) -> Hold:
            hold = self._holds.open_hold(connection, key, now)
            screening = hold.decided.inputs.screening
            peer = other_agent(screening)
            if peer == self._account:
                raise Conflict("the other agent is this institution itself", outcome=hold.decided.verdict.outcome)
            ask(connection, screening, officer, question, now)
            return self._holds.ask_anew(connection, hold, officer, decide.ASK, question, now)

        return self._database.write(act)

    def learn(self, peer: Address, answers: Sequence[InquiryAnswer]) -> int:
        """What another institution answered, each once; how many answers were new."""
        now = self._time.now()
        given = [each for each in answers if each.state in (ANSWERED, REFUSED)]
        return self._database.write(lambda connection: sum(self._learn(connection, peer, each, now) for each in given))

    def _learn(self, connection: Connection, peer: Address, answer: InquiryAnswer, now: int) -> bool:
        known = inquiries.find(connection, [answer.id]).get(answer.id)
        if known is None or (known.direction, known.peer) != (ASKED, peer):
            return False
        text = answer.text[:MAX_TEXT] if answer.state == ANSWERED else f"not answered: {answer.text[:MAX_TEXT]}"
        note = repository.keep_note(connection, text)
        if not inquiries.answer(connection, answer.id, note, now):
            return False
        key = known.uetr, known.side
        about = {"inquiry": answer.id, "state": answer.state}
        cases.add_act(connection, Act(*key, LEARN, peer, now, note, about))
        try:
            hold = self._holds.open_hold(connection, key, now)
        except Conflict:
            return True  # officers have decided meanwhile, or the hold has ended
        self._holds.ask_anew(connection, hold, peer, decide.ANSWERED, text, now)
        return True

    def receive(self, asker: Address, asked: Sequence[Inquiry]) -> list[InquiryAnswer]:
        """Keep what another institution asks, each inquiry once, and say where each stands, in order."""
        now = self._time.now()
        return self._database.write(lambda connection: [self._receive(connection, asker, each, now) for each in asked])

    def _receive(self, connection: Connection, asker: Address, asked: Inquiry, now: int) -> InquiryAnswer:
        known = inquiries.find(connection, [asked.id]).get(asked.id)
        if known is None:
            try:
                check_inquiry(asked)
            except FeiqianError as refused:
                return InquiryAnswer(asked.id, REFUSED, refused.detail)
            if inquiries.open_of(connection, asker) >= MOST_OPEN:
                return InquiryAnswer(asked.id, REFUSED, f"{MOST_OPEN} of your inquiries wait for an answer")
            note = repository.keep_note(connection, written(asked.question, asked.party))
            side = "creditor" if asked.side == "debtor" else "debtor"
            inquiries.add(connection, KnownInquiry(asked.id, RECEIVED, asked.uetr, side, asker, note, now))
            return InquiryAnswer(asked.id, OPEN, "")
        if (known.direction, known.peer, known.uetr) != (RECEIVED, asker, asked.uetr):
            return InquiryAnswer(asked.id, REFUSED, "this id names another inquiry")
        if known.answer is None:
            return InquiryAnswer(asked.id, OPEN, "")
        note_found = repository.notes(connection, [known.answer]).get(known.answer)
        return InquiryAnswer(asked.id, ANSWERED, note_found.content if note_found else "erased")

    def page(self, answered: bool, after: int, limit: int) -> list[ReceivedInquiry]:
        """What others asked, the oldest first, behind the place `after`."""
        with self._database.read() as connection:
            found = inquiries.received(connection, answered, after, limit)
            return [self._shown(connection, place, each) for place, each in found]

    def answer(self, name: str, officer: str, text: str) -> ReceivedInquiry:
        """Answer what another institution asked; the same answer again changes nothing. Raises NotFound, and Conflict
        when it was answered otherwise."""
        now = self._time.now()

        def act(connection: Connection) -> ReceivedInquiry:
            known = inquiries.find(connection, [name]).get(name)
            if known is None or known.direction != RECEIVED:
                raise NotFound("no institution asked this")
            note = new_note(text)
            if not inquiries.answer(connection, name, note.commitment, now):
                given = self._shown(connection, 0, known)
                if given.answer == text:
                    return given
                raise Conflict("this inquiry was answered before", answered_at=known.answered_at)
            repository.add_note(connection, note)
            about = {"inquiry": name, "peer": known.peer}
            cases.add_act(connection, Act(known.uetr, known.side, ANSWER, officer, now, note.commitment, about))
            return self._shown(connection, 0, inquiries.find(connection, [name])[name])

        return self._database.write(act)

    def waiting(self, limit: int) -> list[tuple[Address, Inquiry]]:
        """What other institutions must still answer, and who: what the courier asks again."""
        with self._database.read() as connection:
            found = inquiries.to_ask(connection, self._time.now(), limit)
            notes = repository.notes(connection, [each.question for each in found])
        asked = [(each, _read(notes[each.question].content)) for each in found if each.question in notes]
        return [(each.peer, Inquiry(each.id, each.uetr, each.side, party, text)) for each, (text, party) in asked]

    def _shown(self, connection: Connection, place: int, known: KnownInquiry) -> ReceivedInquiry:
        wanted = [note for note in (known.question, known.answer) if note is not None]
        notes = repository.notes(connection, wanted)
        question, party = _read(notes[known.question].content) if known.question in notes else (None, None)
        answer = notes.get(known.answer) if known.answer is not None else None
        return ReceivedInquiry(place, known, question, party, answer.content if answer else None)


def check_inquiry(asked: Inquiry) -> None:
    """Refuse what cannot be shown or kept. Raises Malformed."""
    uetr(asked.uetr)
    if str(_uuid(asked.id)) != asked.id:
        raise Malformed("id: a UUID in lower case is needed")
    if asked.side not in ("debtor", "creditor", "provider"):
        raise Malformed("side is one of debtor, creditor, provider")
    if not asked.question.strip() or len(asked.question) > MAX_TEXT:
        raise Malformed(f"question: 1 to {MAX_TEXT} characters are needed")
    if asked.party is not None:
        check_party("party", asked.party)


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _read(note: str) -> tuple[str, Party | None]:
    document = load(note)
    party = document["party"]
    return document["question"], None if party is None else from_document(Party, party)
