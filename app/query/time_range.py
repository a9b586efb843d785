"""Time ranges: parses times and durations of a query to nanoseconds and seconds."""

import re
from typing import Final

from msgspec import Struct

from app.domain.event_time import read_time_ns, rfc3339
from app.query.errors import BadParameter

SECOND_NS: Final = 10**9
_UNIT_NS: Final = {
    "s": SECOND_NS,
    "m": 60 * SECOND_NS,
    "h": 3600 * SECOND_NS,
    "d": 86_400 * SECOND_NS,
    "w": 7 * 86_400 * SECOND_NS,
}
_RELATIVE: Final = re.compile(r"now(?:\s*([+-])\s*(\d{1,6})\s*([smhdw]))?")
_BARE_PLUS: Final = re.compile(
    r":\d\d(?:\.\d+)? \d\d:?(?:\d\d)?$|^now \d+[smhdw]$"
)  # +01:00 that was not percent-encoded
_SHORT_NUMBER: Final = re.compile(r"\d{1,8}")
_LATEST_NS: Final = 9_223_372_036 * SECOND_NS  # the last second that DateTime64(9) holds, in the year 2262


class TimeRange(Struct, frozen=True):
    """From `start_ns` on and before `end_ns`, Unix epoch."""

    start_ns: int
    end_ns: int

    @property
    def seconds(self) -> float:
        """The length of the range."""
        return (self.end_ns - self.start_ns) / SECOND_NS

    @property
    def condition(self) -> str:
        """SQL condition that a row's Timestamp is in the range."""
        return (
            f"(Timestamp >= fromUnixTimestamp64Nano({self.start_ns:d}, 'UTC')"
            f" AND Timestamp < fromUnixTimestamp64Nano({self.end_ns:d}, 'UTC'))"
        )

    def whole(self, unit_ns: int) -> "TimeRange | None":
        """The largest part of the range that consists of whole units; None if there is none."""
        start_ns, end_ns = -(-self.start_ns // unit_ns) * unit_ns, self.end_ns // unit_ns * unit_ns
        return TimeRange(start_ns, end_ns) if start_ns < end_ns else None

    def without(self, middle: "TimeRange") -> "list[TimeRange]":
        """The non-empty parts of the range before and after `middle`, which is a part of it."""
        ends = [TimeRange(self.start_ns, middle.start_ns), TimeRange(middle.end_ns, self.end_ns)]
        return [end for end in ends if end.start_ns < end.end_ns]

    def __str__(self) -> str:
        return f"{rfc3339(self.start_ns)} to {rfc3339(self.end_ns)}"


def read_range(start: str, end: str, *, now_ns: int) -> TimeRange:
    """The range between two times.

    Raises:
        BadParameter: one is not a time, or the start is not before the end.
    """
    found = TimeRange(read_moment("start", start, now_ns=now_ns), read_moment("end", end, now_ns=now_ns))
    if found.start_ns >= found.end_ns:
        raise BadParameter("start", f"start={start} is not before end={end}")
    return found


def read_moment(parameter: str, text: str, *, now_ns: int) -> int:
    """Epoch nanoseconds of `now`, `now-15m`, RFC 3339 text (UTC without a zone) or an epoch number.

    Raises:
        BadParameter: it is none of these, or outside the range of the table (1970 to 2262).
    """
    text = text.strip()
    relative = _RELATIVE.fullmatch(text)
    if relative:
        sign, count, unit = relative.groups()
        moment = now_ns + (int(f"{sign}{count}") * _UNIT_NS[unit] if unit else 0)
    else:
        try:
            if _SHORT_NUMBER.fullmatch(text):
                raise ValueError("ambiguous: a year, a day or seconds")
            moment = read_time_ns(text)
        except ValueError as error:
            reason = f"{parameter}={text} is not a time: write now-15m, 2026-11-24T12:00:00Z or an epoch number"
            if _BARE_PLUS.search(text):
                reason = f"{parameter}={text} is not a time: in a URL a + means a space; write %2B for it"
            raise BadParameter(parameter, reason) from error
    if not 0 <= moment <= _LATEST_NS:
        raise BadParameter(parameter, f"{parameter}={text} is out of range: the table holds 1970 to 2262")
    return moment


def read_interval_secs(parameter: str, text: str) -> int:
    """Whole seconds of a duration such as 30s, 5m or 1h.

    Raises:
        BadParameter: it is not a duration.
    """
    found = re.fullmatch(r"(\d{1,6})([smhdw])", text.strip())
    if not found or not int(found[1]):
        raise BadParameter(parameter, f"{parameter}={text} is not a duration: write 30s, 5m, 1h or 1d")
    return int(found[1]) * _UNIT_NS[found[2]] // SECOND_NS
