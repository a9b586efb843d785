"""Odd records: each becomes the expected rows, and its neighbours are not affected."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from kafka import KafkaProducer
from kafka.errors import MessageSizeTooLargeError

from tests.e2e.pipeline import PATIENCE_SECS, Pipeline

pytestmark = pytest.mark.stack

NOW = int(time.time())
ISO_NOW = datetime.fromtimestamp(NOW, UTC).strftime("%Y-%m-%dT%H:%M:%S")

# 1,048,588 bytes is what a topic allows for a batch. That of one uncompressed record needs 61, and the record itself
# 11 besides its value.
LARGEST_BYTES = 1_048_588 - 61 - 11

Row = dict[str, Any]


@dataclass(frozen=True)
class Odd:
    """A record and its expected rows; columns that are not given are as in any other record.

    A row without `Timestamp` (in nanoseconds) has its record's time.
    """

    value: bytes | None
    rows: Sequence[Row]
    headers: Sequence[tuple[str, bytes]] = ()


def event(text: str, **row: Any) -> Odd:
    """A JSON object of one row; its `message` is "m" unless the row has another body."""
    return Odd(text.encode(), [{"Body": "m", **row}])


def words(text: str, **row: Any) -> Odd:
    """Text that is its own body."""
    return Odd(text.encode(), [{"Body": text, **row}])


def misread(value: bytes, body: str, **row: Any) -> Odd:
    """Bytes that are no UTF-8, which are kept exactly."""
    return Odd(value, [{"Body": body, "ParseError": "utf-8: invalid bytes", "_raw": value, **row}])


def now_and(milliseconds: int) -> int:
    """A time within the current second, in nanoseconds."""
    return NOW * 10**9 + milliseconds * 10**6


def far(timestamp: str) -> Odd:
    """An event whose time is out of the table's range."""
    kept = timestamp.strip('"')
    return event(f'{{"message": "m", "timestamp": {timestamp}}}', LogAttributes={"original_timestamp": kept})


TRACE = f"""{ISO_NOW},250 ERROR payment - card declined
java.lang.IllegalStateException: no such card
\tat com.example.Payment.pay(Payment.java:42)
Caused by: java.net.SocketTimeoutException: Read timed out
\t... 23 more"""
NDJSON = [("content-type", b"application/x-ndjson")]

ODD = {
    "not JSON": words("nothing that a parser knows"),
    "nearly JSON": words('{"message": "m"', ParseError="json: not valid"),
    "two objects": Odd(b'{"message": "m"} {"message": "n"}', [{"Body": "m"}, {"Body": "n"}]),
    "a JSON array": words("[1, 2, 3]"),
    "a JSON string": event('"text"', Body="text"),
    "a JSON number": words("42"),
    "a JSON null": words("null"),
    "an object without anything": event("{}", Body="{}"),
    "empty": Odd(b"", [{"Body": "", "ParseError": "empty: record has no content"}]),
    "blank": words("  \n "),
    "a tombstone": Odd(None, [{"Body": "", "ParseError": "tombstone: record has no value"}]),
    "NUL in text": words("a\0b"),
    "NUL in JSON": event('{"message": "a\\u0000b"}', Body="a\0b"),
    "invalid UTF-8 in text": misread(b"ERROR: caf\xe9 \xff", "ERROR: caf\ufffd \ufffd", SeverityText="ERROR"),
    "invalid UTF-8 in JSON": misread(
        b'{"message": "caf\xe9", "level": "error", "user_id": "7"}',
        "caf\ufffd",
        SeverityText="ERROR",
        UserId="7",
    ),
    "half a surrogate pair": Odd(
        b'{"message": "\\ud83d"}',
        [{"Body": "\ufffd", "ParseError": "json: lone surrogate", "_raw": b'{"message": "\\ud83d"}'}],
    ),
    "a byte order mark": event('\ufeff{"message": "m"}'),
    "the largest record that the topic allows": words("x" * LARGEST_BYTES),
    "objects nested 10,000 deep": words(
        '{"message": "m", "deep": ' + '{"a": ' * 10_000 + "1" + "}" * 10_001, ParseError="json: nested too deeply"
    ),
    "arrays nested 10,000 deep": words(
        '{"message": "m", "deep": ' + "[" * 10_000 + "]" * 10_000 + "}", ParseError="json: nested too deeply"
    ),
    "NaN for a number": event(
        '{"message": "m", "response_time_ms": NaN}',
        ParseError="response_time_ms: not a number",
        LogAttributes={"response_time_ms": "NaN"},
    ),
    "Infinity for an attribute": event('{"message": "m", "x": -Infinity}', LogAttributes={"x": "-Infinity"}),
    "an integer beyond 64 bits": event(
        '{"message": "m", "big": 123456789012345678901234567890}',
        LogAttributes={"big": "123456789012345678901234567890"},
    ),
    "a time beyond 64 bits": far("123456789012345678901234567890"),
    "a number too large for any column": event(
        '{"message": "m", "response_time_ms": 1e400}',
        ParseError="response_time_ms: not a number",
        LogAttributes={"response_time_ms": "1e400"},
    ),
    "duplicate keys": event('{"message": "first", "message": "second"}', Body="second"),
    "the year 1600": far('"1600-02-29T12:00:00Z"'),
    "the year 1900": far('"1900-01-01T00:00:00Z"'),
    "the year 9999": far('"9999-12-31T23:59:59Z"'),
    "a negative epoch": far("-1"),
    "the epoch itself": far("0"),
    "an epoch with a fraction": event(f'{{"message": "m", "timestamp": {NOW}.25}}', Timestamp=now_and(250)),
    "an epoch in milliseconds": event(f'{{"message": "m", "timestamp": {NOW}250}}', Timestamp=now_and(250)),
    "an epoch as text": event(f'{{"message": "m", "timestamp": "{NOW}.5"}}', Timestamp=now_and(500)),
    "a time without a zone": event(f'{{"message": "m", "timestamp": "{ISO_NOW}"}}', Timestamp=now_and(0)),
    "a time that is none": event(
        '{"message": "m", "timestamp": "yesterday"}',
        ParseError="timestamp: not a time",
        LogAttributes={"timestamp": "yesterday"},
    ),
    "an unknown level": event('{"message": "m", "level": "LOUD"}', SeverityText="LOUD"),
    "a level as a number": event('{"message": "m", "level": 50}', SeverityText="50"),
    "numbers as text": event('{"message": "m", "response_time_ms": "87.5"}', ResponseTimeMs=87.5),
    "text as a number": event('{"message": 12, "user_id": 123}', Body="12", UserId="123"),
    "an array for text": event(
        '{"message": "m", "service": ["a", "b"]}',
        ParseError="service: list where text is expected",
        LogAttributes={"service": '["a","b"]'},
    ),
    "an object for text": event(
        '{"message": "m", "user_id": {"no": 7}}',
        ParseError="user_id: object where text is expected",
        LogAttributes={"user_id.no": "7"},
    ),
    "an object for the message": event('{"message": {"a": [1, null]}}', Body='{"a":[1,null]}'),
    "a stack trace": words(
        TRACE, Timestamp=now_and(250), SeverityText="ERROR", LogAttributes={"log.logger": "payment"}
    ),
    "packed events": Odd(
        b'{"message": "one"}\r\n\nnot JSON\n{"message": "three", "level": "warn"}\n',
        [{"Body": "one"}, {"Body": "not JSON"}, {"Body": "three", "SeverityText": "WARN"}],
        NDJSON,
    ),
    "packed nothing": Odd(b"\n", [{"Body": "", "ParseError": "empty: record has no content"}], NDJSON),
}

SEVERITY_NUMBERS = {"INFO": 9, "WARN": 13, "ERROR": 17}


@dataclass(frozen=True)
class Position:
    """Offset and time of a record in Kafka."""

    offset: int
    time_ms: int


@dataclass(frozen=True)
class Stored:
    """All records in one partition, each odd one between two ordinary ones, and their rows."""

    positions: Mapping[str, Position]
    rows: Mapping[int, list[Row]]
    """By offset, items in order."""


def neighbour(name: str) -> bytes:
    return json.dumps({"message": name, "service": "neighbour", "level": "INFO", "n": 1}).encode()


@pytest.fixture(scope="module")
def stored(shared_pipeline: Pipeline) -> Stored:
    """All odd records sent at once, and all their rows."""
    service = shared_pipeline.start_service()
    positions = _send(shared_pipeline)
    service.wait_until(lambda scrape: scrape.total("committed_offset") == len(positions), PATIENCE_SECS)
    rows: dict[int, list[Row]] = {}
    for row in shared_pipeline.query(
        "SELECT toUnixTimestamp64Nano(Timestamp) AS Timestamp, SeverityText, SeverityNumber, ServiceName, Body,"
        " LogAttributes, UserId, ResponseTimeMs, ParseError, hex(_raw) AS _raw, _offset, _item"
        " FROM logs.logs ORDER BY _offset, _item"
    ):
        row["_raw"] = bytes.fromhex(row["_raw"])
        assert row.pop("_item") == len(rows.setdefault(row["_offset"], []))
        rows[row.pop("_offset")].append(row)
    return Stored(positions, rows)


def _send(pipeline: Pipeline) -> dict[str, Position]:
    with KafkaProducer(
        bootstrap_servers=pipeline.kafka.bootstrap_servers, acks="all", max_request_size=2_000_000, linger_ms=50
    ) as producer:
        sent = {}
        for name, odd in ODD.items():
            for side, value, headers in (
                ("before", neighbour(f"before {name}"), ()),
                ("odd", odd.value, odd.headers),
                ("after", neighbour(f"after {name}"), ()),
            ):
                key = b"gone" if value is None else None  # the client sends no record without key and value
                sent[f"{side} {name}"] = producer.send(pipeline.topic, value, key, list(headers), partition=0)
        return {name: Position((done := future.get(30)).offset, done.timestamp) for name, future in sent.items()}


def full_row(expected: Row, position: Position) -> Row:
    """An expected row with all its columns."""
    plain: Row = {
        "Timestamp": position.time_ms * 10**6,
        "SeverityText": "",
        "ServiceName": "",
        "LogAttributes": {},
        "UserId": "",
        "ResponseTimeMs": None,
        "ParseError": "",
        "_raw": b"",
    }
    row = plain | expected
    return row | {"SeverityNumber": SEVERITY_NUMBERS.get(row["SeverityText"], 0)}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_record_becomes_the_rows_it_should(stored: Stored, name: str) -> None:
    position = stored.positions[f"odd {name}"]

    assert stored.rows[position.offset] == [full_row(row, position) for row in ODD[name].rows]


@pytest.mark.parametrize("name", ODD)
def test_its_neighbours_are_untouched(stored: Stored, name: str) -> None:
    for side in ("before", "after"):
        position = stored.positions[f"{side} {name}"]
        expected = {
            "Body": f"{side} {name}",
            "ServiceName": "neighbour",
            "SeverityText": "INFO",
            "LogAttributes": {"n": "1"},
        }
        assert stored.rows[position.offset] == [full_row(expected, position)]


def test_nothing_else_is_in_the_table(stored: Stored) -> None:
    assert (
        sorted(stored.rows)
        == sorted(position.offset for position in stored.positions.values())
        == list(range(len(ODD) * 3))
    )


def test_a_record_one_byte_larger_is_refused_by_kafka_itself(shared_pipeline: Pipeline, stored: Stored) -> None:
    assert stored.positions
    with KafkaProducer(
        bootstrap_servers=shared_pipeline.kafka.bootstrap_servers, acks="all", max_request_size=2_000_000
    ) as producer:
        sent = producer.send(shared_pipeline.topic, b"x" * (LARGEST_BYTES + 1), partition=0)
        with pytest.raises(MessageSizeTooLargeError):
            sent.get(30)
