"""Splunk's HTTP event collector: what may be sent, what is answered, and what the consumer makes of it."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.errors import KafkaCode, TryAgainLater
from app.receive.received import Posted, Unreadable
from app.receive.splunk import new_ack_id, read_acks, read_events
from tests.support.receivers import READER, SHIPPER, Receivers, token_needed

PATH = "/services/collector"
EVENT = '{"time":1795960700.5,"host":"kiln","event":{"message":"m","level":"warn"}}'
SUCCESS = {"text": "Success", "code": 0}
CHANNEL = "fe0ecfad-13d5-401b-847d-77833bd77131"


@pytest.mark.parametrize(
    ("body", "messages"),
    [
        (EVENT, ["m"]),
        (EVENT + EVENT, ["m", "m"]),
        (f"{EVENT}\r\n\r\n{EVENT}\n", ["m", "m"]),
        (f"[{EVENT}, {EVENT}]", ["m", "m"]),
        (json.dumps(json.loads(EVENT), indent=2) + json.dumps({"event": "two\nlines"}, indent=2), ["m", "two\nlines"]),
        ('{"event":"two\nlines"}', ["two\nlines"]),  # no JSON, strictly, but of programs
        ('{"event":"a}{b"}{"event":"c"}', ["a}{b", "c"]),
        ('{"event":"hello"}', ["hello"]),
        ('{"event":5}{"event":true}{"event":["a",{"b":1}]}{"event":{"k":1}}', ["5", "true", '["a",{"b":1}]', "k=1"]),
        ("\ufeff" + EVENT, ["m"]),
    ],
)
def test_events(body: str, messages: list[str]) -> None:
    receivers = Receivers()

    response = receivers.post(PATH, body)

    assert (response.status_code, response.json) == (200, SUCCESS)
    assert [row["message"] for row in receivers.rows()] == messages
    assert receivers.count("stored", "splunk") == len(messages)


@pytest.mark.parametrize("path", ["", "/event", "/event/1.0"])
@pytest.mark.parametrize("media_type", ["", "application/json; charset=utf-8", "application/x-www-form-urlencoded"])
def test_paths_and_types(path: str, media_type: str) -> None:
    receivers = Receivers()

    assert receivers.post(PATH + path, EVENT, media_type).status_code == 200
    [row] = receivers.rows()
    assert (row["timestamp"], row["level"], row["resource"]) == (
        "2026-11-29T13:58:20.5Z",
        "WARN",
        {"host.name": "kiln"},
    )
    assert not {"sourcetype", "index"} & row["attributes"].keys()


@pytest.mark.parametrize("time", ["1795960700.123456789", '"1795960700.123456789"'])
def test_a_time_is_exact(time: str) -> None:
    receivers = Receivers()

    receivers.post(PATH, f'{{"event":"m","time":{time}}}')

    assert [row["timestamp"] for row in receivers.rows()] == ["2026-11-29T13:58:20.123456789Z"]


def test_metadata_of_the_url_is_for_events_that_have_none() -> None:
    receivers = Receivers()

    receivers.post(
        f"{PATH}?host=h&source=s&sourcetype=t&index=i", '{"event":"a"}{"event":"b","host":"own","index":"x"}'
    )

    first, second = receivers.rows()
    assert (first["resource"], second["resource"]) == ({"host.name": "h"}, {"host.name": "own"})
    assert sent_attributes(first) == {"source": "s", "sourcetype": "t", "index": "i"}
    assert sent_attributes(second) == {"source": "s", "sourcetype": "t", "index": "x"}


def test_lines_of_text() -> None:
    receivers = Receivers()

    response = receivers.post(f"{PATH}/raw?host=h&time=1795960700", 'ERROR one\r\n\n{"msg":"two","level":"info"}\n')

    assert (response.status_code, response.json) == (200, SUCCESS)
    assert [(row["message"], row["level"]) for row in receivers.rows()] == [("ERROR one", "ERROR"), ("two", "INFO")]
    assert {row["resource"]["host.name"] for row in receivers.rows()} == {"h"}
    assert {row["timestamp"] for row in receivers.rows()} == {"2026-11-29T13:58:20Z"}


@pytest.mark.parametrize("path", ["/raw", "/raw?source=s"])
def test_a_stack_trace_is_one_event(path: str) -> None:
    receivers = Receivers()
    trace = "ERROR boom\njava.lang.Error: x\n\tat a.B.c(B.java:1)"

    receivers.post(PATH + path, f"{trace}\nINFO next")

    assert [row["message"] for row in receivers.rows()] == [trace, "INFO next"]


@pytest.mark.parametrize("path", ["/raw", "/raw/1.0?sourcetype=x"])
def test_a_line_that_is_not_utf_8_is_flagged(path: str) -> None:
    receivers = Receivers()

    assert receivers.post(PATH + path, b"caf\xe9").status_code == 200
    [row] = receivers.rows()
    assert (row["message"], row["parse_error"]) == ("caf\ufffd", "utf-8: invalid bytes")


def test_json_that_is_not_quite_valid_is_read_as_the_consumer_reads_it() -> None:
    receivers = Receivers()

    assert receivers.post(PATH, b'{"event":"caf\xe9"}{"event":NaN}{"event":"\\ud800"}').json == SUCCESS
    assert [row["message"] for row in receivers.rows()] == ["caf\ufffd", "NaN", "\ufffd"]


@pytest.mark.parametrize(
    ("body", "stored", "text", "code"),
    [
        (f"{EVENT}{{broken", 1, "Invalid data format", 6),
        (f"{EVENT}[1]", 1, "Invalid data format", 6),
        ("hello", 0, "Invalid data format", 6),
        ("[" * 100_000, 0, "No data", 5),
        ('{"a":' * 100_000, 0, "Invalid data format", 6),
        (f'{EVENT}{{"host":"h"}}{EVENT}', 1, "Event field is required", 12),
        ('{"event":null}', 0, "Event field is required", 12),
        (f'{EVENT}{EVENT}{{"event":" "}}', 2, "Event field cannot be blank", 13),
    ],
)
def test_events_before_an_invalid_one_are_stored(body: str, stored: int, text: str, code: int) -> None:
    receivers = Receivers()

    response = receivers.post(PATH, body)

    number = {} if code == 5 else {"invalid-event-number": stored}
    assert (response.status_code, response.json) == (400, {"text": text, "code": code, **number})
    assert len(receivers.rows()) == stored


@pytest.mark.parametrize("path", ["", "/raw"])
@pytest.mark.parametrize("body", ["", " \n"])
def test_an_empty_body(path: str, body: str) -> None:
    response = Receivers().post(PATH + path, body)

    assert (response.status_code, response.json) == (400, {"text": "No data", "code": 5})


def test_a_body_is_unpacked() -> None:
    receivers = Receivers()

    assert receivers.post(PATH, gzip.compress(EVENT.encode()), Content_Encoding="gzip").json == SUCCESS
    assert len(receivers.rows()) == 1


def test_an_event_that_no_record_can_hold_is_named() -> None:
    receivers = Receivers()
    receivers.publisher.max_record_bytes = 8000

    response = receivers.post(PATH, EVENT + json.dumps({"event": "x" * 9000}) + EVENT)

    answer = response.json or {}
    assert (response.status_code, answer["code"], answer["invalid-event-number"]) == (413, 27, 1)
    assert len(receivers.rows()) == 2


def test_a_body_that_is_too_large() -> None:
    response = Receivers(environ={"RECEIVE_MAX_BODY_BYTES": "1024"}).post(PATH, "x" * 1025)

    answer = response.json or {}
    assert (response.status_code, answer["text"], answer["code"]) == (413, "Request entity too large", 27)


def test_without_kafka_a_client_tries_again() -> None:
    receivers = Receivers()
    receivers.publisher.failure = TryAgainLater("away", code=KafkaCode.UNREACHABLE)

    response = receivers.post(PATH, EVENT)

    answer = response.json or {}
    assert (response.status_code, answer["text"], answer["code"]) == (503, "Server is busy", 9)
    assert int(response.headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    ("headers", "url", "status", "code"),
    [
        ({"Authorization": f"Splunk {SHIPPER}"}, PATH, 200, 0),
        ({"Authorization": f"Bearer {SHIPPER}"}, PATH, 200, 0),
        ({}, PATH, 401, 2),
        ({"Authorization": "Digest x"}, PATH, 401, 3),
        ({"Authorization": "Splunk 00000000-0000-0000-0000-000000000000"}, PATH, 403, 4),
        ({"Authorization": f"Splunk {READER}"}, PATH, 403, 4),
        ({}, f"{PATH}?token={SHIPPER}", 400, 16),
    ],
)
def test_tokens(headers: dict[str, str], url: str, status: int, code: int) -> None:
    receivers = Receivers(authenticator=token_needed())

    response = receivers.post(url, EVENT, **headers)

    assert (response.status_code, (response.json or {})["code"]) == (status, code)
    assert SHIPPER not in response.text


def test_basic_authentication() -> None:
    client = Receivers(authenticator=token_needed()).application.test_client()

    assert client.post(PATH, data=EVENT, auth=("x", SHIPPER)).json == SUCCESS


def test_dockers_probe_needs_no_token() -> None:
    client = Receivers(authenticator=token_needed()).application.test_client()

    assert client.options(f"{PATH}/event/1.0").status_code == 200


def test_what_dockers_driver_sends() -> None:
    receivers = Receivers(authenticator=token_needed())
    messages: list[dict[str, Any]] = [
        {"event": {"line": "ERROR boom", "source": "stderr", "tag": "ab12", "attrs": {"k": "v"}}},
        {"event": {"line": {"msg": "m", "level": "warn"}, "source": "stdout"}, "source": "s", "sourcetype": "t"},
        {"event": "ab12 INFO raw", "index": "main"},
    ]
    body = "".join(json.dumps({**message, "time": "1795960700.123000", "host": "kiln"}) for message in messages)

    response = receivers.post(
        f"{PATH}/event/1.0",
        gzip.compress(body.encode(), compresslevel=1),
        Authorization=f"Splunk {SHIPPER}",
        Content_Encoding="gzip",
    )

    assert response.json == SUCCESS
    rows = receivers.rows()
    assert [(row["message"], row["level"]) for row in rows] == [
        ("ERROR boom", "ERROR"),
        ("m", "WARN"),
        ("ab12 INFO raw", "INFO"),
    ]
    assert {(row["timestamp"], row["resource"]["host.name"]) for row in rows} == {("2026-11-29T13:58:20.123Z", "kiln")}
    assert (rows[0]["resource"]["log.iostream"], sent_attributes(rows[0])) == (
        "stderr",
        {"tag": "ab12", "attrs.k": "v"},
    )


def test_health() -> None:
    receivers = Receivers(authenticator=token_needed())
    client = receivers.application.test_client()

    away = client.get(f"{PATH}/health")
    receivers.connected()
    there = client.get(f"{PATH}/health/1.0")

    assert (away.status_code, away.json) == (503, {"text": "HEC is unhealthy, queues are full", "code": 18})
    assert (there.status_code, there.json) == (200, {"text": "HEC is healthy", "code": 17})


@pytest.mark.parametrize("path", [f"{PATH}/event", f"{PATH}/raw"])
def test_who_names_a_channel_gets_an_id_to_ask_about(path: str) -> None:
    receivers = Receivers()

    sent = receivers.post(path, EVENT, X_Splunk_Request_Channel=CHANNEL)
    ack = (sent.json or {})["ackId"]
    # another instance, without anything in common
    asked = Receivers().post(f"{PATH}/ack?channel={CHANNEL.upper()}", json.dumps({"acks": [ack, 0, 1, ack + 1]}))

    assert sent.json == {**SUCCESS, "ackId": ack}
    assert asked.json == {"acks": {str(ack): True, "0": False, "1": False, str(ack + 1): False}}
    assert receivers.rows()[0]["attributes"]["log.receiver.channel"] == CHANNEL


@pytest.mark.parametrize(
    ("url", "body", "text", "code"),
    [
        ("/ack", '{"acks":[1]}', "Data channel is missing", 10),
        ("/ack?channel=c", "[1]", "Invalid data format", 6),
        ("/ack?channel=c", '{"acks":["1"]}', "Invalid data format", 6),
        ("/ack?channel=c", '{"acks":[' + "9" * 5000 + "]}", "Invalid data format", 6),
        ("?channel=" + "c" * 129, EVENT, "Invalid data channel", 11),
    ],
)
def test_channels_and_ids_that_cannot_be(url: str, body: str, text: str, code: int) -> None:
    response = Receivers().post(PATH + url, body)

    assert (response.status_code, response.json) == (400, {"text": text, "code": code})


@given(st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=40))
def test_every_id_that_was_given_is_known(channel: str) -> None:
    ack = new_ack_id(channel)

    assert 0 <= ack < 2**53
    assert read_acks(Posted(json.dumps({"acks": [ack]}).encode(), parameters={"channel": channel})) == {str(ack): True}


EVENTS = st.lists(
    st.fixed_dictionaries(
        {"event": st.text(min_size=1).filter(str.strip) | st.dictionaries(st.text(), st.integers()) | st.integers()},
        optional={"host": st.text(), "time": st.floats(0, 2e9), "fields": st.dictionaries(st.text(), st.text())},
    ),
    min_size=1,
)


@given(EVENTS, st.sampled_from(["", "\n", " ", ",", "\r\n\r\n"]), st.sampled_from([None, 1]), st.booleans())
def test_every_event_is_taken_once_and_in_order(
    events: list[dict[str, Any]], between: str, indent: int | None, is_ascii: bool
) -> None:
    body = between.join(json.dumps(event, indent=indent, ensure_ascii=is_ascii) for event in events)

    received = read_events(Posted(body.encode(errors="surrogatepass"), parameters={"source": "s"}))

    assert not received.problems
    lines = [json.loads(piece.value.decode(errors="surrogatepass")) for piece in received.pieces]
    assert [
        {name: line[name] for name in event} | {"source": line["source"]}
        for line, event in zip(lines, events, strict=True)
    ] == [
        {"source": "s", **event, **({"time": line["time"]} if "time" in event else {})}
        for line, event in zip(lines, events, strict=True)
    ]
    assert all(b"\n" not in piece.value for piece in received.pieces)


PARTS = [b'{"event":', b'"event":', b',"time":', b'"', b"{", b"}", b"[", b"]", b",", b":", b"\\", b"\n", b" ", b"\xe9"]
PARTS += [b"1.12345678", b"null", b"NaN", b"x", b"\\ud800", b"\0"]


@given(st.binary() | st.lists(st.sampled_from(PARTS)).map(b"".join))
@example(b'{"event":"caf\xe9"}')
@example(b'{"event":"\\x"}')
@example(b'{"event":1,"time":[1.12345678,"\xe9"]}')
def test_any_bytes_are_events_or_are_refused(body: bytes) -> None:
    try:
        received = read_events(Posted(body))
    except Unreadable:
        return
    assert received.pieces or received.problems
    assert all(b"\n" not in piece.value for piece in received.pieces)


def sent_attributes(row: dict[str, Any]) -> dict[str, str]:
    return {name: value for name, value in row["attributes"].items() if not name.startswith("log.receiver.")}
