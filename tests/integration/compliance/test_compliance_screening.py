"""Screening over HTTP: who may ask, what is decided, and that a question is decided once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from compliance.client import ComplianceClient, Decision, Refusal, Screening
from contracts.terms.errors import ComplianceUnavailable
from contracts.terms.payment import Leg
from serving.client import Peer, PeerRefusal
from tests import plain_http

WALLET, PROVIDER, ACQUIRER, STRANGER = (f"0x{digit * 40}" for digit in "1234")
CNY, EUR = 156, 978


def test_names_decide(service: Any) -> None:
    listed, similar, clear, foreign = service.compliance.screen(
        [
            service.question(debtor=service.buyer(name="Vladimir Putin", birth_date="1952-10-07")),
            service.question(debtor=service.buyer(name="Vladimir Putyn", birth_date="")),
            service.question(),
            service.question(creditor=replace(service.question().creditor, name="Bank Melli Iran")),
        ]
    )
    assert isinstance(listed, Decision)
    assert isinstance(similar, Decision)
    assert isinstance(clear, Decision)
    assert isinstance(foreign, Decision)
    assert (listed.outcome, listed.reason) == ("refuse", "RR04")
    assert "OFAC SDN 35096" in listed.detail
    assert "Putin" not in listed.detail
    assert (similar.outcome, similar.reason) == ("hold", "RR04")
    assert similar.hold_until > service.clock.now() + 86_000
    assert clear.outcome == "clear"
    assert (foreign.outcome, foreign.reason) == ("refuse", "RR04")


def test_asking_again_gives_the_same_decision_for_ever(service: Any) -> None:
    asked = service.question()
    first = service.decide(asked)
    assert service.decide(asked) == first
    twice = service.compliance.screen([asked, asked])
    assert twice == [first, first]
    [refused] = service.compliance.screen([replace(asked, debtor=service.buyer(name="Wang Xiaohong"))])
    assert isinstance(refused, Refusal)
    assert (refused.problem, refused.reason) == ("conflict", "AM05")
    with ThreadPoolExecutor(8) as pool:
        together = service.question()
        answers = list(pool.map(service.decide, [together] * 16))
    assert len({answer.decision_commitment for answer in answers}) == 1


def test_commitments_hide_equal_content(service: Any) -> None:
    first, second = service.decide(service.question()), service.decide(service.question())
    assert first.party_commitment != second.party_commitment


def creditor(**changes: str) -> Callable[[Screening], Screening]:
    return lambda asked: replace(asked, creditor=replace(asked.creditor, **changes))  # type: ignore[type-var]


def debtor(**changes: str) -> Callable[[Screening], Screening]:
    return lambda asked: replace(asked, debtor=replace(asked.debtor, **changes))  # type: ignore[type-var]


def leg(**changes: Any) -> Callable[[Screening], Screening]:
    return lambda asked: replace(asked, legs=(replace(asked.legs[0], **changes),))


BAD_QUESTIONS: tuple[Callable[[Screening], Screening], ...] = (
    lambda asked: replace(asked, uetr="7"),
    lambda asked: replace(asked, side="payer"),
    lambda asked: replace(asked, debtor_agent=ACQUIRER),
    lambda asked: replace(asked, debtor_agent="0xAB"),
    lambda asked: replace(asked, debtor=None),
    lambda asked: replace(asked, legs=()),
    debtor(name="x" * 141),
    debtor(name="\u202e…🙂"),
    debtor(account=""),
    debtor(account="1" * 141),
    debtor(birth_date="1990-13-01"),
    debtor(birth_date="19900101"),
    creditor(kind="ship"),
    creditor(country="Thailand"),
    creditor(nationality="th"),
    creditor(gender="m"),
    creditor(identification="1" * 36),
    creditor(identification="\u0661\u0662\u0663\u0664\u0665"),
    leg(amount=0),
    leg(amount=10**16),
    leg(currency=1),
    leg(source=PROVIDER, target=ACQUIRER),
    leg(source=PROVIDER, target=WALLET),
)


def test_a_bad_question_is_refused_by_itself(start: Any) -> None:
    service = start()
    bad = [spoil(service.question()) for spoil in BAD_QUESTIONS]
    answers = service.compliance.screen([service.question(), *bad, service.question()])
    assert [type(answer) for answer in answers] == [Decision, *[Refusal] * len(bad), Decision]
    page = service.get("/v1/decisions", "compliance:read").json()
    assert len(page["decisions"]) == 2


def test_limits_per_payment_and_day(start: Any, tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(
        "[names]\nrefuse = 970\nhold = 880\n[holds]\nseconds = 60\n[countries]\nblocked = ['KP']\n"
        "[limits.CNY]\npayment = 10_000\nday = 25_000\n"
    )
    service = start(policy=policy)

    def pay(amount: int, account: str = "1", unit: int = CNY) -> tuple[str, str]:
        legs = (Leg(WALLET, PROVIDER, unit, amount),)
        answer = service.decide(service.question(debtor=service.buyer(account=account), legs=legs))
        return answer.outcome, answer.reason

    assert pay(10_001) == ("refuse", "AM02")
    assert pay(10_000) == ("clear", "")
    assert pay(10_000) == ("clear", "")
    assert pay(5_001) == ("refuse", "AM14")
    assert pay(5_000) == ("clear", "")
    assert pay(1) == ("refuse", "AM14")
    assert pay(10_000, account="2") == ("clear", "")
    assert pay(1, unit=EUR) == ("refuse", "AM03")
    in_one_list = [service.question(debtor=service.buyer(account="3")) for _ in range(3)]
    outcomes = [answer.outcome for answer in service.compliance.screen(in_one_list)]
    assert outcomes == ["clear", "clear", "refuse"]
    day = service.clock.now() // 86_400
    service.chain.pass_time(86_400)
    service.until(lambda: service.clock.now() // 86_400 > day)
    assert pay(10_000) == ("clear", "")


def test_a_blocked_country_is_refused(service: Any) -> None:
    resident = service.decide(service.question(debtor=service.buyer(country="KP")))
    agent = service.decide(service.question(creditor_agent=STRANGER))
    assert {(each.outcome, each.reason) for each in (resident, agent)} == {("refuse", "RR04")}


def test_only_the_own_institution_may_ask(service: Any) -> None:
    with pytest.raises(PeerRefusal) as refusal:
        ComplianceClient(service.client(STRANGER), service.peer).screen([service.question()])
    assert refusal.value.status == 403
    unsigned = plain_http.post(service.settings.endpoint + "/peer/v1/screenings", json={})
    assert unsigned.status_code == 401
    with pytest.raises(ComplianceUnavailable, match="signature is not valid"):
        ComplianceClient(service.client(WALLET, key_of=STRANGER), service.peer).screen([service.question()])


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b'{"screenings": 7}',
        b'{"screenings": [], "screenings": []}',
        b'{"screenings": [], "more": 1}',
        b'{"screenings": [{"uetr": 1e400}]}',
        b'{"screenings": [{"uetr": "\\ud800", "side": "", "debtor": null, "creditor": null, "debtor_agent": "",'
        b' "creditor_agent": "", "legs": []}]}',
        b"[" * 1000,
    ],
)
def test_a_body_that_is_not_one_is_a_problem_document(service: Any, body: bytes) -> None:
    with pytest.raises(PeerRefusal) as refusal:
        service.client().post(service.peer, "/peer/v1/screenings", body)
    assert refusal.value.status == 400


def test_a_stalled_chain_attests_and_decides_nothing(start: Any) -> None:
    service = start(chain_tolerance=0.3)
    service.until(lambda: service.clock.stalled(0.3))
    with pytest.raises(ComplianceUnavailable):
        service.compliance.screen([service.question()])
    batch, own = service.batch(service.terms(service.question()))
    with pytest.raises(ComplianceUnavailable):
        service.attest(batch, *own)


def test_the_time_of_another_chain_is_no_time(start: Any, other_chain: Any) -> None:
    network = replace(other_chain.network, chain_id=other_chain.network.chain_id + 1)
    service = start(chain=replace(other_chain, network=network), ready=False)
    for _ in range(3):
        other_chain.pass_time(1)
        with pytest.raises(ComplianceUnavailable):
            service.compliance.screen([service.question()])


def test_an_answer_of_another_service_is_no_answer(start: Any) -> None:
    service = start(PROVIDER)
    wrong = ComplianceClient(service.client(), Peer(ACQUIRER, service.settings.endpoint))
    with pytest.raises(ComplianceUnavailable):
        wrong.screen([service.question()])
