"""Requests of OpenTelemetry's protocol, made with its own messages."""

from __future__ import annotations

import base64
from typing import Any

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TIME_NS = 1_795_960_799_123_456_789


def value_of(target: Any, value: object) -> None:
    """Set an AnyValue."""
    match value:
        case bool():
            target.bool_value = value
        case int():
            target.int_value = value
        case float():
            target.double_value = value
        case bytes():
            target.bytes_value = value
        case list():
            target.array_value.SetInParent()
            for item in value:
                value_of(target.array_value.values.add(), item)
        case dict():
            target.kvlist_value.SetInParent()
            add_pairs(target.kvlist_value.values, value)
        case _:
            target.string_value = str(value)


def add_pairs(target: Any, attributes: dict[str, object]) -> None:
    """Add attributes to a list of KeyValue."""
    for key, value in attributes.items():
        pair = target.add(key=key)
        value_of(pair.value, value)


def request_of(*bodies: object, **resource: str) -> Any:
    """A request with a record for each body, with all fields; `resource` adds attributes."""
    request = ExportLogsServiceRequest()
    of_resource = request.resource_logs.add(schema_url="https://example.com/1")
    names: dict[str, object] = {"service.name": "shop", "host.name": "web-1", "k8s.pod.name": "shop-1"}
    add_pairs(of_resource.resource.attributes, {**names, **resource})
    of_resource.resource.dropped_attributes_count = 1
    of_scope = of_resource.scope_logs.add(schema_url="https://example.com/2")
    of_scope.scope.name, of_scope.scope.version, of_scope.scope.dropped_attributes_count = "orders", "1.2", 2
    add_pairs(of_scope.scope.attributes, {"library": "x"})
    for number, body in enumerate(bodies):
        record = of_scope.log_records.add(
            time_unix_nano=TIME_NS + number,
            observed_time_unix_nano=TIME_NS + 1_000_000,
            severity_number=18,
            severity_text="ERROR2",
            trace_id=bytes.fromhex(TRACE),
            span_id=bytes.fromhex(SPAN),
            flags=1,
            event_name="order.failed",
            dropped_attributes_count=3,
        )
        value_of(record.body, body)
        add_pairs(
            record.attributes, {"number": number, "ratio": 0.5, "is": True, "data": b"\xff", "list": [1, {"a": "b"}]}
        )
    return request


def json_of(request: Any) -> dict[str, Any]:
    """The request as OTLP writes it in JSON: ids in hexadecimal digits, enumerations as numbers."""
    written = MessageToDict(request, use_integers_for_enums=True)
    for of_resource in written.get("resourceLogs", ()):
        for of_scope in of_resource.get("scopeLogs", ()):
            for record in of_scope.get("logRecords", ()):
                for name in ("traceId", "spanId"):
                    if name in record:
                        record[name] = base64.b64decode(record[name]).hex()
    return dict(written)
