"""Server-sent events: each event of one's payments once, in order, also after being cut off; readers hold nothing."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
from alembic import command
from alembic.config import Config
from sqlalchemy import BigInteger, Connection, Integer, Text, column, insert, select, table

from contracts.terms.errors import NotFound
from contracts.terms.payment import Event
from nodes.accounts.tables import accounts as account_table
from nodes.app import MIGRATIONS
from nodes.bell import MOST_OF_ONE
from nodes.payments import events as payment_rows
from nodes.payments.stream import begin, events_of
from nodes.payments.tables import payment_events
from nodes.payments.tables import payments as payment_table
from serving.columns import Octets
from tests import databases
from tests.node_door import Door, opened

TO_THE_END = (Event.CLEAR, Event.AGREE, Event.SIGN, Event.SETTLE)
ALL = "/v1/payments/events"
PATIENCE = 30.0


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with opened(tmp_path / "node.db") as made:
        yield made


def events(text: str) -> list[tuple[int, dict[str, Any]]]:
    """(id, what it says) of each event in a stream's text."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "data" in fields:
            found.append((int(fields["id"]), json.loads(fields["data"])))
    return found


def recorded(door: Door, owner: str = "malee") -> list[tuple[int, str, str]]:
    """(id, UETR, state) of every event of an owner's payments."""
    query = f"SELECT place, uetr, state FROM payment_events WHERE owner = '{owner}' ORDER BY place"
    with door.database.read() as connection:
        return [(row.place, row.uetr, row.state) for row in connection.exec_driver_sql(query)]


def told(text: str) -> list[tuple[int, str, str]]:
    return [(number, each["uetr"], each["status"]) for number, each in events(text)]


def follow(door: Door, uetr: str, after: int | None, stop: Callable[[list[bytes]], bool], owner: str = "malee") -> str:
    """What a reader got until it left."""

    async def read() -> list[bytes]:
        following, got = begin(door.node, owner, uetr, after), []
        assert following is not None
        async for chunk in events_of(door.node, following, heartbeat=0.01):
            got.append(chunk)
            if stop(got):
                break
        return got

    return b"".join(asyncio.run(asyncio.wait_for(read(), PATIENCE))).decode()


def test_a_payment_is_told_from_its_beginning_to_its_end(door: Door) -> None:
    other, uetr = door.paid(), door.paid()
    with ThreadPoolExecutor(1) as reader:
        answer = reader.submit(door.get, f"/v1/payments/{uetr}/events")
        door.move(other, Event.CLEAR)
        for event in TO_THE_END:
            door.move(uetr, event)
        stream = answer.result(PATIENCE)
    assert stream.headers["content-type"].startswith("text/event-stream")
    assert stream.headers["cache-control"] == "no-store"
    said = [each for _, each in events(stream.text)]
    assert [each["status"] for each in said] == ["accepted", "screened", "agreed", "committing", "settled"]
    assert [each["final"] for each in said] == [False] * 4 + [True]
    assert said[0]["event"] == "accept"
    assert {(each["uetr"], each["account"], each["direction"]) for each in said} == {(uetr, "malee", "outgoing")}
    assert said[-1]["iso20022"] == "ACSC"
    assert told(stream.text) == [row for row in recorded(door) if row[1] == uetr]


def test_whoever_was_cut_off_resumes_without_loss_or_double(door: Door) -> None:
    uetr = door.paid()
    door.move(uetr, *TO_THE_END)
    path, all_of_them = f"/v1/payments/{uetr}/events", recorded(door)
    for count in range(5):
        last = all_of_them[count - 1][0] if count else 0
        for options in ({"params": {"after": str(last)}}, {"headers": {"Last-Event-ID": str(last)}}):
            options["headers"] = door.token("malee") | options.get("headers", {})
            assert told(door.http.get(path, **options).text) == all_of_them[count:]
    headers = door.token("malee") | {"Last-Event-ID": "4"}
    assert told(door.http.get(path, params={"after": "1"}, headers=headers).text) == all_of_them[4:], "the newer says"
    ended = door.get(path, after=all_of_them[-1][0])
    assert (ended.status_code, ended.content) == (204, b""), "a browser asks no more"


@pytest.mark.parametrize("length", [1, 2, 3, 5, 50])
def test_all_payments_in_one_stream_read_in_pieces_are_the_record(door: Door, length: int) -> None:
    uetrs = [door.paid(account) for account in ("malee", "anan", "malee-travel", "malee")]
    for event in TO_THE_END:
        for uetr in uetrs:
            door.move(uetr, event)
    read, after = [], 0
    while piece := told(follow(door, "", after, lambda got: len(got) > 1))[:length]:
        read += piece
        after = piece[-1][0]
    assert read == recorded(door)
    assert [number for number, _, _ in read] == list(range(1, 16))
    assert {uetr for _, uetr, _ in read} == {uetrs[0], uetrs[2], uetrs[3]}, "nobody else's"


def test_without_an_event_to_resume_from_the_stream_begins_now(door: Door) -> None:
    door.move(door.paid(), Event.CLEAR)
    later: list[str] = []

    def pay_once(got: list[bytes]) -> bool:
        if not later:
            later.append(door.paid())
        return b"data" in got[-1]

    text = follow(door, "", None, pay_once)
    assert text.startswith("retry: 1000\nid: 2\n\n"), "whoever is cut off before the first event misses none"
    assert told(text) == [(3, later[0], "accepted")]


def test_what_a_merchant_receives_and_what_comes_back_is_told_to_them(door: Door) -> None:
    back = door.receive("anan", 5, "00000000-0000-4000-8000-000000000000")
    door.move(back, *TO_THE_END)
    stream = door.get(f"/v1/payments/{back}/events", "anan")
    assert [each["status"] for _, each in events(stream.text)] == [
        *("accepted", "screened", "agreed", "committing", "settled")
    ]
    assert {each["direction"] for _, each in events(stream.text)} == {"incoming"}


def test_an_idle_stream_beats_also_after_an_event(door: Door) -> None:
    door.paid()
    later: list[str] = []

    def beats_again(got: list[bytes]) -> bool:
        if not later and len(got) > 1:
            later.append(door.paid())
        return len(later) == 1 and later[0].encode() in b"".join(got) and got[-3:] == [b":\n\n"] * 3

    assert len(told(follow(door, "", 0, beats_again))) == 2


def test_the_end_of_one_payment_does_not_end_the_stream_of_all(door: Door) -> None:
    door.move(door.paid(), *TO_THE_END)
    later: list[str] = []

    def pay_after_the_end(got: list[bytes]) -> bool:
        if not later and b"settled" in got[-1]:
            later.append(door.paid())
        return bool(later) and later[0].encode() in got[-1]

    assert [state for _, _, state in told(follow(door, "", 4, pay_after_the_end))] == ["settled", "accepted"]


def test_a_stream_ends_in_time_to_show_a_token_again(door: Door) -> None:
    async def read() -> list[bytes]:
        following = begin(door.node, "malee", "", None)
        assert following is not None
        return [chunk async for chunk in events_of(door.node, following, heartbeat=0.01, lifetime=0.05)]

    assert asyncio.run(asyncio.wait_for(read(), PATIENCE))[0].startswith(b"retry")


def test_the_streams_are_described(door: Door) -> None:
    described = door.http.get("/openapi.json").json()["paths"]
    for path in (ALL, "/v1/payments/{uetr}/events"):
        answers = described[path]["get"]["responses"]
        assert "text/event-stream" in answers["200"]["content"]
        assert "204" in answers


def test_what_cannot_be_followed(door: Door) -> None:
    uetr = door.paid()
    assert door.get(f"/v1/payments/{uetr}/events", "anan").status_code == 404
    assert door.get("/v1/payments/nothing/events").status_code == 404
    for path in (ALL, f"/v1/payments/{uetr}/events"):
        for wrong in ("-1", "x", "1.5", "\u0661", "", "1" * 19, "1 "):
            answer = door.get(path, after=wrong)
            assert (answer.status_code, answer.json()["reason"]) == (400, "FF01"), wrong
        headers = door.token("malee") | {"Last-Event-ID": "x"}
        assert door.http.get(path, headers=headers).status_code == 400
        assert door.get(path, after=2).status_code == 404, "an event that was never given"
    with pytest.raises(NotFound):
        begin(door.node, "anan", uetr, None)


def test_the_events_of_an_older_release_are_counted_when_it_is_upgraded(tmp_path: Path) -> None:
    def upgrade(to: str) -> Callable[[Connection], None]:
        def run(connection: Connection) -> None:
            config = Config()
            config.set_main_option("script_location", str(MIGRATIONS))
            config.attributes["connection"] = connection
            command.upgrade(config, to)

        return run

    rows = [("u1", 0, 5, "a"), ("u1", 1, 5, "a"), ("u2", 0, 3, "b"), ("u3", 0, 4, "c"), ("u2", 1, 9, "b")]
    with closing(databases.opened(tmp_path / "old.db")) as database:
        database.migrate(upgrade("0004"))

        def fill(connection: Connection) -> None:
            for account, owner in (("a", "malee"), ("b", "malee"), ("c", "anan")):
                connection.execute(insert(account_table).values(_row(account_table, id=account, owner=owner)))
            for uetr, number, at, account in rows:
                if not number:
                    connection.execute(insert(payment_table).values(_row(payment_table, uetr=uetr, account=account)))
                values = {"uetr": uetr, "number": number, "event": "e", "state": "accepted", "detail": "", "at": at}
                old = [payment_events.c[name] for name in values]
                connection.execute(insert(table(payment_events.name, *map(_bare, old))).values(values))

        database.write(fill)
        database.migrate(upgrade("head"))
        with database.read() as connection:
            found = connection.execute(select(payment_events).order_by(payment_events.c.owner, payment_events.c.place))
            places = [(row.owner, row.place, row.uetr, row.number) for row in found]
            assert payment_rows.last_places(connection, ["malee", "anan", "nobody"]) == {"malee": 4, "anan": 1}
    assert places == [
        ("anan", 1, "u3", 0),
        *(("malee", 1, "u2", 0), ("malee", 2, "u1", 0), ("malee", 3, "u1", 1), ("malee", 4, "u2", 1)),
    ]


def _bare(known: Any) -> Any:
    return column(known.name, known.type)


def _row(of: Any, **values: Any) -> dict[str, Any]:
    """A row that the database takes; what is not given says nothing."""
    empty = {Text: "", BigInteger: 0, Integer: 0, Octets: b""}
    row = {each.name: empty[type(each.type)] for each in of.columns}
    allowed = {"kind": "customer", "side": "debtor", "state": "accepted"}
    return row | {name: value for name, value in allowed.items() if name in row} | values


@contextmanager
def served(door: Door) -> Iterator[int]:
    """The door on a real socket."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        server = uvicorn.Server(uvicorn.Config(door.app, log_config=None, timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
        thread.start()
        yield bound.getsockname()[1]
        server.should_exit = True
        thread.join(PATIENCE)


def until(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"waited in vain until {what}"
        time.sleep(0.01)


def test_readers_that_read_nothing_or_are_gone_hold_no_thread_and_no_room(door: Door) -> None:
    with served(door) as port, ExitStack() as stack:
        request = f"GET {ALL} HTTP/1.1\r\nHost: x\r\nAuthorization: {door.token('malee')['Authorization']}\r\n\r\n"
        readers = []
        for count in range(1, MOST_OF_ONE + 1):
            reader = stack.enter_context(socket.create_connection(("127.0.0.1", port), PATIENCE))
            reader.sendall(request.encode())
            readers.append(reader)
            until(lambda count=count: len(door.node.bell._listeners) == count, "it listens")  # type: ignore[misc]
        client = stack.enter_context(httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE))
        full = client.get(ALL, headers=door.token("malee"))
        assert (full.status_code, full.json()["type"]) == (503, "urn:feiqian:problem:busy")
        assert full.headers["retry-after"]
        assert client.get("/v1/payments", headers=door.token("malee")).status_code == 200, "more than there are threads"
        for reader in readers:
            reader.close()
        until(lambda: not door.node.bell._listeners, "nobody listens")
        uetr = door.paid()
        door.move(uetr, *TO_THE_END)
        path = f"/v1/payments/{uetr}/events"
        assert len(events(client.get(path, headers=door.token("malee")).text)) == 5
