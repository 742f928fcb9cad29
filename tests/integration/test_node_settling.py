"""What is said of a payment is said of how it stands."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection

from contracts.terms.payment import Event
from nodes.payments import end
from nodes.payments import repository as payments
from tests.node_door import NOW, opened


def test_a_settled_payment_bears_no_word_of_what_delayed_it(tmp_path: Path) -> None:
    delayed = "a member did not sign"

    def drop(connection: Connection) -> None:
        [payment] = payments.find_all(connection, [uetr])
        assert payments.move(connection, payment, Event.DROP, detail=delayed)

    def settle(connection: Connection) -> None:
        end.settle(connection, payments.find_all(connection, [uetr]), NOW)

    with opened(tmp_path / "node.db") as door:
        uetr = door.paid()
        door.move(uetr, Event.CLEAR, Event.AGREE, Event.BATCH)
        door.database.write(drop)
        assert door.get(f"/v1/payments/{uetr}").json()["detail"] == delayed
        door.move(uetr, Event.BATCH, Event.SIGN)
        door.database.write(settle)
        standing = door.get(f"/v1/payments/{uetr}").json()
    assert (standing["status"], standing["detail"]) == ("settled", "")
