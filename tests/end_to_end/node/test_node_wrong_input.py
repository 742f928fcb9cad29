"""Bad input at every route of the node: its own status, problem and reason; nothing earmarked, nothing recorded."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest

from nodes import qr
from nodes.qr.crc import checksum
from serving.bodies import MAX_BODY_BYTES
from serving.signed_form import RequestMessage

from .conftest import until

Expected = tuple[int, str, str]
MALFORMED: Expected = (400, "malformed", "FF01")
BAD_AMOUNT: Expected = (400, "bad-amount", "AM12")
BAD_CODE: Expected = (400, "bad-payment-code", "FF01")
NOT_FOUND: Expected = (404, "not-found", "RR09")
FORBIDDEN: Expected = (403, "forbidden", "AG01")
NO_ACCOUNT: Expected = (404, "unknown-account", "AC01")
NO_MERCHANT: Expected = (404, "unknown-merchant", "AC03")
CONFLICT: Expected = (409, "conflict", "AM05")
NOTHING = "00000000-0000-4000-8000-000000000000"
PAYER, NEIGHBOUR, OWNER = "somchai-jaidee", "malee-srisuk", "owner-of-dawn-coffee"


@dataclass(frozen=True)
class Route:
    """A route with a token, a path and a body that it would take."""

    scope: str
    who: str
    path: str
    body: dict[str, Any] | None = None
    keyed: bool = False
    texts: tuple[str, ...] = field(default=())
    """The members of the body that are texts."""


ITEM = {"idempotency_key": "wrong", "quote_id": NOTHING}
ITEMS = [ITEM]
PARTY = {"name": "Wanida Suksan", "kind": "person"}
ROUTES = {
    ("POST", "/v1/quotes"): Route(
        "payments:write", PAYER, "/v1/quotes",
        {"account": PAYER, "code": "CODE", "amount": "100"}, texts=("account", "code", "amount"),
    ),
    ("POST", "/v1/quotes/bulk"): Route(
        "payments:write", PAYER, "/v1/quotes/bulk",
        {"quotes": [{"account": PAYER, "code": "CODE", "amount": "100"}]}, texts=("quotes",),
    ),
    ("POST", "/v1/payments"): Route(
        "payments:write", PAYER, "/v1/payments", {"quote_id": NOTHING}, keyed=True, texts=("quote_id",)
    ),
    ("POST", "/v1/payments/bulk"): Route(
        "payments:write", PAYER, "/v1/payments/bulk",
        {"payments": ITEMS}, texts=("payments",),
    ),
    ("GET", "/v1/payments"): Route("payments:read", PAYER, "/v1/payments"),
    ("GET", "/v1/payments/{uetr}"): Route("payments:read", PAYER, f"/v1/payments/{NOTHING}"),
    ("GET", "/v1/payments/{uetr}/events"): Route("payments:read", PAYER, f"/v1/payments/{NOTHING}/events"),
    ("GET", "/v1/payments/events"): Route("payments:read", PAYER, "/v1/payments/events"),
    ("POST", "/v1/payments/{uetr}/cancellation"): Route(
        "payments:write", PAYER, f"/v1/payments/{NOTHING}/cancellation"
    ),
    ("GET", "/v1/payments/{uetr}/evidence"): Route("audit", "auditor", f"/v1/payments/{NOTHING}/evidence"),
    ("POST", "/v1/payments/{uetr}/returns"): Route(
        "merchants:write", OWNER, f"/v1/payments/{NOTHING}/returns",
        {"amount": "1", "reason": "CUST"}, keyed=True, texts=("amount", "reason"),
    ),
    ("POST", "/v1/consumer-codes"): Route(
        "payments:write", PAYER, "/v1/consumer-codes", {"account": PAYER, "most": "100"}, texts=("account", "most")
    ),
    ("POST", "/v1/merchants/{merchant}/charges"): Route(
        "merchants:write", OWNER, "/v1/merchants/dawn-coffee/charges",
        {"code": "FQC1", "amount": "100", "reference": ""}, keyed=True, texts=("code", "amount", "reference"),
    ),
    ("POST", "/v1/accounts"): Route(
        "operator", "operator", "/v1/accounts", {"id": "wanida", "owner": "wanida", "party": PARTY},
        texts=("id", "owner"),
    ),
    ("POST", "/v1/accounts/{account}/deposits"): Route(
        "operator", "operator", "/v1/accounts/nobody/deposits", {"amount": "100"}, keyed=True, texts=("amount",)
    ),
    ("GET", "/v1/accounts/{account}"): Route("accounts:read", PAYER, f"/v1/accounts/{PAYER}"),
    ("GET", "/v1/book"): Route("audit", "auditor", "/v1/book"),
    ("POST", "/v1/merchants"): Route(
        "operator", "operator", "/v1/merchants",
        {"id": "new-shop", "owner": "new", "name": "New Shop", "city": "Bangkok", "category": "5814"},
        texts=("id", "owner", "name", "city", "category"),
    ),
    ("GET", "/v1/merchants/{merchant}/code"): Route("merchants:read", OWNER, "/v1/merchants/dawn-coffee/code"),
    ("GET", "/v1/merchants/{merchant}/payments"): Route(
        "merchants:read", OWNER, "/v1/merchants/dawn-coffee/payments"
    ),
    ("GET", "/v1/batches/{lane}"): Route("audit", "auditor", "/v1/batches/0"),
    ("GET", "/v1/batches/{lane}/{sequence}/payments"): Route("audit", "auditor", "/v1/batches/0/0/payments"),
}  # fmt: skip
WRITING = [(route, made) for route, made in ROUTES.items() if made.body is not None]


def records(stage: Any) -> list[Any]:
    """Everything that a payment, an account or a deposit leaves behind."""
    counts = ", ".join(
        f"(SELECT count(*) FROM {table})"
        for table in ("payments", "payment_events", "journal_entries", "accounts", "merchants", "consumer_codes")
    )
    sums = "(SELECT sum(balance) FROM accounts WHERE kind = 'customer'), (SELECT sum(earmarked) FROM accounts)"
    used = "(SELECT count(*) FROM quotes WHERE used_by IS NOT NULL)"
    # A hold of the Singapore node ends by itself meanwhile.
    return [stage.rows(f"{slug}-node", f"SELECT {counts}, {sums}, {used}") for slug in ("jinshan", "chaophraya")]


@pytest.fixture(scope="module")
def quiet(stage: Any) -> None:
    """What other tests began has ended, or outlives these, so that whatever is recorded now was recorded by what is
    sent here."""
    ended, far = "state IN ('settled', 'refused', 'expired', 'cancelled')", stage.chain.final_header().timestamp + 1_200
    going_on = f"SELECT 1 FROM payments WHERE NOT {ended} AND deadline < {far}"
    nodes = ("jinshan-node", "chaophraya-node")
    until(lambda: not any(stage.rows(node, going_on) for node in nodes), "all payments have ended")


@pytest.fixture(autouse=True)
def _nothing_is_recorded(stage: Any, quiet: None) -> Iterator[None]:
    before = records(stage)
    yield
    assert records(stage) == before


def problem(answer: httpx2.Response) -> Expected:
    """Whatever is wrong, the answer is a problem document that says what, and does not repeat what was sent."""
    document = answer.json()
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    assert {"type", "title", "status", "detail", "reason"} <= document.keys()
    assert document["status"] == answer.status_code
    assert 10 < len(document["detail"]) <= 300, document
    return answer.status_code, document["type"].rsplit(":", 1)[-1], document["reason"]


def send(stage: Any, route: tuple[str, str], content: bytes | None = None, **options: Any) -> Expected:
    """What a route answers to a good token and, where it wants one, a fresh idempotency key."""
    made, path = ROUTES[route], options.pop("path", ROUTES[route].path)
    headers = {"Content-Type": "application/json", "Idempotency-Key": f"wrong-{stage.fresh()}"}
    headers |= options.pop("headers", {})
    who, country = options.pop("who", made.who), options.pop("country", "TH")
    sent = options if content is None else options | {"content": content}
    return problem(stage.send(route[0], country, path, who, made.scope, headers=headers, **sent))


def wrong_bodies(made: Route) -> Iterator[tuple[bytes, Expected]]:
    good = json.dumps(made.body)
    first = next(iter(made.body or {}))
    yield from ((raw, MALFORMED) for raw in (b"", b"{", b"amount=1", b"\xff\xfe", b"[]", b"null", b'"text"', b"1"))
    yield from ((raw, MALFORMED) for raw in (b"\xef\xbb\xbf" + good.encode(), good.encode() * 2))
    yield f'{{"{first}": "a", {good[1:]}'.encode(), MALFORMED
    for value in (
        *("1e400", "-1e400", "NaN", "Infinity", "1" + "0" * 5_000, '"\\ud800"', '"\\u0000"', "[" * 17 + "]" * 17),
        "[" * 1_000_000,
    ):
        yield f'{good[:-1]}, "more": {value}}}'.encode(), MALFORMED
    yield f'{good[:-1]}, "more": 1}}'.encode(), MALFORMED
    for name in made.texts:
        for other in (1, 1.5, True, [], {}, ["100"]):
            yield json.dumps({**(made.body or {}), name: other}).encode(), MALFORMED
    yield b" " * (MAX_BODY_BYTES + 1), (413, "http", "NARR")


def test_the_table_has_every_route(stage: Any) -> None:
    described = stage.http.get(stage.node("TH").url + "/openapi.json").json()["paths"]
    found = {(method.upper(), path) for path, methods in described.items() for method in methods}
    assert {route for route in found if not route[1].startswith("/peer/")} == ROUTES.keys() | {
        ("GET", "/health"),
        ("GET", "/ready"),
    }
    assert {route for route in SPECIFIC_ROUTES if route not in ROUTES} == set()


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_only_a_good_token_of_the_right_scope_enters(stage: Any, route: tuple[str, str]) -> None:
    made, node = ROUTES[route], stage.node("TH")
    own, others = stage.folder.tokens("chaophraya-node"), stage.folder.tokens("jinshan-node")
    good = own.issue(made.who, [made.scope])
    unknown: Expected = (401, "bad-token", "DS0G")
    cases: list[tuple[str | None, Expected]] = [
        (None, unknown),
        ("Bearer", unknown),
        ("Bearer " + "x" * 5_000, unknown),
        (f"Basic {good}", unknown),
        (f"Bearer {good[:-6]}AAAAAA", unknown),
        (f"Bearer {own.issue(made.who, [made.scope], lifetime=-10)}", unknown),
        (f"Bearer {others.issue(made.who, [made.scope])}", unknown),
        (f"Bearer {own.issue(made.who, [])}", FORBIDDEN),
        (f"Bearer {own.issue(made.who, ['compliance:officer', made.scope.upper(), made.scope + 's'])}", FORBIDDEN),
    ]
    for authorization, expected in cases:
        headers = {"Authorization": authorization} if authorization else {}
        answer = stage.http.request(route[0], node.url + made.path, headers=headers, json=made.body)
        assert problem(answer) == expected, authorization


@pytest.mark.parametrize(("route", "made"), WRITING, ids=[" ".join(route) for route, _ in WRITING])
def test_a_body_that_is_not_the_right_json(stage: Any, route: tuple[str, str], made: Route) -> None:
    for raw, expected in wrong_bodies(made):
        assert send(stage, route, raw) == expected, raw[:200]
    if made.keyed:
        for key in ("", "two words", "k" * 129, "schl\u00fcssel".encode()):
            assert send(stage, route, json=made.body, headers={"Idempotency-Key": key}) == MALFORMED, key
        headers = {"Authorization": f"Bearer {stage.node('TH').token(made.who, made.scope)}"}
        no_http = headers | {"Idempotency-Key": b"\x7f"}  # the HTTP parser refuses it before there is a request
        url = stage.node("TH").url + made.path
        assert stage.http.request(route[0], url, headers=no_http, json=made.body).status_code == 400
        answer = stage.http.request(route[0], stage.node("TH").url + made.path, headers=headers, json=made.body)
        assert problem(answer) == MALFORMED
        assert answer.json()["detail"].startswith("send the header Idempotency-Key: ")
        assert "for instance a UUID" in answer.json()["detail"]


AMOUNTS = ["0", "-1", "1.50", "1e3", "1E400", "007", "+7", " 7", "", "\uff11\uff12", "\u0664", "1_000", "0x10", "NaN"]
AMOUNTS += [str(10**15 + 1), "9" * 400]
QUOTE, PAY = ("POST", "/v1/quotes"), ("POST", "/v1/payments")
FOLLOW, FOLLOW_ALL = ("GET", "/v1/payments/{uetr}/events"), ("GET", "/v1/payments/events")
BULK, LIST = ("POST", "/v1/payments/bulk"), ("GET", "/v1/payments")
READ, CANCEL = ("GET", "/v1/payments/{uetr}"), ("POST", "/v1/payments/{uetr}/cancellation")
EVIDENCE, RETURN = ("GET", "/v1/payments/{uetr}/evidence"), ("POST", "/v1/payments/{uetr}/returns")
ISSUE, CHARGE = ("POST", "/v1/consumer-codes"), ("POST", "/v1/merchants/{merchant}/charges")
OPEN, DEPOSIT = ("POST", "/v1/accounts"), ("POST", "/v1/accounts/{account}/deposits")
ACCOUNT, REGISTER = ("GET", "/v1/accounts/{account}"), ("POST", "/v1/merchants")
CODE, RECEIVED = ("GET", "/v1/merchants/{merchant}/code"), ("GET", "/v1/merchants/{merchant}/payments")
BATCHES, LEAVES = ("GET", "/v1/batches/{lane}"), ("GET", "/v1/batches/{lane}/{sequence}/payments")


def changed(route: tuple[str, str], **change: Any) -> dict[str, Any]:
    return {"json": {**(ROUTES[route].body or {}), **change}}


SPECIFIC: list[tuple[tuple[str, str], dict[str, Any], Expected]] = [
    *((PAY, changed(PAY, tolerance_basis_points=wrong), MALFORMED) for wrong in (-1, 1_001, "100", 1.5, True, None)),
    *((PAY, changed(PAY, quote_id=wrong), MALFORMED) for wrong in ("", "x" * 65)),
    (PAY, changed(PAY), NOT_FOUND),
    *(
        (BULK, changed(BULK, payments=wrong), MALFORMED)
        for wrong in (
            *([{}], [None], [{"quote_id": NOTHING}], [{"idempotency_key": "k"}], {"0": {}}, ITEMS * 1_001),
            *([{**ITEM, change: value}] for change, value in (("quote_id", ""), ("more", 1), ("idempotency_key", 1))),
            *([{**ITEM, "tolerance_basis_points": value}] for value in (-1, 1_001, "100", 1.5, True, None)),
        )
    ),
    *((READ, {"params": {"wait": wrong}}, MALFORMED) for wrong in ("-1", "61", "nan", "inf", "1e400", "soon", "")),
    *((READ, {"path": f"/v1/payments/{wrong}"}, NOT_FOUND) for wrong in (NOTHING.upper(), "x" * 2_000)),
    (READ, {"path": "/v1/payments/%00"}, MALFORMED),
    (READ, {}, NOT_FOUND),
    (CANCEL, {}, NOT_FOUND),
    *((CANCEL, {"content": wrong}, MALFORMED) for wrong in (b"{", b'{"a": 1, "a": 1}', b"[1e400]")),
    *(
        (route, {where: {name: wrong}}, MALFORMED)
        for route in (FOLLOW, FOLLOW_ALL)
        for where, name in (("params", "after"), ("headers", "Last-Event-ID"))
        for wrong in ("-1", "x", "1.5", "1" * 19, "1e1", "0x1", "")
    ),
    (FOLLOW_ALL, {"params": {"after": "9" * 18}}, NOT_FOUND),
    *((FOLLOW, {"path": f"/v1/payments/{wrong}/events"}, NOT_FOUND) for wrong in (NOTHING, "x" * 2_000)),
    (EVIDENCE, {}, NOT_FOUND),
    (RETURN, changed(RETURN), NOT_FOUND),
    *((RETURN, changed(RETURN, amount=wrong), BAD_AMOUNT) for wrong in AMOUNTS),
    *((RETURN, changed(RETURN, reason=wrong), MALFORMED) for wrong in ("", "cust", "CUSTO", "CUS\u0130")),
    *((ISSUE, changed(ISSUE, most=wrong), BAD_AMOUNT) for wrong in AMOUNTS),
    (ISSUE, changed(ISSUE, most=str(10**15)), (422, "insufficient-funds", "AM04")),
    (ISSUE, changed(ISSUE, account="nobody"), NO_ACCOUNT),
    (ISSUE, changed(ISSUE, account=NEIGHBOUR), NO_ACCOUNT),
    *((CHARGE, changed(CHARGE, amount=wrong), BAD_AMOUNT) for wrong in AMOUNTS),
    (CHARGE, changed(CHARGE), BAD_CODE),
    *((CHARGE, changed(CHARGE, reference=wrong), MALFORMED) for wrong in ("table", "A" * 21, "A\n")),
    *((CHARGE, changed(CHARGE, code=wrong), MALFORMED) for wrong in ("", "F" * 101)),
    *((OPEN, changed(OPEN, id=wrong), MALFORMED) for wrong in ("", "a b", "x" * 71, "a/b", "\u00e9", "a\n")),
    *((OPEN, changed(OPEN, id=wrong), MALFORMED) for wrong in ("capital:SGD", "merchant:new-shop")),
    *((OPEN, changed(OPEN, owner=wrong), MALFORMED) for wrong in ("", "x" * 71)),
    *(
        (OPEN, changed(OPEN, party={**PARTY, **wrong}), MALFORMED)
        for wrong in (
            *({"name": ""}, {"name": "x" * 141}, {"kind": "alien"}, {"country": "th"}, {"country": "THA"}),
            *(
                {"birth_date": "1.1.2000"},
                {"nationality": "Thai"},
                {"gender": "m"},
                {"identification": "№ 1"},
                {"account": "capital:THB"},
                {"name": None},
            ),
        )
    ),
    (OPEN, changed(OPEN, id=PAYER, owner=PAYER), CONFLICT),
    (OPEN, changed(OPEN, id=PAYER, owner=NEIGHBOUR), CONFLICT),
    *((DEPOSIT, changed(DEPOSIT, amount=wrong), BAD_AMOUNT) for wrong in AMOUNTS),
    (DEPOSIT, changed(DEPOSIT), NO_ACCOUNT),
    *(
        (DEPOSIT, {"json": {"amount": "1"}, "path": f"/v1/accounts/{wrong}/deposits"}, NO_ACCOUNT)
        for wrong in ("settlement:THB", "capital:THB", "fees:THB", "merchant:dawn-coffee")
    ),
    (DEPOSIT, {"json": {"amount": "1"}, "path": "/v1/accounts/%00/deposits"}, MALFORMED),
    (ACCOUNT, {"path": "/v1/accounts/nobody"}, NO_ACCOUNT),
    (ACCOUNT, {"path": f"/v1/accounts/{NEIGHBOUR}"}, NO_ACCOUNT),
    (ACCOUNT, {"path": "/v1/accounts/capital:THB"}, NO_ACCOUNT),
    *((REGISTER, changed(REGISTER, id=wrong), MALFORMED) for wrong in ("", "a b", "x" * 71)),
    *((REGISTER, changed(REGISTER, name=wrong), MALFORMED) for wrong in ("", "x" * 26)),
    *((REGISTER, changed(REGISTER, city=wrong), MALFORMED) for wrong in ("", "x" * 16)),
    *((REGISTER, changed(REGISTER, category=wrong), MALFORMED) for wrong in ("", "123", "\u0661234", "12345")),
    (REGISTER, changed(REGISTER, proxy="1"), MALFORMED),
    *((REGISTER, changed(REGISTER, name=wrong), BAD_CODE) for wrong in ("bell\a", "\u202eeno", "a\nb")),
    (REGISTER, changed(REGISTER, id="dawn-coffee"), CONFLICT),
    *((REGISTER, {**changed(REGISTER, proxy=wrong), "country": "SG"}, BAD_CODE) for wrong in ("a b", "x" * 31, "1:2")),
    (REGISTER, {**changed(REGISTER), "country": "SG"}, MALFORMED),
    (REGISTER, {**changed(REGISTER, proxy="201912345K"), "country": "SG"}, CONFLICT),
    *((CODE, {"params": {"amount": wrong}}, BAD_AMOUNT) for wrong in AMOUNTS),
    (CODE, {"params": {"amount": str(10**15)}}, BAD_CODE),
    *((CODE, {"params": {"reference": wrong}}, MALFORMED) for wrong in ("table", "A" * 21, "\u0130")),
    (CODE, {"path": "/v1/merchants/nobody/code"}, NO_MERCHANT),
    (CODE, {"who": "owner-of-nimman-crafts"}, NO_MERCHANT),
    *(
        (route, {"params": {name: wrong}}, MALFORMED)
        for route, most in ((LIST, 200), (RECEIVED, 500))
        for name, several in (
            ("limit", ("0", str(most + 1), "-1", "1e400", "all", "1.5", "")),
            ("since", ("-1", str(2**63), "9" * 50, "now", "1.5", "")),
            ("status", ("", "SETTLED", "settled ", "nothing", "\u0000")),
            ("cursor", ("x", "MQ", "\u00e9", "x" * 101, "\u0000", "MSAw=")),
        )
        for wrong in several
    ),
    (RECEIVED, {"path": "/v1/merchants/nobody/payments"}, NO_MERCHANT),
    (RECEIVED, {"who": "owner-of-nimman-crafts"}, NO_MERCHANT),
    *((BATCHES, {"path": f"/v1/batches/{wrong}"}, MALFORMED) for wrong in ("8", "-1", "x", "1e400", "0x0")),
    *((BATCHES, {"params": {"after": wrong}}, MALFORMED) for wrong in ("-2", "x", str(2**63), "9" * 50)),
    *((BATCHES, {"params": {"limit": wrong}}, MALFORMED) for wrong in ("0", "501")),
    *((LEAVES, {"path": f"/v1/batches/0/{wrong}/payments"}, MALFORMED) for wrong in ("-1", "x", str(2**63), "9" * 50)),
    (LEAVES, {"path": "/v1/batches/7/0/payments"}, NOT_FOUND),
    (LEAVES, {"path": f"/v1/batches/0/{2**62}/payments"}, NOT_FOUND),
]
SPECIFIC_ROUTES = {route for route, _, _ in SPECIFIC}


@pytest.mark.parametrize("route", sorted(SPECIFIC_ROUTES), ids=" ".join)
def test_what_this_route_does_not_take(stage: Any, route: tuple[str, str]) -> None:
    wrong = [
        (options, expected, found)
        for each, options, expected in SPECIFIC
        if each == route and (found := send(stage, route, **options)) != expected
    ]
    assert wrong == []


def _mended(body: str) -> str:
    """A code's text with the right checksum."""
    return body[:-4] + checksum(body[:-4])


def test_codes_that_cannot_be_paid(stage: Any) -> None:
    node, tea = stage.node("TH"), stage.codes["spring-city-tea"]
    unknown_merchant = qr.unionpay("7029015670290156000000000009999", None, "Nobody", "Kunming")
    dynamic = stage.node("CN").merchant_code("spring-city-tea", "owner-of-spring-city-tea", 5_000, "T1")
    cases: list[tuple[dict[str, Any], Expected]] = [
        ({"code": tea[:-4] + ("0000" if tea[-4:] != "0000" else "FFFF")}, BAD_CODE),
        ({"code": tea[:-1]}, BAD_CODE),
        ({"code": tea + " "}, BAD_CODE),
        ({"code": "hello"}, BAD_CODE),
        ({"code": "FQC1"}, BAD_CODE),
        ({"code": "\uff10" + tea[1:]}, BAD_CODE),
        ({"code": tea + "\u0000"}, MALFORMED),
        ({"code": ""}, MALFORMED),
        ({"code": "0" * 4_097}, MALFORMED),
        ({"code": unknown_merchant}, NO_MERCHANT),
        ({"code": qr.unionpay("1" * 31, None, "Nobody", "Kunming")}, (404, "unknown-institution", "RC01")),
        ({"code": qr.paynow("uen", "199999999Z", None)}, NO_MERCHANT),
        ({"code": stage.codes["nimman-crafts"]}, (404, "unknown-institution", "RC01")),
        ({"code": _mended(tea.replace("5303156", "5303999"))}, BAD_CODE),
        ({"code": _mended(tea.replace("5303156", "5303840"))}, CONFLICT),
        ({"code": _mended(tea.replace("5303156", "5303764"))}, (422, "unsupported", "AG03")),
        *(({"code": tea, "amount": wrong}, BAD_AMOUNT) for wrong in AMOUNTS),
        ({"code": tea, "amount": None}, BAD_AMOUNT),
        ({"code": dynamic, "amount": "5001"}, BAD_AMOUNT),
        ({"code": tea, "amount": str(10**15)}, (422, "no-price", "AM03")),
        ({"code": tea, "account": NEIGHBOUR}, NO_ACCOUNT),
        ({"code": tea, "account": "merchant:dawn-coffee"}, NO_ACCOUNT),
        ({"code": tea, "account": "capital:THB"}, NO_ACCOUNT),
        ({"code": tea, "account": "nobody"}, NO_ACCOUNT),
        ({"code": tea, "account": ""}, MALFORMED),
    ]
    wrong = [(change, send(stage, QUOTE, **changed(QUOTE, **change)), expected) for change, expected in cases]
    assert [each for each in wrong if each[1] != each[2]] == []
    assert node.quote(PAYER, PAYER, tea, 100).target_amount == 100, "what is right about the others is taken"


def test_quotes_that_pay_nothing(stage: Any) -> None:
    node, tea = stage.node("TH"), stage.codes["spring-city-tea"]
    neighbours = node.quote(NEIGHBOUR, NEIGHBOUR, tea, 100)
    dear = node.quote(PAYER, PAYER, tea, 10**9)
    used = stage.rows("chaophraya-node", f"SELECT id FROM quotes WHERE used_by IS NOT NULL AND caller = '{PAYER}'")
    assert send(stage, PAY, json={"quote_id": neighbours.id}) == NOT_FOUND
    assert send(stage, PAY, json={"quote_id": dear.id}) == (422, "insufficient-funds", "AM04")
    for (quote,) in used[:2]:
        # Old ones have expired, too; either way they pay nothing again.
        assert send(stage, PAY, json={"quote_id": quote})[1] in ("quote-already-used", "quote-expired")
    key = {"Idempotency-Key": f"again-{stage.fresh()}"}
    assert send(stage, PAY, json={"quote_id": dear.id}, headers=key) == (422, "insufficient-funds", "AM04")
    assert send(stage, PAY, json={"quote_id": neighbours.id}, headers=key) == (422, "idempotency-key-reused", "AM05")
    assert send(stage, PAY, json={"quote_id": dear.id}, headers=key) == (422, "insufficient-funds", "AM04")


def test_paths_and_methods_that_there_are_not(stage: Any) -> None:
    token = {"Authorization": f"Bearer {stage.node('TH').token(PAYER, 'payments:write payments:read')}"}
    url = stage.node("TH").url
    for path in ("/v1/nothing", "/v1", "/v2/quotes", "/v1/../admin", "/v1/payments//evidence"):
        assert problem(stage.http.get(url + path, headers=token))[0] in (404, 405), path
    for method, path in ROUTES:
        other = "DELETE" if method == "POST" else "PUT"
        answer = stage.http.request(other, url + re.sub(r"{[a-z]+}", "0", path), headers=token)
        assert problem(answer) == (405, "http", "NARR")


def test_other_institutions_bodies_are_read_as_strictly(stage: Any) -> None:
    url = stage.node("TH").url
    paths = [path for path in stage.http.get(url + "/openapi.json").json()["paths"] if path.startswith("/peer/")]
    assert len(paths) >= 5
    for path in paths:
        assert problem(stage.http.post(url + path, json={}))[:2] == (401, "bad-signature"), path
        assert problem(stage.http.get(url + path))[:2] == (405, "http"), path
        for raw in (
            *(b"", b"{", b"[]", b"null", b"{}", b"\xff\xfe", b'{"more": 1}', b'{"a": 1, "a": 1}', b"[1e400]"),
            *(b"[" * 17 + b"]" * 17, b"[" * 100_000, b'["\\ud800"]', b'{"proposals": [{}]}', b'{"requests": [7]}'),
        ):
            message = RequestMessage("POST", url + path, {"Content-Type": "application/json"})
            stage.messenger("merlion").sign_request(message, raw)
            answer = stage.http.post(url + path, content=raw, headers=dict(message.headers))
            assert problem(answer) == MALFORMED, (path, raw[:100])
