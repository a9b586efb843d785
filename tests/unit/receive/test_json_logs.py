"""POST /api/v1/logs: what may be sent, what is answered, and what the consumer makes of it."""

from __future__ import annotations

import gzip
import json

import pytest

from app.errors import KafkaCode, TryAgainLater
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
        "problems": [{"line": 2, "reason": "not valid JSON: stored as text"}],
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


def test_an_event_that_no_record_can_hold_is_refused() -> None:
    receivers = Receivers()
    receivers.publisher.max_record_bytes = 8000
    body = "\n".join([OBJECT, json.dumps({"message": "x" * 9000}), OBJECT])

    response = receivers.post(PATH, body)

    answer = response.json or {}
    assert (answer["stored"], answer["refused"], answer["problems"][0]["line"]) == (2, 1, 2)
    assert receivers.count("refused", "json") == 1
