"""A lying institution: its own book is honest, but what it sends to others is not what it says to itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.simulation.stage import Stage

SHARE = 0.25
"""Of its messages, those that lie."""
OWN = ("/peer/v1/screenings", "/peer/v1/attestations")
"""What it asks its own compliance is left as it is: nobody lies to himself."""
COSIGN, PLACE = "/peer/v1/cosignatures", ("lane", "sequence", "deadline")
"""Every second lie about a batch offers it at another place, or for longer: the lies that could pay twice."""


def liar(stage: Stage) -> Callable[[str, Any], Any]:
    """Changes one value of a document now and then, as whoever signs it may."""

    def lie(path: str, document: Any) -> Any:
        luck = stage.scheduler.luck
        if path in OWN or luck.random() >= SHARE:
            return document
        places = list(_values(document))
        if path == COSIGN and "requests" in document and luck.random() < 0.5:
            places = [(each["batch"], key) for each in document["requests"] for key in PLACE]
        if not places:
            return document
        holder, key = luck.choice(places)
        before = holder[key]
        holder[key] = _other(luck.random(), before)
        stage.trace(f"lie: {path} {key}: {str(before)[:24]} becomes {str(holder[key])[:24]}")
        return document

    return lie


def twofold(stage: Stage) -> Callable[[str, Any], Any]:
    """Offers about every second batch at a lane where it does not stand in the debtor agent's own book."""

    def lie(path: str, document: Any) -> Any:
        luck = stage.scheduler.luck
        if path == COSIGN and "requests" in document and luck.random() < 0.5:
            for each in document["requests"]:
                each["batch"]["lane"] = _other(luck.random(), each["batch"]["lane"])
            stage.trace(f"lie: {path} a batch at another lane")
        return document

    return lie


def _values(document: Any) -> Any:
    items = document.items() if isinstance(document, dict) else enumerate(document)
    for key, value in list(items):
        if isinstance(value, dict | list):
            yield from _values(value)
        elif value is not None:
            yield document, key


def _other(luck: float, value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if value in _STATES:
        return _STATES[int(luck * len(_STATES))]
    if value.isdecimal():
        return str(int(value) + 1)
    if value.startswith("0x") and len(value) > 2:
        return value[:-1] + ("0" if value[-1] != "0" else "1")
    return value + "x" if luck < 0.5 else ""


_STATES = ("accepted", "held", "screened", "agreed", "committing", "settled", "refused", "expired", "cancelled")
