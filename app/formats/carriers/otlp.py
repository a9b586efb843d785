"""OpenTelemetry's protocol (OTLP) as JSON: logs by resource and scope."""

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final

from app.domain.event_time import Nanoseconds
from app.formats.carriers.carried import Carried, Object
from app.formats.carriers.otlp_record import Origin, Pairs, carried, origin_of, scope_pairs
from app.formats.reading import Reading

MARKS: Final = ("resourceLogs", "resource_logs")
_MOST_DEEP: Final = 32


def opened(parsed: Object, reading: Reading) -> Sequence[Carried] | None:
    """{"resourceLogs": [{"resource": ..., "scopeLogs": [{"scope": ..., "logRecords": [...]}]}]}."""
    try:
        return list(_records(_get(parsed, "resourceLogs", []))) or None
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError):  # another shape
        return None


def _records(resource_logs: Sequence[Object]) -> Iterator[Carried]:
    for of_resource in resource_logs:
        resource = _get(of_resource, "resource", None) or {}
        scopes = _get(of_resource, "scopeLogs", None) or of_resource.get("instrumentationLibraryLogs") or []
        for of_scope in scopes:
            origin = origin_of(
                pairs_of(resource.get("attributes") or []),
                _get(of_resource, "schemaUrl", None),
                _get(resource, "droppedAttributesCount", None),
                _scope(_get(of_scope, "scope", None) or {}),
                _get(of_scope, "schemaUrl", None),
            )
            for record in _get(of_scope, "logRecords", []):
                yield _carried(record, origin)


def _scope(scope: Object) -> Pairs:
    named = [(name, scope.get(name)) for name in ("name", "version")]
    return scope_pairs(named, pairs_of(scope.get("attributes") or []), _get(scope, "droppedAttributesCount", None))


def _carried(record: Object, origin: Origin) -> Carried:
    time, observed = _time(record), _get(record, "observedTimeUnixNano", None)
    return carried(
        origin,
        time=time,
        observed=observed
        if _get(record, "timeUnixNano", "0") not in (0, "0", "") and observed not in (0, "0")
        else None,
        severity_number=_get(record, "severityNumber", 0),
        severity_text=_get(record, "severityText", ""),
        body=value_of(record.get("body") or {}),
        attributes=pairs_of(record.get("attributes") or []),
        trace_id=_id(_get(record, "traceId", "")),
        span_id=_id(_get(record, "spanId", "")),
        flags=record.get("flags"),
        event_name=_get(record, "eventName", ""),
        dropped=_get(record, "droppedAttributesCount", None),
        time_has_zone=isinstance(time, Nanoseconds),
    )


def _get(record: Object, name: str, default: Any) -> Any:
    """A field by its name in JSON, or by the one of the protocol's definition."""
    if name in record:
        return record[name]
    return record.get(_defined(name), default)


@cache  # the names of a few fields, asked for with every record
def _defined(name: str) -> str:
    """The name of a field in the protocol's definition, by the one in JSON."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)


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
    return [(str(pair.get("key") or ""), value_of(pair.get("value") or {})) for pair in attributes]


def value_of(value: Mapping[str, Any], depth: int = 0) -> Any:
    """An AnyValue as a JSON value; bytes as base64."""
    if not isinstance(value, dict) or len(value) != 1 or depth > _MOST_DEEP:
        return value or None
    [(kind, inner)] = value.items()
    match kind:
        case "intValue" | "int_value":
            return int(inner) if isinstance(inner, str) and inner.lstrip("-").isdigit() and len(inner) < 30 else inner
        case "arrayValue" | "array_value":
            return [value_of(item or {}, depth + 1) for item in (inner or {}).get("values") or []]
        case "kvlistValue" | "kvlist_value":
            pairs = (inner or {}).get("values") or []
            return {str(pair.get("key") or ""): value_of(pair.get("value") or {}, depth + 1) for pair in pairs}
        case _:
            return inner
