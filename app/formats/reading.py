"""What an event is read by: its record's time and the settings. The same reading gives the same event for ever."""

from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from app.domain.attribute_limits import DEFAULT_LIMITS, AttributeLimits
from app.domain.masking.masking import Masking
from app.domain.receipt import NO_RECEIPTS, ReceiptReader
from app.domain.times import TimeReading
from app.domain.times.reading import TEN_MINUTES_MS
from app.domain.zone_rules import ZoneRules
from app.formats.kept_headers import KeptParts


class Reading(Struct, frozen=True):
    """What an event is read by."""

    times: TimeReading
    levels_from_status: bool = True  # whether the HTTP status of an access log is its level
    zones: ZoneRules | None = None  # of hosts and services, for times that state none; they count before that of times
    explains: bool = False  # whether events get notes on how they were read; their rows are the same
    depth: int = DEFAULT_LIMITS.depth  # how deep objects are looked into for attributes

    @classmethod
    def of_record(cls, record_time_ms: int) -> "Reading":
        """The reading of a record at its time, Unix epoch, with the default settings."""
        return cls(TimeReading(record_time_ms))

    def explaining(self) -> "Reading":
        """The same with notes on how the events were read."""
        return replace(self, explains=True)

    def in_zone(self, zone: ZoneInfo) -> "Reading":
        """The same with one zone for all times that state none."""
        return replace(self, times=replace(self.times, zone=zone), zones=None)


class ReadingRules(Struct, frozen=True):
    """The settings by which events are read; with others, the same record may give other rows."""

    zone: ZoneInfo | None = None  # of times that state none; None is UTC
    day_first: bool | None = None  # whether 03/04/2026 is in April; None: such a date is not trusted
    future_ms: int = TEN_MINUTES_MS  # how far after its record's a time without a zone may lie
    levels_from_status: bool = True
    zones: ZoneRules | None = None  # of hosts and services; they count before `zone`
    kept: KeptParts | None = None  # of the key and headers of records
    masking: Masking | None = None  # of the rows; None: nothing is masked
    limits: AttributeLimits = DEFAULT_LIMITS
    receipts: ReceiptReader = NO_RECEIPTS  # of our receivers

    def reading_of(self, record_time_ms: int) -> Reading:
        """The reading of a record at its time, Unix epoch."""
        times = self.times_of(record_time_ms, self.zone)
        return Reading(times, self.levels_from_status, self.zones, depth=self.limits.depth)

    def times_of(self, record_time_ms: int, zone: ZoneInfo | None) -> TimeReading:
        """What its times are read by, those without a zone in `zone`."""
        return TimeReading(record_time_ms, zone, self.day_first, self.future_ms)


DEFAULT_RULES: Final = ReadingRules()


# A time without a zone inside a carrier is compared with the carrier's, so that it need not be in the assumed zone.
_ANY_FUTURE_MS: Final = 10**12


@lru_cache(maxsize=1024)  # records that follow each other have the same time
def inside_of(reading: Reading) -> Reading:
    """What the value in a carrier with a time is read by."""
    return replace(reading, times=replace(reading.times, future_ms=_ANY_FUTURE_MS))
