"""Event times: converts text and numbers to Unix epoch nanoseconds. Pure."""

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import ciso8601

from app.domain.times.reading import Nanoseconds as Nanoseconds

DAY_MS: Final = 24 * 3600 * 1000

# Below these, a number is seconds, milliseconds or microseconds; nanoseconds above. Each limit is the year 5138 in
# its own unit and March 1973 in the next finer one, so today's times are never confused.
_SECONDS_BELOW = 10**11
_MILLISECONDS_BELOW = 10**14
_MICROSECONDS_BELOW = 10**17

_FRACTION = re.compile(r"\d\d:?\d\d:?\d\d[.,](\d{1,9})")
_LEAP_SECOND = re.compile(r"(?<=:\d\d):60")
_NUMBER = re.compile(r"[+-]?\d{1,20}(\.\d{1,20})?")


@dataclass(frozen=True, slots=True)
class EventTimeBounds:
    """How far, in ms, an event's own time may lie before and after its record's time to be used for the row.

    It is compared with the record's time and not with now, so a record that is read again gives its row the same time.
    `past_ms` is two days less than the retention: a row that expires at once would look like a lost one.
    """

    past_ms: int
    future_ms: int = DAY_MS

    @classmethod
    def of_retention(cls, retention_days: int) -> "EventTimeBounds":
        """Bounds for a table that deletes rows after `retention_days`."""
        return cls(past_ms=(retention_days - 2) * DAY_MS)


def read_time_ns(value: object) -> int:
    """Epoch nanoseconds of an event's timestamp: RFC 3339 or similar text, or an epoch number.

    Text without a zone is UTC. The result may lie outside what the table can hold.

    Raises:
        ValueError: it is not a time.
    """
    if isinstance(value, Nanoseconds):
        return int(value)
    if isinstance(value, bool):
        raise ValueError("a boolean is not a time")
    if isinstance(value, int):
        return value * _unit_ns(value)
    if isinstance(value, float):
        return _of_float(value)
    if isinstance(value, str):
        return _of_text(value.strip())
    raise ValueError(f"{type(value).__name__} is not a time")


def rfc3339(time_ns: int) -> str:
    """RFC 3339 text of a time, with as many digits as it needs; plain nanoseconds if the calendar has no such year."""
    seconds, nanoseconds = divmod(time_ns, 10**9)
    try:
        text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return str(time_ns)
    fraction = f".{nanoseconds:09d}".rstrip("0") if nanoseconds else ""
    return f"{text.zfill(19)}{fraction}Z"


def _unit_ns(number: float) -> int:
    size = abs(number)
    if size < _SECONDS_BELOW:
        return 10**9
    if size < _MILLISECONDS_BELOW:
        return 10**6
    if size < _MICROSECONDS_BELOW:
        return 10**3
    return 1


def _of_float(number: float) -> int:
    if not math.isfinite(number):
        raise ValueError("not a finite number")
    # A float holds whole microseconds of an epoch in seconds, not nanoseconds: more digits would be invented.
    return round(number * _unit_ns(number) / 1000) * 1000


def _of_text(text: str) -> int:
    if _NUMBER.fullmatch(text):
        return read_time_ns(float(text) if "." in text else int(text))
    text, leap_secs = _LEAP_SECOND.subn(":59", text, count=1)
    try:
        moment = ciso8601.parse_datetime(text)
    except ValueError:
        moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    seconds = int(moment.replace(microsecond=0).timestamp()) + leap_secs
    fraction = _FRACTION.search(text, 8)  # after the date, where a dot may separate the numbers
    if fraction:
        return seconds * 10**9 + int(fraction[1].ljust(9, "0"))
    if moment.microsecond:
        raise ValueError("a fraction of something else than a second")
    return seconds * 10**9
