"""What an event is read by: its record's time and the settings. The same reading gives the same event for ever."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from app.domain.times import TimeReading


@dataclass(frozen=True, slots=True)
class Reading:
    """What an event is read by."""

    times: TimeReading
    levels_from_status: bool = True  # whether the HTTP status of a line of an access log is its level

    @classmethod
    def of_record(cls, record_time_ms: int) -> "Reading":
        """The reading of a record at its time, Unix epoch, with the default settings."""
        return cls(TimeReading(record_time_ms))


# A time without a zone inside a carrier is compared with the carrier's, so that it need not be in the assumed zone.
_ANY_FUTURE_MS: Final = 10**12


@lru_cache(maxsize=1024)  # records that follow each other have the same time
def inside_of(reading: Reading) -> Reading:
    """What the value in a carrier with a time is read by."""
    return replace(reading, times=replace(reading.times, future_ms=_ANY_FUTURE_MS))
