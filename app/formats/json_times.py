"""Times of JSON events: objects that are times, and the best of several values. Pure."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from app.domain.keys import one_spelling
from app.domain.times import TimeReading, read_time
from app.formats.json_names import meaning_of

_FOR_A_LOOK: Final = TimeReading(4_102_444_800_000)  # the year 2100: later than any time without a zone
_EARLIEST_NS: Final = 10**18  # 2001-09-09, when seconds got ten digits; smaller numbers are durations and counts
_ZONE_KEYS: Final = frozenset(("tz", "timezone"))
_LONGEST_PART: Final = 40  # characters of a day or of a time of day

_PARTS: Final = frozenset(
    (
        *("$date", "$numberLong", "seconds", "nanos", "nanoseconds", "_seconds", "_nanoseconds", "epochSecond"),
        *("nanoOfSecond", "secs", "nsecs", "secs_since_epoch", "nanos_since_epoch", "sec", "nsec", "usec"),
        *("date", "timezone", "timezone_type"),  # PHP's
    )
)


def is_time_object(name: str, value: dict[str, Any]) -> bool:
    """Whether an object below this name is one time, in parts."""
    if not value or not value.keys() <= _PARTS:
        return False
    meaning = meaning_of(name)
    return meaning is not None and meaning.field == "timestamp"


def first_moment(candidates: Iterable[int], values: Sequence[Any]) -> int | None:
    """The first candidate whose value is a moment."""
    return next((index for index in candidates if is_moment(values[index])), None)


def day_and_clock(candidates: Sequence[int], values: Sequence[Any]) -> tuple[int, int] | None:
    """The candidates of which one is a day alone and the other a time of day alone; together they are a time."""
    texts = [index for index in candidates if isinstance(values[index], str) and len(values[index]) <= _LONGEST_PART]
    pairs = ((day, clock) for day in texts for clock in texts if day != clock)
    return next((pair for pair in pairs if is_moment(together(*(values[index] for index in pair)))), None)


def zone_beside(names: Sequence[str], values: Sequence[Any]) -> str:
    """The zone in a key of its own beside a day and a time of day: FortiGate's tz; "" if there is none."""
    pairs = zip(names, values, strict=True)
    found = (value for name, value in pairs if one_spelling(name) in _ZONE_KEYS and isinstance(value, str))
    return next((value.strip() for value in found if len(value) <= _LONGEST_PART), "")


def together(day: str, clock: str, zone: str = "") -> str:
    """The text of a time whose parts are two values, or three."""
    return f"{day} {clock} {zone}".rstrip()


def is_moment(value: object) -> bool:
    """Whether a value is a time of the last decades: neither a duration, nor a day or a time of day alone."""
    read = read_time(value, _FOR_A_LOOK)
    is_time = read.problem == "" and read.time_ns is not None and read.time_ns >= _EARLIEST_NS
    return is_time and not (isinstance(value, str) and len(value) <= _LONGEST_PART and _is_day(value))


def _is_day(text: str) -> bool:
    """Whether a text is a day without a time of day: then one can be written behind it."""
    return ":" not in text and read_time(together(text, "10:15:01"), _FOR_A_LOOK).time_ns is not None
