"""From a local date and time of day to Unix nanoseconds: with an offset, or in the zone that is assumed."""

from app.domain.times.days import DAY_SECS, MS_NS, SECOND_NS
from app.domain.times.reading import IN_THE_FUTURE, ReadTime, TimeReading
from app.domain.times.zones import offset_in_zone


def with_offset(days: int, secs: int, fraction_ns: int, offset_secs: int) -> ReadTime:
    """The time of a local day and second of the day, in a zone that is so far ahead of UTC."""
    return ReadTime((days * DAY_SECS + secs - offset_secs) * SECOND_NS + fraction_ns, True, "")


def without_zone(days: int, secs: int, fraction_ns: int, reading: TimeReading) -> ReadTime:
    """The same for a time that states no zone. Not trusted if it lies in the record's future."""
    if reading.zone is not None:
        secs -= offset_in_zone(reading.zone, days, secs)
    time_ns = (days * DAY_SECS + secs) * SECOND_NS + fraction_ns
    if time_ns > (reading.record_time_ms + reading.future_ms) * MS_NS:
        return ReadTime(None, False, IN_THE_FUTURE)
    return ReadTime(time_ns, False, "")


def nanoseconds(digits: str | None) -> int:
    """The nanoseconds of the digits behind the point of a second; those behind the ninth are cut off."""
    return int(digits[:9].ljust(9, "0")) if digits else 0
