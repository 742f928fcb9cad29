"""Signatures recognised by their one form: a yes is the library's yes, with the same sender, nonce and end."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.terms.errors import BadSignature
from serving import signed_form
from serving.keys import MessageKey
from serving.messages import Messenger
from serving.signed_form import (
    REQUEST_COMPONENTS,
    RESPONSE_COMPONENTS,
    AnyMessage,
    RequestMessage,
    ResponseMessage,
    recognised,
    sign,
)

ACCOUNT, URL, BODY = "0x" + "a1" * 20, "http://127.0.0.1:8001/peer/v1/agreements", b'{"payments": []}'
KEY, OLD_KEY, STRANGER = (MessageKey(bytes([number]) * 32) for number in (1, 2, 3))
KINDS = {"request": REQUEST_COMPONENTS, "response": RESPONSE_COMPONENTS}


class Directory:
    def participant(self, account: str) -> Any:
        raise NotImplementedError("who a member is has no part in this")

    def message_keys(self, account: str) -> tuple[bytes, ...]:
        return (KEY.public, OLD_KEY.public) if account == ACCOUNT else ()


MESSENGER = Messenger(ACCOUNT, KEY, Directory())


def made(kind: str, key: MessageKey = KEY, url: str = URL, body: bytes = BODY) -> AnyMessage:
    request = RequestMessage("POST", url, {"Content-Type": "application/json"})
    sign(request, REQUEST_COMPONENTS, body, ACCOUNT, key.private)
    if kind == "request":
        return request
    response = ResponseMessage(200, request, {"Server": "x"})
    sign(response, RESPONSE_COMPONENTS, body, ACCOUNT, key.private)
    return response


def known(message: AnyMessage, kind: str, body: bytes = BODY) -> signed_form.Metadata | None:
    return recognised(message, KINDS[kind], body, Directory().message_keys)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("key", [KEY, OLD_KEY], ids=["newest key", "the one before"])
def test_what_our_services_sign_is_recognised(kind: str, key: MessageKey) -> None:
    message = made(kind, key)
    found = known(message, kind)
    assert found is not None
    assert found.account == ACCOUNT
    assert found == MESSENGER._judged(message, KINDS[kind], BODY)
    message.headers = {name.lower(): value for name, value in message.headers.items()}
    assert known(message, kind) == found, "as a server hands headers on"


@pytest.mark.parametrize("kind", KINDS)
def test_a_strangers_key_is_not_recognised(kind: str) -> None:
    assert known(made(kind, STRANGER), kind) is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("moved", [-66, -5, 0, 4, 64], ids=str)
def test_time_counts_as_it_does_for_the_library(kind: str, moved: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """`moved` seconds after it was made: a reader's clock may be 5 s behind, and 5 s late."""
    began = time.time()
    monkeypatch.setattr(signed_form.time, "time", lambda: began - moved)
    message = made(kind)
    monkeypatch.undo()
    assert (known(message, kind) is not None) == judged(message, kind, BODY) == (-5 <= moved <= 64)


def judged(message: AnyMessage, kind: str, body: bytes) -> bool:
    try:
        MESSENGER._judged(message, KINDS[kind], body)
    except BadSignature:
        return False
    return True


PIECES = ["", " ", "0", "1", "a", "A", "/", "..", "%41", "?x", "=", ":", '"', ";", "\t", "\u00e9", "feiqian"]
pieces = st.sampled_from(PIECES)


@st.composite
def spoiled(draw: st.DrawFn) -> tuple[str, AnyMessage, bytes]:
    """A message with one part cut, doubled or changed, after it was signed or before."""
    kind = draw(st.sampled_from(sorted(KINDS)))
    url = URL + draw(pieces) if draw(st.booleans()) else URL
    try:
        message = made(kind, draw(st.sampled_from([KEY, OLD_KEY, STRANGER])), url)
    except UnicodeEncodeError:  # no client of ours signs what is not ASCII
        message = made(kind)
    part = draw(st.sampled_from(["body", "url", "method", "status", "header", "twice", "nothing"]))
    body, request = BODY, message.request if isinstance(message, ResponseMessage) else message
    if part == "body":
        body = draw(st.binary(max_size=8))
    elif part == "url":
        request.url = _spoil(draw, request.url)
    elif part == "method":
        request.method = draw(st.sampled_from(["GET", "post", "PUT", "POST "]))
    elif part == "status" and isinstance(message, ResponseMessage):
        message = replace(message, status_code=draw(st.integers(0, 1200)))
    elif part in ("header", "twice"):
        whose = draw(st.sampled_from([message, request]))
        name = draw(st.sampled_from(sorted(whose.headers)))
        changed = _spoil(draw, whose.headers[name])
        whose.headers[name.upper() if part == "twice" else name] = changed
    return kind, message, body


def _spoil(draw: st.DrawFn, text: str) -> str:
    at = draw(st.integers(0, len(text)))
    return text[:at] + draw(pieces) + text[at + draw(st.integers(0, 2)) :]


@given(spoiled())
def test_what_is_recognised_the_library_verifies_too(case: tuple[str, AnyMessage, bytes]) -> None:
    kind, message, body = case
    try:
        found = known(message, kind, body)
    except BadSignature:
        return
    if found is not None:
        assert found == MESSENGER._judged(message, KINDS[kind], body)


def test_the_slack_of_clocks_is_one_rule() -> None:
    assert MESSENGER._verifier.max_clock_skew == signed_form.CLOCKS_MAY_DIFFER == timedelta(seconds=5)
