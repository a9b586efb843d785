"""A log record of OpenTelemetry as an event, whether it came as JSON or as protobuf. Pure."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from app.domain.event import Event
from app.formats.carriers.carried import Carried, Object
from app.formats.json_levels import Level, level_of
from app.formats.json_names import meaning_of

Pairs = list[tuple[str, Any]]

DROPPED: Final = "otel.dropped_attributes_count"
"""How OpenTelemetry names, outside its protocol, the number of attributes that a sender has left out."""

_FIELD_OF_RESOURCE: Final = {"service.name": "service", "host.name": "host"}


class Origin(NamedTuple):
    """What the resource and the scope of records say of each of them."""

    fields: dict[str, Any]
    resource: Pairs
    scope: Pairs


def origin_of(
    resource: Pairs, resource_schema: object, resource_dropped: object, scope: Pairs, scope_schema: object
) -> Origin:
    """The origin of records; schemas and numbers that are empty are left out."""
    fields = {_FIELD_OF_RESOURCE[key]: value for key, value in resource if key in _FIELD_OF_RESOURCE}
    rest = [(key, value) for key, value in resource if key not in _FIELD_OF_RESOURCE]
    said = (("otel.resource.schema_url", resource_schema), ("otel.resource.dropped_attributes_count", resource_dropped))
    return Origin(
        fields,
        rest + [(name, value) for name, value in said if value not in _NOTHING],
        [*scope, ("schema_url", scope_schema)] if scope_schema else scope,
    )


_NOTHING: Final = (None, "", 0, "0")


def carried(
    origin: Origin,
    *,
    time: object,
    observed: object,
    severity_number: object,
    severity_text: object,
    body: Any,
    attributes: Pairs,
    trace_id: object,
    span_id: object,
    flags: object,
    event_name: str,
    dropped: object,
    time_has_zone: bool,
) -> Carried:
    """A record as an event. A body is read further if the record has no severity.

    Fields that are empty or 0 were not sent; `observed` is when it was collected, if it has a time of its own.
    """
    level = _level_of(severity_text, severity_number)
    fields = origin.fields.copy()  # what was sent is added one by one: in a loop it would take three times as long
    if time is not None and time != "":
        fields["timestamp"] = time
    if body is not None and body != "":
        fields["message"] = body
    if level.text is not None and level.text != "":
        fields["level"] = level.text
    if trace_id is not None and trace_id != "":
        fields["trace_id"] = trace_id
    if span_id is not None and span_id != "":
        fields["span_id"] = span_id
    if dropped not in _NOTHING:
        attributes = [*attributes, (DROPPED, dropped)]
    event = Event(
        fields,
        attributes,
        origin.resource,
        level.number,
        observed,
        int(flags) if flags else None,  # type: ignore[call-overload]
        origin.scope,
        event_name,
        time_has_zone=time_has_zone,
    )
    return Carried(event, None if level.text or severity_number else _inside(body))


def _level_of(text: object, number: object) -> Level:
    if isinstance(text, str) and len(text) <= _LONGEST_KEPT and type(number) is int:
        return _usual_level(text, number)
    return level_of([(0, text)] if text else [], [(1, number)], None)


_LONGEST_KEPT: Final = 32  # texts of any length would fill the memory


@lru_cache(maxsize=1024)
def _usual_level(text: str, number: int) -> Level:
    return level_of([(0, text)] if text else [], [(1, number)], None)


def _inside(body: Any) -> str | Object | None:
    """What is to be read of the body of a record without a severity: a text, or an object with a message of its own."""
    if isinstance(body, dict):
        fields = [meaning.field for key in body if (meaning := meaning_of(key))]
        return body if "message" in fields else None
    return body if isinstance(body, str) and body.strip() else None


def scope_pairs(named: Sequence[tuple[str, Any]], attributes: Pairs, dropped: object) -> Pairs:
    """What a scope says, by the names that follow `otel.scope.`."""
    pairs = [(name, value) for name, value in named if value] + attributes
    return pairs if dropped in _NOTHING else [*pairs, ("dropped_attributes_count", dropped)]
