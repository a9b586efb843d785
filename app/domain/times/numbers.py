"""Times as numbers: seconds, milliseconds, microseconds or nanoseconds since 1970, by magnitude; TAI64N labels."""

import math
import re
from typing import Final

from app.domain.times.days import SECOND_NS
from app.domain.times.moments import nanoseconds
from app.domain.times.reading import NO_TIME, ReadTime

# Below these, a number is seconds, milliseconds or microseconds; nanoseconds above. Each limit is the year 5138 in
# its own unit and March 1973 in the next finer one, so today's times are never confused.
_SECONDS_BELOW: Final = 10**11
_MILLISECONDS_BELOW: Final = 10**14
_MICROSECONDS_BELOW: Final = 10**17

# A number in a text is taken for a time if it lies between these: 2001-09-09, when seconds got ten digits, and 2065.
_EARLIEST_SECS: Final = 10**9
_LATEST_SECS: Final = 3_000_000_000

NUMBER: Final = re.compile(r"([+-]?)([0-9]{1,20})(?:\.([0-9]{1,20}))?")
SCIENTIFIC: Final = re.compile(r"([1-9])\.([0-9]{1,20})[eE]\+?0?(9|12|15|18)(?![\w.])")  # of Go's zap and Java
_TAI64_EPOCH: Final = 2**62
# TAI is ahead of UTC by the leap seconds: 37 since 2017. Programs that write these labels count from 10.
_TAI_SECS: Final = 10


def unit_ns(number: float) -> int:
    """The nanoseconds of the unit that a number since the epoch counts in."""
    size = abs(number)
    if size < _SECONDS_BELOW:
        return SECOND_NS
    if size < _MILLISECONDS_BELOW:
        return 10**6
    if size < _MICROSECONDS_BELOW:
        return 10**3
    return 1


def of_number(number: float) -> ReadTime:
    """The time of an int or float."""
    if isinstance(number, int):
        return ReadTime(number * unit_ns(number), True, "")
    if not math.isfinite(number):
        return NO_TIME
    # A float holds whole microseconds of an epoch in seconds, not nanoseconds: more digits would be invented.
    return ReadTime(round(number * unit_ns(number) / 1000) * 1000, True, "")


def is_calendar(number: int) -> bool:
    """Whether a number is more likely the digits of a date and a time, 20261129101501, than milliseconds to come."""
    return 1900 <= number // 10**10 < 2100 or 1900 <= number // 10**13 < 2100


def of_digits(sign: str, whole: str, fraction: str | None) -> ReadTime:
    """The time of a number in decimal digits, exact to the nanosecond."""
    number = int(whole)
    unit = unit_ns(number)
    time_ns = number * unit + nanoseconds(fraction) * unit // SECOND_NS
    return ReadTime(-time_ns if sign == "-" else time_ns, True, "")


def of_scientific(match: re.Match[str]) -> ReadTime:
    """The time of a match of `SCIENTIFIC`: 1.795947301123e+09."""
    digits, exponent = match[2].ljust(18, "0"), int(match[3])
    return of_digits("", match[1] + digits[:exponent], digits[exponent:])


def of_epoch_in_text(whole: str, fraction: str | None) -> ReadTime | None:
    """The time of 10, 13, 16 or 19 digits in a text; None if they are no time of the years 2001 to 2065."""
    if len(whole) not in (10, 13, 16, 19):
        return None
    seconds = int(whole[:10])
    if not _EARLIEST_SECS <= seconds < _LATEST_SECS:
        return None
    return of_digits("", whole, fraction)


def of_tai64n(seconds: str, nanos: str) -> ReadTime | None:
    """The time of the hexadecimal label `@4000000…` of multilog and svlogd; None if it is out of all proportion."""
    secs = int(seconds, 16) - _TAI64_EPOCH - _TAI_SECS
    nanoseconds_ = int(nanos, 16) if nanos else 0
    if not 0 <= secs < _LATEST_SECS or nanoseconds_ >= SECOND_NS:
        return None
    return ReadTime(secs * SECOND_NS + nanoseconds_, True, "")
