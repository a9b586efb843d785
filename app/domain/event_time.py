"""Times that people and interfaces give, and how far an event's own time may lie from its record's. Pure.

Times of logs, which come in any form, are read by `domain/times` alone. What a query, a command or the service itself
gives is read here, and strictly: what is no ISO 8601 and no number is refused with a message, and never guessed.
"""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

import ciso8601
from msgspec import Struct

from app.domain.times.numbers import of_number
from app.domain.times.reading import Nanoseconds as Nanoseconds

DAY_MS: Final = 24 * 3600 * 1000

_EPOCH: Final = datetime(1970, 1, 1)  # in UTC, like every time here: without a zone it is written faster
_FRACTION = re.compile(r"\d\d:?\d\d:?\d\d[.,](\d{1,9})")
_LEAP_SECOND = re.compile(r"(?<=:\d\d):60")
_NUMBER = re.compile(r"[+-]?\d{1,20}(\.\d{1,20})?")


class EventTimeBounds(Struct, frozen=True):
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
    """Epoch nanoseconds of a time that is given: RFC 3339 or other ISO 8601 text, or an epoch number in any unit.

    Text without a zone is UTC. The result may lie outside what the table can hold.

    Raises:
        ValueError: it is not a time.
    """
    if isinstance(value, Nanoseconds):
        return int(value)
    if isinstance(value, str):
        return _of_text(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{type(value).__name__} is not a time")
    time_ns = of_number(value).time_ns
    if time_ns is None:
        raise ValueError("not a finite number")
    return time_ns


def rfc3339(time_ns: int) -> str:
    """RFC 3339 text of a time, with as many digits as it needs; plain nanoseconds if the calendar has no such year."""
    seconds, nanoseconds = divmod(time_ns, 10**9)
    text = _to_the_second(seconds)
    if text is None:
        return str(time_ns)
    fraction = f".{nanoseconds:09d}".rstrip("0") if nanoseconds else ""
    return f"{text}{fraction}Z"


@lru_cache(maxsize=4096)  # neighbouring logs, and the groups of a step of a histogram, share their second
def _to_the_second(seconds: int) -> str | None:
    try:
        return (_EPOCH + timedelta(seconds=seconds)).isoformat()
    except OverflowError:
        return None


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
