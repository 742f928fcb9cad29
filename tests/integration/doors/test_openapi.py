"""Each service keeps to its own OpenAPI document, whatever is asked: no 5xx but a documented 503, no status, content
type or answer that is not described. A few questions an operation here, hundreds with `make fuzz`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from serving.signed_form import RequestMessage

from .conftest import COMPLIANCE, DOORS, NODE, OTHER_SHOP, PAYER, PEER, SHOP, Network
from .test_authorisation import ALL, TABLE

EXAMPLES = int(os.environ.get("EXAMPLES", "3"))
ENDLESS = ("GET /v1/payments/events", "GET /v1/payments/{uetr}/events")
"""Streams of events may never end; they have tests of their own."""
OPERATIONS = [(service, each) for service in DOORS for each in TABLE[service] if "/v1/" in each and each not in ENDLESS]
NAMES = [f"{service} {operation}" for service, operation in OPERATIONS]
CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
SPOILING: list[Any] = [
    *(None, True, 0, -1, 1.5, 2**31, 2**63, 2**128, 2**256, "", "0", "-1", "x", "0x", "0x" + "0" * 40, "0x" + "f" * 64),
    *("00000000-0000-4000-8000-000000000000", "x" * 5_000, "\u0000", "\u202e", [], {}, [None], [[]], {"": 0}),
]


def settled(examples: int) -> settings:
    """The same questions each time, so that a test that passes here passes everywhere."""
    return settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


class Caller(requests.auth.AuthBase):
    """A caller that may do everything: a token with every scope, or a member's signature."""

    def __init__(self, network: Network, service: str) -> None:
        subject = "officer" if service == COMPLIANCE else PAYER
        self._token = network.token(service, subject, *ALL)
        self._messenger = network.messenger(PEER[service])

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        assert request.url is not None
        if not urlsplit(request.url).path.startswith("/peer/"):
            request.headers["Authorization"] = f"Bearer {self._token}"
            return request
        body = request.body.encode() if isinstance(request.body, str) else request.body or b""
        message = RequestMessage(request.method or "", request.url, {"Content-Type": "application/json"})
        self._messenger.sign_request(message, body)
        request.headers.update(message.headers)
        return request


def known_values(network: Network) -> dict[str, list[Any]]:
    """What there really is, by the names that paths and bodies call it."""
    known = network.known
    return {
        "account": [PAYER],
        "merchant": [SHOP, OTHER_SHOP],
        "uetr": [known["uetr"], known["received"], known["held"]],
        "uetrs": [[known["uetr"], known["received"]]],
        "side": ["debtor"],
        "lane": [int(known["lane"])],
        "sequence": [int(known["sequence"])],
        "code": [known["foreign code"]],
        "amount": ["1000", "10000000"],
        "most": ["1000"],
        "batch_hash": [known["batch_hash"]],
        "number": [1],
        "alert": [int(known["other alert"])],
        # A payment that is not final yet keeps its reader waiting.
        "wait": [0],
    }


@cache
def schema(network: Network, service: str) -> Any:
    return schemathesis.openapi.from_dict(network.apps[service].openapi())


def questions(network: Network, service: str, operation: str) -> st.SearchStrategy[Any]:
    """Right ones and wrong ones of the kinds that the document describes, often about things that there really are."""
    method, path = operation.split()
    described = schema(network, service)[path][method]
    kinds = [GenerationMode.POSITIVE]
    if described.body or described.query or described.path_parameters:
        kinds.append(GenerationMode.NEGATIVE)
    values = known_values(network)

    @st.composite
    def made(draw: st.DrawFn) -> Any:
        case = draw(st.one_of([described.as_strategy(kind) for kind in kinds]))
        for part in (case.path_parameters, case.query, case.body):
            if isinstance(part, dict):
                for name in part.keys() & values.keys():
                    if draw(st.booleans()) or name == "wait":
                        part[name] = draw(st.sampled_from(values[name]))
        asked = network.asked.get((service, path))
        if asked and draw(st.booleans()):
            case.body = spoiled(draw, json.loads(asked))
        return case

    return made()


def spoiled(draw: st.DrawFn, document: Any) -> Any:
    """A real question with one value in it replaced, left out or repeated."""
    document = deepcopy(document)
    holder, key = draw(st.sampled_from(list(_places(document))))
    how = draw(st.sampled_from(["replace", "replace", "leave out", "repeat"]))
    if how == "leave out":
        del holder[key]
    elif how == "repeat" and isinstance(holder, list):
        holder.extend([holder[key]] * draw(st.sampled_from([1, 30, 600])))
    else:
        holder[key] = draw(st.sampled_from(SPOILING))
    return document


def _places(document: Any) -> Iterator[tuple[Any, Any]]:
    keys = document.keys() if isinstance(document, dict) else range(len(document)) if isinstance(document, list) else ()
    for key in list(keys):
        yield document, key
        yield from _places(document[key])


def check(case: Any, answer: Any) -> None:
    assert answer.status_code < 500 or answer.status_code == 503, (answer.status_code, answer.text[:500])
    case.validate_response(answer, checks=CHECKS)


@pytest.mark.parametrize(("service", "operation"), OPERATIONS, ids=NAMES)
def test_a_service_keeps_to_its_own_description(network: Network, service: str, operation: str) -> None:
    caller, session = Caller(network, service), requests.Session()
    session.trust_env = False

    @settled(EXAMPLES)
    @given(questions(network, service, operation))
    def ask(case: Any) -> None:
        check(case, case.call(base_url=network.url(service), session=session, auth=caller))

    ask()


def test_one_answer_leads_to_the_next_question(network: Network) -> None:
    """Schemathesis finds by itself which answers name what other questions are about."""
    caller, url = Caller(network, NODE), network.url(NODE)

    finite = schema(network, NODE).exclude(path_regex="/events$")

    class Conversation(finite.as_state_machine()):  # type: ignore[misc]
        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            case.query.pop("wait", None)
            return {"auth": caller, "base_url": url}

        def validate_response(self, response: Any, case: Any, *_: Any, **__: Any) -> None:
            check(case, response)

    run_state_machine_as_test(
        Conversation, settings=settings(settled(max(1, EXAMPLES // 3)), stateful_step_count=6, print_blob=False)
    )


@pytest.mark.parametrize("service", DOORS)
def test_every_operation_says_how_it_refuses(network: Network, service: str) -> None:
    for path, operations in network.apps[service].openapi()["paths"].items():
        for method, operation in operations.items():
            answers = operation["responses"]
            assert "default" not in answers, "whoever answers anything at all has described nothing"
            refusals = {status: answer for status, answer in answers.items() if status[0] in "45"}
            assert all(list(answer["content"]) == ["application/problem+json"] for answer in refusals.values())
            if path.startswith(("/v1/", "/peer/")):
                assert refusals.keys() >= {"401", "403", "503"}, (method, path)
                assert operation["security"], (method, path)
