"""Times of events as instants, to compare those of a carrier and of what is inside. Pure."""

from typing import NamedTuple

from app.domain.event import Event
from app.domain.times import TimeReading, read_time
from app.domain.times.reading import Nanoseconds


class Instant(NamedTuple):
    """A time, Unix epoch, and whether its zone is known from what was written."""

    time_ns: int
    has_zone: bool


def instant_of(event: Event, times: TimeReading) -> Instant | None:
    """The time of an event, None if it has none that can be trusted."""
    value = event.fields.get("timestamp")
    if isinstance(value, Nanoseconds):
        return Instant(int(value), event.time_has_zone)
    read = read_time(value, times)
    return None if read.time_ns is None else Instant(read.time_ns, read.has_zone)
