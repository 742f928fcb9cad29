"""What officers do in a case beside deciding it, as the log keeps it: no personal data, only commitments to notes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from contracts.terms.commitments import canonical_json

ASSIGN, PRIORITISE, NOTE, ATTACH, ESCALATE, ASK, ANSWER, LEARN = (
    *("assign", "prioritise", "note", "attach", "escalate"),
    *("ask", "answer", "learn"),
)
"""The last three are about inquiries: we ask, we answer what another asked, we learn what another answered."""

RAISE_ALERT, ASSIGN_ALERT, CLOSE_ALERT, APPROVE_ALERT, REJECT_ALERT = (
    *("raise-alert", "assign-alert", "close-alert"),
    *("approve-alert", "reject-alert"),
)
"""About a customer who matches since a list changed (`compliance/alerts`). The service raises it, as no officer."""

PROPOSE_PAIR, APPROVE_PAIR, WITHDRAW_PAIR, CARRY_PAIR = (
    *("propose-false-positive", "approve-false-positive"),
    *("withdraw-false-positive", "carry-false-positive"),
)
"""About false positives; the last says how one stood when they came into the log."""


@dataclass(frozen=True)
class Act:
    """`officer` is the subject of the officer's tokens, or the account of another institution that answered; `at`
    seconds of chain time. `note` commits to a text kept elsewhere, None where there is none; `about` holds what kind of
    act it is of: to whom it was assigned, which priority it got, the hash of an attachment, the id of an inquiry."""

    uetr: str
    side: str
    act: str
    officer: str
    at: int
    note: bytes | None
    about: dict[str, Any]

    @property
    def record(self) -> bytes:
        """The log's entry. The same act gives the same bytes."""
        note = "" if self.note is None else "0x" + self.note.hex()
        return canonical_json(
            {
                "uetr": self.uetr,
                "side": self.side,
                "act": self.act,
                "officer": self.officer,
                "at": self.at,
                "note": note,
                "about": self.about,
            }
        )

    @classmethod
    def read(cls, record: bytes) -> Act:
        written = json.loads(record)
        note = written.pop("note")
        return cls(note=bytes.fromhex(note[2:]) if note else None, **written)
