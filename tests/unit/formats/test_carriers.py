"""What collectors and protocols wrap events in is opened, as deep as it goes, and bounded."""

from __future__ import annotations

import gzip
import json
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.formats.carriers import otlp_protobuf
from app.formats.json_body import MAX_HOLES, MAX_MADE_CHARS, MAX_RENDERED_CHARS
from app.formats.json_text import MAX_JSON_BYTES
from app.formats.room import MAX_ITEMS, TOO_MANY
from app.formats.value import MAX_DEPTH
from tests.unit.formats.json_events import SPAN, TRACE, details_of
from tests.unit.formats.test_json_events import decoded, row_of, rows_of

patiently = settings(deadline=None)


def docker(inside: str) -> str:
    return json.dumps({"log": f"{inside}\n", "stream": "stdout", "time": "2026-11-29T10:15:01Z"})


# Several events in one record


def test_an_array_of_objects_is_a_row_for_each() -> None:
    rows = rows_of(b' [{"msg":"a","level":"warn"}, {"log":"ERROR: b","stream":"stderr"}]\n')

    assert [(row["_item"], row["Body"], row["SeverityText"]) for row in rows] == [
        (0, "a", "WARN"),
        (1, "ERROR: b", "ERROR"),
    ]


@pytest.mark.parametrize("value", [b"[]", b'[1,{"a":1}]', b"[{]", b'[{"a":1} {"b":2}]', b"[2026-11-29 10:15:01] x"])
def test_any_other_text_in_brackets_is_one_row_of_text(value: bytes) -> None:
    [row] = rows_of(value)

    assert (row["Body"], row["ParseError"]) == (value.decode(), "")


def test_lines_of_json_without_a_header_are_a_row_each() -> None:
    rows = rows_of(b'{"msg":"a"}\r\n\n{"msg":"b"}\n{"msg":"c",}\n')

    assert [(row["_item"], row["Body"]) for row in rows] == [(0, "a"), (1, "b"), (2, '{"msg":"c",}')]
    assert [row["ParseError"] for row in rows] == ["", "", "json: not valid"]


@pytest.mark.parametrize("value", [b'{"msg":"a"}\ntext', b'{"a"\n:1}\n{"a":1', b'{"a":1}{"a":2'])
def test_lines_that_are_not_all_json_are_one_row(value: bytes) -> None:
    [row] = rows_of(value)

    assert (row["Body"], row["ParseError"]) == (value.decode(), "json: not valid")


def test_json_over_several_lines_is_one_event() -> None:
    assert row_of('{\n  "msg": "pretty",\n  "n": 1\n}')["Body"] == "pretty"


def otlp_json(count: int) -> dict[str, Any]:
    records = [{"body": {"stringValue": f"m{number}"}} for number in range(count)]
    return {"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}


@pytest.mark.parametrize(
    "value",
    [
        lambda: json.dumps([{"msg": f"m{number}"} for number in range(MAX_ITEMS + 2)]),
        lambda: "\n".join(f'{{"msg":"m{number}"}}' for number in range(MAX_ITEMS + 2)),
        lambda: json.dumps({"logEvents": [{"message": f"m{number}"} for number in range(MAX_ITEMS + 2)]}),
        lambda: json.dumps(otlp_json(MAX_ITEMS + 2)),
    ],
    ids=["array", "lines", "CloudWatch", "OTLP"],
)
def test_more_events_than_a_record_may_hold_are_one_flagged_row_at_the_end(value: Callable[[], str]) -> None:
    rows = decoded(value().encode())

    assert rows["_item"].to_pylist() == list(range(MAX_ITEMS))
    before, last = rows.slice(MAX_ITEMS - 2).to_pylist()
    assert (before["Body"], before["ParseError"]) == (f"m{MAX_ITEMS - 2}", "")
    assert last["ParseError"] == TOO_MANY
    assert all(f"m{number}" in last["Body"] for number in range(MAX_ITEMS - 1, MAX_ITEMS + 2))


def test_events_within_events_share_the_room_of_their_record() -> None:
    inner = [{"logEvents": [{"message": "x"}] * (MAX_ITEMS // 2)}] * 3

    rows = decoded(json.dumps(inner).encode())

    assert rows["_item"].to_pylist() == list(range(MAX_ITEMS))
    assert rows["ParseError"][MAX_ITEMS - 1].as_py() == TOO_MANY


# One in the other


def test_carriers_are_opened_to_a_depth_and_no_further() -> None:
    value = '{"level":"error","msg":"deep"}'
    for _ in range(MAX_DEPTH):
        value = docker(value)

    assert (row_of(value)["Body"], row_of(value)["SeverityText"]) == ("deep", "ERROR")
    assert "deep" in row_of(docker(value))["Body"]


@pytest.mark.parametrize("depth", [5, 15])
def test_strings_within_strings_end(depth: int) -> None:
    value = "x"
    for _ in range(depth):
        value = json.dumps(value)

    assert "x" in row_of(value)["Body"]


def test_what_is_inside_counts_and_the_carrier_for_the_rest() -> None:
    inside = json.dumps({"msg": "m", "service": "own", "host": "shop.example", "stream": "x", "user_id": "u"})
    carrier = {"log": inside, "kubernetes": {"container_name": "c"}, "host": "kiln", "time": "2026-11-29T10:15:01Z"}

    row = row_of(json.dumps({**carrier, "level": "info", "build": 1}))

    found = details_of(row)
    assert (row["Body"], row["SeverityText"]) == ("m", "INFO")
    expected = {"service": "own", "host": "kiln", "user": "u", "k8s.container.name": "c", "build": "1", "stream": "x"}
    assert {name: found[name] for name in expected} == expected
    assert ("host", "shop.example") in row["LogAttributes"]


def test_keys_of_both_are_kept_each_once() -> None:
    row = row_of(json.dumps({"log": '{"msg":"m","a":1,"b":1}', "container_id": "c", "a": 2, "b": 1}))

    assert row["LogAttributes"] == [("a", "1"), ("b", "1"), ("a_2", "2")]


@pytest.mark.parametrize("line", ["", "\n", "  "])
def test_a_blank_line_of_a_container_is_not_blank(line: str) -> None:
    row = row_of(json.dumps({"log": line, "stream": "stdout", "time": "2026-11-29T10:15:01Z"}))

    assert "stdout" in row["Body"]
    assert row["ParseError"] == ""


# Frames of bytes


def test_gzip_around_json_is_opened() -> None:
    value = gzip.compress(json.dumps({"logEvents": [{"message": "a"}, {"message": "b"}], "logGroup": "/g"}).encode())

    assert [row["Body"] for row in rows_of(value)] == ["a", "b"]


@pytest.mark.parametrize(
    "value",
    [
        gzip.compress(b"text", mtime=0),
        gzip.compress(b'{"a":1}', mtime=0)[:-4],
        gzip.compress(b'{"a":1}', mtime=0) + b"more",
        gzip.compress(b'{"a":"' + b" " * MAX_JSON_BYTES + b'"}', mtime=0),
        b"\x1f\x8b",
        b"\0\0\0\0\7{not json",
        b"\0\0\0\0\7\x02\x06abc",
        b"\0",
        b"\n\xff\xff",
    ],
)
def test_other_frames_are_kept_as_they_are(value: bytes) -> None:
    [row] = rows_of(value)

    assert row["_raw"] == value or row["Body"].encode() == value


def test_a_bomb_of_gzip_costs_no_more_than_json_may_take() -> None:
    packed = zlib.compressobj(9, wbits=31)
    bomb = packed.compress(b"[" + b" " * 200_000_000) + packed.flush()

    [row] = rows_of(bomb)

    assert row["_raw"] == bomb


def test_json_behind_the_number_of_a_schema_is_read() -> None:
    assert rows_of(b'\0\0\0\0\7{"message":"m","level":"warn"}')[0]["SeverityText"] == "WARN"


# OTLP as protobuf


def field(number: int, kind: int, content: bytes) -> bytes:
    tag = bytes([number << 3 | kind])
    return tag + (varint(len(content)) if kind == 2 else b"") + content


def varint(number: int) -> bytes:
    number &= 2**64 - 1
    found = b""
    while number > 127:
        found, number = found + bytes([number & 127 | 128]), number >> 7
    return found + bytes([number])


def text_value(text: str) -> bytes:
    return field(1, 2, text.encode())


def pair(key: str, value: bytes) -> bytes:
    return field(1, 2, key.encode()) + field(2, 2, value)


ANY_VALUES = {
    "text": (text_value("ü"), "ü"),
    "flag": (field(2, 0, b"\1"), True),
    "negative": (field(3, 0, varint(-5)), -5),
    "large": (field(3, 0, varint(2**63 - 1)), 2**63 - 1),
    "double": (field(4, 1, struct.pack("<d", 1.5)), 1.5),
    "no number": (field(4, 1, struct.pack("<d", float("nan"))), "nan"),
    "list": (field(5, 2, field(1, 2, text_value("a")) + field(1, 2, field(3, 0, b"\2"))), ["a", 2]),
    "map": (field(6, 2, field(1, 2, pair("k", text_value("v")))), {"k": "v"}),
    "bytes": (field(7, 2, b"\xff"), "/w=="),
}


def request(*records: bytes) -> bytes:
    resource = field(1, 2, field(1, 2, pair("service.name", text_value("pay"))))
    scope = field(1, 2, field(1, 2, b"lib"))
    return field(1, 2, resource + field(2, 2, scope + b"".join(field(2, 2, record) for record in records)))


RECORD = (
    field(1, 1, struct.pack("<Q", 1_795_947_301_500_000_000))
    + field(2, 0, b"\x12")
    + field(5, 2, text_value("m"))
    + b"".join(field(6, 2, pair(key, value)) for key, (value, _) in ANY_VALUES.items())
    + field(8, 5, struct.pack("<I", 1))
    + field(9, 2, bytes.fromhex(TRACE))
    + field(10, 2, bytes.fromhex(SPAN))
    + field(15, 2, b"of a later version")
)


@pytest.mark.parametrize("headers", [[], [("Content-Type", b"application/x-protobuf")]], ids=["by shape", "by header"])
def test_otlp_as_protobuf_is_read(headers: list[tuple[str, bytes | None]]) -> None:
    first, second = rows_of(request(RECORD, field(5, 2, text_value("two"))), headers)

    found = details_of(first)
    assert (first["Body"], first["SeverityText"], first["SeverityNumber"]) == ("m", "ERROR", 18)
    assert first["Timestamp"] == 1_795_947_301_500_000_000
    assert (found["service"], found["trace"], found["span"]) == ("pay", TRACE, SPAN)
    assert {key: found[key] for key in ANY_VALUES} == {
        key: value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
        for key, (_, value) in ANY_VALUES.items()
    }
    assert (second["Body"], second["ServiceName"], second["_item"]) == ("two", "pay", 1)


@pytest.mark.parametrize("value", [b"", b"text", b"\n", request(), request(RECORD)[:-3], b"\xff" * 30])
def test_bytes_that_are_not_otlp_are_flagged_where_a_header_says_they_are(value: bytes) -> None:
    [row] = rows_of(value, [("content-type", b"application/x-protobuf")])

    assert "protobuf: " in row["ParseError"]
    assert row["_raw"] == value or row["Body"].encode() == value


@patiently
@given(st.binary(max_size=80) | st.binary(max_size=40).map(lambda inside: request(RECORD + inside)))
def test_any_bytes_are_refused_in_one_way_or_read(value: bytes) -> None:
    try:
        otlp_protobuf.opened(value)
    except ValueError as error:
        assert str(error) in ("not valid", "no logs")  # noqa: PT017 - both outcomes are right


def test_values_nested_too_deeply_are_refused() -> None:
    value = text_value("x")
    for _ in range(5000):
        value = field(5, 2, field(1, 2, value))

    [row] = rows_of(request(field(5, 2, value)))

    assert row["_raw"] or row["Body"]


# Headers of the record


def test_a_header_gives_the_trace_of_events_without_one() -> None:
    headers = [("traceparent", f"00-{TRACE}-{SPAN}-01".encode())]

    plain, own = row_of('{"message":"m"}', headers), row_of('{"message":"m","trace_id":"' + "a" * 32 + '"}', headers)

    assert (plain["TraceId"], plain["SpanId"]) == (TRACE, SPAN)
    assert own["TraceId"] == "a" * 32


# A message, always


def test_a_message_that_is_made_has_a_length_and_loses_no_attribute() -> None:
    row = row_of(json.dumps({f"k{number}": "word " * 50 for number in range(100)}))

    assert len(row["Body"]) == MAX_MADE_CHARS
    assert len(row["LogAttributes"]) == 100


@patiently
@given(
    st.dictionaries(st.text(max_size=5), st.text(min_size=1, max_size=5) | st.integers(), min_size=1, max_size=5),
    st.sampled_from(["", "log", "kubernetes", "textPayload", "MESSAGE", "short_message"]),
)
def test_no_event_is_blank(event: dict[str, Any], mark: str) -> None:
    for row in rows_of(json.dumps({**event, mark: "x"} if mark else event).encode()):
        assert row["Body"] != ""


@pytest.mark.parametrize(
    "key", ["Message", "MSG", "msg", "@m", "log_message", "Log", "short_message", "MESSAGE", "_msg"]
)
def test_a_message_is_found_in_any_spelling(key: str) -> None:
    assert row_of(json.dumps({"x": 1, key: "found"}))["Body"] == "found"


@pytest.mark.parametrize(
    ("event", "body"),
    [
        ({"message": "", "msg": None, "log": "filled"}, "filled"),
        ({"Message": "other", "message": "exact"}, "exact"),
        ({"data": {"message": "nested"}}, "nested"),
        ({"err": {"message": "of the error"}, "msg": ""}, "of the error"),
        ({"err": {"message": "of the error"}, "msg": "own"}, "own"),
        ({"message": ["a b", {"c": "d"}]}, '["a b",{"c":"d"}]'),
        ({"message": 0}, "0"),
        ({"level": "error"}, "level=error"),
    ],
)
def test_the_message_is_the_first_that_holds_something(event: dict[str, Any], body: str) -> None:
    assert row_of(json.dumps(event))["Body"] == body


@pytest.mark.parametrize("values", [["x"], [[]], [["1"]], [["1", "a", "b"]], [{"a": 1}], "x", [1]])
def test_what_only_looks_like_loki_is_an_event(values: object) -> None:
    [row] = rows_of(json.dumps({"streams": [{"stream": {}, "values": values}]}).encode())

    assert row["Body"].startswith("streams=")


def test_resources_without_a_log_are_no_otlp() -> None:
    empty = b"\n\x02\x12\x00"
    logs = b"\n\x06\x12\x04\x12\x02\x10\x09"

    assert [part.outer.severity_number for part in otlp_protobuf.opened(empty * 999 + logs)] == [9]
    with pytest.raises(ValueError, match="no logs"):
        otlp_protobuf.opened(empty * 1001 + logs)


def test_a_template_with_very_many_holes_or_a_very_long_message_stays_as_it_is() -> None:
    few, many = "{a}" * MAX_HOLES, "{a}" * (MAX_HOLES + 1)
    long = "x" * (MAX_RENDERED_CHARS // MAX_HOLES)

    def body(template: str, value: str) -> str:
        [row] = rows_of(json.dumps({"@mt": template, "a": value}).encode())
        return str(row["Body"])

    assert body(few, "1") == "1" * MAX_HOLES
    assert body(many, "1") == many
    assert body(few, long) == long * MAX_HOLES
    assert body(few, f"{long}x") == few
