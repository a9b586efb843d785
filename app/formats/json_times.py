"""Times of JSON events: objects that are times, and the best of several values. Pure."""

from collections.abc import Sequence
from typing import Any, Final

from app.domain.keys import one_spelling
from app.domain.times import TimeReading, read_time
from app.domain.times.reading import ORDER_UNKNOWN, ZONE_UNKNOWN
from app.formats.json_names import meaning_of

_FOR_A_LOOK: Final = TimeReading(4_102_444_800_000)  # the year 2100: later than any time without a zone
_EARLIEST_NS: Final = 10**18  # 2001-09-09, when seconds got ten digits; smaller numbers are durations and counts
_ZONE_KEYS: Final = frozenset(("tz", "timezone"))
_LONGEST_PART: Final = 40  # characters of a day or of a time of day
_MOST_PARTS: Final = 8
_BY_SETTINGS: Final = frozenset((ZONE_UNKNOWN, ORDER_UNKNOWN))

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


def first_moment(candidates: Sequence[int], values: Sequence[Any]) -> int | None:
    """The first candidate whose value is a moment, else the first that is one by settings that are not known here."""
    for test in (is_moment, _may_be_moment):
        for index in candidates:
            if test(values[index]):
                return index
    return None


def day_and_clock(candidates: Sequence[int], values: Sequence[Any]) -> tuple[int, int] | None:
    """The candidates of which one is a day alone and the other a time of day alone; together they are a time."""
    texts = [index for index in candidates if isinstance(values[index], str) and len(values[index]) <= _LONGEST_PART]
    days = [index for index in texts[:_MOST_PARTS] if _is_day(values[index])]
    pairs = ((day, clock) for day in days for clock in texts[:_MOST_PARTS] if day != clock)
    return next((pair for pair in pairs if _is_time(together(*(values[index] for index in pair)))), None)


def zone_beside(names: Sequence[str], values: Sequence[Any]) -> str:
    """The zone in a key of its own beside a day and a time of day: FortiGate's tz; "" if there is none."""
    pairs = zip(names, values, strict=True)
    found = (value for name, value in pairs if one_spelling(name) in _ZONE_KEYS and isinstance(value, str))
    return next((value.strip() for value in found if len(value) <= _LONGEST_PART), "")


def together(day: str, clock: str, zone: str = "") -> str:
    """The text of a time whose parts are two values, or three."""
    return f"{day} {clock} {zone}".rstrip()


def _may_be_moment(value: object) -> bool:
    """Whether a value is a moment but for its zone, or the order of its day and month, which a setting may say."""
    return isinstance(value, str) and read_time(value, _FOR_A_LOOK).problem in _BY_SETTINGS and not _is_day(value)


def _is_time(text: str) -> bool:
    problem = read_time(text, _FOR_A_LOOK).problem
    return not problem or problem in _BY_SETTINGS


def is_moment(value: object) -> bool:
    """Whether a value is a time of the last decades: neither a duration, nor a day or a time of day alone."""
    read = read_time(value, _FOR_A_LOOK)
    is_time = read.problem == "" and read.time_ns is not None and read.time_ns >= _EARLIEST_NS
    return is_time and not (isinstance(value, str) and len(value) <= _LONGEST_PART and _is_day(value))


def _is_day(text: str) -> bool:
    """Whether a text is a day without a time of day: then one can be written behind it."""
    return ":" not in text and _is_time(together(text, "10:15:01"))
