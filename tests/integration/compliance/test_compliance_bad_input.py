"""Bad input at every door of compliance: a problem document that says what to do, and nothing recorded."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest

from contracts.terms.documents import to_document
from serving.client import PeerRefusal
from tests import plain_http

NOTE = b'{"note": "seen"}'
DEEP = b"[" * 17 + b"]" * 17
BODIES_THAT_ARE_NONE = {
    "empty": b"",
    "not JSON": b"note=seen",
    "not UTF-8": b'{"note": "\xff"}',
    "byte order mark": b'\xef\xbb\xbf{"note": "seen"}',
    "two values": NOTE + NOTE,
    "a key twice": b'{"note": "seen", "note": "unseen"}',
    "too large a number": b'{"note": 1e400}',
    "no number": b'{"note": NaN}',
    "nested deeply": b'{"note": ' + DEEP + b"}",
    "nested without end": b"[" * 100_000,
    "half a character": b'{"note": "\\ud800"}',
    "a list": b"[]",
    "null": b"null",
    "a number": b'{"note": 7}',
    "no note": b"{}",
    "more than a note": b'{"note": "seen", "officer": "boris"}',
    "an empty note": b'{"note": ""}',
    "a blank note": b'{"note": " \\n\\t"}',
    "a note too long": json.dumps({"note": "x" * 501}).encode(),
}
HOLD = "/v1/holds/{uetr}/debtor"
BAD_PATHS = (
    ("GET", "/v1/holds/7/debtor", 400, "malformed"),
    ("GET", "/v1/holds/{UETR}/debtor", 400, "malformed"),
    ("GET", "/v1/holds/{uetr}/payer", 400, "malformed"),
    ("GET", "/v1/holds/{unknown}/debtor", 404, "not-found"),
    ("GET", "/v1/holds/{uetr}", 404, "http"),
    ("GET", "/v1/holds?cursor=-1", 400, "malformed"),
    ("GET", "/v1/holds?cursor=99999999999999999999", 400, "malformed"),
    ("GET", "/v1/holds?limit=0", 400, "malformed"),
    ("GET", "/v1/holds?limit=501", 400, "malformed"),
    ("GET", "/v1/holds?limit=ten", 400, "malformed"),
    ("POST", "/v1/holds/7/debtor/release", 400, "malformed"),
    ("POST", "/v1/holds/{uetr}%00/debtor/release", 400, "malformed"),
    ("POST", "/v1/holds/{uetr}/payer/refuse", 400, "malformed"),
    ("POST", "/v1/holds/{uetr}/creditor/refuse", 404, "not-found"),
    ("POST", "/v1/holds/{unknown}/debtor/release", 404, "not-found"),
    ("POST", "/v1/holds/{uetr}/debtor/approve", 404, "http"),
    ("DELETE", HOLD + "/release", 405, "http"),
    ("GET", HOLD + "/release", 405, "http"),
    ("POST", "/v1/holds", 405, "http"),
    ("GET", "/v1/decisions?cursor=0", 400, "malformed"),
    ("GET", "/v1/decisions?limit=1e3", 400, "malformed"),
    ("GET", "/v1/decisions?outcome=maybe", 400, "malformed"),
    ("GET", "/v1/decisions/7", 400, "malformed"),
    ("GET", "/v1/decisions/{unknown}", 404, "not-found"),
    ("GET", "/v1/lists/issues?cursor=0", 400, "malformed"),
    ("GET", "/v1/lists/issues?limit=501", 400, "malformed"),
    ("GET", "/v1/lists/differences", 404, "http"),
    ("GET", "/v1/lists/differences/7/{none}", 400, "malformed"),
    ("GET", "/v1/lists/differences/{none}/{none}", 404, "not-found"),
    ("GET", "/v1/alerts?cursor=-1", 400, "malformed"),
    ("GET", "/v1/alerts?limit=ten", 400, "malformed"),
    ("GET", "/v1/false-positives?cursor=-1", 400, "malformed"),
    ("POST", "/v1/false-positives", 400, "malformed"),
    ("POST", "/v1/false-positives/0/approve", 400, "malformed"),
    ("POST", "/v1/false-positives/seven/approve", 400, "malformed"),
    ("POST", "/v1/false-positives/999999/approve", 404, "not-found"),
    ("POST", "/v1/false-positives/999999/withdraw", 404, "not-found"),
    ("POST", "/v1/false-positives/99999999999999999999/withdraw", 400, "malformed"),
    ("DELETE", "/v1/lists", 405, "http"),
    ("GET", "/v1/openings/7", 400, "malformed"),
    ("GET", "/v1/openings/{unknown}", 404, "not-found"),
)
ROUTES = (
    ("GET", "/v1/holds", "compliance:officer"),
    ("GET", HOLD, "compliance:officer"),
    ("POST", HOLD + "/release", "compliance:officer"),
    ("POST", HOLD + "/refuse", "compliance:officer"),
    ("GET", "/v1/decisions", "compliance:read"),
    ("GET", "/v1/decisions/{uetr}", "compliance:read"),
    ("GET", "/v1/lists", "compliance:read"),
    ("GET", "/v1/lists/issues", "compliance:read"),
    ("GET", "/v1/lists/differences/{none}/{none}", "compliance:read"),
    ("POST", "/v1/lists/look", "compliance:officer"),
    ("GET", "/v1/alerts", "compliance:read"),
    ("GET", "/v1/false-positives", "compliance:officer"),
    ("POST", "/v1/false-positives", "compliance:officer"),
    ("POST", "/v1/false-positives/1/approve", "compliance:officer"),
    ("POST", "/v1/false-positives/1/withdraw", "compliance:officer"),
    ("GET", "/v1/policy", "compliance:read"),
    ("GET", "/v1/openings/{uetr}", "audit"),
)
SCOPES = ("compliance:officer", "compliance:read", "audit")


@pytest.fixture(scope="module")
def held(service: Any) -> str:
    """The UETR of a payment that is held."""
    asked = service.similar()
    assert service.decide(asked).outcome == "hold"
    return str(asked.uetr)


@contextmanager
def nothing_recorded(service: Any) -> Iterator[None]:
    before = _state(service)
    yield
    assert _state(service) == before


def _state(service: Any) -> tuple[Any, ...]:
    judged = service.get("/v1/false-positives?limit=500", "compliance:officer").json()
    return service.queue("?limit=500"), service.get("/v1/decisions?limit=500", "compliance:read").json(), judged


def problem(answer: httpx2.Response) -> tuple[int, str]:
    document = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert document["detail"]
    assert document["status"] == answer.status_code
    return answer.status_code, document["type"].removeprefix("urn:feiqian:problem:")


@pytest.mark.parametrize("what", BODIES_THAT_ARE_NONE)
def test_a_body_that_is_no_note_is_refused(service: Any, held: str, what: str) -> None:
    with nothing_recorded(service):
        for action in ("release", "refuse"):
            path = f"/v1/holds/{held}/debtor/{action}"
            answer = service.request("POST", path, "anna", "compliance:officer", content=BODIES_THAT_ARE_NONE[what])
            assert problem(answer) == (400, "malformed")


PROPOSAL: dict[str, Any] = {
    "side": "debtor",
    "role": "debtor",
    "list": "OFAC SDN",
    "entry_id": "35096",
    "seconds": 60,
    "note": "another person",
}


@pytest.mark.parametrize(
    "changes",
    [
        {"uetr": "7"},
        {"side": "payer"},
        {"role": "provider"},
        {"list": "x" * 1001},
        {"entry_id": 35096},
        {"seconds": 0},
        {"seconds": "60"},
        {"seconds": 367 * 86_400},
        {"note": " "},
        {"note": "x" * 501},
        {"officer": "boris"},
        {"note": None},
    ],
)
def test_a_proposal_that_is_none_is_refused(service: Any, held: str, changes: dict[str, Any]) -> None:
    content = json.dumps({"uetr": held, **PROPOSAL, **changes}).encode()
    with nothing_recorded(service):
        answer = service.request("POST", "/v1/false-positives", "anna", "compliance:officer", content=content)
        assert problem(answer) == (400, "malformed")


def test_an_oversized_body_is_refused(service: Any, held: str) -> None:
    oversized = b'{"note": "' + b"x" * 9_000_000 + b'"}'
    with nothing_recorded(service):
        for path in (f"/v1/holds/{held}/debtor/refuse", "/peer/v1/screenings", "/peer/v1/attestations"):
            answer = service.request("POST", path, "anna", "compliance:officer", content=oversized)
            assert problem(answer) == (413, "http")


@pytest.mark.parametrize(("method", "path", "status", "kind"), BAD_PATHS)
def test_a_path_that_names_nothing_is_refused(
    service: Any, held: str, method: str, path: str, status: int, kind: str
) -> None:
    path = path.format(uetr=held, UETR=held.upper(), unknown=uuid.uuid4(), none="0" * 64)
    content = NOTE if method == "POST" else None
    with nothing_recorded(service):
        answer = service.request(method, path, "anna", *SCOPES, content=content)
        assert problem(answer) == (status, kind), answer.text


@pytest.mark.parametrize(("method", "path", "scope"), ROUTES)
def test_only_the_right_scope_opens(service: Any, held: str, method: str, path: str, scope: str) -> None:
    path, content = path.format(uetr=held, none="0" * 64), NOTE if method == "POST" else None
    url = service.settings.endpoint + path
    with nothing_recorded(service):
        others = [other for other in SCOPES if other != scope]
        assert problem(service.request(method, path, "anna", *others, content=content)) == (403, "forbidden")
        for headers in ({}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic YTpi"}):
            answer = plain_http.request(method, url, content=content, headers=headers)
            assert problem(answer) == (401, "bad-token")


def bad(document: dict[str, Any], **changes: Any) -> bytes:
    return json.dumps({"screenings": [document | changes]}).encode()


PEER_BODIES: tuple[tuple[str, Callable[[dict[str, Any]], bytes]], ...] = (
    ("not JSON", lambda asked: b"screen this"),
    ("a key twice", lambda asked: b'{"screenings": [], "screenings": []}'),
    ("too large a number", lambda asked: b'{"screenings": [{"attempt": 1e400}]}'),
    ("nested deeply", lambda asked: b'{"screenings": ' + DEEP + b"}"),
    ("unknown member", lambda asked: bad(asked, colour="red")),
    ("missing member", lambda asked: bad({key: value for key, value in asked.items() if key != "legs"})),
    ("attempt as text", lambda asked: bad(asked, attempt="1")),
    ("attempt as a truth", lambda asked: bad(asked, attempt=True)),
    ("attempt as a fraction", lambda asked: bad(asked, attempt=1.0)),
    ("amount as a number", lambda asked: bad(asked, legs=[asked["legs"][0] | {"amount": 1}])),
    ("amount of no form", lambda asked: bad(asked, legs=[asked["legs"][0] | {"amount": "1.50"}])),
    ("too many", lambda asked: json.dumps({"screenings": [asked] * 501}).encode()),
)


@pytest.mark.parametrize(("what", "body"), PEER_BODIES)
def test_a_signed_body_that_is_none_is_refused_whole(
    service: Any, what: str, body: Callable[[dict[str, Any]], bytes]
) -> None:
    asked = to_document(service.question())
    with nothing_recorded(service), pytest.raises(PeerRefusal) as refusal:
        service.client().post(service.peer, "/peer/v1/screenings", body(asked))
    assert (refusal.value.status, refusal.value.problem) == (400, "malformed")
    assert refusal.value.detail


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"uetr": "7"}, "malformed"),
        ({"attempt": -1}, "malformed"),
        ({"attempt": 10**30}, "conflict"),
        ({"attempt": 1}, "conflict"),
        ({"side": "payer"}, "malformed"),
        ({"legs": []}, "malformed"),
    ],
)
def test_a_bad_question_is_refused_by_itself_and_not_recorded(service: Any, changes: dict[str, Any], kind: str) -> None:
    asked = to_document(service.question()) | changes
    with nothing_recorded(service):
        body = json.dumps({"screenings": [asked]}).encode()
        [item] = service.client().post(service.peer, "/peer/v1/screenings", body)["decisions"]
        assert item["problem"] == kind
        assert item["detail"]


@pytest.mark.parametrize("body", [b"attest this", b'{"requests": 1e400}', b'{"requests": ' + DEEP + b"}", b"{}"])
def test_a_signed_attestation_body_that_is_none_is_refused(service: Any, body: bytes) -> None:
    with nothing_recorded(service), pytest.raises(PeerRefusal) as refusal:
        service.client().post(service.peer, "/peer/v1/attestations", body)
    assert (refusal.value.status, refusal.value.problem) == (400, "malformed")
