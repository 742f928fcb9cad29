"""Other readers of codes say the same of every code that they and we accept; what only they accept breaks a rule.

`make test-peers` installs promptparse and vietnam-qr-pay from npm and runs this.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from contracts.terms.errors import BadPaymentCode
from nodes.qr import PaymentCode, read
from nodes.qr.crc import checksum
from nodes.qr.rules import read_amount
from tests.peers.asked import NAMES, installed, read_by_peers
from tests.qr_vectors import ABSENT, LABELLED_ON, rows

pytestmark = pytest.mark.skipif(not installed(), reason="the peers are not installed; run: make test-peers (needs npm)")

MUTATIONS, SEED = 20, 6
NAPAS = "A000000727"
UNCHECKED_BY_PEERS = {
    "bad-amount", "bad-category", "bad-encoding", "bad-expiry", "bad-field", "bad-guid", "bad-id", "bad-initiation",
    "bad-length", "bad-tip", "conflicting-fields", "control-character", "country-mismatch", "crc-not-last",
    "currency-mismatch", "expired", "format-indicator-not-first", "missing-field", "repeated-id", "too-long",
    "truncated", "unknown-country", "unknown-currency", "unsupported-format",
}  # fmt: skip
"""Every reason of ours for an EMVCo code but a wrong CRC, which both peers check."""


def payloads() -> list[str]:
    """The labelled EMVCo codes, and mutations of them whose CRC is right again."""
    random_source = random.Random(SEED)
    labelled = [row["payload"] for row in rows() if row["mode"] == "MPM" and row["payload"]]
    return labelled + [_mutated(payload, random_source) for payload in labelled for _ in range(MUTATIONS)]


def _mutated(payload: str, source: random.Random) -> str:
    place = source.randrange(len(payload))
    changed = payload[:place] + source.choice("0123456789.AZ@ é茶") + payload[place + source.randrange(2) :]
    body = changed[:-4]
    return body + checksum(body)


def ours(payload: str) -> PaymentCode | str:
    """What we read, or the reason why not."""
    try:
        code = read(payload, LABELLED_ON)
    except BadPaymentCode as bad:
        return str(bad.fields["code_reason"])
    assert isinstance(code, PaymentCode)
    return code


@pytest.fixture(scope="module")
def compared() -> list[tuple[str, PaymentCode | str, dict[str, Any]]]:
    asked = payloads()
    if not asked:
        pytest.skip(ABSENT)
    return [(payload, ours(payload), said) for payload, said in zip(asked, read_by_peers(asked), strict=True)]


Compared = list[tuple[str, "PaymentCode | str", dict[str, Any]]]


def accepted(compared: Compared, peer: str) -> Iterator[tuple[str, PaymentCode, dict[str, Any]]]:
    for payload, code, said in compared:
        if isinstance(code, PaymentCode) and said[peer] is not None and "byte-lengths" not in code.notes:
            yield payload, code, said[peer]


def test_promptparse_agrees_object_by_object(compared: Compared) -> None:
    counted = 0
    for payload, code, said in accepted(compared, "promptparse"):
        if any(ord(character) > 0xFFFF for character in payload):
            continue  # JavaScript counts two for one code point there
        assert {**dict(code.fields), "63": payload[-4:]} == said
        counted += 1
    assert counted > 1_000


def test_vietnam_qr_pay_agrees_on_amount_currency_place_and_payee(compared: Compared) -> None:
    counted = 0
    for payload, code, said in accepted(compared, "vietnam-qr-pay"):
        if any(ord(character) > 0xFFFF for character in payload):
            continue
        assert code.currency is not None
        theirs = read_amount(said["amount"], code.currency) if said["amount"] else None
        assert (code.amount, f"{code.currency.numeric:03d}", code.country) == (
            theirs,
            said["currency"],
            said["country"],
        )
        assert (code.merchant_city or None) == said["city"]
        if said["bank"]:  # it knows accounts, not cards
            bankers = {(account.institution, account.account) for account in code.accounts if account.guid == NAPAS}
            assert bankers == {(said["bank"], said["account"])}
        counted += 1
    assert counted > 1_000


@pytest.mark.parametrize("peer", NAMES)
def test_what_only_a_peer_accepts_breaks_a_rule_that_it_does_not_check(compared: Compared, peer: str) -> None:
    reasons = Counter(code for _, code, said in compared if isinstance(code, str) and said[peer] is not None)
    print(f"\n{peer} accepts {sum(reasons.values())} codes that break a rule: {dict(reasons.most_common())}")
    assert set(reasons) <= UNCHECKED_BY_PEERS
