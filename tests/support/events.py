"""Events of values, as the formats read them."""

from __future__ import annotations

from app.domain.event import Event
from app.formats.reading import Reading
from app.formats.value import ValueReader


def only_event(value: bytes, reading: Reading) -> Event:
    """The one event of a value."""
    [event] = ValueReader(reading).events(value)
    return event
