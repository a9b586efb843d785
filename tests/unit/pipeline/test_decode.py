"""Every record becomes the expected row, whatever its content, and does not affect its neighbours."""

import gzip
import json
import struct
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from app.domain.attribute_limits import DEFAULT_LIMITS, OVERFLOW
from app.domain.columns import ALIASES
from app.domain.event_time import EventTimeBounds, read_time_ns
from app.domain.log_event import LogEvent
from app.domain.reader import MAX_ITEMS
from app.domain.records import Headers, Partition, RecordChunk
from app.domain.rows import SCHEMA
from app.formats.json_plan import MOST_NAMES, TOO_MANY
from app.formats.json_text import MAX_JSON_BYTES
from app.pipeline.decode import decode
from app.pipeline.decoded import Decoded
from app.pipeline.event_times import ORIGINAL_TIME

patiently = settings(deadline=None)  # the first use of Arrow and a busy machine are slow

NOON = "2026-11-23T12:00:00Z"
RECORD_MS = 1_795_435_200_000  # the same
HOUR_MS = 3_600_000
BOUNDS = EventTimeBounds.of_retention(30)
PACKED = [("content-type", b"application/x-ndjson")]


def chunk_of(
    values: Sequence[bytes | None],
    *,
    headers: Sequence[Headers] | None = None,
    timestamps_ms: Sequence[int] | None = None,
    first_offset: int = 100,
) -> RecordChunk:
    return RecordChunk(
        partition=Partition("logs", 2),
        topic_id="topic-id",
        offsets=list(range(first_offset, first_offset + len(values))),
        timestamps_ms=timestamps_ms or [RECORD_MS] * len(values),
        values=values,
        headers=headers or [()] * len(values),
        next_offset=first_offset + len(values),
    )


def as_dicts(rows: pa.RecordBatch) -> list[dict[str, Any]]:
    """Rows as Python values: times as epoch nanoseconds, maps as lists of pairs."""
    index = SCHEMA.get_field_index("Timestamp")
    plain: list[dict[str, Any]] = rows.set_column(index, "Timestamp", rows["Timestamp"].cast(pa.int64())).to_pylist()
    return plain


def decode_all(*values: bytes | None) -> list[dict[str, Any]]:
    return as_dicts(decode(chunk_of(values), BOUNDS).rows)


GOOD_BEFORE = json.dumps(
    {
        "timestamp": "2026-11-23T11:59:59.123456789Z",
        "service": "payment",
        "level": "error",
        "message": "declined",
        "user_id": "123",
        "response_time_ms": 12.5,
        "trace_id": "aa",
        "span_id": "bb",
        "host": "pod-1",
        "region": "eu",
    }
).encode()
GOOD_AFTER = b'{"ts":1795435199.5,"severity":"WARN","msg":"slow","http":{"status":200}}'
ALONE = [decode_all(GOOD_BEFORE)[0], decode_all(GOOD_AFTER)[0]]


def decode_among_neighbours(value: bytes | None, headers: Headers = ()) -> list[dict[str, Any]]:
    """The rows of a record between two good ones, after checking that these are unaffected."""
    chunk = chunk_of([GOOD_BEFORE, value, GOOD_AFTER], headers=[(), headers, ()])
    rows = as_dicts(decode(chunk, BOUNDS).rows)
    assert rows[0] == ALONE[0]
    assert rows[-1] == ALONE[1] | {"_offset": 102}
    assert {row["_offset"] for row in rows[1:-1]} == {101}
    assert [row["_item"] for row in rows[1:-1]] == list(range(len(rows) - 2))
    return rows[1:-1]


def only_row(value: bytes | None, headers: Headers = ()) -> dict[str, Any]:
    [row] = decode_among_neighbours(value, headers)
    return row


def attributes_of(row: dict[str, Any]) -> dict[str, str]:
    assert len({name for name, _ in row["LogAttributes"]}) == len(row["LogAttributes"]), "a name stands there twice"
    return dict(row["LogAttributes"])


def ns(text: str) -> int:
    moment = datetime.fromisoformat(text).astimezone(UTC)
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // datetime.resolution * 1000


def test_an_event_fills_the_columns_of_its_fields() -> None:
    expected = {
        "Timestamp": ns("2026-11-23T11:59:59Z") + 123_456_789,
        "TraceId": "aa",
        "SpanId": "bb",
        "SeverityText": "ERROR",
        "SeverityNumber": 17,
        "ServiceName": "payment",
        "Body": "declined",
        "ResourceAttributes": [("host.name", "pod-1")],
        "LogAttributes": [("region", "eu")],
        "UserId": "123",
        "ResponseTimeMs": 12.5,
        "_topic": "logs",
        "_topic_id": "topic-id",
        "_partition": 2,
        "_offset": 100,
        "_item": 0,
        "ParseError": "",
        "_raw": b"",
        "record_time_ms": RECORD_MS,
    }

    assert {name: ALONE[0][name] for name in expected} == expected


def test_aliases_and_nested_keys_are_understood() -> None:
    row = ALONE[1]

    assert (row["Timestamp"], row["SeverityText"], row["Body"]) == (ns("2026-11-23T11:59:59.5Z"), "WARN", "slow")
    assert row["LogAttributes"] == [("http.status", "200")]


def test_a_chunk_without_records_has_no_rows() -> None:
    assert decode(chunk_of([]), BOUNDS) == Decoded(pa.RecordBatch.from_pylist([], schema=SCHEMA), {})


class Case(NamedTuple):
    value: bytes | None
    body: str = ""
    problem: str = ""
    attributes: dict[str, str] = {}  # noqa: RUF012 - never changed
    columns: dict[str, Any] = {}  # noqa: RUF012 - never changed
    raw: bytes = b""


TRACE = "java.lang.IllegalStateException: no oven\n\tat org.bakery.Oven.heat(Oven.java:42)\n\tat org.bakery.Main.main"
CASES = {
    "text": Case(b"not json", "not json"),
    "text that begins like JSON": Case(b'{"message": "cut of', '{"message": "cut of', "json: not valid"),
    "list": Case(b'[1,{"a":2}]', '[1,{"a":2}]'),
    "number": Case(b"123", "123"),
    "string": Case(b'"text"', "text"),
    "string within a string": Case(rb'"\"text\""', "text"),
    "empty string": Case(b'""', '""'),
    "null": Case(b"null", "null"),
    "empty object": Case(b"{}", "{}"),
    "object of nothing": Case(b'{"a":null,"message":""}', "message="),
    "empty": Case(b"", problem="empty: record has no content"),
    "blank": Case(b" \r\n", " \r\n"),
    "tombstone": Case(None, problem="tombstone: record has no value"),
    "NUL": Case(b"\0", "\0"),
    "NUL in JSON": Case(rb'{"message":"a\u0000b","k\u0000":"v"}', "a\0b", attributes={"k\0": "v"}),
    "invalid UTF-8 in text": Case(b"caf\xe9", "caf\ufffd", "utf-8: invalid bytes", raw=b"caf\xe9"),
    "invalid UTF-8 in JSON": Case(
        b'{"message":"caf\xe9","k":"v"}',
        "caf\ufffd",
        "utf-8: invalid bytes",
        {"k": "v"},
        raw=b'{"message":"caf\xe9","k":"v"}',
    ),
    "invalid UTF-8 beside a replacement character in JSON": Case(
        b'{"message":"\xef\xbf\xbd \xff"}',
        "\ufffd \ufffd",
        "utf-8: invalid bytes",
        raw=b'{"message":"\xef\xbf\xbd \xff"}',
    ),
    "invalid UTF-8 in JSON that is cut off": Case(
        b'{"message":"\xff', '{"message":"\ufffd', "utf-8: invalid bytes; json: not valid", raw=b'{"message":"\xff'
    ),
    "surrogate as UTF-8 bytes": Case(
        b"\xed\xa0\x80", "\ufffd\ufffd\ufffd", "utf-8: invalid bytes", raw=b"\xed\xa0\x80"
    ),
    "replacement character": Case('{"message":"\ufffd"}'.encode(), "\ufffd"),
    "lone high surrogate": Case(
        rb'{"message":"a\ud800b"}', "a\ufffdb", "json: lone surrogate", raw=rb'{"message":"a\ud800b"}'
    ),
    "lone low surrogate in a key": Case(
        rb'{"\uDC00":"v"}', "\ufffd=v", "json: lone surrogate", attributes={"\ufffd": "v"}, raw=rb'{"\uDC00":"v"}'
    ),
    "surrogates in the wrong order, beside a pair": Case(
        rb'{"message":"\udc00\ud800\ud83d\ude00"}',
        "\ufffd\ufffd\U0001f600",
        "json: lone surrogate",
        raw=rb'{"message":"\udc00\ud800\ud83d\ude00"}',
    ),
    "surrogate behind an escaped backslash": Case(
        rb'{"message":"\\ud800","n":NaN}', r"\ud800", attributes={"n": "NaN"}
    ),
    "UTF-16": Case("hi".encode("utf-16"), "\ufffd\ufffdh\0i\0", "utf-8: invalid bytes", raw=b"\xff\xfeh\0i\0"),
    "byte order mark before JSON": Case(b'\xef\xbb\xbf{"message":"bom"}', "bom"),
    "byte order mark before text": Case(b"\xef\xbb\xbftext", "\ufefftext"),
    "blanks around JSON": Case(b' \t{"message":"ws"}\r\n', "ws"),
    "NaN and Infinity": Case(
        b'{"message":"n","a":NaN,"b":[Infinity,{"c":-Infinity}],"d":1e999}',
        "n",
        attributes={"a": "NaN", "b": '["Infinity",{"c":"-Infinity"}]', "d": "1e999"},
    ),
    "NaN as response time": Case(
        b'{"message":"n","response_time_ms":NaN}',
        "n",
        "response_time_ms: not a number",
        {"response_time_ms": "NaN"},
        {"ResponseTimeMs": None},
    ),
    "a response time that its column cannot hold": Case(
        b'{"message":"n","response_time_ms":1e300}',
        "n",
        "response_time_ms: not a number",
        {"response_time_ms": "1e300"},
        {"ResponseTimeMs": None},
    ),
    "integers beyond 64 bits": Case(
        b'{"message":"i","user_id":123456789012345678901234567890,"a":-9223372036854775809,"b":[18446744073709551617]}',
        "i",
        attributes={"a": "-9223372036854775809", "b": "[18446744073709551617]"},
        columns={"UserId": "123456789012345678901234567890"},
    ),
    "an integer of thousands of digits": Case(
        b'{"message":"i","a":' + b"7" * 5000 + b"}", "i", attributes={"a": "7" * 5000}
    ),
    "a large integer as time and response time": Case(
        b'{"message":"i","timestamp":1' + b"0" * 400 + b',"response_time_ms":1' + b"0" * 400 + b"}",
        "i",
        "response_time_ms: not a number",
        {"response_time_ms": "1" + "0" * 400, ORIGINAL_TIME: "1" + "0" * 400},
        {"ResponseTimeMs": None},
    ),
    "duplicate keys": Case(b'{"message":"1","message":"2","k":1,"k":2}', "2", attributes={"k": "2"}),
    "a level that is not known": Case(
        b'{"message":"m","level":"Loud"}', "m", columns={"SeverityText": "Loud", "SeverityNumber": 0}
    ),
    "a number as level that means different things": Case(
        b'{"message":"m","level":3}', "m", columns={"SeverityText": "3", "SeverityNumber": 0}
    ),
    "a number as level that means one thing": Case(
        b'{"message":"m","level":"60"}', "m", columns={"SeverityText": "FATAL", "SeverityNumber": 21}
    ),
    "a number as level, as text, on a scale": Case(
        b'{"message":"m","level":"40","v":0,"pid":7}',
        "m",
        columns={"SeverityText": "WARN", "SeverityNumber": 13},
        attributes={"v": "0", "pid": "7"},
    ),
    "a number as level that means nothing": Case(
        b'{"message":"m","level":35}', "m", columns={"SeverityText": "35", "SeverityNumber": 0}
    ),
    "numbers as strings": Case(
        b'{"message":"m","response_time_ms":" 12.5 ","timestamp":"1795435199"}',
        "m",
        columns={"ResponseTimeMs": 12.5, "Timestamp": ns("2026-11-23T11:59:59Z")},
    ),
    "strings as numbers": Case(
        b'{"message":404,"user_id":123,"service":1.5,"trace_id":true,"host":7}',
        "404",
        columns={"UserId": "123", "ServiceName": "1.5", "TraceId": "true", "ResourceAttributes": [("host.name", "7")]},
    ),
    "a list where text is expected": Case(
        b'{"message":"m","service":["a",1],"level":[]}',
        "m",
        "level: list where text is expected; service: list where text is expected",
        {"service": '["a",1]', "level": "[]"},
    ),
    "an object where text is expected": Case(
        b'{"message":"m","user_id":{"a":{"b":1},"c":null}}',
        "m",
        "user_id: object where text is expected",
        {"user_id.a.b": "1"},
    ),
    "an object that holds the text": Case(
        b'{"message":"m","service":{"name":"pay","version":2}}',
        "m",
        attributes={"service.version": "2"},
        columns={"ServiceName": "pay"},
    ),
    "an object that holds null for the text": Case(
        b'{"message":"m","service":{"name":null}}', "m", "service: object where text is expected"
    ),
    "a structured message": Case(b'{"message":{"a":[1,"x"]}}', '{"a":[1,"x"]}'),
    "what is no number as response time": Case(
        b'{"message":"m","response_time_ms":"12 ms"}',
        "m",
        "response_time_ms: not a number",
        {"response_time_ms": "12 ms"},
        {"ResponseTimeMs": None},
    ),
    "a boolean as response time and time": Case(
        b'{"message":"m","response_time_ms":true,"timestamp":false}',
        "m",
        "timestamp: not a time; response_time_ms: not a number",
        {"response_time_ms": "true", "timestamp": "false"},
        {"ResponseTimeMs": None},
    ),
    "what is no time": Case(
        b'{"message":"m","timestamp":{"a":1},"user_id":"u"}',
        "m",
        "timestamp: not a time",
        {"timestamp": '{"a":1}'},
        {"UserId": "u"},
    ),
    "a stack trace": Case(TRACE.encode(), TRACE),
    "a stack trace with a header": Case(
        f"2026-11-23 11:59:59,250 ERROR [oven-1] org.bakery.Oven - {TRACE}".encode(),
        f"2026-11-23 11:59:59,250 ERROR [oven-1] org.bakery.Oven - {TRACE}",
        attributes={"log.logger": "org.bakery.Oven", "thread.name": "oven-1"},
        columns={"SeverityText": "ERROR", "SeverityNumber": 17, "Timestamp": ns("2026-11-23T11:59:59.25Z")},
    ),
    "empty keys": Case(
        b'{"message":"m","":"a","b":{"":"c"},"attributes":{"d":{"":"e"}}}',
        "m",
        attributes={"": "a", "b.": "c", "d.": "e"},
    ),
    "attributes": Case(
        b'{"message":"m","attributes":{"k":1,"m":{"n":[2]},"user.id":"u"},"other":true}',
        "m",
        attributes={"k": "1", "m.n": "[2]", "user.id": "u", "other": "true"},
    ),
    "no attributes": Case(b'{"message":"m","attributes":{}}', "m"),
    "attributes that are none": Case(b'{"message":"m","attributes":"x"}', "m", attributes={"attributes": "x"}),
    "nulls": Case(b'{"message":null,"timestamp":null,"level":null,"response_time_ms":null,"x":null,"msg":"m"}', "m"),
    "canonical name and alias": Case(
        b'{"message":"m","msg":"n","text":"o"}', "m", attributes={"msg": "n", "text": "o"}
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_an_odd_record_becomes_a_row_with_its_content(name: str) -> None:
    case = CASES[name]

    row = only_row(case.value)

    assert row["Body"] == case.body
    assert sorted(row["ParseError"].split("; ")) == sorted(case.problem.split("; "))
    assert attributes_of(row) == case.attributes
    assert row["_raw"] == case.raw
    expected = {"Timestamp": RECORD_MS * 10**6, "SeverityText": "", "ServiceName": "", "UserId": ""} | case.columns
    assert {column: row[column] for column in expected} == expected


class Time(NamedTuple):
    json: str
    time: str  # in UTC
    original: str | None = None  # kept as an attribute where it is too far from the record's


TIMES = {
    "RFC 3339": Time('"2026-11-23T11:00:00.5Z"', "2026-11-23T11:00:00.5Z"),
    "with an offset": Time('"2026-11-23T12:30:00+01:30"', "2026-11-23T11:00:00Z"),
    "without a zone": Time('"2026-11-23T11:00:00"', "2026-11-23T11:00:00Z"),
    "a leap second": Time('"2026-11-23T10:59:60Z"', "2026-11-23T11:00:00Z"),
    "seconds": Time("1795431600", "2026-11-23T11:00:00Z"),
    "fractional seconds": Time("1795431600.25", "2026-11-23T11:00:00.25Z"),
    "milliseconds": Time("1795431600250", "2026-11-23T11:00:00.25Z"),
    "microseconds": Time("1795431600250000", "2026-11-23T11:00:00.25Z"),
    "nanoseconds": Time("1795431600250000000", "2026-11-23T11:00:00.25Z"),
    "29 days ago is too near the end of the retention": Time('"2026-10-25T12:00:00Z"', NOON, "2026-10-25T12:00:00Z"),
    "28 days ago": Time('"2026-10-26T12:00:00Z"', "2026-10-26T12:00:00Z"),
    "more than 28 days ago": Time('"2026-10-26T11:59:59.999Z"', NOON, "2026-10-26T11:59:59.999Z"),
    "a day ahead": Time('"2026-11-24T12:00:00Z"', "2026-11-24T12:00:00Z"),
    "more than a day ahead": Time('"2026-11-24T12:00:00.001Z"', NOON, "2026-11-24T12:00:00.001Z"),
    "year 1": Time('"0001-01-01T00:00:00+14:00"', NOON, "0001-01-01T00:00:00+14:00"),
    "year 1600": Time('"1600-01-01T00:00:00Z"', NOON, "1600-01-01T00:00:00Z"),
    "year 1900": Time('"1900-01-01T00:00:00Z"', NOON, "1900-01-01T00:00:00Z"),
    "year 9999": Time('"9999-12-31T23:59:59.999999999Z"', NOON, "9999-12-31T23:59:59.999999999Z"),
    # 2 ** 64 nanoseconds later than an hour ago: wrapped around it would look near.
    "64 bits from now": Time('"2611-06-10T10:34:33.709551616Z"', NOON, "2611-06-10T10:34:33.709551616Z"),
    "negative": Time("-5.5", NOON, "-5.5"),
    "zero": Time("0", NOON, "0"),
    "larger than 64 bits": Time("1e30", NOON, "1e30"),
    "larger than any float": Time('"99999999999999999999"', NOON, "99999999999999999999"),
}


@pytest.mark.parametrize("among_numbers", [False, True], ids=["among texts", "among other types"])
@pytest.mark.parametrize("name", TIMES)
def test_an_event_takes_its_own_time_if_that_is_near_its_records(name: str, among_numbers: bool) -> None:
    case = TIMES[name]
    value = f'{{"message":"m","timestamp":{case.json}}}'.encode()

    row = decode_all(value, GOOD_AFTER)[0] if among_numbers else decode_all(value)[0]

    assert row["Timestamp"] == ns(case.time)
    assert attributes_of(row) == ({} if case.original is None else {ORIGINAL_TIME: case.original})
    assert row["ParseError"] == ""


def test_the_time_of_a_text_line_is_checked_too() -> None:
    row = only_row(b"1999-12-31T23:59:59.5Z old news")

    assert row["Timestamp"] == RECORD_MS * 10**6
    assert attributes_of(row) == {ORIGINAL_TIME: "1999-12-31T23:59:59.5Z"}


@pytest.mark.parametrize("record_ms", [-1, 0, 10**13, 2**62, 2**63 - 1, -(2**63)])
def test_a_record_time_out_of_range_is_reported_and_does_not_wrap_around(record_ms: int) -> None:
    chunk = chunk_of([GOOD_BEFORE, b'{"message":"m"}'], timestamps_ms=[record_ms] * 2)

    own, none = as_dicts(decode(chunk, BOUNDS).rows)

    nearest = min(max(record_ms, -86_400_000), 2**63 // 10**6)
    assert abs(none["Timestamp"] // 10**6 - nearest) <= 86_400_000
    assert (own["record_time_ms"], own["Timestamp"]) == (record_ms, none["Timestamp"])
    assert (ORIGINAL_TIME, "2026-11-23T11:59:59.123456789Z") in own["LogAttributes"]


@pytest.mark.parametrize("depth", [15, 17, 100, 300, 900, 950, 980, 990, 1000, 1030, 10_000, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [(b'{"k":', b"}"), (b"[", b"]"), (b'[{"k":[', b"]}]")])
@pytest.mark.parametrize("field", ["message", "service", "level", "timestamp", "response_time_ms", "other"])
def test_deep_nesting_loses_nothing(depth: int, opening: bytes, closing: bytes, field: str) -> None:
    nested = opening * depth + b'"seed"' + closing * depth
    value = f'{{"user_id":"u","{field}":'.encode() + nested + b"}"

    row = only_row(value)

    # Read as an event or, where the parser gives up, as text.
    assert (row["UserId"], row["Body"]) == ("u", row["Body"]) or row["Body"].encode() == value
    kept = row["Body"] + "".join(name + item for name, item in row["LogAttributes"])
    assert "seed" in kept
    assert kept.count("[") >= nested.count(b"[")
    assert kept.count("k") >= nested.count(b"k")
    assert row["_raw"] == b""


def test_nesting_that_is_too_deep_for_the_parser_is_reported() -> None:
    value = b'{"a":' * 10_000 + b"1" + b"}" * 10_000

    row = only_row(value)

    assert row["Body"].encode() == value
    assert row["ParseError"] == "json: nested too deeply"


@pytest.mark.parametrize(
    "value",
    [
        b"x" * 1_000_000,
        b'{"message":"' + b"x" * 1_000_000 + b'"}',
        b"\n" * 1_000_000,
        b'{"' * 500_000,
        b"[" * 1_000_000,
        b"{" * 1_000_000,
        b'{"message":"' + rb"\ud800" * 150_000 + b'"}',
        b'{"message":"' + rb"\\" * 500_000 + b'",}',
    ],
    ids=["text", "JSON", "line ends", "open keys", "open lists", "open objects", "surrogates", "backslashes"],
)
def test_a_record_of_a_megabyte_is_one_row(value: bytes) -> None:
    row = only_row(value)

    assert len(row["Body"]) >= 150_000


def test_of_a_hundred_thousand_keys_none_is_lost() -> None:
    keys = {f"key.{number}": number for number in range(100_000)}

    row = only_row(json.dumps({"message": "m"} | keys).encode())

    attributes = attributes_of(row)
    rest = json.loads(attributes.pop(OVERFLOW))
    assert len(attributes) == DEFAULT_LIMITS.most
    assert attributes | rest == {name: str(value) for name, value in keys.items()}
    assert row["ParseError"].startswith(f"{TOO_MANY}; attributes: more than 1,000")


def test_of_very_many_values_only_the_first_are_fields() -> None:
    values = {f"key{number}": number for number in range(MOST_NAMES - 1)}

    looked_at = only_row(json.dumps(values | {"msg": "m"}).encode())
    too_many = only_row(json.dumps(values | {"x": 1, "msg": "m"}).encode())

    assert (looked_at["Body"], looked_at["ParseError"]) == ("m", "")
    assert attributes_of(too_many)[OVERFLOW] == '{"msg":"m"}'
    assert too_many["ParseError"].startswith(f"{TOO_MANY}; attributes: more than 1,000")
    assert too_many["Body"].startswith("key0=0 key1=1 ")


def test_json_that_is_too_large_to_be_taken_apart_is_stored_as_text() -> None:
    value = b'{"level":"ERROR","n":[' + b"1," * (MAX_JSON_BYTES // 2) + b"1]}"

    row = only_row(value)

    assert row["Body"].encode() == value
    assert row["ParseError"] == "json: too large"
    assert (row["LogAttributes"], row["_raw"]) == ([], b"")


def test_json_that_is_just_not_too_large_is_an_event() -> None:
    frame = b'{"message":"%s"}'
    value = frame % (b"x" * (MAX_JSON_BYTES - len(frame) + 2))

    row = only_row(value)

    assert len(value) == MAX_JSON_BYTES
    assert (len(row["Body"]), row["ParseError"]) == (MAX_JSON_BYTES - len(frame) + 2, "")


@pytest.mark.parametrize(
    ("event", "attributes"),
    [
        ('"a.b":1,"a":{"b":2},"attributes":{"a":{"b":3}}', {"a.b": "1", "a.b_2": "2", "a.b_3": "3"}),
        ('"x":1,"attributes":{"x":2}', {"x": "1", "x_2": "2"}),
        ('"x":1,"attributes.x":2,"x_2":3', {"x": "1", "x_2": "2", "x_2_2": "3"}),
        ('"x":1,"attributes":{"x":1}', {"x": "1"}),
        ('"x":1,"attributes":{"x":true}', {"x": "1", "x_2": "true"}),
        ('"a":{"b":null},"a.b":2', {"a.b": "2"}),
        ('"msg":"other"', {"msg": "other"}),
        ('"attributes":{"message":"other"}', {"message": "other"}),
        ('"original_timestamp":5,"timestamp":"1999-01-01T00:00:00Z"', {}),
    ],
)
def test_values_of_keys_that_collide_are_all_kept_each_under_a_name_of_its_own(
    event: str, attributes: dict[str, str]
) -> None:
    row = only_row(f'{{"message":"m",{event}}}'.encode())

    assert row["Body"] == "m"
    assert attributes_of(row) == attributes or not attributes


@pytest.mark.parametrize(("alias", "field"), ALIASES.items())
def test_an_alias_is_the_same_as_its_field(alias: str, field: str) -> None:
    event = {} if field == "message" else {"message": "m"}
    value = {"timestamp": "2026-11-23T11:00:00Z", "response_time_ms": 7}.get(field, "warn")

    [by_alias, by_field] = decode_all(
        json.dumps({**event, alias: value}).encode(), json.dumps({**event, field: value}).encode()
    )

    assert by_alias | {"_offset": 101} == by_field


@pytest.mark.parametrize("alias", [alias for alias in ALIASES if "." in alias])
def test_an_alias_with_a_dot_may_be_nested(alias: str) -> None:
    outer, inner = alias.split(".")

    [nested, dotted] = decode_all(
        json.dumps({"message": "m", outer: {inner: "warn"}}).encode(),
        json.dumps({"message": "m", alias: "warn"}).encode(),
    )

    assert nested | {"_offset": 101} == dotted


# NDJSON batches


def test_an_ndjson_batch_becomes_a_row_for_each_event() -> None:
    value = b'{"message":"a"}\n\nplain\r\n  \n{"message":"cut\n\xff\n' + GOOD_AFTER

    rows = decode_among_neighbours(value, PACKED)

    assert [row["Body"] for row in rows] == ["a", "plain", '{"message":"cut', "\ufffd", "slow"]
    assert [row["ParseError"] for row in rows] == ["", "", "json: not valid", "utf-8: invalid bytes", ""]
    assert [row["_raw"] for row in rows] == [b"", b"", b"", b"\xff", b""]


@pytest.mark.parametrize("value", [b"", b"\n \r\n", None])
def test_an_ndjson_batch_without_events_is_one_row(value: bytes | None) -> None:
    assert len(decode_among_neighbours(value, PACKED)) == 1


@pytest.mark.parametrize(
    "headers",
    [
        [("Content-Type", b"APPLICATION/X-NDJSON; charset=utf-8")],
        [("trace", b"\xff"), ("content-type", b" application/x-ndjson")],
    ],
)
def test_the_content_type_of_an_ndjson_batch_is_parsed_like_any_content_type(headers: Headers) -> None:
    assert len(decode_among_neighbours(b"a\nb", headers)) == 2


@pytest.mark.parametrize(
    "headers", [[("content-type", b"text/plain")], [("content-type", None)], [("content-type", b"")], [("x", b"y")]]
)
def test_a_record_with_other_headers_is_one_row(headers: Headers) -> None:
    assert only_row(b"a\nb", headers)["Body"] == "a\nb"
    assert only_row(GOOD_AFTER, headers) == ALONE[1] | {"_offset": 101}


def test_an_ndjson_batch_may_hold_as_many_events_as_item_numbers() -> None:
    rows = decode(chunk_of([b"x\n" * MAX_ITEMS], headers=[PACKED]), BOUNDS).rows

    assert rows.num_rows == MAX_ITEMS
    assert rows["_item"].to_pylist() == list(range(MAX_ITEMS))
    assert set(rows["_items"].to_pylist()) == {MAX_ITEMS}
    assert set(rows["ParseError"].to_pylist()) == {""}


def test_rows_say_how_many_their_record_has_and_who_read_it() -> None:
    chunk = chunk_of([b"a", b"b\nc\nd", None, b"e\nf"], headers=[(), PACKED, (), PACKED])

    rows = decode(chunk, BOUNDS, reader="0123abcd").rows

    assert rows["_items"].to_pylist() == [1, 3, 3, 3, 1, 2, 2]
    assert rows["_reader"].to_pylist() == ["0123abcd"] * 7
    assert decode(chunk_of([b"a", b"b"]), BOUNDS).rows["_items"].to_pylist() == [1, 1]


@pytest.mark.parametrize("line", [b"x\n", b"x\n\n"], ids=["dense", "with empty lines"])
def test_further_lines_of_an_ndjson_batch_stay_together(line: bytes) -> None:
    decoded = decode(chunk_of([line * (MAX_ITEMS + 2)], headers=[PACKED]), BOUNDS)

    assert decoded.rows.num_rows == MAX_ITEMS
    assert decoded.rows["Body"][MAX_ITEMS - 1].as_py() == "x\nx\nx"
    assert decoded.problems == {"packed": 1}


# Problems are counted


def test_rows_with_a_problem_are_counted_once_by_each_first_word() -> None:
    decoded = decode(chunk_of([b'{"service":[1],"level":[2],"host":[3]}', b"{", b"{ ", None, b"ok"]), BOUNDS)

    assert decoded.problems == {"service": 1, "level": 1, "host": 1, "json": 2, "tombstone": 1}


@patiently
@given(st.lists(st.binary(max_size=40) | st.none(), max_size=5))
def test_the_words_that_problems_are_counted_by_are_few(values: list[bytes | None]) -> None:
    assert decode(chunk_of(values), BOUNDS).problems.keys() <= {"tombstone", "empty", "json", "utf-8", "packed"}


# Properties

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(["2026-11-23T11:00:00Z", "1795431600", "12.5", "error", "nan", "-inf", "1_0", "\0", "é"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
keys = (
    st.sampled_from(list(LogEvent.model_fields))
    | st.sampled_from([*ALIASES, "service.version", "log"])
    | st.text(max_size=3)
)
json_events = st.dictionaries(keys, json_values, max_size=6)
odd_values = (
    st.binary(max_size=60)
    | st.text(max_size=30).map(str.encode)
    | json_events.map(lambda event: json.dumps(event).encode())
    | json_events.map(lambda event: json.dumps(event, ensure_ascii=False).encode())
    | st.sampled_from([case.value for case in CASES.values()])
    | st.none()
)


@patiently
@given(st.lists(st.tuples(odd_values, st.sampled_from([(), [("x", b"y")]])), min_size=1, max_size=6))
def test_any_record_is_one_row_with_its_identity(records: list[tuple[bytes | None, Headers]]) -> None:
    chunk = chunk_of([value for value, _ in records], headers=[headers for _, headers in records])

    rows = decode(chunk, BOUNDS).rows

    rows.validate(full=True)  # all text is valid UTF-8
    assert rows.schema == SCHEMA
    assert rows["_offset"].to_pylist() == chunk.offsets
    for row, value in zip(as_dicts(rows), chunk.values, strict=True):
        assert row["_raw"] in (b"", value)
        assert row["_raw"] == b"" or row["ParseError"]


@patiently
@given(st.lists(odd_values, min_size=1, max_size=4), odd_values)
@example([GOOD_BEFORE], b'{"timestamp":1,"response_time_ms":"1","service":1,"message":1,"level":1}')
@example([b'{"response_time_ms":9007199254740993}'], b'{"response_time_ms":"x"}')
@example([b'{"timestamp":"2611-06-10T10:34:33.709551616Z"}'], b"text")
def test_a_record_does_not_change_the_rows_of_others(values: list[bytes | None], other: bytes | None) -> None:
    """One unusual value makes its column use the slow path, which must give the same result."""
    alone = decode_all(*values)

    assert decode_all(*values, other)[:-1] == alone
    assert decode_all(other, *values)[1:] == [row | {"_offset": row["_offset"] + 1} for row in alone]


@patiently
@given(st.lists(st.tuples(odd_values, st.sampled_from([(), PACKED])), min_size=2, max_size=6), st.data())
def test_how_records_are_cut_into_chunks_does_not_matter(
    records: list[tuple[bytes | None, Headers]], data: st.DataObject
) -> None:
    values, headers = [value for value, _ in records], [header for _, header in records]
    cut = data.draw(st.integers(1, len(values) - 1))

    first = decode(chunk_of(values[:cut], headers=headers[:cut]), BOUNDS).rows
    second = decode(chunk_of(values[cut:], headers=headers[cut:], first_offset=100 + cut), BOUNDS).rows

    assert as_dicts(first) + as_dicts(second) == as_dicts(decode(chunk_of(values, headers=headers), BOUNDS).rows)


finite_numbers = st.integers(-(10**6), 10**6) | st.floats(-1e6, 1e6)
valid_events = st.fixed_dictionaries(
    {"message": st.text()},
    optional={
        "timestamp": st.sampled_from(["2026-11-23T11:00:00Z", "2026-11-23 11:00:00", "nonsense", "", None])
        | st.text(max_size=12)
        | st.datetimes(datetime(2026, 11, 1), datetime(2026, 11, 23)).map(lambda moment: moment.isoformat())
        | st.floats(1.795e9, 1.7954e9)
        | st.integers(1_795_000_000_000, 1_795_400_000_000)
        | st.integers(),
        "service": st.text(),
        "level": st.text(max_size=6) | st.sampled_from(["info", "WARNING", "3", "30"]),
        "user_id": st.text(),
        "response_time_ms": finite_numbers | st.none() | st.sampled_from(["1", True]),
        "trace_id": st.text(),
        "span_id": st.text(),
        "host": st.text(),
        "attributes": st.dictionaries(st.text(max_size=4).filter(lambda key: "." not in key), st.text(), max_size=3),
        "zz_other": st.text() | finite_numbers,
    },
)


@patiently
@given(valid_events, st.booleans())
def test_a_valid_event_is_stored_as_the_contract_says(event: dict[str, Any], ensure_ascii: bool) -> None:
    text = json.dumps(event, ensure_ascii=ensure_ascii).encode()
    try:
        said = LogEvent.model_validate_json(text)
    except ValidationError:
        assert isinstance(event.get("response_time_ms"), str | bool), "only these are made to be invalid"
        return

    row, fields = only_row(text), said.model_dump()

    stored = {name: row[column] for name, column in _COLUMN_OF.items()}
    said_to_be = {name: fields[name] for name in _COLUMN_OF}
    if not fields["message"].strip():
        said_to_be["message"] = stored["message"]  # it is made of the other values
    assert stored == said_to_be
    assert row["ResourceAttributes"] == ([("host.name", fields["host"])] if fields["host"] else [])
    assert row["ResponseTimeMs"] == _as_float32(fields["response_time_ms"])
    for name, value in fields["attributes"].items():
        assert (name, value) in row["LogAttributes"]
    others = [_same_type(value, event["zz_other"]) for name, value in row["LogAttributes"] if name == "zz_other"]
    assert others == [event["zz_other"] for name in said.model_extra or {} if name == "zz_other"]
    _assert_time_is_as_said(fields["timestamp"], row)


_COLUMN_OF = {
    "message": "Body",
    "service": "ServiceName",
    "user_id": "UserId",
    "trace_id": "TraceId",
    "span_id": "SpanId",
}


def _same_type(text: str, original: object) -> object:
    return text if isinstance(original, str) else type(original)(text)  # type: ignore[call-arg]


def _as_float32(number: float | None) -> float | None:
    rounded: float | None = None if number is None else struct.unpack("f", struct.pack("f", number))[0]
    return rounded


def _assert_time_is_as_said(timestamp: str | float | None, row: dict[str, Any]) -> None:
    is_missing = timestamp is None or (isinstance(timestamp, str) and not timestamp.strip())
    try:
        time_ns = None if is_missing else read_time_ns(timestamp)
    except ValueError:
        assert row["ParseError"] == "timestamp: not a time"
        assert ("timestamp", timestamp) in row["LogAttributes"]
        time_ns = None
    if time_ns is not None and -28 * 24 <= (time_ns / 10**6 - RECORD_MS) / HOUR_MS <= 24:
        assert row["Timestamp"] == time_ns
    else:
        assert row["Timestamp"] == RECORD_MS * 10**6
    assert row["ParseError"] in ("", "timestamp: not a time")


@patiently
@given(st.binary(min_size=1, max_size=200))
def test_where_bytes_had_to_be_replaced_the_exact_ones_are_kept(value: bytes) -> None:
    [row] = decode_all(value)

    if _is_utf8(value):
        assert row["_raw"] == b""
        assert row["Body"].encode() == value or value.strip()[:1] == b"{"
    else:
        assert row["_raw"] == value


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def test_compressed_bytes_are_kept_exactly() -> None:
    value = gzip.compress(b"someone sent a file")

    row = only_row(value)

    assert row["_raw"] == value
    assert row["ParseError"] == "utf-8: invalid bytes"


def test_bounds_follow_the_retention() -> None:
    bounds = EventTimeBounds.of_retention(30)

    assert bounds == EventTimeBounds(past_ms=28 * 24 * HOUR_MS, future_ms=24 * HOUR_MS)


@pytest.mark.parametrize(
    ("value", "observed"),
    [
        (
            b'2026-11-23T12:00:01.5Z stdout F {"ts":"2026-11-23T11:55:01Z","msg":"m"}',
            "2026-11-23T12:00:01.5Z",
        ),
        (b'Nov 23 12:00:01 kiln app[7]: {"ts":"2026-11-23T11:55:01Z","msg":"m"}', "2026-11-23T12:00:01Z"),
    ],
)
def test_the_time_of_a_carrier_that_is_far_from_the_events_is_kept(value: bytes, observed: str) -> None:
    row = only_row(value)

    assert ns("2026-11-23T11:55:01Z") == row["Timestamp"]
    assert attributes_of(row)["observed_timestamp"] == observed


def test_a_header_with_an_unknown_zone_does_not_take_away_the_time_that_a_carrier_states() -> None:
    headers = [("timezone", b"Middle/Earth")]
    row = only_row(b"2026-11-23T11:55:01Z stdout F plain words", headers)
    inner = only_row(b'{"log":"2026-11-23 12:55:00 x","stream":"stdout","time":"2026-11-23T11:55:01Z"}', headers)

    assert (row["Timestamp"], row["ParseError"]) == (ns("2026-11-23T11:55:01Z"), "")
    assert (inner["Timestamp"], inner["ParseError"]) == (ns("2026-11-23T11:55:00Z"), "")
