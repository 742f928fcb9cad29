"""Quotes over HTTP: who may ask, what is signed, what is kept and who may read it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any

import httpx2
import pytest
from sqlalchemy import Connection
from typer.testing import CliRunner

from bridge.cli import app
from bridge.client import MAX_ITEMS, FirmQuote, QuoteRequest, Refusal
from bridge.rates.pricing import Pair, buyer_rate, price_of_target
from bridge.rates.reference import reference_rates
from contracts.chain.participants import Participants
from contracts.terms.commitments import (
    quote_hash,
    typed_digest,
)
from contracts.terms.errors import PeerUnavailable
from contracts.terms.money import currency
from contracts.terms.signing import recover
from tests import plain_http
from tests.databases import looking, place

CNY, THB = 156, 764


def test_a_quote_is_signed_firm_and_priced_at_the_stated_date(stage: Any) -> None:
    asked = stage.ask(123_456)
    [answer] = stage.calls("wallet").quote([asked])
    assert isinstance(answer, FirmQuote)
    quote = answer.quote
    rate = buyer_rate(reference_rates(date(2024, 3, 1)).mid(currency("CNY"), currency("THB")), 30)
    price = price_of_target(Pair(currency("CNY"), currency("THB")), rate, 123_456)
    assert (quote.provider, quote.buyer) == (stage.account("provider"), stage.account("wallet"))
    assert (quote.source_amount, quote.target_amount) == (price.source_amount, 123_456)
    assert (answer.rate_date, answer.spread_bp) == ("2024-03-01", 30)
    assert 55 <= quote.expires - stage.now() <= 80
    signed_by = recover(typed_digest(stage.domain, quote_hash(quote)), answer.signature)
    assert signed_by == stage.account("provider/settlement")
    kept = stage.get(f"/v1/quotes/0x{quote.nonce.hex()}", "audit")
    assert (Fraction(kept["rate"]), Fraction(kept["residue"])) == (rate, price.residue)
    assert kept["used_by"] is None


def test_each_price_asked_for_is_answered_by_itself(stage: Any) -> None:
    asked = [
        stage.ask(1_000),
        stage.ask(1_000, THB, THB),
        stage.ask(1_000, CNY, 704),
        stage.ask(1_000, CNY, 999),
        stage.ask(0),
        replace(stage.ask(1), source_amount=1),
        QuoteRequest("given", CNY, THB, source_amount=1_000),
    ]
    answers = stage.calls("wallet").quote(asked)
    refused = [answer.problem if isinstance(answer, Refusal) else "" for answer in answers]
    assert refused == ["", "unsupported", "no-price", "unknown-currency", "bad-amount", "malformed", ""]
    given = answers[-1]
    assert isinstance(given, FirmQuote)
    assert (given.request_id, given.quote.source_amount) == ("given", 1_000)


def test_five_hundred_prices_are_asked_for_in_one_signed_request(stage: Any) -> None:
    """What a node asks for a bulk of payments: one round trip, and one that cannot be priced spoils no other."""
    asked = [stage.ask(1_000 + number) for number in range(MAX_ITEMS)]
    asked[7] = stage.ask(1_000, CNY, 704)
    with looking(place(stage.folder / "bridge.db")) as bridge:
        received = _messages(bridge)
        answers = stage.calls("wallet").quote(asked)
        assert _messages(bridge) == received + 1
    refused = [number for number, answer in enumerate(answers) if isinstance(answer, Refusal)]
    firm = [answer for answer in answers if isinstance(answer, FirmQuote)]
    assert (refused, len(firm)) == ([7], MAX_ITEMS - 1)
    assert [(each.request_id, each.quote.target_amount) for each in firm] == [
        (each.request_id, each.target_amount) for each in asked if each is not asked[7]
    ]
    assert len({each.quote.nonce for each in firm}) == len(firm)
    signers = {recover(typed_digest(stage.domain, quote_hash(each.quote)), each.signature) for each in firm}
    assert signers == {stage.account("provider/settlement")}


def _messages(bridge: Connection) -> int:
    return int(bridge.exec_driver_sql("SELECT count(*) FROM seen_messages").scalar_one())


def test_the_token_that_the_command_prints_opens_the_door(stage: Any) -> None:
    config = ["--config", str(stage.folder / "bridge.toml")]
    printed = CliRunner().invoke(app, ["token", *config, "--subject", "auditor", "--scope", "audit"])
    token = {"Authorization": f"Bearer {printed.output.strip()}"}
    assert plain_http.get(f"{stage.endpoint}/v1/reservations", headers=token).status_code == 200
    assert plain_http.get(f"{stage.endpoint}/openapi.json").json()["info"]["title"] == "Feiqian bridge"


def test_a_suspended_member_is_asked_to_leave_at_once(stage: Any) -> None:
    stage.bought(1_000, by="acquirer")
    stage.govern(Participants.suspend_call(stage.account("acquirer")))
    with pytest.raises(PeerUnavailable, match="not an active member"):
        stage.bought(1_000, by="acquirer")
    stage.govern(Participants.reinstate_call(stage.account("acquirer")))
    stage.bought(1_000, by="acquirer")


def test_only_members_ask_and_only_token_holders_read(stage: Any) -> None:
    with pytest.raises(PeerUnavailable, match="not a member"):
        stage.calls("stranger").quote([stage.ask(1)])
    assert plain_http.get(f"{stage.endpoint}/v1/positions").status_code == 401
    with pytest.raises(httpx2.HTTPStatusError, match="403"):
        stage.get("/v1/positions", "compliance:read")
    assert stage.get("/v1/rates", "audit")["business_date"] == "2024-03-01"
    for path, status in (("/v1/quotes/0x12", "400"), (f"/v1/quotes/0x{'12' * 32}", "404")):
        with pytest.raises(httpx2.HTTPStatusError, match=status):
            stage.get(path)
