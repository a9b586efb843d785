"""OpenTelemetry's protocol (OTLP) as JSON: logs by resource and scope. Its protobuf is read into the same shape."""

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from app.domain.event import Event
from app.domain.event_time import Nanoseconds
from app.formats.carriers.carried import Carried, Object
from app.formats.json_levels import level_of
from app.formats.json_names import meaning_of
from app.formats.reading import Reading

MARKS: Final = ("resourceLogs", "resource_logs")
_MOST_DEEP: Final = 32
_FIELD_OF_RESOURCE: Final = {"service.name": "service", "host.name": "host"}
Pairs = list[tuple[str, Any]]


def opened(parsed: Object, reading: Reading) -> Sequence[Carried] | None:
    """{"resourceLogs": [{"resource": ..., "scopeLogs": [{"scope": ..., "logRecords": [...]}]}]}."""
    try:
        return list(_records(_get(parsed, "resourceLogs", []))) or None
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError):  # another shape
        return None


def _records(resource_logs: Sequence[Object]) -> Iterator[Carried]:
    for of_resource in resource_logs:
        resource = pairs_of(_get(_get(of_resource, "resource", {}), "attributes", []))
        scopes = _get(of_resource, "scopeLogs", None) or of_resource.get("instrumentationLibraryLogs") or []
        for of_scope in scopes:
            scope = _scope(_get(of_scope, "scope", {}))
            for record in _get(of_scope, "logRecords", []):
                yield _carried(record, resource, scope)


def _scope(scope: Object) -> Pairs:
    named = [(name, scope[name]) for name in ("name", "version") if scope.get(name)]
    return named + pairs_of(scope.get("attributes", []))


def _carried(record: Object, resource: Pairs, scope: Pairs) -> Carried:
    number = _get(record, "severityNumber", 0)
    level = level_of([(0, text)] if (text := _get(record, "severityText", "")) else [], [(1, number)], None)
    body = value_of(record.get("body") or {})
    fields = {_FIELD_OF_RESOURCE[key]: value for key, value in resource if key in _FIELD_OF_RESOURCE}
    fields |= {"timestamp": _time(record), "message": body, "level": level.text}
    fields |= {"trace_id": _id(_get(record, "traceId", "")), "span_id": _id(_get(record, "spanId", ""))}
    observed = _get(record, "observedTimeUnixNano", None)
    event = Event(
        {name: value for name, value in fields.items() if value not in (None, "")},
        pairs_of(record.get("attributes") or []),
        [(key, value) for key, value in resource if key not in _FIELD_OF_RESOURCE],
        level.number,
        observed if _get(record, "timeUnixNano", "0") not in (0, "0", "") and observed not in (0, "0") else None,
        int(record["flags"]) if record.get("flags") else None,
        scope,
        _get(record, "eventName", ""),
        time_has_zone=isinstance(fields["timestamp"], Nanoseconds),
    )
    return Carried(event, None if level.text or number else _inside(body))


def _inside(body: Any) -> str | Object | None:
    """What is to be read of the body of a record without a severity: a text, or an object with a message of its own."""
    if isinstance(body, dict):
        fields = [meaning.field for key in body if (meaning := meaning_of(key))]
        return body if "message" in fields else None
    return body if isinstance(body, str) and body.strip() else None


def _get(record: Object, name: str, default: Any) -> Any:
    """A field by its name in JSON, or by the one of the protocol's definition."""
    if name in record:
        return record[name]
    return record.get("".join(f"_{c.lower()}" if c.isupper() else c for c in name), default)


def _time(record: Object) -> object:
    """The time of the event, else of its collection; one that is no number stays as it is."""
    for name in ("timeUnixNano", "observedTimeUnixNano"):
        value = _get(record, name, None)
        if value not in (None, "", 0, "0"):
            try:
                return Nanoseconds(value)
            except (TypeError, ValueError):
                return value
    return None


def _id(value: object) -> object:
    """An id in hexadecimal digits; writers that know only protobuf's own JSON send base64."""
    if isinstance(value, str) and value[-1:] == "=":
        try:
            return base64.b64decode(value, validate=True).hex()
        except (binascii.Error, ValueError):
            return value
    return value


def pairs_of(attributes: Sequence[Mapping[str, Any]]) -> Pairs:
    """Attributes by key; values keep their types, integers are exact."""
    return [(str(pair["key"]), value_of(pair.get("value") or {})) for pair in attributes if "key" in pair]


def value_of(value: Mapping[str, Any], depth: int = 0) -> Any:
    """An AnyValue as a JSON value; bytes as base64."""
    if not isinstance(value, dict) or len(value) != 1 or depth > _MOST_DEEP:
        return value or None
    [(kind, inner)] = value.items()
    match kind:
        case "intValue" | "int_value":
            return int(inner) if isinstance(inner, str) and inner.lstrip("-").isdigit() and len(inner) < 30 else inner
        case "arrayValue" | "array_value":
            return [value_of(item, depth + 1) for item in (inner or {}).get("values", [])]
        case "kvlistValue" | "kvlist_value":
            return {str(p["key"]): value_of(p.get("value") or {}, depth + 1) for p in (inner or {}).get("values", [])}
        case _:
            return inner
