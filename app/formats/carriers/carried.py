"""What a carrier holds: what it knows about an event, and the value inside."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from app.domain.event import Event
from app.domain.level_scales import Scale
from app.formats.json_object import event_of

Object = dict[str, Any]


class Carried(NamedTuple):
    """One event in a carrier: `outer` is what the carrier knows, `inner` a text or an object, None if there is none."""

    outer: Event
    inner: str | Object | None


def known(parsed: Mapping[str, Any], *without: str, scale: Scale | None = None) -> Event:
    """What a carrier knows by its keys, but for some; without a message of its own. `scale` is that of its levels."""
    rest = {name: value for name, value in parsed.items() if name not in without}
    return event_of(rest, needs_message=False, scale=scale)


def text_inside(value: object) -> str:
    """A text that is not blank, without the end of its line; "" for any other value."""
    return value.rstrip("\r\n") if isinstance(value, str) and value.strip() else ""


def should_be_read(outer: Event, text: str) -> bool:
    """Whether a message is a line in a form of its own, and not what a logger with a level of its own has written."""
    return not outer.fields.get("level") or text.lstrip()[:1] == "{"
