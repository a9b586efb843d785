"""The time in the header of a text line, from the named groups of its layout. Pure."""

from calendar import isleap
from datetime import date
from functools import lru_cache
from typing import Final

from app.formats.text_layouts import MONTH_NAMES, Fields

_SECOND_NS: Final = 1_000_000_000
_DAY_NS: Final = 86_400 * _SECOND_NS
_EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
# The whole years that fit into 64 bits of nanoseconds.
_EARLIEST_NS: Final = (date(1678, 1, 1).toordinal() - _EPOCH_ORDINAL) * _DAY_NS
_LATEST_NS: Final = (date(2262, 1, 1).toordinal() - _EPOCH_ORDINAL) * _DAY_NS

_MONTHS: Final = {name: number for number, name in enumerate(MONTH_NAMES.split("|"), start=1)}


def unix_ns(fields: Fields, record_time_ms: int) -> int | None:
    """The time in the groups of a header, Unix epoch nanoseconds; None if there is none or it is not possible."""
    try:
        if epoch := fields.get("epoch"):
            time_ns = _from_epoch(epoch)
        elif fields.get("hour"):
            time_ns = _from_calendar(fields, record_time_ms)
        else:
            return None
    except (ValueError, OverflowError):
        return None
    return time_ns if _EARLIEST_NS <= time_ns < _LATEST_NS else None


def _from_epoch(text: str) -> int:
    whole, _, fraction = text.partition(".")
    if len(whole) == 13:
        return int(whole) * 1_000_000
    return int(whole) * _SECOND_NS + _fraction_ns(fraction)


def _from_calendar(fields: Fields, record_time_ms: int) -> int:
    """The time of a date and time of day; raises ValueError or OverflowError for one that is not possible."""
    hour, minute, second = int(fields["hour"] or ""), int(fields["minute"] or ""), int(fields["second"] or "")
    if hour > 23 or minute > 59 or second > 60:  # 60 is a leap second, to Unix the first second of the next minute
        raise ValueError(f"no such time of day: {hour}:{minute}:{second}")
    secs = hour * 3600 + minute * 60 + second - _offset_secs(fields.get("zone"))
    time_of_day_ns = secs * _SECOND_NS + _fraction_ns(fields.get("fraction"))
    month_text, day = fields["month"] or "", int(fields["day"] or "")
    month = _MONTHS.get(month_text) or int(month_text)
    if year := fields.get("year"):
        days = _epoch_day(_full_year(year), month, day)
    else:
        latest_ns = record_time_ms * 1_000_000 + _DAY_NS
        days = _latest_day(month, day, (latest_ns - time_of_day_ns) // _DAY_NS)
    return days * _DAY_NS + time_of_day_ns


def _fraction_ns(digits: str | None) -> int:
    return int(digits[:9].ljust(9, "0")) if digits else 0


def _full_year(text: str) -> int:
    year = int(text)
    if len(text) == 4:
        return year
    return year + (1900 if year >= 70 else 2000)


def _offset_secs(zone: str | None) -> int:
    """Seconds by which a zone is ahead of UTC; raises ValueError for one that is ambiguous or not possible."""
    if not zone:
        return 0
    zone = zone.strip()
    if zone in ("Z", "UTC", "GMT"):
        return 0
    if zone[0] not in "+-":
        raise ValueError(f"{zone} stands for different offsets in different places")
    hours, minutes = int(zone[1:3]), int(zone[-2:]) if len(zone) > 3 else 0
    if hours > 23 or minutes > 59:
        raise ValueError(f"no such offset: {zone}")
    return (hours * 3600 + minutes * 60) * (-1 if zone[0] == "-" else 1)


@lru_cache(maxsize=1024)  # neighbouring records share their day
def _epoch_day(year: int, month: int, day: int) -> int:
    """Days from the start of the Unix epoch; raises ValueError for a day that is not in the calendar."""
    return date(year, month, day).toordinal() - _EPOCH_ORDINAL


_LONGEST_WAIT_YEARS: Final = 8  # from one 29 February to the next, across a year such as 1900


@lru_cache(maxsize=1024)
def _latest_day(month: int, day: int, last_day: int) -> int:
    """The latest epoch day that is this day of the year, at most `last_day`.

    Raises ValueError for a day that no year has, OverflowError if `last_day` is out of the calendar.
    """
    this_year = date.fromordinal(last_day + _EPOCH_ORDINAL).year
    for year in range(this_year, this_year - _LONGEST_WAIT_YEARS - 1, -1):
        if month == 2 and day == 29 and not isleap(year):
            continue
        if (days := _epoch_day(year, month, day)) <= last_day:
            return days
    raise ValueError(f"no such day: {month}-{day}")
