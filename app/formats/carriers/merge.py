"""A log within a log: what the carrier knows and what is inside become one event. All carriers use it. Pure."""

from typing import Any, Final

from app.domain.event import Event
from app.domain.event_time import Nanoseconds, rfc3339
from app.domain.keys import with_names_once
from app.domain.times import TimeReading
from app.formats.carriers.times import Instant, instant_of

AGREE_WITHIN_NS: Final = 10 * 10**9
"""How far the times of a carrier and of the event inside may lie apart: the time from writing a line to reading it."""
_QUARTER_NS: Final = 900 * 10**9
_WEST_NS, _EAST_NS = -12 * 3600 * 10**9, 14 * 3600 * 10**9  # offsets of real zones

_OBSERVED: Final = "observed_timestamp"
_ORIGINAL: Final = "original_timestamp"


def merged(outer: Event, inner: Event, times: TimeReading) -> Event:
    """The event of a carrier and of what is inside it.

    What is inside counts for the message, the level and every other field, the carrier for those that it lacks, and
    for the host. For the time see `_time`. All other values of both are kept, each key once.
    """
    fields = outer.fields | {name: value for name, value in inner.fields.items() if value not in (None, "")}
    attributes = list(inner.attributes)
    if (host := outer.fields.get("host")) and fields["host"] != host:
        attributes.append(("host", fields["host"]))
        fields["host"] = host
    has_level = bool(inner.fields.get("level") or inner.severity_number)
    if has_level and not inner.fields.get("level"):
        fields.pop("level", None)
    time, kept = _time(outer, inner, times)
    fields["timestamp"] = time
    return Event(
        fields,
        with_names_once([*attributes, *outer.attributes, *kept]),
        list((dict(inner.resource) | dict(outer.resource)).items()),
        inner.severity_number if has_level else outer.severity_number,
        inner.observed_timestamp or outer.observed_timestamp,
        outer.trace_flags if inner.trace_flags is None else inner.trace_flags,
        inner.scope or outer.scope,
        inner.event_name or outer.event_name,
        list(dict.fromkeys([*outer.problems, *inner.problems])),
        outer.raw or inner.raw,
        inner.time_has_zone,
    )


_TIME_AND_MESSAGE: Final = {"timestamp", "message"}


def adopted(outer: Event, inner: Event) -> bool:
    """Give a plain line what its carrier knows, as `merged` would, and say whether that was possible.

    Nearly all lines of containers are of this kind: nothing that both know.
    """
    fields = outer.fields
    is_plain = fields.keys() == _TIME_AND_MESSAGE and not outer.attributes and not outer.problems
    if not is_plain or inner.resource or inner.fields.get("timestamp") is not None:
        return False
    inner.fields["timestamp"] = fields["timestamp"]
    inner.resource = outer.resource
    return True


def _time(outer: Event, inner: Event, times: TimeReading) -> tuple[Any, list[tuple[str, Any]]]:
    """The time of the merged event, and what is kept of the other.

    The time inside counts if it has a zone, or agrees with the carrier's at the offset of some zone: then it is the
    carrier's to within seconds, and more exact. Otherwise the carrier's counts.
    """
    outer_value, inner_value = outer.fields.get("timestamp"), inner.fields.get("timestamp")
    if inner_value in (None, "") or outer_value in (None, ""):
        return (outer_value if inner_value in (None, "") else inner_value), []
    without, within = instant_of(outer, times), instant_of(inner, times)
    if within is None:
        return outer_value, [(_ORIGINAL, inner_value)]
    if without is None:
        return inner_value, [(_OBSERVED, _as_sent(outer_value))]
    if within.has_zone:
        is_far = abs(within.time_ns - without.time_ns) > AGREE_WITHIN_NS
        return inner_value, [(_OBSERVED, _as_sent(outer_value))] if is_far else []
    agreed = _agreed(within, without)
    return (outer_value, [(_ORIGINAL, _as_sent(inner_value))]) if agreed is None else (Nanoseconds(agreed), [])


def _agreed(within: Instant, without: Instant) -> int | None:
    """The time inside at the offset at which it agrees with the carrier's, None if there is no such offset."""
    difference = within.time_ns - without.time_ns
    offset = (difference + _QUARTER_NS // 2) // _QUARTER_NS * _QUARTER_NS
    if abs(difference - offset) <= AGREE_WITHIN_NS and _WEST_NS <= offset <= _EAST_NS:
        return within.time_ns - offset
    return None


def _as_sent(value: object) -> object:
    return rfc3339(value) if isinstance(value, Nanoseconds) else value
