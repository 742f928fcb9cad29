"""What officers and auditors read, and that the log can be run again and not be altered."""

from __future__ import annotations

import json
import uuid
from contextlib import closing
from typing import Any

import pytest

from compliance.client import SignedAttestation
from compliance.service import DecisionsService
from contracts.terms.commitments import commitment
from contracts.terms.documents import to_document
from serving.database import DatabaseReader
from tests import plain_http
from tests.databases import ON_POSTGRESQL, looking


def test_officers_read_decisions_lists_and_policy(start: Any) -> None:
    service = start()
    held, clear = service.question(debtor=service.buyer(name="Vladimir Putyn", birth_date="")), service.question()
    service.compliance.screen([held, clear])
    page = service.get("/v1/decisions?outcome=hold", "compliance:read").json()
    [shown] = page["decisions"]
    assert (shown["uetr"], shown["outcome"], page["next_cursor"]) == (held.uetr, "hold", None)
    assert "Putyn" not in json.dumps(page)
    first = service.get("/v1/decisions?limit=1", "compliance:read").json()
    second = service.get(f"/v1/decisions?limit=1&cursor={first['next_cursor']}", "compliance:read").json()
    assert [each["decisions"][0]["uetr"] for each in (first, second)] == [clear.uetr, held.uetr]
    assert second["next_cursor"] is None
    [case] = service.get(f"/v1/decisions/{held.uetr}", "compliance:read").json()["decisions"]
    assert case["debtor"]["name"] == "Vladimir Putyn"
    assert case["matches"][0]["entry_id"] == "35096"
    assert case["matches"][0]["reasons"]
    lists = service.get("/v1/lists", "compliance:read").json()
    assert {each["list"] for each in lists["sources"]} == {"OFAC SDN", "UN SC"}
    assert sum(each["entries"] for each in lists["sources"]) == lists["entries"]
    policy = service.get("/v1/policy", "compliance:read").json()
    assert (policy["version"], lists["version"]) == (case["policy_version"], case["list_version"])


def test_scopes_are_kept(service: Any) -> None:
    uetr = str(uuid.uuid4())
    paths = ["/v1/decisions", f"/v1/decisions/{uetr}", "/v1/lists", "/v1/policy", f"/v1/openings/{uetr}"]
    for path in paths:
        right, wrong = ("audit", "compliance:read") if "openings" in path else ("compliance:read", "audit")
        assert service.get(path, wrong).status_code == 403
        assert service.get(path, right).status_code in (200, 404)
        assert plain_http.get(service.settings.endpoint + path).status_code == 401
    assert service.get(f"/v1/decisions/{uetr}", "compliance:read").json()["reason"] == "RR09"
    assert service.get("/v1/decisions?outcome=maybe", "compliance:read").status_code == 400


def test_an_auditor_opens_the_commitments(service: Any) -> None:
    asked = service.question()
    decision = service.decide(asked)
    [opening] = service.get(f"/v1/openings/{asked.uetr}", "audit").json()["openings"]
    party_salt, decision_salt = (bytes.fromhex(opening[name][2:]) for name in ("party_salt", "decision_salt"))
    assert opening["party"] == to_document(asked.debtor)
    assert commitment(party_salt, opening["party"]) == decision.party_commitment
    assert commitment(decision_salt, opening["record"]) == decision.decision_commitment
    assert opening["record"]["outcome"] == "clear"
    assert commitment(party_salt, opening["party"] | {"name": "Another"}) != decision.party_commitment


def test_promise_9_decisions_replay(start: Any) -> None:
    service = start()
    names = ("Wang Xiaoming", "Vladimir Putin", "Vladimir Putyn", "Kim Jong", "Somchai Jaidee")
    asked = [service.question(debtor=service.buyer(name=name, birth_date="")) for name in names for _ in range(20)]
    service.compliance.screen(asked)
    with closing(DatabaseReader(service.settings.database)) as database:
        replayed = DecisionsService(database).replay()
    assert (replayed.same, replayed.faults) == (100, ())


ALTERED = (
    "decode(replace(encode(record, 'escape'), 'hold', 'clea'), 'escape')"
    if ON_POSTGRESQL
    else "CAST(replace(record, 'hold', 'clea') AS BLOB)"
)
UNMASK = "UPDATE decisions SET sequence = -sequence WHERE sequence < 0"


@pytest.mark.parametrize(
    "crime",
    [
        "UPDATE decisions SET outcome = 'clear', reason = '', detail = '' WHERE sequence = 2",
        "UPDATE decisions SET parties = replace(parties, 'Putyn', 'Puteen') WHERE sequence = 2",
        "UPDATE decisions SET inputs = replace(inputs, '10000', '10001') WHERE sequence = 2",
        f"UPDATE decisions SET record = {ALTERED} WHERE sequence = 2",
        "UPDATE decisions SET hold_until = hold_until + 1 WHERE sequence = 2",
        "DELETE FROM decisions WHERE sequence = 2",
        "UPDATE decisions SET sequence = CASE sequence WHEN 2 THEN -3 ELSE -2 END WHERE sequence IN (2, 3)",
    ],
)
def test_an_altered_dropped_or_reordered_decision_is_seen(start: Any, crime: str) -> None:
    service = start()
    similar = service.question(debtor=service.buyer(name="Vladimir Putyn", birth_date=""))
    service.compliance.screen([service.question(), similar, service.question()])
    with closing(DatabaseReader(service.settings.database)) as database:
        assert DecisionsService(database).replay().faults == ()
        with looking(service.settings.database) as connection:
            connection.exec_driver_sql(crime)
            connection.exec_driver_sql(UNMASK)
        assert DecisionsService(database).replay().faults != ()


def test_a_restart_forgets_nothing(start: Any) -> None:
    before = start()
    asked = before.question()
    decision = before.decide(asked)
    before.stop()
    after = start()
    assert after.settings.database == before.settings.database
    assert after.decide(asked) == decision
    batch, own = after.batch(after.terms(asked, decision))
    assert isinstance(after.attest(batch, *own), SignedAttestation)
