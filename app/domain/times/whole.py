"""A date and a time of day that stand together, with their zone: the time that they are."""

import re
from typing import Final

from app.domain.times.clock import Clock, clock_at, compact_clock_at, hour_at
from app.domain.times.dates import BRIEF, DATE, DateText, Day, date_of, date_text
from app.domain.times.days import DAY_NS, MS_NS, SECOND_NS, epoch_day, full_year, latest_day
from app.domain.times.moments import with_offset, without_zone
from app.domain.times.names import WEEKDAYS
from app.domain.times.reading import ORDER_UNKNOWN, ZONE_UNKNOWN, FoundTime, ReadTime, TimeReading
from app.domain.times.tails import Zone, offset_of, year_at, zone_at, zone_before
from app.domain.times.zones import offset_in_zone

JOINT: Final = (
    r"(?:\"?[ ,;\t]{1,2}\"?time=\"?|,? (?:at|@|um|à|kl\.) | (?:\||--?) "
    r"|\]\s?\[|\"?[,;|]\"? ?|[Tt_/@-]|(?<=-[0-9]{2})\.|:{1,2}|[ \t\u00a0\u202f]{1,4})?"
)
"""What stands between a date and its time of day."""

_JOINT: Final = re.compile(JOINT)
_BEHIND: Final = re.compile(
    rf"(?:, ?|[ \t]{{1,2}}|\"?[ ,]\"?date=\"?)(?:on |of )?(?:([^\W\d_]{{2,12}})[.,]{{0,2}} {{1,2}})?{DATE}"
)
_ADDRESS: Final = re.compile(r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9])")  # 10.11.21.122,10.11.10.1
_BESIDE_COMPACT: Final = frozenset(["compact", "yymmdd", "mmdd"])
_COMPACT_JOINTS: Final = frozenset("Tt_-/")
_ZONE_KEY: Final = re.compile(r"(?<!\w)(?:tz|timezone)=\"?(?=.)")
_WEEKDAY: Final = re.compile(r"([^\W\d_]{2,12})[.,]{0,2} {1,2}\Z")


def time_at(text: str, date: DateText, start: int, end: int, reading: TimeReading) -> FoundTime | None:
    """The time whose date is `date` and whose time of day follows behind a joint.

    `start` is where the date begins, `end` where to stop. None if it is no time of the calendar.
    """
    day = date_of(date, reading)
    if day is None:
        return None
    joint = _JOINT.match(text, date.end, end)
    at = joint.end() if joint else date.end
    between, form = text[date.end : at], date.form
    clock = clock_at(text, at, end) if between else None
    if clock is None and (form in _BESIDE_COMPACT or between in _COMPACT_JOINTS):
        clock = compact_clock_at(text, at, end)
    if clock is None or (form in BRIEF and not clock.has_seconds):
        return None
    found = _join(text, day, clock, start, end, reading)
    if found is None or found.has_zone or ("time=" not in between and not has_time_key(text, start)):
        return found
    zone = _zone_of_key(text, found.end, end)
    read = _resolve(day, clock, zone, reading) if zone else None
    return FoundTime(*read, start, found.end) if read else found


def has_time_key(text: str, start: int) -> bool:
    """Whether the key `time=` stands in front of a value."""
    return text.startswith(('time="', " time="), max(0, start - len('time="')))


def _zone_of_key(text: str, start: int, end: int) -> Zone | None:
    """The zone that firewalls write further on: tz="+0100", timezone="EST"."""
    match = _ZONE_KEY.search(text, start, end)
    is_quoted = match is not None and text.count('"', 0, match.start()) % 2 == 1  # msg="tz=+0100 chosen"
    return zone_at(text, match.end(), end) if match and not is_quoted else None


def time_of_hour(text: str, date: DateText, end: int, reading: TimeReading) -> FoundTime | None:
    """The time of a date and an hour without minutes, as ISO 8601 allows: 2026-11-29T10Z."""
    day = date_of(date, reading)
    clock = hour_at(text, date.end + 1, end) if text[date.end : date.end + 1] in ("T", "t", " ") else None
    if day is None or clock is None or date.form not in ("ymd", "compact", "week", "nth"):
        return None
    return _join(text, day, clock, date.start, end, reading)


def time_behind(text: str, clock: Clock, start: int, end: int, reading: TimeReading) -> FoundTime | None:
    """The time whose time of day stands first, at `start`, and whose date follows."""
    if _ADDRESS.match(text, start, end):
        return None
    zone = zone_at(text, clock.end, end)
    match = _BEHIND.match(text, zone.end if zone else clock.end, end)
    date = None if match is None else date_text(match)
    if match is None or date is None or date.form in BRIEF or (day := date_of(date, reading)) is None:
        return None
    if match[1] and match[1].lower() not in WEEKDAYS:
        return None
    if zone is None:
        zone = zone_at(text, date.end, end)
        last = zone.end if zone else date.end
    else:
        last = date.end
    if not _ends(text, last):
        return None
    read = _resolve(day, clock, zone, reading)
    return FoundTime(*read, start, last) if read else None


def _join(text: str, day: Day, clock: Clock, start: int, end: int, reading: TimeReading) -> FoundTime | None:
    last, zone, year = clock.end, None, None
    if day.days is None:
        if not clock.has_seconds:
            return None
        if year := year_at(text, last, end):
            last = year[1]
        if zone := zone_at(text, last, end):
            last = zone.end
        if year is None and (year := year_at(text, last, end)):
            last = year[1]
        if year:
            days = epoch_day(full_year(year[0]), day.month, day.day)
            if days is None:
                return None
            day = Day(days)
    elif zone := zone_at(text, last, end):
        last = zone.end
    if zone is None and not _ends(text, last):
        return None
    read = _resolve(day, clock, zone or zone_before(text, start), reading)
    return FoundTime(*read, start, last) if read else None


def _ends(text: str, at: int) -> bool:
    following = text[at : at + 1]
    return not (following.isalnum() or following == "_")


def _resolve(day: Day, clock: Clock, zone: Zone | None, reading: TimeReading) -> ReadTime | None:
    """The time of a day, a time of day and a zone; None for a day that no calendar has."""
    if zone is not None and zone.is_unknown:
        return ReadTime(None, False, ZONE_UNKNOWN)
    # 04/03/2026, 10:15:01 AM is how the United States write; others write am.
    if day.is_open and not clock.meridiem.isupper():
        return ReadTime(None, False, ORDER_UNKNOWN)
    days = day.days if day.days is not None else _nearest(day, clock, zone, reading)
    if days is None:
        return None
    if zone is None:
        return without_zone(days, clock.secs, clock.fraction_ns, reading)
    offset = offset_of(zone, days, clock.secs, _year_of(days), reading.zone)
    if offset is None:
        return ReadTime(None, False, ZONE_UNKNOWN)
    return with_offset(days, clock.secs, clock.fraction_ns, offset)


def _nearest(day: Day, clock: Clock, zone: Zone | None, reading: TimeReading) -> int | None:
    """The day of the year that puts a time nearest to the record's, at most a day after it."""
    limit_ns = reading.record_time_ms * MS_NS + DAY_NS
    days = latest_day(day.month, day.day, limit_ns // DAY_NS)
    if days is None:
        return None
    if zone is not None:
        offset = offset_of(zone, days, clock.secs, _year_of(days), reading.zone) or 0
    else:
        offset = offset_in_zone(reading.zone, days, clock.secs) if reading.zone is not None else 0
    time_of_day_ns = (clock.secs - offset) * SECOND_NS + clock.fraction_ns
    return latest_day(day.month, day.day, (limit_ns - time_of_day_ns) // DAY_NS)


def _year_of(days: int) -> int:
    return 1970 + days * 400 // 146_097  # off by a day around New Year, which no abbreviation's meaning hangs on


def with_weekday(text: str, start: int) -> int:
    """Where the weekday begins that stands in front of `start`; `start` if there is none."""
    match = _WEEKDAY.search(text, max(0, start - 16), start)
    return match.start() if match and match[1].lower() in WEEKDAYS else start
