"""Bad input at every route of a bridge: its own status and problem, and nothing is reserved, priced or recorded."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from bridge.client import QuoteRequest
from contracts.terms.documents import to_document
from contracts.terms.identifiers import new_uetr
from serving.bodies import MAX_BODY_BYTES
from serving.signed_form import RequestMessage
from tests import plain_http
from tests.databases import looking, place

CNY, THB = 156, 764
HASH = b"\x07" * 32
LISTS = {
    "/peer/v1/quotes": "requests",
    "/peer/v1/reservations": "payments",
    "/peer/v1/reservations/release": "uetrs",
    "/peer/v1/cosignatures": "requests",
}
OWN = ("/v1/positions", "/v1/reservations", "/v1/rates", f"/v1/quotes/0x{'12' * 32}")
Answered = tuple[int, str]


@pytest.fixture(autouse=True)
def _nothing_is_recorded(stage: Any) -> Iterator[None]:
    """Every test here leaves the bridge's records as they were, but for what it says it prepared."""
    before = records(stage)
    stage.prepared = 0
    yield
    quotes, *others = records(stage)
    assert [quotes - stage.prepared, *others] == before


def records(stage: Any) -> list[int]:
    """How many quotes there are, and rows of what a payment leaves behind."""
    tables = ("quotes", "reservations", "reservation_events", "signed_batches", "postings")
    with looking(place(stage.folder / "bridge.db")) as connection:
        return [connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one() for table in tables]


def signed(stage: Any, path: str, body: bytes, by: str = "wallet") -> dict[str, str]:
    """The headers with which this member sends a body."""
    message = RequestMessage("POST", stage.endpoint + path, {"Content-Type": "application/json"})
    stage.messenger(by).sign_request(message, body)
    return dict(message.headers)


def answer(response: httpx2.Response) -> Answered:
    """Status and problem kind; whatever is wrong, the answer is a problem document that says what."""
    problem = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert {"type", "title", "status", "detail", "reason"} <= problem.keys()
    assert problem["status"] == response.status_code
    assert len(problem["detail"]) > 10
    return response.status_code, problem["type"].rsplit(":", 1)[-1]


def sent(stage: Any, path: str, body: bytes, by: str = "wallet") -> Answered:
    return answer(plain_http.post(stage.endpoint + path, content=body, headers=signed(stage, path, body, by)))


def items(stage: Any, path: str, content: Sequence[Any], by: str = "wallet") -> list[tuple[str, str]]:
    """Problem and ISO reason of each item of an answer that is 200 as a whole."""
    body = json.dumps({LISTS[path]: content}).encode()
    response = plain_http.post(stage.endpoint + path, content=body, headers=signed(stage, path, body, by))
    assert response.status_code == 200, response.text
    found = response.json()
    assert found.get("reserved", []) == []
    [refused] = [found[name] for name in ("quotes", "refused", "cosignatures") if name in found]
    return [(item["problem"], item["reason"]) for item in refused]


BODIES: list[tuple[bytes, Answered]] = [
    (b"", (400, "malformed")),
    (b"{", (400, "malformed")),
    (b"amount=1", (400, "malformed")),
    (b"\xff\xfe", (400, "malformed")),
    (b"\xef\xbb\xbf{}", (400, "malformed")),
    (b"{} {}", (400, "malformed")),
    (b"[]", (400, "malformed")),
    (b"null", (400, "malformed")),
    (b"{}", (400, "malformed")),
    (b'{"LIST": {}}', (400, "malformed")),
    (b'{"LIST": "all"}', (400, "malformed")),
    (b'{"LIST": [null]}', (400, "malformed")),
    (b'{"LIST": [{}]}', (400, "malformed")),
    (b'{"LIST": [], "LIST": []}', (400, "malformed")),
    (b'{"LIST": [], "more": 1}', (400, "malformed")),
    (b'{"LIST": [1e400]}', (400, "malformed")),
    (b'{"LIST": [NaN]}', (400, "malformed")),
    (b'{"LIST": [1' + b"0" * 5_000 + b"]}", (400, "malformed")),
    (b'{"LIST": ["\\ud800"]}', (400, "malformed")),
    (b'{"LIST": ' + b"[" * 17 + b"]" * 17 + b"}", (400, "malformed")),
    (b"[" * 1_000_000, (400, "malformed")),
    (b'{"LIST": [' + b"0," * 500 + b"0]}", (400, "malformed")),
    (b" " * (MAX_BODY_BYTES + 1), (413, "http")),
]


@pytest.mark.parametrize("path", LISTS)
def test_a_body_that_is_not_what_it_must_be(stage: Any, path: str) -> None:
    for body, expected in BODIES:
        assert sent(stage, path, body.replace(b"LIST", LISTS[path].encode())) == expected, body[:40]


@pytest.mark.parametrize("path", LISTS)
def test_a_message_that_no_member_sent_now(stage: Any, path: str) -> None:
    url, body = stage.endpoint + path, json.dumps({LISTS[path]: []}).encode()
    assert answer(plain_http.post(url, content=body)) == (401, "bad-signature")
    assert sent(stage, path, body, by="stranger") == (401, "bad-signature")
    headers = signed(stage, path, body)
    assert answer(plain_http.post(url, content=body + b" ", headers=headers)) == (401, "bad-signature")
    assert plain_http.post(url, content=body, headers=headers).status_code == 200
    assert answer(plain_http.post(url, content=body, headers=headers)) == (401, "replayed")
    elsewhere = signed(stage, "/peer/v1/elsewhere", body)
    assert answer(plain_http.post(url, content=body, headers=elsewhere)) == (401, "bad-signature")
    token = {"Authorization": f"Bearer {stage.token('bridge:read')}"}
    assert answer(plain_http.post(url, content=body, headers=token)) == (401, "bad-signature")
    assert answer(plain_http.get(url)) == (405, "http")


PRICE = {"request_id": "1", "source_currency": CNY, "target_currency": THB, "target_amount": "1000"}


def test_a_price_asked_for_in_another_form(stage: Any) -> None:
    changes: list[dict[str, Any]] = [
        {"request_id": ""},
        {"request_id": "1" * 65},
        {"request_id": 1},
        {"source_currency": "156"},
        {"source_currency": 156.0},
        {"source_currency": True},
        {"source_currency": -1},
        {"target_currency": 1_000},
        {"target_amount": 1_000},
        {"target_amount": 10.5},
        {"target_amount": "1" * 21},
        {"original_uetr": ""},
        {"original_uetr": "6A1F2C30-5D0E-4B8A-9C3D-0123456789AB"},
        {"original_uetr": 7},
        {"spread_bp": 0},
    ]
    for change in changes:
        body = json.dumps({"requests": [PRICE | change]}).encode()
        assert sent(stage, "/peer/v1/quotes", body) == (400, "malformed"), change


def test_each_price_that_there_is_none_of(stage: Any) -> None:
    amounts = ("0", "-1", "1.50", "1e3", "007", "+7", " 7", "", "\uff11\uff12", "1_000", str(10**15 + 1))
    wrong: list[tuple[dict[str, Any], tuple[str, str]]] = [
        ({"target_amount": amount}, ("bad-amount", "AM12")) for amount in amounts
    ]
    wrong += [
        ({"target_amount": str(10**15), "source_currency": THB, "target_currency": CNY}, ("bad-amount", "AM12")),
        ({"target_amount": None}, ("malformed", "FF01")),
        ({"source_amount": "1000"}, ("malformed", "FF01")),
        ({"target_currency": 999}, ("unknown-currency", "AM11")),
        ({"source_currency": 0}, ("unknown-currency", "AM11")),
        ({"target_currency": 704}, ("no-price", "AM03")),
        ({"target_currency": CNY}, ("unsupported", "AG03")),
        ({"original_uetr": new_uetr()}, ("not-found", "RR09")),
    ]
    refused = items(stage, "/peer/v1/quotes", [PRICE | changes for changes, _ in wrong])
    assert refused == [expected for _, expected in wrong]


def test_a_payment_in_another_form(stage: Any) -> None:
    request, stage.prepared = stage.payment(stage.bought(1_000)), 1
    good = to_document(request)
    terms, quote = good["terms"], good["quote"]
    leg = terms["legs"][0]
    for wrong in (
        {"terms": terms},
        {"terms": terms, "quote": quote | {"target_amount": "-1"}},
        {"terms": terms, "quote": quote | {"target_amount": 1_000}},
        {"terms": terms, "quote": quote | {"target_amount": "10.00"}},
        {"terms": terms, "quote": quote | {"target_amount": str(2**128)}},
        {"terms": terms, "quote": quote | {"nonce": "0x12"}},
        {"terms": terms | {"uetr": "1"}, "quote": quote},
        {"terms": terms | {"original_uetr": "1"}, "quote": quote},
        {"terms": terms | {"deadline": -1}, "quote": quote},
        {"terms": terms | {"deadline": 2**64}, "quote": quote},
        {"terms": terms | {"debtor_agent": terms["debtor_agent"].upper()}, "quote": quote},
        {"terms": terms | {"legs": [leg | {"amount": "1e3"}]}, "quote": quote},
        {"terms": terms | {"legs": [leg | {"currency": "CNY"}]}, "quote": quote},
        {"terms": terms | {"fee": "1"}, "quote": quote},
    ):
        body = json.dumps({"payments": [wrong]}).encode()
        assert sent(stage, "/peer/v1/reservations", body) == (400, "malformed"), wrong
    body = json.dumps({"payments": [good, good]}).encode()
    assert sent(stage, "/peer/v1/reservations", body) == (400, "malformed")


def test_each_payment_that_is_not_as_quoted(stage: Any) -> None:
    request, expired, stage.prepared = stage.payment(stage.bought(1_000), 290), stage.bought(1_000), 3
    [firm] = stage.calls("wallet").quote([QuoteRequest("1", CNY, THB, source_amount=1_000)])
    terms, quote, now = request.terms, request.quote, stage.now()
    first, second = terms.legs
    cases = [
        (replace(request, quote=replace(quote, nonce=HASH)), "not-agreed"),
        (replace(request, quote=replace(quote, target_amount=0)), "not-agreed"),
        (replace(request, quote=replace(quote, target_currency=999)), "not-agreed"),
        (replace(request, quote=firm.quote), "not-agreed"),
        (replace(request, quote=replace(quote, buyer=stage.account("acquirer"))), "forbidden"),
    ]
    changes: list[tuple[dict[str, Any], str]] = [
        ({"debtor_agent": stage.account("acquirer")}, "forbidden"),
        ({"original_uetr": new_uetr()}, "not-agreed"),
        ({"quotes_hash": HASH}, "not-agreed"),
        ({"legs": ()}, "not-agreed"),
        ({"legs": (first, replace(second, amount=0))}, "not-agreed"),
        ({"legs": (first, replace(second, amount=second.amount + 1))}, "not-agreed"),
        ({"legs": (first, replace(second, currency=999))}, "not-agreed"),
        ({"legs": (first, second, second)}, "not-agreed"),
        ({"deadline": 0}, "deadline-passed"),
        ({"deadline": now - 1}, "deadline-passed"),
        ({"deadline": now + 400}, "not-agreed"),
        ({"deadline": 2**64 - 1}, "not-agreed"),
    ]
    cases += [(replace(request, terms=replace(terms, **change)), problem) for change, problem in changes]
    content = [(replace(case, terms=replace(case.terms, uetr=new_uetr())), problem) for case, problem in cases]
    refused = items(stage, "/peer/v1/reservations", [to_document(case) for case, _ in content])
    assert [problem for problem, _ in refused] == [problem for _, problem in content]
    stage.pass_time(90)
    late = stage.payment(expired)
    assert items(stage, "/peer/v1/reservations", [to_document(late)]) == [("quote-expired", "TM01")]


def test_what_is_given_back_or_cosigned_must_be_reserved(stage: Any) -> None:
    request, stage.prepared = stage.payment(stage.bought(1_000)), 1
    uetr, release = request.terms.uetr, "/peer/v1/reservations/release"
    for wrong in ("", uetr.upper(), uetr[:-1], 7, None):
        assert sent(stage, release, json.dumps({"uetrs": [wrong]}).encode()) == (400, "malformed")
    assert stage.calls("wallet").release([uetr]) == []
    asked = stage.batch_of([request], lane=7)
    good, batch = to_document(asked), asked.batch
    cosign = "/peer/v1/cosignatures"
    assert items(stage, cosign, [good], by="acquirer") == [("forbidden", "AG01")]
    wrong_batches = [
        (replace(batch, lane=8), "not-agreed"),
        (replace(batch, deadline=1), "deadline-passed"),
        (replace(batch, payment_count=2), "not-agreed"),
        (replace(batch, positions=()), "not-agreed"),
        (batch, "not-agreed"),
    ]
    refused = items(stage, cosign, [to_document(replace(asked, batch=wrong)) for wrong, _ in wrong_batches])
    assert [problem for problem, _ in refused] == [problem for _, problem in wrong_batches]
    for part, member, value in (
        ("batch", "lane", -1),
        ("batch", "payments_root", "0x12"),
        ("batch", "debtor_agent", "wallet"),
        ("batch", "sequence", 2**64),
        ("own", "path", None),
    ):
        wrong_item = good | {part: (good[part] if part == "batch" else good[part][0]) | {member: value}}
        assert sent(stage, cosign, json.dumps({"requests": [wrong_item]}).encode()) == (400, "malformed")


def test_only_a_good_token_of_a_right_scope_reads(stage: Any) -> None:
    right = stage.token("bridge:read")
    cases: list[tuple[str | None, Answered]] = [
        (None, (401, "bad-token")),
        ("Bearer", (401, "bad-token")),
        (f"Basic {right}", (401, "bad-token")),
        ("Bearer " + "x" * 5_000, (401, "bad-token")),
        (f"Bearer {right[:-6]}AAAAAA", (401, "bad-token")),
        (f"Bearer {stage.token('bridge:read', lifetime=-10)}", (401, "bad-token")),
        (f"Bearer {stage.token('bridge:read', key='another')}", (401, "bad-token")),
        (f"Bearer {stage.token('compliance:read', 'bridge')}", (403, "forbidden")),
        (f"Bearer {stage.token()}", (403, "forbidden")),
    ]
    for path in OWN:
        for authorization, expected in cases:
            headers = {"Authorization": authorization} if authorization else {}
            assert answer(plain_http.get(stage.endpoint + path, headers=headers)) == expected, (path, authorization)
        headers = {"Authorization": f"Bearer {right}"}
        assert answer(plain_http.post(stage.endpoint + path, headers=headers, content=b"{}")) == (405, "http")


def test_what_is_read_must_be_there(stage: Any) -> None:
    headers = {"Authorization": f"Bearer {stage.token('bridge:read')}"}
    cases: list[tuple[str, Answered]] = [
        (f"/v1/quotes/0x{'12' * 32}", (404, "not-found")),
        ("/v1/quotes/0x12", (400, "malformed")),
        (f"/v1/quotes/0x{'12' * 33}", (400, "malformed")),
        (f"/v1/quotes/{'zz' * 32}", (400, "malformed")),
        (f"/v1/quotes/0x{'12%20' * 32}", (400, "malformed")),
        (f"/v1/quotes/{'12' * 32}", (400, "malformed")),
        (f"/v1/quotes/0x{'AB' * 32}", (400, "malformed")),
        ("/v1/quotes/%00", (400, "malformed")),
        ("/v1/quotes/%EF%BC%91", (400, "malformed")),
        ("/v1/quotes", (404, "http")),
        ("/v1/reservations?state=lost", (400, "malformed")),
        ("/v1/reservations?limit=0", (400, "malformed")),
        ("/v1/reservations?limit=501", (400, "malformed")),
        ("/v1/reservations?limit=1e400", (400, "malformed")),
        ("/v1/reservations?limit=all", (400, "malformed")),
        (f"/v1/reservations?cursor={'0' * 37}", (400, "malformed")),
        ("/v1/nothing", (404, "http")),
    ]
    for path, expected in cases:
        assert answer(plain_http.get(stage.endpoint + path, headers=headers)) == expected, path
