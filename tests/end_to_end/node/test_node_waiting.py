"""What ends by itself when nobody acts: a hold, a quote."""

from __future__ import annotations

from typing import Any

from .conftest import UNTOUCHED, refusal, until


def test_a_held_payment_that_nobody_looks_at_ends_by_itself(stage: Any) -> None:
    ended = stage.end(UNTOUCHED, stage.untouched)
    assert (ended.status, ended.reason) == ("expired", "TM01")
    assert stage.chain.final_header().timestamp > ended.deadline
    assert refusal(lambda: stage.apis.compliance["SG"].decide("ann", stage.untouched, "debtor", "release", "late")) == (
        409,
        "AM05",
    )
    assert stage.apis.compliance["SG"].holds("ann") == []
    free = stage.rows("merlion-node", "SELECT DISTINCT earmarked FROM accounts WHERE id LIKE 'joseph-koney%'")
    assert free == [(0,)]


def test_a_quote_that_nobody_used_expires(stage: Any) -> None:
    [(expires,)] = stage.rows("chaophraya-node", f"SELECT expires FROM quotes WHERE id = '{stage.old_quote}'")
    until(lambda: stage.chain.final_header().timestamp > expires, "the quote has expired")
    payer = stage.payer("TH")
    before = stage.node("TH").balance(payer.id, payer.owner)
    for key in ("too-late", "too-late", "later-still"):
        assert refusal(lambda key=key: stage.node("TH").pay(stage.old_quote, payer.owner, key)) == (422, "TM01")
    assert stage.node("TH").balance(payer.id, payer.owner) == before
    assert stage.rows("chaophraya-node", f"SELECT used_by FROM quotes WHERE id = '{stage.old_quote}'") == [(None,)]
