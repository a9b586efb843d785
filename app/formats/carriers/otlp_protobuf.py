"""OTLP logs as protobuf: an ExportLogsServiceRequest. Pure.

Fields that are not known are left out, as protobuf prescribes; but a record that says nothing of its content is only
taken for OTLP if it has no others on its first level, and holds logs.
"""

import base64
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final

from app.domain import otlp
from app.domain.event_time import Nanoseconds
from app.domain.protobuf import spans_of
from app.formats.carriers.carried import Carried
from app.formats.carriers.otlp_record import Origin, Pairs, carried, origin_of, scope_pairs

CONTENT_TYPES: Final = (b"application/x-protobuf", b"application/protobuf", b"application/vnd.google.protobuf")
_MOST_WITHOUT_LOGS: Final = 1000  # resources in front of the first log; bytes that are no logs may look like many


def opened(value: bytes) -> list[Carried]:
    """The logs of an ExportLogsServiceRequest, at least one.

    Raises:
        ValueError: it is not one, or holds no log.
    """
    try:
        end = _end_of_first(value)
        request = otlp.Request.FromString(value[:end])
        if not _holds_logs(request):
            raise ValueError("no logs")
        return list(_records(request if end == len(value) else otlp.Request.FromString(value)))
    except (otlp.DecodeError, IndexError) as error:
        raise ValueError("not valid") from error


def _end_of_first(value: bytes) -> int:
    """Where the first resources end, among which there must be a log: what looks like more is not parsed before."""
    ends = []
    for number, _, _, end in islice(spans_of(value, 0, len(value)), _MOST_WITHOUT_LOGS):
        if number != otlp.RESOURCE_LOGS:
            raise ValueError("not valid")
        ends.append(end)
    return ends[-1] if ends else 0


def _holds_logs(request: Any) -> bool:
    return any(of_scope.log_records for of_resource in request.resource_logs for of_scope in of_resource.scope_logs)


class _Names(dict[bytes, str]):
    """Texts that the records of a request have in common, such as names of attributes, by their bytes."""

    def __missing__(self, name: bytes) -> str:
        self[name] = text = _text(name)
        return text


def _records(request: Any) -> Iterator[Carried]:
    names = _Names()
    for of_resource in request.resource_logs:
        for of_scope in of_resource.scope_logs:
            origin = _origin(of_resource, of_scope, names)
            for record in of_scope.log_records:
                yield _carried(record, origin, names)


def _origin(of_resource: Any, of_scope: Any, names: _Names) -> Origin:
    scope = of_scope.scope
    named = [("name", _text(scope.name)), ("version", _text(scope.version))]
    return origin_of(
        _pairs(of_resource.resource.attributes, names),
        _text(of_resource.schema_url),
        of_resource.resource.dropped_attributes_count,
        scope_pairs(named, _pairs(scope.attributes, names), scope.dropped_attributes_count),
        _text(of_scope.schema_url),
    )


def _carried(record: Any, origin: Origin, names: _Names) -> Carried:
    time, observed = record.time_unix_nano, record.observed_time_unix_nano
    first = time or observed
    return carried(
        origin,
        time=Nanoseconds(first) if first else None,
        observed=(observed or None) if time else None,
        severity_number=record.severity_number,
        severity_text=names[record.severity_text],
        body=_value(record.body, names),
        attributes=_pairs(record.attributes, names),
        trace_id=record.trace_id.hex(),
        span_id=record.span_id.hex(),
        flags=record.flags,
        event_name=names[record.event_name],
        dropped=record.dropped_attributes_count,
        time_has_zone=bool(first),
    )


def _text(value: bytes) -> str:
    return value.decode(errors="replace")


def _pairs(attributes: Iterable[Any], names: _Names) -> Pairs:
    return [(names[pair.key], _value(pair.value, names)) for pair in attributes]


def _value(value: Any, names: _Names) -> Any:
    """An AnyValue as a JSON value; bytes as base64; None if it is not set."""
    if text := value.string_value:  # most are texts, and asking which it is takes longer
        return text.decode("utf-8", "replace")  # by name would take longer
    match value.WhichOneof(otlp.ANY_VALUE):
        case None:
            return None
        case "string_value":
            return ""
        case "int_value":
            return value.int_value
        case "bool_value":
            return value.bool_value
        case "double_value":
            number = value.double_value
            return number if number - number == 0 else str(number)  # JSON has no NaN
        case "array_value":
            return [_value(item, names) for item in value.array_value.values]
        case "kvlist_value":
            return dict(_pairs(value.kvlist_value.values, names))
        case _:
            return base64.b64encode(value.bytes_value).decode()
