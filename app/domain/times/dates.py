"""Dates in text: with numbers or names of months, in any order, with or without a year."""

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from app.domain.times.days import DAY_SECS, epoch_day, epoch_day_of_week, epoch_day_of_year, full_year
from app.domain.times.names import month_named
from app.domain.times.reading import TimeReading

_NAME: Final = r"[^\W\d_]{3,12}"
_ORDINAL: Final = r"(?:st|nd|rd|th)?"

DATE: Final = (
    # 2026-11-29, 2026/11/29, 2026.11.29, 2026:11:29; 2026 Nov 29; 2026年11月29日
    r"(?:(?P<ymd>(?P<y1>[0-9]{4})(?P<s1>[-/.:])(?P<m1>[0-9]{1,2})(?P=s1)(?P<d1>[0-9]{1,2})(?![0-9]))"
    rf"|(?P<ynd>(?P<y2>[0-9]{{4}})[-/ ](?P<m2>{_NAME})\.?[-/ ]{{1,2}}(?P<d2>[0-9]{{1,2}})(?![0-9]))"
    r"|(?P<han>(?P<y3>[0-9]{4})年(?P<m3>[0-9]{1,2})月(?P<d3>[0-9]{1,2})日)"
    # 2026-W48-7, 2026-333
    r"|(?P<week>(?P<y4>[0-9]{4})-?W(?P<w4>[0-9]{2})-?(?P<d4>[1-7])(?![0-9]))"
    r"|(?P<nth>(?P<y5>[0-9]{4})-(?P<d5>[0-9]{3})(?![0-9]))"
    # 20261129, also with the time of day following at once
    r"|(?P<compact>(?P<y6>[0-9]{4})(?P<m6>[0-9]{2})(?P<d6>[0-9]{2})(?=[0-9]{4}|[^0-9]|\Z))"
    # 29.11.2026, 29/11/2026, 11/29/2026, 26/11/29
    r"|(?P<numbers>(?P<a7>[0-9]{1,2})(?P<s7>[-/.])(?P<b7>[0-9]{1,2})(?P=s7)(?P<c7>[0-9]{4}|[0-9]{2})(?![0-9]))"
    # 29-Nov-2026, 29/Nov/2026, 29 Nov 2026, 29Nov2026, 29-Nov-26, 29. November 2026, 29 Nov
    rf"|(?P<dny>(?P<d8>[0-9]{{1,2}}){_ORDINAL}\.?(?:[-/ ]{{0,2}}| de )(?P<m8>{_NAME})\.?"
    r"(?:(?:[-/ ,.]{0,2}| de )(?P<y8>[0-9]{4})(?![0-9])|[-/ ](?P<z8>[0-9]{2})(?![0-9:.]))?)"
    # Nov 29 2026, Nov 29, 2026, nov/29/2026, Nov 29
    rf"|(?P<ndy>(?P<m9>{_NAME})\.?[-/ ]{{1,3}}(?P<d9>[0-9]{{1,2}})(?![0-9:]){_ORDINAL}"
    r"(?:,?[-/ ]{1,2}(?P<y9>[0-9]{4})(?![0-9]))?)"
    # 261129 and 1129 before a time of day; 11-29, 11/29 and [11.29
    r"|(?P<yymmdd>(?P<y10>[0-9]{2})(?P<m10>[0-9]{2})(?P<d10>[0-9]{2})(?= {1,2}[0-9]))"
    r"|(?P<mmdd>(?P<m11>[0-9]{2})(?P<d11>[0-9]{2})(?=[ /][0-9]))"
    r"|(?P<md>(?P<m12>[0-9]{2})(?P<s12>[-/]|(?<=\[[0-9]{2})\.)(?P<d12>[0-9]{2})(?=[ T|-][0-9])))"
)
"""A pattern with a named group for each form of date; `date_of` reads a match of it."""

BRIEF: Final = frozenset(["yymmdd", "mmdd", "md"])
"""Forms that are dates only beside a time of day with seconds."""

Match = re.Match[str]
_DATE: Final = re.compile(DATE)


class Day(NamedTuple):
    """A date: its day since the epoch; or, without a year, the month and the day of the month."""

    days: int | None
    month: int = 0  # of a date without a year, 1 to 12
    day: int = 0
    is_open: bool = False  # nothing says which number is the day; this is with the month first


class DateText(NamedTuple):
    """Where a date stands, and how it is written: `form` is the name of a group of `DATE`."""

    match: Match
    form: str
    start: int
    end: int


def date_text(match: Match, shift: int = 0) -> DateText:
    """The date in a match of `DATE` or of a pattern that contains it; `shift` is added to where it stands."""
    form = match.lastgroup or ""
    start, end = match.span(form)
    return DateText(match, form, start + shift, end + shift)


def date_of(text: DateText, reading: TimeReading) -> Day | None:
    """The day that a date says; None if the calendar has none such."""
    return _READERS[text.form](text.match, reading)


def date_at(text: str, start: int, end: int) -> DateText | None:
    """The date that stands at `start`."""
    match = _DATE.match(text, start, end)
    return None if match is None else date_text(match)


def _full(year: str, month: int | None, day: str) -> Day | None:
    days = None if month is None else epoch_day(full_year(year), month, int(day))
    return None if days is None else Day(days)


def _month_and_day(month: int | None, day: str) -> Day | None:
    if month is None or epoch_day(2000, month, int(day)) is None:  # 2000 has a 29 February
        return None
    return Day(None, month, int(day))


def _of_numbers(match: Match, reading: TimeReading) -> Day | None:
    """A date of three numbers that does not open with a year of four digits.

    Dots: the day comes first. Else a part above 12 is the day; else the setting says it, or nothing does. What may be
    26/11/29 as well as 29/11/26 is the one that lies nearer to the record's time.
    """
    first, separator, second, last = match.group("a7", "s7", "b7", "c7")
    a, b = int(first), int(second)
    if len(last) == 2:
        if separator == "." and len(first) + len(second) < 4:
            return None  # more likely a version
        if separator != "." and (a > 12 or a == 0):
            return _nearer(_full(first, b, last), _full(last, b, first), reading)
    if separator == "." or a > 12 or a == b:
        return _full(last, b, first)
    month_first = _full(last, a, second)
    if b > 12:
        return month_first
    day_first = _full(last, b, first)
    if reading.day_first is not None:
        return day_first if reading.day_first else month_first
    if month_first is None or day_first is None:
        return None
    return month_first._replace(is_open=True)


def _of_two_numbers(match: Match, reading: TimeReading) -> Day | None:
    """11-29 of logcat, 11/29-10:15 of Snort: the month comes first. 11/29 before a blank is as open as 11/29/2026.

    So is [11.29 of Proxifier.
    """
    first, separator, second = match.group("m12", "s12", "d12")
    month_first, day_first = _month_and_day(int(first), second), _month_and_day(int(second), first)
    if separator == "-" or match.string[match.end("md") : match.end("md") + 1] == "-" or first == second:
        return month_first
    if month_first is None or day_first is None:
        return month_first or day_first
    if reading.day_first is None:
        return month_first._replace(is_open=True)
    return day_first if reading.day_first else month_first


def _nearer(one: Day | None, other: Day | None, reading: TimeReading) -> Day | None:
    if one is None or other is None or one.days is None or other.days is None:
        return one or other
    today = reading.record_time_ms // (DAY_SECS * 1000)
    return one if abs(one.days - today) <= abs(other.days - today) else other


def _known(days: int | None) -> Day | None:
    return None if days is None else Day(days)


def _named(year: str | None, name: str, day: str) -> Day | None:
    month = month_named(name)
    return _month_and_day(month, day) if year is None else _full(year, month, day)


_Reader = Callable[[Match, TimeReading], Day | None]
_READERS: Final[dict[str, _Reader]] = {
    "ymd": lambda match, _: _full(match["y1"], int(match["m1"]), match["d1"]),
    "ynd": lambda match, _: _full(match["y2"], month_named(match["m2"]), match["d2"]),
    "han": lambda match, _: _full(match["y3"], int(match["m3"]), match["d3"]),
    "week": lambda match, _: _known(epoch_day_of_week(int(match["y4"]), int(match["w4"]), int(match["d4"]))),
    "nth": lambda match, _: _known(epoch_day_of_year(int(match["y5"]), int(match["d5"]))),
    "compact": lambda match, _: _full(match["y6"], int(match["m6"]), match["d6"]),
    "numbers": _of_numbers,
    "dny": lambda match, _: _named(match["y8"] or match["z8"], match["m8"], match["d8"]),
    "ndy": lambda match, _: _named(match["y9"], match["m9"], match["d9"]),
    "yymmdd": lambda match, _: _full(match["y10"], int(match["m10"]), match["d10"]),
    "mmdd": lambda match, _: _month_and_day(int(match["m11"]), match["d11"]),
    "md": _of_two_numbers,
}
