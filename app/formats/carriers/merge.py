"""A log within a log: what the carrier knows and what is inside become one event. All carriers use it. Pure."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from app.domain.event import Event
from app.domain.event_time import Nanoseconds, rfc3339
from app.domain.keys import with_names_once
from app.domain.notes import Notes
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
    time = _time(outer, inner, times)
    fields["timestamp"] = time.value
    return Event(
        fields,
        with_names_once([*attributes, *outer.attributes, *time.kept]),
        list((dict(inner.resource) | dict(outer.resource)).items()),
        inner.severity_number if has_level else outer.severity_number,
        inner.observed_timestamp or outer.observed_timestamp,
        outer.trace_flags if inner.trace_flags is None else inner.trace_flags,
        inner.scope or outer.scope,
        inner.event_name or outer.event_name,
        list(dict.fromkeys([*outer.problems, *inner.problems])),
        outer.raw or inner.raw,
        time.has_zone,
        _notes(outer, inner, time) if inner.notes else None,
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
    inner.time_has_zone = outer.time_has_zone
    if inner.notes:
        inner.notes = _notes(outer, inner, _Time(fields["timestamp"], has_zone=outer.time_has_zone))
    return True


class _Time(NamedTuple):
    """The time of a merged event, what is kept of the other, and why it counts."""

    value: Any
    kept: Sequence[tuple[str, Any]] = ()
    has_zone: bool = False  # whether it needs no zone that is set, if it is an instant already
    is_inside: bool = False
    rule: str = ""


def _time(outer: Event, inner: Event, times: TimeReading) -> _Time:
    """The time of the merged event.

    The time inside counts if it has a zone, or agrees with the carrier's at the offset of some zone: then it is the
    carrier's to within seconds, and more exact. Otherwise the carrier's counts.
    """
    outer_value, inner_value = outer.fields.get("timestamp"), inner.fields.get("timestamp")
    if inner_value in (None, "") or outer_value in (None, ""):
        if inner_value in (None, ""):
            return _Time(outer_value, has_zone=outer.time_has_zone)
        return _Time(inner_value, has_zone=inner.time_has_zone, is_inside=True)
    without, within = instant_of(outer, times), instant_of(inner, times)
    if within is None:
        return _Time(outer_value, [(_ORIGINAL, inner_value)], outer.time_has_zone, rule=_ONLY_OUTER)
    if without is None:
        return _Time(
            inner_value, [(_OBSERVED, _as_sent(outer_value))], inner.time_has_zone, is_inside=True, rule=_ONLY_INNER
        )
    if within.has_zone:
        is_far = abs(within.time_ns - without.time_ns) > AGREE_WITHIN_NS
        kept = [(_OBSERVED, _as_sent(outer_value))] if is_far else []
        return _Time(inner_value, kept, inner.time_has_zone, is_inside=True, rule=_WITH_ZONE)
    agreed = _agreed(within, without)
    if agreed is None:
        return _Time(outer_value, [(_ORIGINAL, _as_sent(inner_value))], outer.time_has_zone, rule=_DISAGREES)
    return _Time(Nanoseconds(agreed), has_zone=True, is_inside=True, rule=_AGREES)


_ONLY_OUTER: Final = "the carrier's time counts, since the event's cannot be trusted"
_ONLY_INNER: Final = "the event's time counts, since its carrier's cannot be trusted"
_WITH_ZONE: Final = "the event's time counts before its carrier's, since its zone is written"
_DISAGREES: Final = "the carrier's time counts, since the event's has no zone and agrees with it at no offset"
_AGREES: Final = "the event's time has no zone, and is read at the offset at which it agrees with its carrier's"


def _notes(outer: Event, inner: Event, time: _Time) -> Notes:
    """The notes of both, of each field those of the event that it is from."""
    of_outer, of_inner = outer.notes or Notes(()), inner.notes or Notes(())
    from_inner = {name for name, value in inner.fields.items() if value not in (None, "")}
    if outer.fields.get("host"):
        from_inner.discard("host")
    from_inner.discard("timestamp")
    if time.is_inside:
        from_inner.add("timestamp")
    fields = of_outer.fields | {name: note for name, note in of_inner.fields.items() if name in from_inner}
    if time.rule and "timestamp" in fields:
        fields["timestamp"] = fields["timestamp"].with_rule(time.rule)
    return Notes((*of_outer.forms, *of_inner.forms), fields)


def _agreed(within: Instant, without: Instant) -> int | None:
    """The time inside at the offset at which it agrees with the carrier's, None if there is no such offset."""
    difference = within.time_ns - without.time_ns
    offset = (difference + _QUARTER_NS // 2) // _QUARTER_NS * _QUARTER_NS
    if abs(difference - offset) <= AGREE_WITHIN_NS and _WEST_NS <= offset <= _EAST_NS:
        return within.time_ns - offset
    return None


def _as_sent(value: object) -> object:
    return rfc3339(value) if isinstance(value, Nanoseconds) else value
