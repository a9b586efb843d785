"""What a time is read by, and what comes out of it."""

from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from msgspec import Struct

NOT_A_TIME: Final = "timestamp: not a time"
ZONE_UNKNOWN: Final = "timestamp: zone not understood"
ORDER_UNKNOWN: Final = "timestamp: order of day and month unknown"
IN_THE_FUTURE: Final = "timestamp: in the future without a zone"

PROBLEMS: Final = (NOT_A_TIME, ZONE_UNKNOWN, ORDER_UNKNOWN, IN_THE_FUTURE)
"""All problems that a time can have."""

TEN_MINUTES_MS: Final = 600_000


class TimeReading(Struct, frozen=True):
    """What a time is read by: the record's time and the settings. The same reading gives the same time for ever."""

    record_time_ms: int  # Kafka's time of the record, Unix epoch
    zone: ZoneInfo | None = None  # of times that state none; None is UTC. Get it from `zone_named`
    day_first: bool | None = None  # whether 03/04/2026 is in April; None: such a date is not trusted
    future_ms: int = TEN_MINUTES_MS  # a time without zone that lies further after the record's is of another zone


class ReadTime(NamedTuple):
    """What was read from a value."""

    time_ns: int | None  # Unix epoch; None where there is no time that can be trusted. May lie outside 64 bits
    has_zone: bool  # a zone was written and understood, or the number counts from the epoch
    problem: str  # "", or one of `PROBLEMS`


class FoundTime(NamedTuple):
    """A time in a text, and where it stands: from the weekday to the words of the zone, without brackets."""

    time_ns: int | None
    has_zone: bool
    problem: str
    start: int
    end: int


class Nanoseconds(int):
    """A Unix epoch time that is known to be in nanoseconds, so its unit is not guessed from its magnitude."""


NO_TIME: Final = ReadTime(None, False, NOT_A_TIME)
NOTHING: Final = ReadTime(None, False, "")
