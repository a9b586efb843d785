"""OTLP/HTTP: what may be sent, what is answered, and what the consumer makes of it."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from typing import Any

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)

from app.domain.protobuf import bytes_field
from app.errors import KafkaCode, TryAgainLater
from app.receive import otlp, otlp_json
from app.receive.received import MAX_EVENTS, Posted, TooManyEvents, Unreadable
from tests.support.otlp import SPAN, TIME_NS, TRACE, json_of, request_of
from tests.support.receivers import READER, Receivers, token_needed

PATH = "/v1/logs"
PROTOBUF, JSON = "application/x-protobuf", "application/json"
FORMS: dict[str, Callable[[Any], bytes]] = {
    PROTOBUF: lambda request: request.SerializeToString(),
    JSON: lambda request: json.dumps(json_of(request), indent=1).encode(),
}
patiently = settings(deadline=None, max_examples=50)


def status_of(body: bytes) -> tuple[int, str]:
    """Code and message of google.rpc.Status as protobuf, read as the response whose fields have the same numbers."""
    read = ExportLogsServiceResponse.FromString(bytes_field(1, body)).partial_success
    return read.rejected_log_records, read.error_message


@pytest.mark.parametrize("media_type", FORMS)
def test_every_field_arrives(media_type: str) -> None:
    receivers = Receivers()

    response = receivers.post(PATH, FORMS[media_type](request_of("one", "two")), media_type)

    assert (response.status_code, response.content_type) == (200, media_type)
    assert response.data == (b"" if media_type == PROTOBUF else b"{}")
    first, second = receivers.rows()
    assert (first["message"], second["message"]) == ("one", "two")
    assert (first["level"], first["severity_number"], first["service"]) == ("ERROR", 18, "shop")
    assert (first["trace_id"], first["span_id"]) == (TRACE, SPAN)
    assert first["timestamp"] == "2026-11-29T13:59:59.123456789Z"
    assert (first["resource"]["k8s.pod.name"], first["resource"]["host.name"]) == ("shop-1", "web-1")
    expected = {"number": "0", "data": "/w==", "list": '[1,{"a":"b"}]', "otel.scope.name": "orders", "trace_flags": "1"}
    expected |= {"event.name": "order.failed", "observed_timestamp": str(TIME_NS + 1_000_000)}
    expected |= {"otel.dropped_attributes_count": "3", "log.receiver.name": "otlp"}
    assert {name: first["attributes"].get(name) for name in expected} == expected
    assert receivers.count("stored", "otlp") == 2


@pytest.mark.parametrize("media_type", FORMS)
@pytest.mark.parametrize(
    ("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("zstd", zstandard.compress)]
)
def test_bodies_are_unpacked(media_type: str, encoding: str, pack: Callable[[bytes], bytes]) -> None:
    receivers = Receivers()

    response = receivers.post(PATH, pack(FORMS[media_type](request_of("m"))), media_type, Content_Encoding=encoding)

    assert response.status_code == 200
    assert [row["message"] for row in receivers.rows()] == ["m"]


@pytest.mark.parametrize("body", [b"", request_of().SerializeToString()], ids=["no byte", "no record"])
def test_an_empty_request_is_a_success(body: bytes) -> None:
    receivers = Receivers()

    response = receivers.post(PATH, body, PROTOBUF)

    assert (response.status_code, response.data, receivers.publisher.records) == (200, b"", [])


@pytest.mark.parametrize("body", ["", "{}", '{"resourceLogs":[]}', '{"resourceLogs":null}', '{"later":1}'])
def test_an_empty_request_as_json_is_a_success(body: str) -> None:
    response = Receivers().post(PATH, body, JSON)

    assert (response.status_code, response.json) == (200, {})


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        (f"{JSON}; charset=utf-8", FORMS[JSON](request_of("m"))),
        ("application/protobuf", FORMS[PROTOBUF](request_of("m"))),
        ("", FORMS[PROTOBUF](request_of("m"))),
        ("", b"\n " + FORMS[JSON](request_of("m"))),
    ],
)
def test_what_clients_call_it_does_not_matter(media_type: str, body: bytes) -> None:
    receivers = Receivers()

    assert receivers.post(PATH, body, media_type).status_code == 200
    assert receivers.post(f"{PATH}/", body, media_type).status_code == 200
    assert [row["message"] for row in receivers.rows()] == ["m", "m"]


@pytest.mark.parametrize("media_type", FORMS)
def test_a_large_request_becomes_several_records_that_each_say_where_they_are_from(media_type: str) -> None:
    receivers = Receivers()
    receivers.publisher.max_record_bytes = 60_000
    request = request_of(*(f"{number} " + "x" * 500 for number in range(200)), zone="eu")

    assert receivers.post(PATH, FORMS[media_type](request), media_type).status_code == 200

    rows = receivers.rows()
    assert len(receivers.publisher.records) > 1
    assert sorted(int(row["message"].split()[0]) for row in rows) == [*range(200)]
    assert {(row["service"], row["resource"]["zone"], row["attributes"]["otel.scope.name"]) for row in rows} == {
        ("shop", "eu", "orders")
    }


def test_records_that_cannot_be_stored_are_counted_and_the_others_are_stored() -> None:
    request = request_of("one", "x" * 50_000, "two")
    receivers = Receivers()
    receivers.publisher.max_record_bytes = 44_000
    reason = "record 2: larger than a record may be (39,904 bytes)"

    response = receivers.post(PATH, FORMS[PROTOBUF](request), PROTOBUF)
    as_json = receivers.post(PATH, FORMS[JSON](request), JSON)

    assert response.status_code == as_json.status_code == 200
    found = ExportLogsServiceResponse.FromString(response.data).partial_success
    assert (found.rejected_log_records, found.error_message) == (1, reason)
    assert as_json.json == {"partialSuccess": {"rejectedLogRecords": "1", "errorMessage": reason}}
    assert [row["message"] for row in receivers.rows()] == ["one", "two"] * 2
    assert receivers.count("refused", "otlp") == 2


def test_fields_of_later_versions_are_kept_on_the_way() -> None:
    """The consumer may be newer than the receiver."""
    value = FORMS[PROTOBUF](request_of("m"))
    later = bytes_field(
        1,
        bytes_field(1000, b"resource")
        + bytes_field(2, bytes_field(1001, b"scope") + bytes_field(2, bytes_field(99, b"x"))),
    )
    receivers = Receivers()

    assert receivers.post(PATH, value + later + bytes_field(7, b"request"), PROTOBUF).status_code == 200

    [record] = receivers.publisher.records
    value = record.value or b""
    assert all(name in value for name in (b"resource", b"scope", bytes_field(99, b"x")))
    assert len(receivers.rows()) == 2


def test_a_record_that_is_larger_than_kafka_takes_costs_no_memory_for_its_parts() -> None:
    of_record = bytes_field(2, b"\x32\0" * 1_000_000)  # a million empty attributes
    receivers = Receivers()

    response = receivers.post(PATH, bytes_field(1, bytes_field(2, of_record)), PROTOBUF)

    assert ExportLogsServiceResponse.FromString(response.data).partial_success.rejected_log_records == 1


@pytest.mark.parametrize("body", [b"hello", b"{}", b"\n\5abc", bytes_field(1, b"\xff"), b"\n"])
def test_a_body_that_is_no_protobuf_is_refused_with_a_status_message(body: bytes) -> None:
    receivers = Receivers()

    response = receivers.post(PATH, body, PROTOBUF)

    assert (response.status_code, response.content_type) == (400, PROTOBUF)
    assert status_of(response.data) == (3, "The body is not an ExportLogsServiceRequest of OTLP as protobuf.")
    assert not receivers.publisher.records


def with_record(**record: object) -> str:
    return json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": {"stringValue": "m"}}, record]}]}]})


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("{", "truncated"),
        ("[]", "Expected `object`"),
        ('{"resourceLogs":{}}', "Expected `array | null`"),
        (with_record(body={"bytesValue": "!"}), "bytesValue is not base64"),
        (with_record(body={"bytesValue": "abcde"}), "bytesValue is not base64"),
        (with_record(body="text"), "body is not an object"),
        (with_record(body={"intValue": "1.5"}), "intValue is not an integer"),
        (with_record(body={"boolValue": "true"}), "boolValue is not true or false"),
        (with_record(body={"arrayValue": {"values": [{"doubleValue": "x"}]}}), "doubleValue is not a number"),
        (with_record(body={"kvlistValue": {"values": {}}}), "values of kvlistValue is not a list"),
        (with_record(traceId="no hex"), "traceId is not an id in hexadecimal digits"),
        (with_record(span_id=7), "span_id is not an id in hexadecimal digits"),
        (with_record(timeUnixNano="yesterday"), "timeUnixNano is not an integer"),
        (with_record(severityNumber="high"), "severityNumber is not an integer"),
        (with_record(attributes={"a": "b"}), "attributes is not a list"),
        (with_record(attributes=[{"key": 1}]), "a key in attributes is not a text"),
        ('{"resourceLogs":[{"resource":{"attributes":[1]},"scopeLogs":[]}]}', "attributes is not a list of objects"),
        ('{"resourceLogs":[{"scopeLogs":[{"logRecords":[null]}]}]}', "a log record is not an object"),
        ('{"a":' + "[" * 5000, "truncated|recursion"),
    ],
)
def test_json_that_is_not_otlp_is_refused_with_the_reason(body: str, words: str) -> None:
    receivers = Receivers()

    response = receivers.post(PATH, body, JSON)

    assert (response.status_code, response.content_type) == (400, JSON)
    assert response.json is not None
    assert response.json["code"] == 3
    assert any(word in response.json["message"] for word in words.split("|")), response.json
    assert not receivers.publisher.records


def test_json_is_taken_in_every_spelling_that_is_allowed() -> None:
    """Integers as numbers or texts, null for nothing, names of the definition, unknown keys, ids in capitals."""
    record = {
        "time_unix_nano": TIME_NS,
        "severity_number": "SEVERITY_NUMBER_WARN2",
        "body": {"stringValue": "m"},
        "traceId": TRACE.upper(),
        "spanId": None,
        "attributes": [
            {"key": "big", "value": {"intValue": 2**63 - 1}},
            {"key": "text", "value": {"intValue": "-7"}},
            {"key": "none", "value": {"doubleValue": "NaN"}},
            {"key": "null", "value": None},
            {"key": "url safe", "value": {"bytesValue": "_-8"}},
        ],
        "unknown": [1],
    }
    scope = {"scope": None, "log_records": [record, {"attributes": None, "body": None}]}
    receivers = Receivers()

    response = receivers.post(PATH, json.dumps({"resource_logs": [{"resource": None, "scope_logs": [scope]}]}), JSON)

    assert response.status_code == 200, response.json
    first, second = receivers.rows()
    assert (first["message"], first["level"], first["severity_number"], first["trace_id"]) == ("m", "WARN", 14, TRACE)
    assert {name: first["attributes"][name] for name in ("big", "text", "none", "url safe")} == {
        **{"big": str(2**63 - 1), "text": "-7", "none": "NaN", "url safe": "_-8"}
    }
    assert second["parse_error"] == first["parse_error"] == ""


@pytest.mark.parametrize("signal", ["traces", "metrics"])
@pytest.mark.parametrize("media_type", FORMS)
def test_other_signals_are_not_taken(signal: str, media_type: str) -> None:
    response = Receivers().post(f"/v1/{signal}", b"\n\0", media_type)

    assert (response.status_code, response.content_type) == (404, media_type)
    assert f"set the exporter of {signal} to none" in response.text


@pytest.mark.parametrize("media_type", FORMS)
def test_without_kafka_clients_are_told_to_retry(media_type: str) -> None:
    receivers = Receivers()
    receivers.publisher.failure = TryAgainLater("away", code=KafkaCode.UNREACHABLE)

    response = receivers.post(PATH, FORMS[media_type](request_of("m")), media_type)

    assert (response.status_code, response.content_type) == (503, media_type)
    assert int(response.headers["Retry-After"]) > 0
    if media_type == JSON:
        assert (response.json or {})["code"] == 14
    else:
        assert status_of(response.data)[0] == 14


@pytest.mark.parametrize(
    ("headers", "media_type", "status", "code"),
    [
        ({}, "text/plain", 415, 3),
        ({"Content_Encoding": "br"}, JSON, 415, 3),
        ({"Content_Encoding": "gzip"}, JSON, 400, 3),
    ],
)
def test_requests_of_another_kind_are_refused(headers: dict[str, str], media_type: str, status: int, code: int) -> None:
    response = Receivers().post(PATH, "no gzip", media_type, **headers)

    assert (response.status_code, (response.json or {})["code"]) == (status, code)


def test_a_body_that_is_too_large_is_refused() -> None:
    receivers = Receivers(environ={"RECEIVE_MAX_BODY_BYTES": "1024"})

    response = receivers.post(PATH, FORMS[PROTOBUF](request_of("x" * 2000)), PROTOBUF)

    assert (response.status_code, status_of(response.data)[0]) == (413, 8)


@pytest.mark.parametrize(
    ("headers", "status", "code"), [({}, 401, 16), ({"Authorization": f"Bearer {READER}"}, 403, 7)]
)
def test_a_token_is_needed_where_there_are_any(headers: dict[str, str], status: int, code: int) -> None:
    receivers = Receivers(authenticator=token_needed())

    response = receivers.post(PATH, FORMS[PROTOBUF](request_of("m")), PROTOBUF, **headers)

    assert (response.status_code, status_of(response.data)[0]) == (status, code)


@pytest.mark.parametrize(
    "posted",
    [
        Posted(bytes_field(1, bytes_field(2, b"\x12\0" * (MAX_EVENTS + 1))), PROTOBUF),
        Posted(b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[' + b"{}," * MAX_EVENTS + b"{}]}]}]}", JSON),
    ],
    ids=["protobuf", "JSON"],
)
def test_a_request_has_a_bounded_number_of_records(posted: Posted) -> None:
    with pytest.raises(TooManyEvents):
        otlp.read(posted)


def test_resources_without_a_record_are_bounded() -> None:
    with pytest.raises(Unreadable):
        otlp.read(Posted(b"\n\0" * 20_000, PROTOBUF))


@pytest.mark.parametrize("media_type", FORMS)
def test_what_a_large_resource_says_is_not_repeated_more_often_than_records_take_place(media_type: str) -> None:
    request = request_of(*["m"] * 2_000, large="x" * 100_000)
    of_scope = request.resource_logs[0].scope_logs[0]
    of_scope.scope.name = "y" * 50_000
    for record in of_scope.log_records[1_000:]:
        request.resource_logs[0].scope_logs.add().log_records.append(record)
    del of_scope.log_records[1_000:]
    body = FORMS[media_type](request)

    pieces = otlp.read(Posted(body, media_type)).pieces

    assert sum(piece.events for piece in pieces) == 2_000
    assert sum(len(piece.value) for piece in pieces) < 4 * len(body)


@pytest.mark.parametrize("media_type", FORMS)
def test_small_records_of_many_scopes_go_together(media_type: str) -> None:
    request = request_of(*["m"] * 500)
    of_scope = request.resource_logs[0].scope_logs[0]
    for record in of_scope.log_records[1:]:
        request.resource_logs[0].scope_logs.add().log_records.append(record)
    del of_scope.log_records[1:]

    pieces = otlp.read(Posted(FORMS[media_type](request), media_type)).pieces

    assert sum(piece.events for piece in pieces) == 500
    assert len(pieces) < 30


@patiently
@given(st.binary(max_size=60) | st.binary(max_size=30).map(lambda inside: request_of("m").SerializeToString() + inside))
def test_any_bytes_are_refused_or_read_by_the_consumer(body: bytes) -> None:
    receivers = Receivers()

    response = receivers.post(PATH, body, PROTOBUF)

    assert response.status_code in (200, 400)
    assert [row["parse_error"] for row in receivers.rows() if "protobuf" in row["parse_error"]] == []


LEAVES: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, -1, 1.5, 2**70, "", "x", "0", "7", "ff==", "NaN", [], {}, [{}], [None]]
)
ANY_VALUE = st.dictionaries(st.sampled_from(["stringValue", "intValue", "arrayValue", "bytesValue", "later"]), LEAVES)
NAMES = ["timeUnixNano", "observed_time_unix_nano", "severityNumber", "severityText", "flags", "traceId", "eventName"]
ATTRIBUTES = st.lists(st.fixed_dictionaries({}, optional={"key": LEAVES, "value": ANY_VALUE | LEAVES}), max_size=2)
RECORD = st.dictionaries(st.sampled_from([*NAMES, "droppedAttributesCount"]), LEAVES, max_size=3).flatmap(
    lambda record: st.fixed_dictionaries(
        {}, optional={"body": ANY_VALUE | LEAVES, "attributes": ATTRIBUTES | LEAVES, "spanId": LEAVES}
    ).map(lambda more: {**record, **more})
)


@patiently
@given(RECORD, st.fixed_dictionaries({}, optional={"attributes": ATTRIBUTES | LEAVES, "name": LEAVES}) | LEAVES)
def test_any_json_is_refused_or_read_by_the_consumer(record: dict[str, Any], origin: Any) -> None:
    of_scope = {"scope": origin, "schemaUrl": "u", "logRecords": [record, {"severityText": "read as OTLP"}]}
    receivers = Receivers()

    response = receivers.post(PATH, json.dumps({"resourceLogs": [{"resource": origin, "scopeLogs": [of_scope]}]}), JSON)

    assert response.status_code in (200, 400)
    rows = receivers.rows()
    assert len(rows) == (2 if response.status_code == 200 else 0)
    assert [row["level"] for row in rows[1:]] in ([], ["read as OTLP"])


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.text(max_size=5) | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.binary(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@patiently
@given(st.lists(VALUES, min_size=1, max_size=5), st.sampled_from(sorted(FORMS)))
def test_every_record_of_a_valid_request_is_one_row(bodies: list[Any], media_type: str) -> None:
    receivers = Receivers()

    response = receivers.post(PATH, FORMS[media_type](request_of(*bodies)), media_type)

    assert response.status_code == 200, response.data
    rows = receivers.rows()
    assert sorted(row["attributes"]["number"] for row in rows) == sorted(str(number) for number in range(len(bodies)))


def test_a_request_that_is_split_is_the_same_request() -> None:
    request = request_of(*(str(number) * 100 for number in range(500)))

    pieces = otlp.read(Posted(request.SerializeToString(), PROTOBUF)).pieces

    assert len(pieces) > 3
    assert all(len(piece.value) < otlp.PIECE_BYTES * 1.2 for piece in pieces)
    read = ExportLogsServiceRequest.FromString(b"".join(piece.value for piece in pieces))
    found = [record for of_resource in read.resource_logs for record in of_resource.scope_logs[0].log_records]
    assert found == list(request.resource_logs[0].scope_logs[0].log_records)
    assert otlp_json.PIECE_BYTES == otlp.PIECE_BYTES
