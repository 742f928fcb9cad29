"""Whether alerts and false positives are what the log says that the service raised and officers did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, select

from compliance.alerts.repository import (
    CLOSED,
    FALSE_POSITIVE,
    OPEN,
    PROPOSED,
    everything,
    raising,
)
from compliance.cases.acts import (
    APPROVE_ALERT,
    APPROVE_PAIR,
    ASSIGN_ALERT,
    CARRY_PAIR,
    CLOSE_ALERT,
    PROPOSE_PAIR,
    RAISE_ALERT,
    REJECT_ALERT,
    WITHDRAW_PAIR,
    Act,
)
from compliance.lists.repository import judgements
from compliance.tables import acts

_EVERY = 2**62
_NEW = {"state": OPEN, "outcome": "", "assigned": "", "proposed_by": "", "closed_by": "", "closed_at": 0}


def faults(connection: Connection) -> Iterator[str]:
    """What is wrong, in words. Acts that cannot be read are found by the audit of cases."""
    raised, handled = dict[int, Act](), dict[int, dict[str, Any]]()
    judged = dict[int, dict[str, Any]]()
    for act in _acts(connection):
        if act.act == RAISE_ALERT:
            raised[act.about["alert"]] = act
        elif "alert" in act.about:
            known = handled.setdefault(act.about["alert"], dict(_NEW))
            known |= _alert_after(act)
        elif "pair" in act.about or act.act in (APPROVE_PAIR, WITHDRAW_PAIR):
            judged.setdefault(act.about["number"], {}).update(_pair_after(act))
    yield from _wrong_alerts(connection, raised, handled)
    yield from _wrong_pairs(connection, judged)


def _acts(connection: Connection) -> Iterator[Act]:
    for row in connection.execute(select(acts.c.record).order_by(acts.c.sequence)):
        try:
            yield Act.read(row.record)
        except (ValueError, KeyError, TypeError, AttributeError):
            continue


def _wrong_alerts(
    connection: Connection, raised: dict[int, Act], handled: Mapping[int, Mapping[str, Any]]
) -> Iterator[str]:
    for known in everything(connection):
        number = known.sequence
        if raised.pop(number, None) != raising(number, known.alert):
            yield f"the alert {number} is not as it was raised"
        if {name: getattr(known, name) for name in _NEW} != handled.get(number, _NEW):
            yield f"the alert {number} is not as officers left it"
    for number in raised:
        yield f"the alert {number} was raised, and is not there"


def _wrong_pairs(connection: Connection, judged: dict[int, dict[str, Any]]) -> Iterator[str]:
    for judgement in judgements(connection, 0, _EVERY):
        found = {
            "pair": judgement.pair.digest,
            "proposed_by": judgement.proposed_by,
            "approved_by": judgement.approved_by,
            "withdrawn_by": judgement.withdrawn_by,
        }
        if judged.pop(judgement.number, None) != found:
            yield f"the false positive {judgement.number} is not as officers left it"
    for number in judged:
        yield f"the false positive {number} was proposed, and is not there"


def _alert_after(act: Act) -> dict[str, Any]:
    """What an act makes of an alert."""
    if act.act == ASSIGN_ALERT:
        return {"assigned": act.about["officer"]}
    if act.act == REJECT_ALERT:
        return {"state": OPEN, "outcome": "", "proposed_by": ""}
    closed = {"state": CLOSED, "closed_by": act.officer, "closed_at": act.at}
    if act.act == APPROVE_ALERT:
        return closed
    assert act.act == CLOSE_ALERT, act.act
    outcome = act.about["outcome"]
    if outcome == FALSE_POSITIVE:
        return {"state": PROPOSED, "outcome": outcome, "proposed_by": act.officer}
    return {**closed, "outcome": outcome, "proposed_by": ""}


def _pair_after(act: Act) -> dict[str, Any]:
    """What an act makes of a false positive."""
    if act.act == APPROVE_PAIR:
        return {"approved_by": act.officer}
    if act.act == WITHDRAW_PAIR:
        return {"withdrawn_by": act.officer}
    if act.act == CARRY_PAIR:
        return {name: act.about[name] for name in ("pair", "proposed_by", "approved_by", "withdrawn_by")}
    assert act.act == PROPOSE_PAIR, act.act
    return {"pair": act.about["pair"], "proposed_by": act.officer, "approved_by": None, "withdrawn_by": None}
