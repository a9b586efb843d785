"""POST /api/v1/logs: what may be sent, what is answered, and what the consumer makes of it."""

from __future__ import annotations

import gzip
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import KafkaCode, Refused, TryAgainLater
from app.receive.json_logs import read
from app.receive.received import TEXT, Posted, Unreadable
from tests.fakes import MemoryPublisher
from tests.support.receivers import Receivers

PATH = "/api/v1/logs"
OBJECT = '{"service":"shop","level":"WARN","message":"m"}'


@pytest.mark.parametrize(
    ("media_type", "body", "messages"),
    [
        ("application/json", OBJECT, ["m"]),
        ("application/json", json.dumps(json.loads(OBJECT), indent=2), ["m"]),
        ("application/json", f"[{OBJECT},\n {OBJECT}]", ["m", "m"]),
        ("application/json", f"{OBJECT}\n{OBJECT}\n", ["m", "m"]),
        ("application/x-ndjson", f"{OBJECT}\r\n\r\n{OBJECT}", ["m", "m"]),
        ("", f"{OBJECT}\n{OBJECT}", ["m", "m"]),
        ("application/x-www-form-urlencoded", OBJECT, ["m"]),
        ("text/plain", "ERROR one\nINFO two\n", ["ERROR one", "INFO two"]),
        ("text/plain", OBJECT, ["m"]),
        ("application/json", "\ufeff" + OBJECT, ["m"]),
    ],
)
def test_forms(media_type: str, body: str, messages: list[str]) -> None:
    receivers = Receivers()

    response = receivers.post(PATH, body, media_type)

    assert response.status_code == 200, response.text
    assert response.json == {"stored": len(messages), "refused": 0, "problems": []}
    assert [row["message"] for row in receivers.rows()] == messages
    assert receivers.count("stored", "json") == len(messages)


def test_a_row_says_how_it_came_in() -> None:
    receivers = Receivers()

    response = receivers.post(PATH, OBJECT, "application/json")

    [row] = receivers.rows()
    assert row["service"] == "shop"
    assert row["attributes"]["log.receiver.name"] == "json"
    assert row["attributes"]["log.receiver.client.address"] == "127.0.0.1"
    assert row["attributes"]["log.receiver.request.id"] == response.headers["X-Request-Id"]


def test_a_line_that_is_no_json_is_stored_as_text_and_reported() -> None:
    receivers = Receivers()

    response = receivers.post(PATH, f"{OBJECT}\n{{broken\n{OBJECT}", "application/x-ndjson")

    assert response.json == {
        "stored": 3,
        "refused": 0,
        "problems": [{"event": 2, "reason": "not valid JSON: stored as text"}],
    }
    assert [row["message"] for row in receivers.rows()] == ["m", "{broken", "m"]


def test_a_body_is_unpacked() -> None:
    receivers = Receivers()

    assert receivers.post(PATH, gzip.compress(OBJECT.encode()), Content_Encoding="gzip").status_code == 200
    assert [row["message"] for row in receivers.rows()] == ["m"]


@pytest.mark.parametrize(
    ("media_type", "body"),
    [("application/json", ""), ("", " \n"), ("application/json", "no json"), ("application/json", '[{"a":1}')],
)
def test_nothing_of_a_body_that_cannot_be_read_is_stored(media_type: str, body: str) -> None:
    receivers = Receivers()

    response = receivers.post(PATH, body, media_type)

    assert (response.status_code, (response.json or {})["error"]["code"]) == (400, "unreadable")
    assert not receivers.publisher.records


def test_without_kafka_nothing_is_acknowledged() -> None:
    receivers = Receivers()
    receivers.publisher.failure = TryAgainLater("away", code=KafkaCode.UNREACHABLE)

    response = receivers.post(PATH, OBJECT)

    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert receivers.count("failed", "json") == 1


def test_a_log_that_kafka_refuses_is_no_fault_of_a_query() -> None:
    publisher = MemoryPublisher(answer=lambda _: Refused("a bad record", code=KafkaCode.INVALID_RECORD))

    response = Receivers(publisher).post(PATH, OBJECT)

    error = (response.json or {})["error"]
    assert (response.status_code, error["code"]) == (422, "refused")
    assert error["message"].startswith("Kafka does not take")


def test_an_event_that_no_record_can_hold_is_refused() -> None:
    receivers = Receivers()
    receivers.publisher.max_record_bytes = 8000
    body = "\n".join([OBJECT, json.dumps({"message": "x" * 9000}), OBJECT])

    response = receivers.post(PATH, body)

    answer = response.json or {}
    assert (answer["stored"], answer["refused"], answer["problems"][0]["event"]) == (2, 1, 2)
    assert receivers.count("refused", "json") == 1


def test_what_the_consumer_reads_leniently_is_not_reported_as_broken() -> None:
    receivers = Receivers()
    lines = ['{"message":"a","value":NaN}', '{"message":"tab\there"}', '{"message":"\\ud800"}']

    for body in ["\n".join(lines), f"[{','.join(lines)}]", f"[{lines[0]}]", lines[1]]:
        response = receivers.post(PATH, body, "application/json")
        assert response.status_code == 200, response.text
        assert (response.json or {})["problems"] == []
    assert [row["message"] for row in receivers.rows()][:3] == ["a", "tab\there", "\ufffd"]


@pytest.mark.parametrize("media_type", ["application/json", "application/x-ndjson", ""])
def test_objects_behind_each_other_are_events(media_type: str) -> None:
    receivers = Receivers()
    indented = json.dumps(json.loads(OBJECT), indent=2)

    response = receivers.post(PATH, f"{indented}\n{indented}", media_type)

    assert response.json == {"stored": 2, "refused": 0, "problems": []}
    assert [row["message"] for row in receivers.rows()] == ["m", "m"]


def test_a_line_break_within_a_text_is_kept() -> None:
    receivers = Receivers()

    assert receivers.post(PATH, '{"service":"s",\n"message":"a\nb"}').status_code == 200
    [row] = receivers.rows()
    assert (row["service"], row["message"]) == ("s", "a\nb")


TRACE = "2026-11-29 10:15:01 ERROR failed\n\tat com.Shop.pay(Shop.java:1)\nCaused by: java.io.IOException: x\n"


def test_the_lines_of_a_stack_trace_are_one_event() -> None:
    receivers = Receivers()

    response = receivers.post(PATH, TRACE + "2026-11-29 10:15:02 INFO next\n", "text/plain")

    assert (response.json or {})["stored"] == 2
    first, second = receivers.rows()
    assert (first["level"], first["message"].count("\n"), second["level"]) == ("ERROR", 2, "INFO")
    assert first["attributes"]["log.receiver.name"] == "json"


def test_lines_can_be_left_apart() -> None:
    receivers = Receivers()

    assert (receivers.post(PATH + "?multiline=off", TRACE, "text/plain").json or {})["stored"] == 3


def test_parameters_count_for_events_that_do_not_say_it_themselves() -> None:
    receivers = Receivers()
    body = '{"service":"own","message":"m"}\n{"message":"n","time":"2026-11-29 10:15:01"}'

    response = receivers.post(PATH + "?service=shop&host=h1&timezone=Europe/Paris", body)

    assert response.status_code == 200, response.text
    assert [(row["service"], row["resource"]["host.name"]) for row in receivers.rows()] == [
        ("own", "h1"),
        ("shop", "h1"),
    ]
    assert receivers.rows()[1]["timestamp"].startswith("2026-11-29T09:15:01")
    assert receivers.rows()[0]["attributes"]["log.receiver.name"] == "json"


@pytest.mark.parametrize("wrong", ["servce=shop", "timezone=Mars", "multiline=x"])
def test_a_parameter_without_effect_is_refused(wrong: str) -> None:
    response = Receivers().post(f"{PATH}?{wrong}", OBJECT)

    assert (response.status_code, (response.json or {})["error"]["parameter"]) == (400, wrong.partition("=")[0])


@pytest.mark.parametrize(
    ("body", "charset"),
    [
        ("grün".encode("latin-1"), "iso-8859-1"),
        ("grün".encode("utf-16"), ""),
        ("grün".encode("utf-16-le"), "UTF-16LE"),
        ("grün".encode("cp1252"), '"windows-1252"'),
        ("grün".encode(), "utf8"),
        ("\ufeffgrün".encode(), ""),
    ],
)
def test_a_text_is_read_in_its_charset(body: bytes, charset: str) -> None:
    receivers = Receivers()

    response = receivers.post(PATH, body, f"text/plain; charset={charset}" if charset else "text/plain")

    assert response.status_code == 200, response.text
    assert [row["message"] for row in receivers.rows()] == ["grün"]


@pytest.mark.parametrize(
    "charset", ["klingon", "punycode", "idna", "base64", "rot13", "unicode_escape", "utf-32", "undefined"]
)
def test_a_charset_that_is_none_or_does_not_fit_is_refused(charset: str) -> None:
    response = Receivers().post(PATH, b"\xfcx", f"text/plain; charset={charset}")

    assert (response.status_code, (response.json or {})["error"]["code"]) == (400, "unreadable")


@pytest.mark.parametrize("media_type", ["application/json", "application/x-www-form-urlencoded"])
def test_text_that_is_said_to_be_json_is_refused_with_advice(media_type: str) -> None:
    receivers = Receivers()

    response = receivers.post(PATH, "INFO started", media_type)

    assert response.status_code == 400
    assert "text/plain" in (response.json or {})["error"]["message"]
    assert not receivers.publisher.records


def test_text_without_a_type_is_text() -> None:
    receivers = Receivers()

    response = receivers.post(PATH, TRACE)

    assert response.json == {"stored": 1, "refused": 0, "problems": []}


@pytest.mark.parametrize("body", ["[]", " [ ] ", "[\n]"])
def test_an_array_without_events_is_none(body: str) -> None:
    assert Receivers().post(PATH, body, "application/json").json == {"stored": 0, "refused": 0, "problems": []}


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("text/plain", "x\n" * 250_001),
        ("application/x-ndjson", "1\n" * 250_001),
        ("application/json", f"[{'1,' * 250_001}1]"),
        ("application/json", f"[{'1,' * 3_000_000}1]"),
    ],
)
def test_too_many_events_are_refused(media_type: str, body: str) -> None:
    receivers = Receivers()

    response = receivers.post(PATH + "?multiline=off", body, media_type)

    assert (response.status_code, (response.json or {})["error"]["code"]) == (413, "too_many_events")
    assert not receivers.publisher.records


def test_only_the_first_problems_are_listed() -> None:
    response = Receivers().post(PATH, OBJECT + "\n{" * 1000, "application/x-ndjson")

    answer = response.json or {}
    assert (answer["stored"], len(answer["problems"])) == (1001, 100)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_another_method_is_refused_with_those_that_are_not(method: str) -> None:
    response = Receivers().application.test_client().open(PATH, method=method)

    assert (response.status_code, sorted(response.allow or ())) == (405, ["OPTIONS", "POST"])
    assert method == "HEAD" or "POST" in (response.json or {})["error"]["message"]


VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.lists(st.dictionaries(st.text(max_size=8), VALUES, max_size=4), min_size=1, max_size=8)


@settings(deadline=None)
@given(OBJECTS, st.sampled_from([None, 1]), st.sampled_from(["array", "lines", "behind"]))
def test_every_object_is_one_event(objects: list[dict[str, object]], indent: int | None, form: str) -> None:
    texts = [json.dumps(one, indent=indent if form != "lines" else None) for one in objects]
    body = f"[{','.join(texts)}]" if form == "array" else "\n".join(texts)

    received = read(Posted(body.encode(), "application/json"))

    assert [same(json.loads(piece.value)) for piece in received.pieces] == [same(one) for one in objects]
    assert [piece.event for piece in received.pieces] == list(range(len(objects)))
    assert not received.problems


def same(value: object) -> str:
    """NaN is not equal to itself."""
    return json.dumps(value)


@settings(deadline=None)
@given(
    st.binary(max_size=200) | st.text(alphabet='[]{}",:\\ \n\r\t1a\ufeff', max_size=40).map(str.encode),
    st.sampled_from(
        ["", "application/json", "application/x-ndjson", "text/plain", "application/x-www-form-urlencoded"]
    ),
    st.sampled_from(["", "utf-8", "latin-1", "utf-16", "x"]),
    st.booleans(),
)
def test_any_bytes_are_read_or_refused(body: bytes, media_type: str, charset: str, joins_lines: bool) -> None:
    try:
        received = read(Posted(body, media_type, charset), joins_lines=joins_lines)
    except Unreadable:
        return
    assert received.problems or received.pieces or body.strip().startswith(b"[")
    assert all(piece.value.strip() for piece in received.pieces)
    assert all(b"\n" not in piece.value or piece.form == TEXT for piece in received.pieces)
