"""The events of the workload as each protocol sends them, and where they are sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from tests.support import loki_push

Events = Sequence[Mapping[str, Any]]

_NDJSON: Final = "application/x-ndjson"
_PROTOBUF: Final = "application/x-protobuf"
_JSON: Final = "application/json"
_FIELDS: Final = "_msg_field=message&_time_field=timestamp&_stream_fields=service"


@dataclass(frozen=True, slots=True)
class Protocol:
    """A protocol: its paths here and with VictoriaLogs, and the body of a request with these events."""

    name: str
    label: str
    path: str
    peer_path: str
    media_type: str
    body: Callable[[Events], bytes]
    aim: int | None = None
    """Events a second on one core, in requests of 1,000."""


def _lines(events: Events) -> bytes:
    return b"".join(_written(event) + b"\n" for event in events)


def _bulk(events: Events) -> bytes:
    return b"".join(b'{"create":{"_index":"logs"}}\n' + _written(event) + b"\n" for event in events)


def _hec(events: Events) -> bytes:
    return b"".join(
        _written({"time": _secs(event), "host": event["host"], "sourcetype": "_json", "event": event})
        for event in events
    )


def _datadog(events: Events) -> bytes:
    return _written([_flat(event) | {"ddsource": "python", "timestamp": _millis(event)} for event in events])


def _flat(event: Mapping[str, Any]) -> dict[str, Any]:
    """All values as texts: VictoriaLogs takes no others from Datadog's clients."""
    named = {**event, **event.get("attributes", {}), "hostname": event["host"]}
    return {name: str(value) for name, value in named.items() if name not in ("attributes", "host")}


def _loki(events: Events) -> bytes:
    streams: dict[str, list[loki_push.Entry]] = {}
    for event in events:
        labels = f'{{service_name="{event["service"]}", host="{event["host"]}"}}'
        metadata = {"trace_id": str(event["trace_id"])} if "trace_id" in event else {}
        streams.setdefault(labels, []).append((_nanos(event), _text(event).encode(), metadata))
    return loki_push.snappy(loki_push.push(*streams.items()))


def _otlp(events: Events) -> bytes:
    request = ExportLogsServiceRequest()
    services: dict[str, Any] = {}
    for event in events:
        service = str(event["service"])
        if service not in services:
            resource = request.resource_logs.add()
            _attribute(resource.resource, "service.name", service)
            _attribute(resource.resource, "host.name", str(event["host"]))
            services[service] = resource.scope_logs.add()
        record = services[service].log_records.add(time_unix_nano=_nanos(event), severity_text=event["level"])
        record.body.string_value = _text(event)
        if "trace_id" in event:
            record.trace_id = bytes.fromhex(event["trace_id"])
        for name, value in event.get("attributes", {}).items():
            _attribute(record, name, str(value))
    return bytes(request.SerializeToString())


def _attribute(target: Any, name: str, text: str) -> None:
    target.attributes.add(key=name).value.string_value = text


def _written(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _text(event: Mapping[str, Any]) -> str:
    return str(event["message"])


def _secs(event: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(event["timestamp"]).timestamp()


def _millis(event: Mapping[str, Any]) -> int:
    return round(_secs(event) * 1000)


def _nanos(event: Mapping[str, Any]) -> int:
    return _millis(event) * 1_000_000


PROTOCOLS: Final = (
    Protocol("json", "NDJSON", "/api/v1/logs", f"/insert/jsonline?{_FIELDS}", _NDJSON, _lines, 50_000),
    Protocol("otlp", "OTLP, protobuf", "/v1/logs", "/insert/opentelemetry/v1/logs", _PROTOBUF, _otlp, 20_000),
    Protocol("loki", "Loki, protobuf", "/loki/api/v1/push", "/insert/loki/api/v1/push", _PROTOBUF, _loki),
    Protocol("bulk", "Elasticsearch `_bulk`", "/_bulk", f"/insert/elasticsearch/_bulk?{_FIELDS}", _NDJSON, _bulk),
    Protocol(
        "splunk",
        "Splunk HEC",
        "/services/collector/event",
        "/insert/splunk/services/collector/event?_msg_field=event.message",
        _JSON,
        _hec,
    ),
    Protocol("datadog", "Datadog", "/api/v2/logs", "/insert/datadog/api/v2/logs", _JSON, _datadog),
)
