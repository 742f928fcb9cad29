"""Until when a code is valid, in each of the ways in which schemes write it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone

from nodes.qr.refusal import refusal

_END_OF_DAY = "235959"
_ZONES = {hours: timezone(timedelta(hours=hours)) for hours in range(-12, 15)}


def read_expiry(text: str, utc_offset: int) -> datetime:
    """The last valid second, on a clock `utc_offset` hours east of Greenwich. By its length, the text is YYYYMMDD
    (until the end of that day), YYMMDDHHMMSS, milliseconds since 1970 (13 digits), or YYYYMMDDHHMMSS.

    Raises BadPaymentCode (bad-expiry).
    """
    zone = _ZONES[utc_offset]
    read = _FORMS.get(len(text))
    if read is None or not (text.isascii() and text.isdigit()):
        raise refusal("bad-expiry", f"{text!r} is not a date")
    try:
        return read(text, zone)
    except ValueError as failure:
        raise refusal("bad-expiry", f"{text} is not a date") from failure


def has_passed(expires: datetime, today: date | None) -> bool:
    """Whether a deadline is over: on the day `today`, or by the clock without one."""
    if today is None:
        return expires < datetime.now(expires.tzinfo)
    return expires.date() < today


def _moment(text: str, zone: timezone) -> datetime:
    month, day, hour, minute, second = (int(text[start : start + 2]) for start in range(4, 14, 2))
    return datetime(int(text[:4]), month, day, hour, minute, second, tzinfo=zone)


_FORMS: dict[int, Callable[[str, timezone], datetime]] = {
    8: lambda text, zone: _moment(text + _END_OF_DAY, zone),
    12: lambda text, zone: _moment("20" + text, zone),
    13: lambda text, zone: datetime.fromtimestamp(int(text) // 1000, zone),
    14: _moment,
}
