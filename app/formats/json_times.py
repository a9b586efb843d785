"""Times of JSON events: objects that are times, and the best of several values. Pure."""

from collections.abc import Sequence
from typing import Any, Final

from app.domain.times import TimeReading, read_time
from app.formats.json_names import meaning_of

_FOR_A_LOOK: Final = TimeReading(4_102_444_800_000)  # the year 2100: later than any time without a zone

_PARTS: Final = frozenset(
    (
        *("$date", "$numberLong", "seconds", "nanos", "nanoseconds", "_seconds", "_nanoseconds", "epochSecond"),
        *("nanoOfSecond", "secs", "nsecs", "secs_since_epoch", "nanos_since_epoch", "sec", "nsec", "usec"),
    )
)


def is_time_object(name: str, value: dict[str, Any]) -> bool:
    """Whether an object below this name is one time, in parts."""
    if not value or not value.keys() <= _PARTS:
        return False
    meaning = meaning_of(name)
    return meaning is not None and meaning.field == "timestamp"


def first_readable(candidates: Sequence[int], values: Sequence[Any]) -> int:
    """The first candidate whose value can be read as a time, else the first of all."""
    return next((index for index in candidates if _can_be_read(values[index])), candidates[0])


def _can_be_read(value: object) -> bool:
    return read_time(value, _FOR_A_LOOK).problem == ""
