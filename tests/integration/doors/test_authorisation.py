"""Who may do what: every route of every service, asked by everybody, about a thing that is the owner's."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx2
import pytest
from fastapi import FastAPI

from compliance.client import Screening
from contracts.chain.participants import Participants
from contracts.terms.documents import to_document
from contracts.terms.parties import Party
from contracts.terms.payment import Leg
from devnet.network.api import NodeApi
from serving.keys import MessageKey

from .conftest import (
    BRIDGE,
    COMPLIANCE,
    CREDITOR,
    DEBTOR,
    DOORS,
    HELD_NAME,
    JSON,
    NEIGHBOUR,
    NODE,
    OTHER,
    OWNER,
    PAYER,
    SELLER,
    SHOP,
    Network,
    until,
)

CUSTOMER = ("payments:write", "payments:read", "accounts:read")
MERCHANT = ("merchants:write", "merchants:read")
OFFICER = ("compliance:read", "compliance:officer")
ALL = (*CUSTOMER, *MERCHANT, *OFFICER, "compliance:lead", "operator", "audit", "bridge:read")
TOKENS: dict[str, tuple[str, tuple[str, ...]]] = {
    "neighbour": (NEIGHBOUR, (*CUSTOMER, *MERCHANT)),
    "customer": (PAYER, CUSTOMER),
    "merchant": (PAYER, MERCHANT),
    "operator": ("operator", ("operator",)),
    "officer": ("officer", OFFICER),
    "lead": ("lead", (*OFFICER, "compliance:lead")),
    "auditor": ("auditor", ("audit",)),
    "provider": ("trader", ("bridge:read",)),
}
"""What each caller's token says. The neighbour is a customer and a merchant like the payer, with things of its own."""
SIGNERS = ("member", "itself", "suspended", "stranger")
"""Other callers sign: another member, the institution itself, one that the council suspended, one that is none."""
COLUMNS = ("nobody", *TOKENS, "expired", "elsewhere", *SIGNERS)

OPEN = "200 200 200 200 200 200 200 200 200 200 200 200 200 200 200"
PUBLIC = {
    "GET /health": OPEN,
    "GET /ready": OPEN,
    "GET /openapi.json": OPEN,
    "GET /docs": OPEN,
    "GET /": OPEN.replace("200", "307"),
    "GET /swagger/swagger-ui-bundle.js": OPEN,
    "GET /swagger/swagger-ui.css": OPEN,
    "GET /swagger/favicon-32x32.png": OPEN,
}
PEER = "401 401 401 401 401 401 401 401 401 401 401"
# Columns:  nobody neighbour customer merchant operator officer lead auditor provider expired elsewhere
#           member itself suspended stranger
TABLE: dict[str, dict[str, str]] = {
    NODE: {
        **PUBLIC,
        "POST /v1/quotes": "401 404 201 403 403 403 403 403 403 401 401 401 401 401 401",
        "POST /v1/quotes/bulk": "401 200 200 403 403 403 403 403 403 401 401 401 401 401 401",
        "POST /v1/payments": "401 404 202 403 403 403 403 403 403 401 401 401 401 401 401",
        # Each payment of a list has its own answer, and a list of one's own may be empty.
        "POST /v1/payments/bulk": "401 200 200 403 403 403 403 403 403 401 401 401 401 401 401",
        "GET /v1/payments": "401 200 200 403 403 403 403 403 403 401 401 401 401 401 401",
        "GET /v1/payments/events": "401 200 200 403 403 403 403 403 403 401 401 401 401 401 401",
        "GET /v1/payments/{uetr}/events": "401 404 200 403 403 403 403 403 403 401 401 401 401 401 401",
        "GET /v1/payments/{uetr}": "401 404 200 403 403 403 403 403 403 401 401 401 401 401 401",
        "POST /v1/payments/{uetr}/cancellation": "401 404 409 403 403 403 403 403 403 401 401 401 401 401 401",
        "GET /v1/payments/{uetr}/evidence": "401 403 403 403 403 403 403 200 403 401 401 401 401 401 401",
        "POST /v1/payments/{uetr}/returns": "401 404 403 202 403 403 403 403 403 401 401 401 401 401 401",
        "POST /v1/consumer-codes": "401 404 201 403 403 403 403 403 403 401 401 401 401 401 401",
        "POST /v1/merchants/{merchant}/charges": "401 404 403 202 403 403 403 403 403 401 401 401 401 401 401",
        "POST /v1/accounts": "401 403 403 403 201 403 403 403 403 401 401 401 401 401 401",
        "POST /v1/accounts/{account}/deposits": "401 403 403 403 201 403 403 403 403 401 401 401 401 401 401",
        "GET /v1/accounts/{account}": "401 404 200 403 403 403 403 403 403 401 401 401 401 401 401",
        "GET /v1/book": "401 403 403 403 403 403 403 200 403 401 401 401 401 401 401",
        "POST /v1/merchants": "401 403 403 403 201 403 403 403 403 401 401 401 401 401 401",
        "GET /v1/merchants/{merchant}/code": "401 404 403 200 403 403 403 403 403 401 401 401 401 401 401",
        "GET /v1/merchants/{merchant}/payments": "401 404 403 200 403 403 403 403 403 401 401 401 401 401 401",
        "GET /v1/batches/{lane}": "401 403 403 403 403 403 403 200 403 401 401 401 401 401 401",
        "GET /v1/batches/{lane}/{sequence}/payments": "401 403 403 403 403 403 403 200 403 401 401 401 401 401 401",
        "POST /peer/v1/payees": f"{PEER} 200 200 401 401",
        "POST /peer/v1/agreements": f"{PEER} 400 400 401 401",
        "POST /peer/v1/payments/status": f"{PEER} 200 200 401 401",
        "POST /peer/v1/batches/payments": f"{PEER} 200 200 401 401",
        "POST /peer/v1/charges": f"{PEER} 400 400 401 401",
        "POST /peer/v1/inquiries": f"{PEER} 200 200 401 401",
        "POST /peer/v1/cosignatures": f"{PEER} 400 400 401 401",
    },
    BRIDGE: {
        **PUBLIC,
        "POST /peer/v1/quotes": f"{PEER} 200 200 401 401",
        "POST /peer/v1/reservations": f"{PEER} 200 200 401 401",
        "POST /peer/v1/reservations/release": f"{PEER} 200 200 401 401",
        "POST /peer/v1/cosignatures": f"{PEER} 200 200 401 401",
        "GET /v1/positions": "401 403 403 403 403 403 403 200 200 401 401 401 401 401 401",
        "GET /v1/quotes/{nonce}": "401 403 403 403 403 403 403 404 404 401 401 401 401 401 401",
        "GET /v1/reservations": "401 403 403 403 403 403 403 200 200 401 401 401 401 401 401",
        "GET /v1/rates": "401 403 403 403 403 403 403 200 200 401 401 401 401 401 401",
    },
    COMPLIANCE: {
        **PUBLIC,
        "POST /peer/v1/screenings": f"{PEER} 403 200 401 401",
        "POST /peer/v1/attestations": f"{PEER} 403 200 401 401",
        "POST /peer/v1/inquiries": f"{PEER} 403 200 401 401",
        "GET /v1/decisions": "401 403 403 403 403 200 200 403 403 401 401 401 401 401 401",
        "GET /v1/decisions/{uetr}": "401 403 403 403 403 200 200 403 403 401 401 401 401 401 401",
        "GET /v1/lists": "401 403 403 403 403 200 200 403 403 401 401 401 401 401 401",
        "GET /v1/lists/issues": "401 403 403 403 403 200 200 403 403 401 401 401 401 401 401",
        "GET /v1/lists/differences/{old}/{new}": "401 403 403 403 403 404 404 403 403 401 401 401 401 401 401",
        "POST /v1/lists/look": "401 403 403 403 403 200 200 403 403 401 401 401 401 401 401",
        "GET /v1/alerts": "401 403 403 403 403 200 200 403 403 401 401 401 401 401 401",
        "GET /v1/alerts/{alert}": "401 403 403 403 403 200 200 403 403 401 401 401 401 401 401",
        "POST /v1/alerts/{alert}/assignment": "401 403 403 403 403 200 200 403 403 401 401 401 401 401 401",
        # It is open, nobody proposed anything, and no alert is a duplicate of itself.
        "POST /v1/alerts/{alert}/close": "401 403 403 403 403 409 409 403 403 401 401 401 401 401 401",
        "POST /v1/alerts/{alert}/approve": "401 403 403 403 403 409 409 403 403 401 401 401 401 401 401",
        "POST /v1/alerts/{alert}/reject": "401 403 403 403 403 409 409 403 403 401 401 401 401 401 401",
        "GET /v1/policy": "401 403 403 403 403 200 200 403 403 401 401 401 401 401 401",
        "GET /v1/statistics": "401 403 403 403 403 200 200 403 403 401 401 401 401 401 401",
        "GET /v1/holds": "401 403 403 403 403 200 200 403 403 401 401 401 401 401 401",
        "GET /v1/holds/{uetr}/{side}": "401 403 403 403 403 200 200 403 403 401 401 401 401 401 401",
        "GET /v1/holds/{uetr}/{side}/case": "401 403 403 403 403 200 200 403 403 401 401 401 401 401 401",
        "POST /v1/holds/{uetr}/{side}/assignment": "401 403 403 403 403 200 200 403 403 401 401 401 401 401 401",
        "POST /v1/holds/{uetr}/{side}/priority": "401 403 403 403 403 200 200 403 403 401 401 401 401 401 401",
        "POST /v1/holds/{uetr}/{side}/notes": "401 403 403 403 403 200 200 403 403 401 401 401 401 401 401",
        "POST /v1/holds/{uetr}/{side}/attachments": "401 403 403 403 403 200 200 403 403 401 401 401 401 401 401",
        "POST /v1/holds/{uetr}/{side}/inquiries": "401 403 403 403 403 200 200 403 403 401 401 401 401 401 401",
        "GET /v1/inquiries": "401 403 403 403 403 200 200 403 403 401 401 401 401 401 401",
        "POST /v1/inquiries/{inquiry}/answer": "401 403 403 403 403 200 200 403 403 401 401 401 401 401 401",
        "POST /v1/holds/{uetr}/{side}/escalation": "401 403 403 403 403 200 200 403 403 401 401 401 401 401 401",
        # Escalated, it is the leads' to decide.
        "POST /v1/holds/{uetr}/{side}/release": "401 403 403 403 403 403 200 403 403 401 401 401 401 401 401",
        "POST /v1/holds/{uetr}/{side}/refuse": "401 403 403 403 403 403 200 403 403 401 401 401 401 401 401",
        "GET /v1/false-positives": "401 403 403 403 403 200 200 403 403 401 401 401 401 401 401",
        "POST /v1/false-positives": "401 403 403 403 403 201 201 403 403 401 401 401 401 401 401",
        "POST /v1/false-positives/{number}/approve": "401 403 403 403 403 200 200 403 403 401 401 401 401 401 401",
        "POST /v1/false-positives/{number}/withdraw": "401 403 403 403 403 200 200 403 403 401 401 401 401 401 401",
        "GET /v1/log": "401 403 403 403 403 403 403 200 403 401 401 401 401 401 401",
        "GET /v1/log/entries": "401 403 403 403 403 403 403 200 403 401 401 401 401 401 401",
        "GET /v1/log/anchors": "401 403 403 403 403 403 403 200 403 401 401 401 401 401 401",
        "GET /v1/log/inclusion": "401 403 403 403 403 403 403 200 403 401 401 401 401 401 401",
        "GET /v1/log/consistency": "401 403 403 403 403 403 403 200 403 401 401 401 401 401 401",
        "GET /v1/openings/{uetr}": "401 403 403 403 403 403 403 200 403 401 401 401 401 401 401",
    },
}
QUERIES = {"/v1/log/inclusion": "?number=1", "/v1/log/consistency": "?old=1"}
"""What a route must be told beside its path."""
ROWS = [(service, route) for service, rows in TABLE.items() for route in rows]
NOTHING, NOBODY = "00000000-0000-4000-8000-000000000000", "nobody-of-that-name"


@dataclass(frozen=True)
class Thing:
    """What a caller asks a route about: the values in its path, and its body."""

    path: dict[str, str]
    body: Any = None


def theirs(network: Network, service: str, route: str) -> Thing:
    """A thing of the payer's, or of the institution's."""
    known, debtor = network.known, NodeApi(network.folder, DEBTOR)
    paths = {"account": PAYER, "merchant": SHOP, "side": "debtor", "nonce": "0x" + "5" * 64, "uetr": known["uetr"]}
    paths |= {"lane": known["lane"], "sequence": known["sequence"], "alert": known["alert"]}
    paths["inquiry"] = _inquiry(network) if "{inquiry}" in route else NOTHING
    if "returns" in route or "/holds/" in route:
        paths["uetr"] = known["received" if "returns" in route else "held"]
    paths |= {"old": "0" * 64, "new": "0" * 64, "number": _proposed(network) if "{number}" in route else "1"}
    bodies: dict[str, Callable[[], Any]] = {
        "POST /v1/quotes": lambda: {"account": PAYER, "code": known["foreign code"], "amount": "1000"},
        "POST /v1/quotes/bulk": lambda: {"quotes": [{"account": PAYER, "code": known["foreign code"], "amount": "1"}]},
        "POST /v1/payments": lambda: {"quote_id": debtor.quote(PAYER, PAYER, known["foreign code"], 1_000).id},
        "POST /v1/payments/bulk": lambda: _bulk(debtor.quote(PAYER, PAYER, known["foreign code"], 1_000).id),
        "POST /v1/payments/{uetr}/returns": lambda: {"amount": "1000"},
        "POST /v1/consumer-codes": lambda: {"account": PAYER, "most": "10000"},
        "POST /v1/merchants/{merchant}/charges": lambda: {
            "code": NodeApi(network.folder, CREDITOR).consumer_code(SELLER, SELLER, 100_000),
            "amount": "1000",
        },
        "POST /v1/accounts": lambda: {"id": "wanida", "owner": "wanida", "party": {"name": "Wanida Suksan"}},
        "POST /v1/accounts/{account}/deposits": lambda: {"amount": "1"},
        "POST /v1/merchants": lambda: {"id": "stall", "owner": "wanida", "name": "Stall", "city": "Bangkok"},
        "POST /peer/v1/payees": lambda: {"lookup_keys": [_lookup_key(network)]},
        "POST /peer/v1/payments/status": lambda: {"uetrs": [known["received"]]},
        "POST /peer/v1/batches/payments": lambda: {"batch_hash": known["batch_hash"]},
        "POST /peer/v1/quotes": lambda: {"requests": []},
        "POST /peer/v1/reservations": lambda: {"payments": []},
        "POST /peer/v1/reservations/release": lambda: {"uetrs": [known["uetr"]]},
        "POST /peer/v1/screenings": lambda: {"screenings": []},
        "POST /peer/v1/attestations": lambda: {"requests": []},
        "POST /v1/holds/{uetr}/{side}/assignment": lambda: {"officer": "anna"},
        "POST /v1/holds/{uetr}/{side}/priority": lambda: {"priority": "high"},
        "POST /v1/holds/{uetr}/{side}/notes": lambda: {"note": "the passport is asked for"},
        "POST /v1/holds/{uetr}/{side}/attachments": lambda: {"sha256": "5" * 64, "size": 7, "name": "passport"},
        "POST /v1/holds/{uetr}/{side}/inquiries": lambda: {"question": "who is this?"},
        "POST /v1/holds/{uetr}/{side}/escalation": lambda: {"note": "beyond me"},
        "POST /v1/inquiries/{inquiry}/answer": lambda: {"answer": "a shop of ours"},
        "POST /v1/holds/{uetr}/{side}/release": lambda: {"note": "another person"},
        "POST /v1/holds/{uetr}/{side}/refuse": lambda: {"note": "the same person"},
        "POST /v1/alerts/{alert}/assignment": lambda: {"officer": "anna"},
        "POST /v1/alerts/{alert}/close": lambda: {
            "outcome": "duplicate",
            "duplicate_of": int(known["alert"]),
            "note": "the same",
        },
        "POST /v1/alerts/{alert}/approve": lambda: {"note": "another person"},
        "POST /v1/alerts/{alert}/reject": lambda: {"note": "look again"},
        "POST /v1/false-positives": lambda: _false_positive(network),
    }
    if route == "POST /peer/v1/inquiries":
        asked = [_asked()] if service == NODE else []
        return Thing(paths, {"inquiries": asked} | ({"asker": network.account(CREDITOR.slug)} if not asked else {}))
    if (service, route) == (BRIDGE, "POST /peer/v1/cosignatures"):
        return Thing(paths, {"requests": []})
    return Thing(paths, bodies.get(route, dict)())


def _false_positive(network: Network) -> dict[str, Any]:
    """That the held payment's debtor is not the one on the list."""
    uetr, headers = network.known["held"], _bearer(network, COMPLIANCE, "officer")
    found = network.http.get(f"{network.url(COMPLIANCE)}/v1/decisions/{uetr}", headers=headers).json()
    match = found["decisions"][-1]["matches"][0]
    entry = {"list": match["list"], "entry_id": match["entry_id"], "role": match["role"]}
    return {"uetr": uetr, "side": "debtor", "seconds": 60, "note": "another person", **entry}


def _proposed(network: Network) -> str:
    """The number of a false positive that another officer proposed."""
    headers = {"Authorization": "Bearer " + network.token(COMPLIANCE, "another-officer", *OFFICER)}
    url = network.url(COMPLIANCE) + "/v1/false-positives"
    answer = network.http.post(url, headers=headers, json=_false_positive(network))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["number"])


def _bulk(quote: str) -> Any:
    return {"payments": [{"quote_id": quote, "idempotency_key": str(uuid4())}]}


def _asked() -> Any:
    return {"id": str(uuid4()), "uetr": str(uuid4()), "side": "creditor", "party": None, "question": "who is this?"}


def _inquiry(network: Network) -> str:
    """What the creditor agent's officers ask the debtor agent's."""
    asked = _asked()
    body = json.dumps({"inquiries": [asked]}).encode()
    answer = network.send(network.signed(NODE, "/peer/v1/inquiries", body, CREDITOR.slug), body)
    assert answer.json()["answers"][0]["state"] == "open", answer.text
    return str(asked["id"])


def _lookup_key(network: Network) -> str:
    headers = {"Authorization": "Bearer " + network.token(NODE, "operator", "operator")}
    body = {"id": SHOP, "owner": PAYER, "name": SHOP.title(), "city": "Bangkok", "category": "5812"}
    answer = network.http.post(network.url(NODE) + "/v1/merchants", headers=headers, json=body)
    found: str = answer.json()["lookup_key"]
    return found


def ask(network: Network, service: str, route: str, caller: str, thing: Thing) -> httpx2.Response:
    method, template = route.split()
    template += QUERIES.get(template, "")
    path, body = template.format(**thing.path), b"" if method == "GET" else json.dumps(thing.body).encode()
    url = network.url(service) + path
    if caller in SIGNERS:
        message = network.signed(service, path, body, *_signer(network, service, caller))
        message.headers["Idempotency-Key"] = str(uuid4())
        return _begun(network, method, url, body, dict(message.headers))
    return _begun(
        network, method, url, body, JSON | {"Idempotency-Key": str(uuid4())} | _bearer(network, service, caller)
    )


def _begun(network: Network, method: str, url: str, body: bytes, headers: dict[str, str]) -> httpx2.Response:
    """An answer, of which a stream of events, which need not end, is not read."""
    with network.http.stream(method, url, content=body, headers=headers) as answer:
        if not answer.headers.get("content-type", "").startswith("text/event-stream"):
            answer.read()
        return answer


def _bearer(network: Network, service: str, caller: str) -> dict[str, str]:
    if caller == "nobody":
        return {}
    if caller == "expired":
        token = network.token(service, PAYER, *ALL, lifetime=-10)
    elif caller == "elsewhere":
        token = network.token(CREDITOR.compliance if service == COMPLIANCE else CREDITOR.node, PAYER, *ALL)
    else:
        subject, scopes = TOKENS[caller]
        token = network.token(service, subject, *scopes)
    return {"Authorization": f"Bearer {token}"}


def _signer(network: Network, service: str, caller: str) -> tuple[str, MessageKey | None]:
    """Whose account is named, and with which key, if it is not that member's."""
    if caller == "stranger":
        # Everything about this signature is right, but that the registry knows neither account nor key.
        return "deployer", MessageKey(b"\x77" * 32)
    return {"member": CREDITOR.slug, "itself": OWNER[service], "suspended": OTHER.slug}[caller], None


@pytest.fixture(scope="module")
def suspended(network: Network) -> Iterator[Network]:
    """The third institution is suspended, and every service has seen it."""
    account = network.account(OTHER.slug)
    network.govern(Participants.suspend_call(account))
    for service, route in ((NODE, "payments/status"), (BRIDGE, "quotes"), (COMPLIANCE, "screenings")):
        route = f"POST /peer/v1/{route}"

        def refused(service: str = service, route: str = route) -> bool:
            return ask(network, service, route, "suspended", theirs(network, service, route)).status_code == 401

        until(refused, f"{service} has seen the suspension")
    yield network
    network.govern(Participants.reinstate_call(account))


def routes_of(app: FastAPI) -> set[str]:
    return {
        f"{method} {route.path}"
        for route in _all_routes(app.router)
        for method in route.methods or ()
        if method != "HEAD"
    }


def _all_routes(router: Any) -> Iterator[Any]:
    for route in router.routes:
        included = getattr(route, "original_router", None)
        if included is None:
            yield route
        else:
            yield from _all_routes(included)


@pytest.mark.parametrize("service", DOORS)
def test_every_route_has_its_row(network: Network, service: str) -> None:
    described = network.http.get(network.url(service) + "/openapi.json").json()["paths"]
    in_the_description = {f"{method.upper()} {path}" for path, methods in described.items() for method in methods}
    assert routes_of(network.apps[service]) == set(TABLE[service])
    assert in_the_description <= set(TABLE[service])


@pytest.mark.parametrize(
    ("service", "path", "theirs", "nothing"),
    [
        (NODE, "/peer/v1/payments/status", {"uetrs": ["received"]}, {"uetrs": [NOTHING]}),
        (NODE, "/peer/v1/batches/payments", {"batch_hash": "batch_hash"}, {"batch_hash": "0x" + "0" * 64}),
        (BRIDGE, "/peer/v1/reservations/release", {"uetrs": ["uetr"]}, {"uetrs": [NOTHING]}),
    ],
    ids=lambda each: each if isinstance(each, str) and "/" in each else "",
)
def test_a_third_member_learns_nothing_of_what_two_others_do(
    network: Network, service: str, path: str, theirs: dict[str, Any], nothing: dict[str, Any]
) -> None:
    about = [_named(network, theirs), nothing]
    answers = []
    for each in about:
        body = json.dumps(each).encode()
        answers.append(network.send(network.signed(service, path, body, OTHER.slug), body))
    assert answers[0].status_code == answers[1].status_code == 200
    assert answers[0].json() == answers[1].json()
    assert list(answers[0].json().values()) == [[]]


def _named(network: Network, asked: dict[str, Any]) -> dict[str, Any]:
    known = network.known
    return {
        name: [known[each] for each in value] if isinstance(value, list) else known[value]
        for name, value in asked.items()
    }


def test_a_members_own_payments_are_told(network: Network) -> None:
    """The other side of the test above: the same questions of who is concerned find something."""
    body = json.dumps({"uetrs": [network.known["received"]]}).encode()
    answer = network.send(network.signed(NODE, "/peer/v1/payments/status", body, CREDITOR.slug), body)
    assert [each["state"] for each in answer.json()["payments"]] == ["settled"]


@pytest.mark.parametrize(("service", "route"), ROWS, ids=[f"{service} {route}" for service, route in ROWS])
def test_who_may_do_this(suspended: Network, service: str, route: str) -> None:
    thing = theirs(suspended, service, route)
    # Who is let in comes last: it may use the thing up.
    expected = dict(zip(COLUMNS, map(int, TABLE[service][route].split()), strict=True))
    callers = sorted(COLUMNS, key=lambda each: expected[each] < 300)
    found = {caller: ask(suspended, service, route, caller, thing).status_code for caller in callers}
    assert {caller: found[caller] for caller in COLUMNS} == expected


BY_CUSTOMERS = [(NODE, route) for route, row in TABLE[NODE].items() if row.split()[1] == "404"]


@pytest.mark.parametrize(("service", "route"), BY_CUSTOMERS, ids=[route for _, route in BY_CUSTOMERS])
def test_anothers_thing_is_as_if_it_were_not_there(network: Network, service: str, route: str) -> None:
    thing = theirs(network, service, route)
    missing = dict.fromkeys(thing.path, NOTHING) | {"account": NOBODY, "merchant": NOBODY}
    body = dict(thing.body)
    body |= {name: {"account": NOBODY, "quote_id": NOTHING}[name] for name in body.keys() & {"account", "quote_id"}}
    answers = [ask(network, service, route, "neighbour", each) for each in (thing, Thing(missing, body))]
    assert answers[0].status_code == answers[1].status_code == 404
    assert _without_names(answers[0].text, thing) == _without_names(answers[1].text, Thing(missing, body))
    assert answers[0].headers.keys() == answers[1].headers.keys()


OF_CASES = [route for route in TABLE[COMPLIANCE] if "/{uetr}" in route]


@pytest.mark.parametrize("route", OF_CASES)
def test_another_institutions_case_is_as_if_it_were_not_there(network: Network, route: str) -> None:
    """Our officers and auditors learn nothing of a payment that was never ours, which its own institution knows."""
    thing = theirs(network, COMPLIANCE, route)
    caller = "auditor" if "openings" in route else "lead"
    answers = []
    for uetr in (_of_others(network), NOTHING):
        asked = Thing(thing.path | {"uetr": uetr}, thing.body)
        answer = ask(network, COMPLIANCE, route, caller, asked)
        answers.append((answer.status_code, _without_names(answer.text, asked)))
    assert answers[0] == answers[1]
    assert answers[0][0] == 404


def _of_others(network: Network) -> str:
    """What the creditor agent's compliance holds, and no other knows."""
    own, third, provider = (network.account(each) for each in (CREDITOR.slug, OTHER.slug, OWNER[BRIDGE]))
    debtor, creditor = Party(HELD_NAME, "person", account="7"), Party("Kopi Corner", "organization")
    legs = (Leg(own, provider, 156, 1_000),)
    asked = Screening(str(uuid4()), "debtor", debtor, creditor, own, third, legs)
    body = json.dumps({"screenings": [to_document(asked)]}).encode()
    signed = network.signed(CREDITOR.compliance, "/peer/v1/screenings", body, CREDITOR.slug)
    [decision] = network.send(signed, body).json()["decisions"]
    assert decision["outcome"] == "hold", decision
    return asked.uetr


def test_anothers_quote_in_a_list_is_as_if_it_were_not_there(network: Network) -> None:
    route, asked = "POST /v1/payments/bulk", []
    for thing in (theirs(network, NODE, "POST /v1/payments/bulk"), Thing({}, _bulk(NOTHING))):
        [answer] = ask(network, NODE, route, "neighbour", thing).json()["answers"]
        asked.append({name: said for name, said in answer.items() if name != "idempotency_key"})
    assert asked[0] == asked[1]
    assert asked[0]["problem"]["status"] == 404


def _without_names(text: str, thing: Thing) -> str:
    """An answer without the names that its question named."""
    for name in {*thing.path.values(), *(str(each) for each in thing.body.values())}:
        text = re.sub(rf"\b{re.escape(name)}\b", "*", text) if len(name) > 3 else text
    return text


@pytest.mark.parametrize("service", DOORS)
def test_no_path_leads_around_a_door(network: Network, service: str) -> None:
    """Other spellings of a path and other methods are no way in without a token."""
    for route in TABLE[service]:
        method, template = route.split()
        path = template.format(**theirs(network, service, "").path)
        if not path.startswith(("/v1/", "/peer/")):
            continue
        spellings = (path.upper(), path + "/", "/" + path, path.replace("/v1", "/v1/."), path.replace("/v1", "/%76%31"))
        for spelling in spellings:
            answer = network.http.request(method, network.url(service) + spelling, json={})
            assert answer.status_code in (307, 401, 404), (spelling, answer.status_code)
            if answer.status_code == 307:
                assert urlsplit(answer.headers["location"]).path.rstrip("/") == urlsplit(spelling).path.rstrip("/")
        for other in {"GET", "POST", "PUT", "DELETE", "OPTIONS"} - {method}:
            answer = network.http.request(other, network.url(service) + path, json={})
            assert answer.status_code in (401, 404, 405), (other, path, answer.status_code)
