"""OTLP as protobuf and as JSON: every field, the same from both."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

from tests.support.otlp import SPAN, TIME_NS, TRACE, json_of, request_of
from tests.unit.formats.test_json_events import rows_of


def both(request: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The rows of the request as protobuf and as JSON."""
    return rows_of(request.SerializeToString()), rows_of(json.dumps(json_of(request)).encode())


def test_every_field_is_kept_and_the_same_in_both_forms() -> None:
    [row], of_json = both(request_of({"order": 7, "parts": ["a", 1]}))

    assert [row] == of_json
    assert (row["Timestamp"], row["ServiceName"]) == (TIME_NS, "shop")
    assert (row["SeverityText"], row["SeverityNumber"], row["ParseError"]) == ("ERROR", 18, "")
    assert (row["TraceId"], row["SpanId"]) == (TRACE, SPAN)
    assert json.loads(row["Body"]) == {"order": 7, "parts": ["a", 1]}
    assert dict(row["ResourceAttributes"]) == {
        "host.name": "web-1",
        "k8s.pod.name": "shop-1",
        "otel.resource.schema_url": "https://example.com/1",
        "otel.resource.dropped_attributes_count": "1",
    }
    assert dict(row["LogAttributes"]) == {
        **{"number": "0", "ratio": "0.5", "is": "true", "data": "/w==", "list": '[1,{"a":"b"}]'},
        **{"otel.dropped_attributes_count": "3", "observed_timestamp": str(TIME_NS + 1_000_000), "trace_flags": "1"},
        **{"event.name": "order.failed", "otel.scope.name": "orders", "otel.scope.version": "1.2"},
        **{"otel.scope.library": "x", "otel.scope.dropped_attributes_count": "2"},
        "otel.scope.schema_url": "https://example.com/2",
    }


def test_texts_that_are_not_utf_8_cost_nothing_else() -> None:
    """Collectors send lines of files as they are."""
    value = request_of("caf\x00\x00", "two").SerializeToString().replace(b"\x00\x00", b"\xc3\x28", 1)

    rows = rows_of(value)

    assert [row["Body"] for row in rows] == ["caf\ufffd(", "two"]
    assert [row["ParseError"] for row in rows] == ["", ""]


def test_long_texts_of_severities_do_not_stay_in_memory() -> None:
    request = request_of("one")
    [record] = request.resource_logs[0].scope_logs[0].log_records
    tracemalloc.start()
    for number in range(20):
        record.severity_text = f"{number:06d}" * 20_000
        assert rows_of(request.SerializeToString())[0]["Body"] == "one"
    kept_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert kept_bytes < 1_000_000


def test_records_without_a_severity_are_read_like_any_text() -> None:
    request = request_of("2026-11-29T13:59:58Z ERROR it failed")
    [record] = request.resource_logs[0].scope_logs[0].log_records
    record.severity_number, record.severity_text = 0, ""

    [row], of_json = both(request)

    assert [row] == of_json
    assert (row["SeverityText"], row["Body"]) == ("ERROR", "2026-11-29T13:59:58Z ERROR it failed")


def test_without_a_time_of_its_own_it_has_that_of_its_collection() -> None:
    request = request_of("m")
    request.resource_logs[0].scope_logs[0].log_records[0].time_unix_nano = 0

    [row], of_json = both(request)

    assert [row] == of_json
    assert row["Timestamp"] == TIME_NS + 1_000_000
