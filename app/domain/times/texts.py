"""A text that is a time and nothing else, as values of events are."""

import re
from typing import Final

from app.domain.times.clock import clock_at
from app.domain.times.dates import BRIEF, DateText, date_at, date_of
from app.domain.times.moments import without_zone
from app.domain.times.numbers import NUMBER, SCIENTIFIC, of_digits, of_scientific, of_tai64n
from app.domain.times.quick import quick_time
from app.domain.times.reading import NO_TIME, NOTHING, ORDER_UNKNOWN, ZONE_UNKNOWN, ReadTime, TimeReading
from app.domain.times.whole import time_at, time_behind, time_of_hour

_LONGEST: Final = 200  # characters; with 9 digits of a second and a named zone a time has 60
_WEEKDAY: Final = re.compile(r"[^\W\d_]{2,12}\.?,? {1,2}(?=[\w])")
_TICKS: Final = re.compile(r"\\?/Date\((-?[0-9]{1,17})([+-][0-9]{4})?\)\\?/")
_TAI64N: Final = re.compile(r"@(4[0-9a-f]{15})([0-9a-f]{8})?")
_CALENDAR: Final = re.compile(r"(?:19|20)[0-9]{6}(?:[0-9]{4}|[0-9]{6}|[0-9]{9})?")
_COMMENT: Final = re.compile(r"\s{0,4}\([^()]{0,100}\)")  # of mail dates
_MAY_BE_A_ZONE: Final = re.compile(r"\s?[(\[]?(?:[^\W\d_]|[+\u2212-][0-9])")  # a value has no message behind its time
_PAIRS: Final = frozenset(["[]", "()", '""', "''", "<>"])


def of_text(text: str, reading: TimeReading) -> ReadTime:
    """The time that the whole text says: a date, a date with a time of day, or a number since the epoch."""
    text = text[: _LONGEST * 2].strip()
    if not text or text == "-":
        return NOTHING
    if len(text) > _LONGEST:
        return _of_long(text, reading)
    found = quick_time(text, reading)
    if found is not None and found.end == len(text):
        return ReadTime(*found[:3])
    if number := NUMBER.fullmatch(text):
        if not number[1] and not number[3] and _CALENDAR.fullmatch(text) and (of_day := _of_calendar(text, reading)):
            return of_day
        return of_digits(*number.groups())
    if match := SCIENTIFIC.fullmatch(text):
        return of_scientific(match)
    if match := _TICKS.fullmatch(text):
        return ReadTime(int(match[1]) * 10**6, True, "")
    if match := _TAI64N.fullmatch(text):
        return of_tai64n(match[1], match[2]) or NO_TIME
    if text[0] + text[-1] in _PAIRS:
        text = text[1:-1].strip()
    return _of_calendar(text, reading) or NO_TIME


def _of_long(text: str, reading: TimeReading) -> ReadTime:
    """A time with more digits behind the second than anybody needs; anything else as long is no time."""
    shorter = re.sub(r"([.,][0-9]{9})[0-9]+", r"\1", text, count=1)
    return of_text(shorter, reading) if len(shorter) <= _LONGEST else NO_TIME


def _of_calendar(text: str, reading: TimeReading) -> ReadTime | None:
    end = len(text)
    date = date_at(text, 0, end)
    if (date is None or date_of(date, reading) is None) and (weekday := _WEEKDAY.match(text)):
        date = date_at(text, weekday.end(), end)
    if date is None:
        clock = clock_at(text, 0, end)
        found = time_behind(text, clock, 0, end, reading) if clock else None
    elif date.end == end:
        return _midnight(date, reading)
    else:
        found = time_at(text, date, date.start, end, reading)
        if found is None:
            found = time_of_hour(text, date, end, reading)
    if found is None:
        return None
    if found.end == end or found.problem == ZONE_UNKNOWN or (found.has_zone and _COMMENT.fullmatch(text, found.end)):
        return ReadTime(*found[:3])
    if found.has_zone or not _MAY_BE_A_ZONE.match(text, found.end):
        return None
    return ReadTime(None, False, ZONE_UNKNOWN)


def _midnight(date: DateText, reading: TimeReading) -> ReadTime | None:
    """The start of a day that is written without a time of day."""
    day = date_of(date, reading)
    if day is None or date.form in BRIEF:
        return None
    if day.is_open:
        return ReadTime(None, False, ORDER_UNKNOWN)
    return None if day.days is None or _has_short_year(date) else without_zone(day.days, 0, 0, reading)


def _has_short_year(date: DateText) -> bool:
    return date.match["z8"] is not None or len(date.match["c7"] or "year") == 2
