"""Times as JSON objects and lists: MongoDB's `$date`, seconds with nanoseconds, PHP's DateTime, Java's arrays."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from app.domain.times.days import SECOND_NS, epoch_day
from app.domain.times.moments import with_offset, without_zone
from app.domain.times.numbers import NUMBER, of_number
from app.domain.times.reading import NO_TIME, ZONE_UNKNOWN, ReadTime, TimeReading
from app.domain.times.texts import of_text
from app.domain.times.words import in_order

# In lower case, without underlines in front. Every program spells them its own way.
_SECONDS: Final = in_order(
    "seconds epochsecond epochseconds epoch_second secs sec s tv_sec secs_since_epoch timestampseconds unixseconds"
)
_NANOS: Final = in_order(
    "nanos nanoseconds nanosecond nanoofsecond nano nsec tv_nsec nanos_since_epoch timestampnanos ns"
)
_MICROS: Final = in_order("micros microseconds microsecond usec tv_usec us")
_MILLIS: Final = in_order("millis milliseconds epochmilli epochmillis timemillis")
_TEXTS: Final = in_order("$date datetime date value iso")
_DEPTH: Final = 3  # {"$date": {"$numberLong": "…"}} is two


def of_object(value: Mapping[object, object], reading: TimeReading, depth: int = _DEPTH) -> ReadTime:
    """The time of an object that is one."""
    if depth == 0 or len(value) > 16:
        return NO_TIME
    fields = {key.lower().lstrip("_"): item for key, item in value.items() if isinstance(key, str)}
    for key in ("$numberlong", "$numberint", "$numberdouble", "$numberdecimal"):
        if key in fields:
            return _of_extended(fields[key], reading)
    seconds = _first(fields, _SECONDS)
    if (secs := _whole(seconds)) is not None:
        return _of_parts(secs, fields)
    if isinstance(seconds, float):
        return of_number(seconds)
    if (millis := _whole(_first(fields, _MILLIS))) is not None:
        return ReadTime(millis * 10**6, True, "")
    inner = _first(fields, _TEXTS)
    if isinstance(inner, str):
        zone = fields.get("timezone")
        return _of_php(inner, zone, reading) if isinstance(zone, str) else of_text(inner, reading)
    if isinstance(inner, (int, float)) and not isinstance(inner, bool):
        return of_number(inner)
    if isinstance(inner, dict):
        return of_object(inner, reading, depth - 1)
    return NO_TIME


def of_list(value: Sequence[object], reading: TimeReading) -> ReadTime:
    """The time of [seconds, nanoseconds], or of Java's [year, month, day, hour, minute, second, nanosecond]."""
    if not 2 <= len(value) <= 7:
        return NO_TIME
    numbers = [item for item in value if isinstance(item, int) and not isinstance(item, bool)]
    if len(numbers) != len(value):
        return NO_TIME
    if len(numbers) == 2:
        seconds, nanos = numbers
        is_time = 10**9 <= seconds < 10**10 and 0 <= nanos < SECOND_NS
        return ReadTime(seconds * SECOND_NS + nanos, True, "") if is_time else NO_TIME
    year, month, day, hour, minute, second, nanos = numbers + [0] * (7 - len(numbers))
    days = epoch_day(year, month, day)
    is_time = 0 <= hour < 24 and 0 <= minute < 60 and 0 <= second < 60 and 0 <= nanos < SECOND_NS
    if days is None or not is_time or not 1900 <= year < 2200:
        return NO_TIME
    return without_zone(days, hour * 3600 + minute * 60 + second, nanos, reading)


def _of_extended(number: object, reading: TimeReading) -> ReadTime:
    """MongoDB's {"$numberLong": "1795947301123"}."""
    if isinstance(number, str):
        return of_text(number, reading)
    return of_number(number) if isinstance(number, (int, float)) and not isinstance(number, bool) else NO_TIME


def _of_php(text: str, zone: str, reading: TimeReading) -> ReadTime:
    """PHP's DateTime: {"date": "2026-11-29 10:15:01.000000", "timezone_type": 3, "timezone": "Europe/Paris"}."""
    found = of_text(f"{text} {zone}", reading)
    if found.has_zone or found.problem == ZONE_UNKNOWN:
        return found
    return ReadTime(None, False, ZONE_UNKNOWN) if of_text(text, reading).time_ns is not None else NO_TIME


def _of_parts(seconds: int, fields: Mapping[str, object]) -> ReadTime:
    nanos = _whole(_first(fields, _NANOS))
    if nanos is None:
        micros = _whole(_first(fields, _MICROS))
        millis = _whole(_first(fields, _MILLIS))
        nanos = micros * 1000 if micros is not None else (millis or 0) * 10**6
    if not -(10**12) < seconds < 10**12 or not -SECOND_NS < nanos < SECOND_NS:
        return NO_TIME
    return with_offset(0, seconds, nanos, 0)


def _first(fields: Mapping[str, object], names: Iterable[str]) -> object:
    return next((fields[name] for name in names if name in fields), None)


def _whole(value: object) -> int | None:
    """An integer, also as text: protobuf writes those of 64 bits so."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str) and (number := NUMBER.fullmatch(value)) and number[3] is None:
        return int(value)
    return None
