"""What a carrier holds: what it knows about an event, and the value inside."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from app.domain.event import Event
from app.domain.event_time import Nanoseconds, rfc3339
from app.domain.level_scales import Scale
from app.domain.notes import Notes
from app.formats.json_object import event_of
from app.formats.reading import Reading

Object = dict[str, Any]


class Carried(NamedTuple):
    """One event in a carrier: `outer` is what the carrier knows, `inner` a text or an object, None if there is none."""

    outer: Event
    inner: str | Object | None


def known(parsed: Mapping[str, Any], reading: Reading, *without: str, scale: Scale | None = None) -> Event:
    """What a carrier knows by its keys, but for some; without a message of its own. `scale` is that of its levels."""
    rest = {name: value for name, value in parsed.items() if name not in without}
    return event_of(rest, reading.depth, needs_message=False, scale=scale, explains=reading.explains)


def text_inside(value: object) -> str:
    """A text that is not blank, without the end of its line; "" for any other value."""
    return value.rstrip("\r\n") if isinstance(value, str) and value.strip() else ""


def should_be_read(outer: Event, text: str) -> bool:
    """Whether a message is a line in a form of its own, and not what a logger with a level of its own has written."""
    return not outer.fields.get("level") or text.lstrip()[:1] == "{"


def explained(carried: Carried, name: str) -> Carried:
    """The same with notes: the carrier's name, and where what it knows comes from."""
    outer = carried.outer
    fields = outer.notes.fields if outer.notes else {}
    values = outer.fields | ({} if outer.fields.get("level") else {"level": outer.severity_number or None})
    known_of_it = {field: _written(value) for field, value in values.items() if _is_known(field, carried)}
    outer.notes = Notes((name,), fields).of_line(f"what {name} says", known_of_it)
    return carried


def _is_known(field: str, carried: Carried) -> bool:
    return field != "message" or carried.inner is None


def _written(value: object) -> object:
    """A value as it may have been written, for people."""
    return rfc3339(value) if isinstance(value, Nanoseconds) else value
