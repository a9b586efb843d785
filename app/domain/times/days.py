"""Days as numbers: days since 1970-01-01. Every function is exact for the years 1 to 9999, None outside of them."""

from calendar import isleap
from datetime import date
from functools import lru_cache
from typing import Final

EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
DAY_SECS: Final = 86_400
SECOND_NS: Final = 1_000_000_000
DAY_NS: Final = DAY_SECS * SECOND_NS
MS_NS: Final = 1_000_000


@lru_cache(maxsize=4096)  # neighbouring records share their day
def epoch_day(year: int, month: int, day: int) -> int | None:
    """The number of a day, None if the calendar has no such day."""
    try:
        return date(year, month, day).toordinal() - EPOCH_ORDINAL
    except (ValueError, OverflowError):
        return None


@lru_cache(maxsize=256)
def epoch_day_of_week(year: int, week: int, weekday: int) -> int | None:
    """The number of a day of an ISO week; Monday is 1."""
    try:
        return date.fromisocalendar(year, week, weekday).toordinal() - EPOCH_ORDINAL
    except (ValueError, OverflowError):
        return None


@lru_cache(maxsize=256)
def epoch_day_of_year(year: int, number: int) -> int | None:
    """The number of the n-th day of a year."""
    first = epoch_day(year, 1, 1)
    if first is None or not 1 <= number <= 365 + isleap(year):
        return None
    return first + number - 1


_LONGEST_WAIT_YEARS: Final = 8  # from one 29 February to the next, across a year such as 1900


@lru_cache(maxsize=4096)
def latest_day(month: int, day: int, last_day: int) -> int | None:
    """The latest day with this month and day that is at most `last_day`; None if no year has such a day."""
    try:
        this_year = date.fromordinal(last_day + EPOCH_ORDINAL).year
    except (ValueError, OverflowError):
        return None
    for year in range(this_year, this_year - _LONGEST_WAIT_YEARS - 1, -1):
        days = epoch_day(year, month, day)
        if days is not None and days <= last_day:
            return days
    return None


def full_year(digits: str) -> int:
    """The year that two or four digits stand for: 70 to 99 are of the last century."""
    year = int(digits)
    if len(digits) != 2:
        return year
    return year + (1900 if year >= 70 else 2000)
