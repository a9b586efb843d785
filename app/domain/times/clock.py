"""Times of day in text: hours, minutes, seconds, fraction, AM and PM."""

import re
from typing import Final, NamedTuple

from app.domain.times.moments import nanoseconds

_MERIDIEM: Final = r"(?:[ \u00a0\u202f]?([AaPp])\.?[Mm](?![^\W_])\.?)?"
# More than nine digits behind a comma are the next column of a table.
_FRACTION: Final = r"(?:(?:\.([0-9]{1,40})|,([0-9]{1,9})(?![0-9])|:([0-9]{3,9}))(?![0-9]))?"
_COLONS: Final = re.compile(
    rf"([0-9]{{1,2}}):([0-9]{{2}})(?::([0-9]{{2}})(?![0-9]){_MERIDIEM}{_FRACTION})?"
    rf"(?![0-9]){_MERIDIEM}"
)
_DOTS: Final = re.compile(rf"([0-9]{{1,2}})\.([0-9]{{2}})\.([0-9]{{2}})(?:[.,:]([0-9]{{1,40}}))?(?![0-9]){_MERIDIEM}")
_HAN: Final = re.compile(r"([0-9]{1,2})[时時点]([0-9]{1,2})分(?:([0-9]{1,2})秒)?")
_COMPACT: Final = re.compile(
    r"([0-9]{2})([0-9]{2})(?:([0-9]{2})([0-9]{3}(?:[0-9]{3}){0,2})?)?(?:[.,]([0-9]{1,40}))?(?![0-9])"
)
_HOUR: Final = re.compile(r"([0-9]{2})(?![0-9:.,])")


class Clock(NamedTuple):
    """A time of day, and where it ends in the text."""

    secs: int  # since midnight; 86400 at the end of the day and in a leap second
    fraction_ns: int
    end: int
    has_seconds: bool
    meridiem: str  # AM or PM as it was written: one letter, or ""


def clock_at(text: str, start: int, end: int) -> Clock | None:
    """The time of day that stands at `start`, its parts set apart by colons or dots."""
    if match := _COLONS.match(text, start, end):
        hour, minute, second, before, point, comma, colon, behind = match.groups()
        return _clock(hour, minute, second, point or comma or colon, before or behind, match.end())
    if match := _DOTS.match(text, start, end):
        hour, minute, second, fraction, meridiem = match.groups()
        return _clock(hour, minute, second, fraction, meridiem, match.end())
    if match := _HAN.match(text, start, end):
        return _clock(match[1], match[2], match[3], None, None, match.end())
    return None


def compact_clock_at(text: str, start: int, end: int) -> Clock | None:
    """The time of day that stands at `start` as 1015, 101501, 101501123 or 101501.123."""
    match = _COMPACT.match(text, start, end)
    if match is None:
        return None
    hour, minute, second, joined, fraction = match.groups()
    if (joined and fraction) or (fraction and not second):
        return None  # a part of a minute
    return _clock(hour, minute, second, joined or fraction, None, match.end())


def hour_at(text: str, start: int, end: int) -> Clock | None:
    """The hour alone that stands at `start`, as ISO 8601 allows."""
    match = _HOUR.match(text, start, end)
    return _clock(match[1], "0", None, None, None, match.end()) if match else None


def _clock(
    hour: str, minute: str, second: str | None, fraction: str | None, meridiem: str | None, end: int
) -> Clock | None:
    hours, minutes, secs = int(hour), int(minute), int(second or 0)
    if meridiem:
        is_pm = meridiem in "Pp"
        if hours > 12 and not is_pm:
            return None
        hours = hours % 12 + 12 * is_pm if hours <= 12 else hours
    fraction_ns = nanoseconds(fraction)
    is_end_of_day = hours == 24 and minutes == secs == fraction_ns == 0
    if (hours > 23 and not is_end_of_day) or minutes > 59 or secs > 60:  # 60 is a leap second
        return None
    return Clock(hours * 3600 + minutes * 60 + secs, fraction_ns, end, second is not None, meridiem or "")
