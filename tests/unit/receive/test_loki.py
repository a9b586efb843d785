"""POST /loki/api/v1/push: protobuf and JSON, as clients of Loki send it, through to the rows."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import KafkaCode, TryAgainLater
from app.receive.loki import read, unpacked
from app.receive.received import MAX_EVENTS, Posted, Received, TooManyEvents, Unreadable
from tests.support.loki_push import Entry, push, snappy
from tests.support.receivers import Receivers

PATH = "/loki/api/v1/push"
PROTOBUF = "application/x-protobuf"
JSON = "application/json"
T = 1_795_960_800_123_456_789
WRITTEN = "2026-11-29T14:00:00.123456789Z"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def pushed(*streams: dict[str, Any]) -> str:
    return json.dumps({"streams": list(streams)})


def one(line: str = "hello", *metadata: dict[str, Any], **labels: str) -> str:
    return pushed({"stream": labels or {"app": "shop"}, "values": [[str(T), line, *metadata]]})


def attributes(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.get("attributes", {}).items() if not name.startswith("log.receiver.")}


def sent(body: bytes | str, media_type: str = JSON, **headers: str) -> list[dict[str, Any]]:
    receivers = Receivers()
    response = receivers.post(PATH, body, media_type, **headers)
    assert (response.status_code, response.data) == (204, b""), response.text
    assert "Content-Type" not in response.headers
    return receivers.rows()


@pytest.mark.parametrize("media_type", ["application/x-protobuf", "", "application/octet-stream"])
def test_protobuf(media_type: str) -> None:
    labels = r'{app="shop", pod="a\"b\\c", job = "x"}'
    entries: list[Entry] = [
        (T, b"level=warn msg=slow", {"trace_id": TRACE, "user": "7"}),
        (T + 1, b'{"msg":"in JSON","level":"error","a":1}', {}),
    ]

    first, second = sent(snappy(push((labels, entries))), media_type)

    assert (first["timestamp"], first["service"], first["level"]) == (WRITTEN, "shop", "WARN")
    assert (first["message"], first["trace_id"]) == ("level=warn msg=slow", TRACE)
    assert (second["message"], second["level"]) == ("in JSON", "ERROR")
    assert second["timestamp"] == "2026-11-29T14:00:00.12345679Z"


def test_json_with_structured_metadata() -> None:
    body = pushed(
        {
            "stream": {"service_name": "shop", "env": "prod"},
            "values": [[str(T), "one", {"user": "7"}], [str(T), "two"]],
        },
        {"stream": {"job": "batch"}, "values": [[str(T), "three"]], "message_in_json_format": True},
    )

    first, second, third = sent(body)

    assert (first["timestamp"], first["service"], first["message"]) == (WRITTEN, "shop", "one")
    assert attributes(first) == {"env": "prod", "user": "7"}
    assert (second["message"], attributes(second)) == ("two", {"env": "prod"})
    assert third["message"] == "three"


@pytest.mark.parametrize(
    ("body", "media_type", "headers"),
    [
        (gzip.compress(one().encode(), mtime=0), JSON, {"Content_Encoding": "gzip"}),
        (one(), "application/json; charset=utf-8", {}),
        (one(), "application/x-www-form-urlencoded", {}),
        (json.dumps(json.loads(one()), indent=2), JSON, {}),
        (snappy(push(('{app="shop"}', [(T, b"hello", {})]))), PROTOBUF, {"Content_Encoding": "snappy"}),
        (
            '{"streams":[{"labels":"{app=\\"shop\\"}","entries":[{"ts":"2026-11-29T15:00:00.123456789+01:00","line":"hello"}]}]}',
            JSON,
            {},
        ),
    ],
)
def test_other_ways_to_write_a_push(body: bytes | str, media_type: str, headers: dict[str, str]) -> None:
    [row] = sent(body, media_type, **headers)

    assert (row["timestamp"], row["service"], row["message"]) == (WRITTEN, "shop", "hello")


@pytest.mark.parametrize("path", ["/loki/api/v1/push/", "/api/prom/push"])
def test_other_paths(path: str) -> None:
    receivers = Receivers()

    assert receivers.post(path, one(), JSON).status_code == 204
    assert [row["message"] for row in receivers.rows()] == ["hello"]


def test_the_tenant_is_kept() -> None:
    [row] = sent(one(), X_Scope_OrgID="team-a")

    assert row["attributes"]["log.receiver.tenant"] == "team-a"
    assert row["attributes"]["log.receiver.name"] == "loki"


def test_a_tenant_with_a_very_long_name_is_refused() -> None:
    receivers = Receivers()

    assert receivers.post(PATH, one(), JSON, X_Scope_OrgID="a" * 151).status_code == 400
    assert not receivers.publisher.records


@pytest.mark.parametrize("body", ['{"streams":[]}', '{"streams":[{"stream":{"a":"b"},"values":[]}]}'])
def test_a_push_without_entries_is_empty(body: str) -> None:
    assert sent(body) == []


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{}",
        "[]",
        '{"streams":{}}',
        '{"streams":[[]]}',
        '{"streams":[{"stream":[],"values":[]}]}',
        '{"streams":[{"stream":{},"values":[["1"]]}]}',
        '{"streams":[{"stream":{},"values":[[1,"line"]]}]}',
        '{"streams":[{"stream":{},"values":[["1.5","line"]]}]}',
        '{"streams":[{"stream":{},"values":[["99999999999999999999","line"]]}]}',
        '{"streams":[{"stream":{},"values":[["1",{}]]}]}',
        '{"streams":[{"stream":{},"values":[["1","line","x"]]}]}',
        '{"streams":[{"labels":"app=1","entries":[]}]}',
        '{"streams":[{"labels":"{app}","entries":[]}]}',
        '{"streams":[{"labels":"{}","entries":[{"ts":"yesterday","line":"x"}]}]}',
        '{"streams":[{"stream":{},"values":[["1","good"]]},{"stream":{},"values":[["x","bad"]]}]}',
        '{"streams":' + "[" * 100_000,
        '{"streams":[{"stream":{},"values":[["1","line",' + '{"a":' * 100_000,
    ],
)
def test_nothing_of_a_malformed_push_is_stored(body: str) -> None:
    receivers = Receivers()

    response = receivers.post(PATH, body, JSON)

    assert (response.status_code, response.content_type) == (400, "text/plain; charset=utf-8"), response.text
    assert response.text.strip()
    assert not receivers.publisher.records


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no snappy",
        snappy(b"\xff"),
        snappy(b"\x0a\x05ab"),
        snappy(push(("{app=x}", []))),
        snappy(b"\x0a\x04\x12\x02\x12\x00"),  # an entry without a timestamp
    ],
)
def test_malformed_protobuf(body: bytes) -> None:
    receivers = Receivers()

    response = receivers.post(PATH, body, PROTOBUF)

    assert response.status_code == 400, response.text
    assert not receivers.publisher.records


@pytest.mark.parametrize("body", [snappy(b"\0" * 2000), b"\xff\xff\xff\xff\x0f" + b"\0" * 50, one("x" * 2000)])
def test_a_push_that_is_too_large(body: bytes | str) -> None:
    receivers = Receivers(environ={"RECEIVE_MAX_BODY_BYTES": "1024"})

    response = receivers.post(PATH, body, PROTOBUF if isinstance(body, bytes) else JSON)

    assert (response.status_code, response.content_type) == (413, "text/plain; charset=utf-8")
    assert "1,024" in response.text


def test_an_entry_that_no_record_can_hold_is_refused_alone() -> None:
    receivers = Receivers()
    receivers.publisher.max_record_bytes = 20_000
    values = [[str(T), "small"], [str(T), "x" * 30_000], [str(T), "small too"]]

    response = receivers.post(PATH, pushed({"stream": {"app": "a"}, "values": values}), JSON)

    assert response.status_code == 400
    assert response.text.startswith("1 entries are refused, 2 are stored: entry 2: larger than a record may be")
    assert [row["message"] for row in receivers.rows()] == ["small", "small too"]


def test_without_kafka_a_client_retries() -> None:
    receivers = Receivers()
    receivers.publisher.failure = TryAgainLater("away", code=KafkaCode.UNREACHABLE)

    response = receivers.post(PATH, one(), JSON)

    assert (response.status_code, response.content_type) == (503, "text/plain; charset=utf-8")
    assert int(response.headers["Retry-After"]) > 0


def test_bytes_that_are_not_utf8_are_stored_and_flagged() -> None:
    [row] = sent(snappy(push(("{}", [(T, b'caf\xe9 "x"', {})]))), PROTOBUF)

    assert row["message"] == 'caf\ufffd "x"'
    assert row["timestamp"] == WRITTEN


def test_half_of_a_surrogate_pair_costs_one_character() -> None:
    [row] = sent('{"streams":[{"stream":{"app":"a"},"values":[["1795960800123456789","cut \\ud83d"]]}]}')

    assert row["message"] == "cut \ufffd"


@pytest.mark.parametrize(
    ("labels", "metadata", "level", "rest"),
    [
        ({"level": "error", "detected_level": "warn"}, {}, "ERROR", {"detected_level": "warn"}),
        ({"app": "a"}, {"detected_level": "warn"}, "WARN", {}),
        ({"app": "a", "detected_level": "unknown"}, {}, "", {"detected_level": "unknown"}),
    ],
)
def test_the_level_that_an_agent_has_detected(
    labels: dict[str, str], metadata: dict[str, str], level: str, rest: dict[str, str]
) -> None:
    [row] = sent(one("hello", metadata, **labels))

    assert row.get("level", "") == level
    assert attributes(row) == rest


def test_no_label_takes_the_place_of_the_line_or_is_lost() -> None:
    [row] = sent(one("the line", {"app": "other", "timestamp": "noon"}, app="shop", message="a label", ts="1"))

    assert (row["message"], row["timestamp"], row["service"]) == ("the line", WRITTEN, "other")
    assert attributes(row) == {"app": "shop", "message": "a label", "ts": "1", "timestamp": "noon"}


LINES = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
NAMES = st.from_regex(r"\A[a-z]{1,8}\Z")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.dictionaries(NAMES, LINES, max_size=3), st.lists(LINES, max_size=4)), max_size=4))
def test_every_entry_is_sent_once(streams: list[tuple[dict[str, str], list[str]]]) -> None:
    body = pushed(*({"stream": labels, "values": [[str(T), line] for line in lines]} for labels, lines in streams))
    message = push(
        *(
            (
                "{" + ",".join(f"{name}={json.dumps(text, ensure_ascii=False)}" for name, text in labels.items()) + "}",
                [(T, line.encode(), {}) for line in lines],
            )
            for labels, lines in streams
        )
    )

    as_json = read(Posted(body.encode(), JSON))
    as_protobuf = read(Posted(message, PROTOBUF))

    expected = [(labels, str(T), line) for labels, lines in streams for line in lines]
    assert entries_of(as_json) == entries_of(as_protobuf) == expected
    assert as_json.count == as_protobuf.count == len(expected)


def entries_of(received: Received) -> list[tuple[dict[str, str], str, str]]:
    return [
        (stream["stream"], *entry)
        for piece in received.pieces
        for stream in json.loads(piece.value)["streams"]
        for entry in stream["values"]
    ]


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60), st.sampled_from([JSON, PROTOBUF, ""]), st.booleans())
def test_any_bytes_are_a_push_or_unreadable(body: bytes, media_type: str, is_snappy: bool) -> None:
    with suppress(Unreadable):
        sent_body = snappy(body) if is_snappy else body
        read(Posted(unpacked(media_type, sent_body, 1_000_000), media_type))


@pytest.mark.parametrize(
    "body",
    [
        b'{"streams":[' + b"{}," * (MAX_EVENTS + 1) + b"{}]}",
        b'{"streams":[{"stream":{},"values":[' + b'["1",""],' * (MAX_EVENTS + 1) + b'["1",""]]}]}',
        b"\x0a\x00" * (MAX_EVENTS + 1),
    ],
    ids=["streams", "entries", "streams in protobuf"],
)
def test_a_push_of_too_many_events(body: bytes) -> None:
    with pytest.raises(TooManyEvents):
        read(Posted(body, JSON if body[:1] == b"{" else PROTOBUF))


def test_line_breaks_between_values_cost_no_memory() -> None:
    """Split at each of them, this body took 700 MB."""
    body = b'{"streams":[{"stream":{},"values":[["1",' + b"\n" * 1_000_000 + b'"x"]]}]}'
    tracemalloc.start()
    try:
        received = read(Posted(body, JSON))
        _, most_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert (received.count, b"\n" in received.pieces[0].value) == (1, False)
    assert most_bytes < 20_000_000
