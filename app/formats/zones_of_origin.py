"""Events whose times state no zone, read in the zone of the host or service that wrote them. Pure."""

from collections.abc import Callable, Iterable, Iterator
from zoneinfo import ZoneInfo

from app.domain.event import Event
from app.formats.reading import Reading


def in_zones_of_origin(
    events: Iterable[Event], read: Callable[[Reading], Iterable[Event]], reading: Reading
) -> Iterator[Event]:
    """The events of a record, each as it is read in its own zone.

    Where an event comes from is known only when it has been read: `events` were read in the zone of all. `read` reads
    the whole record again, once for each other zone; a zone changes times, and not which events there are.
    """
    again: dict[str, dict[int, Event]] = {}
    for number, event in enumerate(events):
        zone = reading.zones.zone_of(event.fields) if reading.zones else None
        if zone is None or zone.key == _name_of(reading.times.zone):
            yield event
            continue
        name = _name_of(zone)
        if name not in again:
            again[name] = dict(enumerate(read(reading.in_zone(zone))))
        yield again[name].get(number, event)


def _name_of(zone: ZoneInfo | None) -> str:
    return "UTC" if zone is None else zone.key or ""
