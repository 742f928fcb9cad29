"""Lists while payments are decided by them: swapped without a failed query, and clearing nothing once too old."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from compliance.client import Decision, SignedAttestation
from compliance.lists.loader import SHIPPED_LIST
from compliance.service import DecisionsService
from contracts.terms.errors import ComplianceUnavailable, Malformed
from serving.database import DatabaseReader

HEADER = "list,entry_id,kind,name,aliases,birth_dates,nationalities,origin,as_of\n"
OTHERS = 'TEST,1,person,"KHANT, Aung",,,,a test,2026-01-01\nTEST,2,person,"NADIE, Pedro",,,,a test,2026-01-01\n'
BUYER = 'TEST,3,person,"WANG, Xiaoming",,,,a test,2026-01-01\n'
ACQUIRER = "0x" + "3" * 40
READ, OFFICER = "compliance:read", "compliance:officer"


def catalogue(folder: Path, source: str | Path, **more: str | int) -> Path:
    """A catalogue of one list."""
    lines = {"source": f'"{source}"', "refresh_seconds": "1", **{key: repr(value) for key, value in more.items()}}
    file = folder / "lists.toml"
    file.write_text("[lists.test]\n" + "".join(f"{key} = {value}\n" for key, value in lines.items()))
    return file


def write(file: Path, content: str, age: int = 0) -> Path:
    """All at once, as a list must be replaced; changed `age` seconds ago."""
    new = file.with_suffix(".new")
    new.write_text(content)
    os.utime(new, (time.time() - age, time.time() - age))
    return new.replace(file)


def look(service: Any) -> Any:
    answer = service.request("POST", "/v1/lists/look", "anna", OFFICER)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ready(service: Any) -> tuple[int, str]:
    answer = service.get("/ready")
    return answer.status_code, answer.json().get("detail", "")


def faults(service: Any) -> tuple[str, ...]:
    with closing(DatabaseReader(service.settings.database)) as database:
        return DecisionsService(database).replay().faults


def cleared(service: Any) -> int:
    found = service.get("/v1/decisions?outcome=clear&limit=500", READ).json()["decisions"]
    return len(found)


def test_a_swap_fails_no_query_and_each_decision_follows_from_its_own_version(start: Any, tmp_path: Path) -> None:
    file = write(tmp_path / "list.csv", HEADER + OTHERS)
    service = start(sanctions_list=catalogue(tmp_path, file))
    listed = {look(service)["version"]: False}
    decisions, failures, ended = list[Decision](), list[object](), threading.Event()

    def ask() -> None:
        while not ended.is_set():
            try:
                answers = service.compliance.screen([service.question() for _ in range(5)])
                decisions.extend(each for each in answers if isinstance(each, Decision))
                failures.extend(each for each in answers if not isinstance(each, Decision))
            except Exception as failure:
                failures.append(failure)

    asking = [threading.Thread(target=ask) for _ in range(3)]
    for thread in asking:
        thread.start()
    for round_ in range(8):
        others = OTHERS + f'TEST,9,person,"ROUND, Number {round_}",,,,a test,2026-01-01\n'
        write(file, HEADER + others + (BUYER if round_ % 2 else ""))
        count = len(decisions)
        listed[look(service)["version"]] = bool(round_ % 2)
        service.until(lambda count=count: len(decisions) >= count + 15 or failures)
    ended.set()
    for thread in asking:
        thread.join()
    assert failures == []
    assert len(listed) == 9
    by_version = {version: {each.outcome for each in decisions if each.list_version == version} for version in listed}
    assert {each.list_version for each in decisions} <= listed.keys()
    for version, has_the_buyer in listed.items():
        assert by_version[version] <= {"refuse" if has_the_buyer else "clear"}
    assert set.union(*by_version.values()) == {"clear", "refuse"}
    assert faults(service) == ()


def test_a_list_over_its_limit_clears_nothing_and_says_so(start: Any, tmp_path: Path) -> None:
    file = write(tmp_path / "list.csv", SHIPPED_LIST.read_text())
    service = start(sanctions_list=catalogue(tmp_path, file, max_age_seconds=3600, refresh_seconds=86400))
    held, asked = service.similar(), service.question()
    service.decide(held)
    decision = service.decide(asked)
    assert (decision.outcome, ready(service)[0]) == ("clear", 200)
    batch, own = service.batch(service.terms(asked, decision))

    os.utime(file, (time.time() - 4000, time.time() - 4000))
    assert look(service)["clearing"] is False
    service.until(lambda: ready(service)[0] == 503)
    assert "the list test is 4" in ready(service)[1]
    assert "over its limit of 3600 s" in ready(service)[1]
    before = cleared(service)
    for ask in (lambda: service.compliance.screen([service.question()]), lambda: service.attest(batch, *own)):
        with pytest.raises(ComplianceUnavailable, match="over its limit"):
            ask()
    stopped = service.officer("anna", "release", held)
    assert (stopped.status_code, "over its limit" in stopped.json()["detail"]) == (503, True)
    service.officer("anna", "refuse", held)
    assert service.officer("bo", "refuse", held).json()["outcome"] == "refuse", "a held payment can always end"
    assert cleared(service) == before

    write(file, SHIPPED_LIST.read_text())
    assert look(service)["clearing"] is True
    assert service.decide(service.question()).outcome == "clear"
    assert isinstance(service.attest(batch, *own), SignedAttestation)
    assert faults(service) == ()


def damage_nothing(_: Path) -> None:
    """It only grows old."""


def delete(file: Path) -> None:
    file.unlink()


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-30])


def replace_by_a_page(file: Path) -> None:
    file.write_text("<html><body>Maintenance</body></html>")


def empty(file: Path) -> None:
    file.write_text("")


def lose_most(file: Path) -> None:
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:20]))


def break_encoding(file: Path) -> None:
    file.write_bytes(file.read_bytes().replace(b"KIM", b"K\xff\xfeM"))


@pytest.mark.parametrize(
    "damage",
    [damage_nothing, delete, cut, replace_by_a_page, empty, lose_most, break_encoding],
    ids=lambda f: f.__name__,
)
def test_a_damaged_source_keeps_the_last_good_list_until_its_limit_then_clears_nothing(
    start: Any, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    limit = 3
    file = write(tmp_path / "list.csv", SHIPPED_LIST.read_text())
    service = start(sanctions_list=catalogue(tmp_path, file, max_age_seconds=limit, least_entries=100))
    version = service.get("/v1/lists", READ).json()["version"]
    damage(file)
    if damage is not damage_nothing:
        seen = look(service)
        assert seen["version"] == version, "what was in force stays in force"
        assert seen["lists"][0]["trouble"]
        assert seen["entries"] == 105
    service.until(lambda: ready(service)[0] == 503)
    before = cleared(service)
    for _ in range(3):
        with pytest.raises(ComplianceUnavailable, match="the list test"):
            service.compliance.screen([service.question(), service.question()])
    assert cleared(service) == before
    write(file, SHIPPED_LIST.read_text())
    service.until(lambda: ready(service)[0] == 200)
    assert service.decide(service.question()).outcome == "clear"


def test_a_missing_or_wrong_file_stops_the_start(start: Any, tmp_path: Path) -> None:
    with pytest.raises(Malformed, match=r"list .*nowhere\.csv"):
        start(sanctions_list=catalogue(tmp_path, tmp_path / "nowhere.csv"))
    (tmp_path / "wrong.csv").write_text(HEADER + "TEST,7,ship,Boat,,,,x,y\n")
    with pytest.raises(Malformed, match=r"wrong\.csv: row 2: kind"):
        start(ACQUIRER, sanctions_list=tmp_path / "wrong.csv")


class Publisher:
    """A web server whose answers the test sets: status and bytes by path."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[int, bytes]] = {}
        self.cut = False
        publisher = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, content = publisher.pages.get(self.path, (404, b""))
                self.send_response(status)
                self.send_header("Content-Length", str(len(content) + (10 if publisher.cut else 0)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Nothing on standard error."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/list.csv"

    def publish(self, content: str, checksum: str | None = None) -> None:
        octets = content.encode()
        self.pages["/list.csv"] = (200, octets)
        told = checksum or hashlib.sha256(octets).hexdigest()
        self.pages["/list.csv.sha256"] = (200, f"{told}  list.csv\n".encode())


@contextmanager
def publishing() -> Iterator[Publisher]:
    publisher = Publisher()
    thread = threading.Thread(target=publisher.server.serve_forever)
    thread.start()
    yield publisher
    publisher.server.shutdown()
    publisher.server.server_close()
    thread.join()


def test_a_list_from_a_url_with_its_checksum(start: Any, tmp_path: Path) -> None:
    with publishing() as publisher:
        named = catalogue(tmp_path, publisher.url, sha256="beside", max_age_seconds=86400, refresh_seconds=86400)
        service = start(sanctions_list=named)
        assert "was never loaded" in ready(service)[1]
        with pytest.raises(ComplianceUnavailable, match="never loaded"):
            service.compliance.screen([service.question()])
        publisher.publish(HEADER + OTHERS)
        first = look(service)
        assert (first["clearing"], first["entries"], first["lists"][0]["trouble"]) == (True, 2, "")
        assert service.decide(service.question()).outcome == "clear"

        publisher.publish(HEADER + OTHERS + BUYER, checksum="0" * 64)
        wrong = look(service)
        assert "SHA-256 is not the one" in wrong["lists"][0]["trouble"]
        publisher.publish(HEADER + OTHERS + BUYER)
        publisher.cut = True
        assert look(service)["lists"][0]["trouble"]
        publisher.cut = False
        publisher.pages["/list.csv"] = (500, b"")
        assert "500" in look(service)["lists"][0]["trouble"]
        assert wrong["version"] == first["version"]
        assert service.decide(service.question()).outcome == "clear"

        publisher.publish(HEADER + OTHERS + BUYER)
        assert look(service)["entries"] == 3
        assert service.decide(service.question()).outcome == "refuse"
        service.stop()
    again = start(sanctions_list=named)
    kept = again.get("/v1/lists", READ).json()
    assert (kept["entries"], kept["clearing"]) == (3, True), "what was kept counts while the publisher is away"
    assert again.decide(again.question()).outcome == "refuse"
    again.until(lambda: again.get("/v1/lists", READ).json()["lists"][0]["trouble"])
    assert faults(again) == ()


def test_a_payment_cleared_under_older_lists_is_screened_again_before_it_is_attested(
    start: Any, tmp_path: Path
) -> None:
    file = write(tmp_path / "list.csv", HEADER + OTHERS)
    service = start(sanctions_list=catalogue(tmp_path, file, refresh_seconds=86400))
    asked, other = service.question(), service.question(debtor=service.buyer(name="Zhang Wei"))
    decisions = [service.decide(each) for each in (asked, other)]
    assert [each.outcome for each in decisions] == ["clear", "clear"]
    write(file, HEADER + OTHERS + BUYER)
    look(service)
    stopped, own = service.batch(service.terms(asked, decisions[0]))
    problem, detail = service.refused(stopped, *own)
    assert (problem, "no longer in force" in detail) == ("not-screened", True)
    passed, own = service.batch(service.terms(other, decisions[1]), sequence=1)
    assert isinstance(service.attest(passed, *own), SignedAttestation), "new lists stop only what they concern"
    assert faults(service) == ()


def test_versions_are_kept_and_differences_shown(start: Any, tmp_path: Path) -> None:
    file = write(tmp_path / "list.csv", HEADER + OTHERS)
    service = start(sanctions_list=catalogue(tmp_path, file, refresh_seconds=86400))
    changed = OTHERS.replace("NADIE, Pedro", "NADIE, Pablo").splitlines()[1] + "\n"
    write(file, HEADER + changed + BUYER)
    look(service)
    page = service.get("/v1/lists/issues?limit=1", READ).json()
    rest = service.get(f"/v1/lists/issues?cursor={page['next_cursor']}", READ).json()
    [new], [old] = page["issues"], rest["issues"]
    assert (old["entries"], new["entries"], rest["next_cursor"]) == (2, 2, None)
    found = service.get(f"/v1/lists/differences/{old['version']}/{new['version']}", READ).json()
    assert (found["added"], found["removed"], found["changed"]) == (1, 1, 1)
    assert found["added_entries"][0]["name"] == "WANG, Xiaoming"
    assert found["removed_entries"][0]["entry_id"] == "1"
    assert found["changed_entries"][0]["what"] == ["name"]
    unknown = service.get(f"/v1/lists/differences/{old['version']}/{'0' * 64}", READ)
    assert unknown.status_code == 404
