"""GELF over HTTP: what may be sent, what is answered, and what the consumer makes of it."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

import pytest

from app.errors import KafkaCode, TryAgainLater
from tests.support.receivers import SHIPPER, Receivers, token_needed

PATH = "/gelf"
EVENT = json.dumps(
    {
        "version": "1.1",
        "host": "kiln",
        "short_message": "cold",
        "full_message": "cold\nat a.py:1",
        "timestamp": 1795960700.5,
        "level": 4,
        "_service": "web",
        "_order": 7,
    }
)


def test_an_event() -> None:
    receivers = Receivers()

    response = receivers.post(PATH, EVENT, "application/json")

    assert (response.status_code, response.data) == (202, b"")
    [row] = receivers.rows()
    assert (row["timestamp"], row["level"], row["service"], row["message"]) == (
        "2026-11-29T13:58:20.5Z",
        "WARN",
        "web",
        "cold",
    )
    assert row["resource"] == {"host.name": "kiln"}
    assert (row["attributes"]["order"], row["attributes"]["log.receiver.name"]) == ("7", "gelf")


@pytest.mark.parametrize("body", [f"{EVENT}\n{EVENT}\n", f"{EVENT}\n{EVENT}\0", f"[{EVENT},{EVENT}]"])
def test_several_events(body: str) -> None:
    receivers = Receivers()

    assert receivers.post(PATH, body).status_code == 202
    assert [row["message"] for row in receivers.rows()] == ["cold", "cold"]


@pytest.mark.parametrize("encoding", ["gzip,deflate", "gzip, deflate"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, zlib.compress])
def test_of_two_encodings_the_first_bytes_say_which_it_is(encoding: str, pack: Any) -> None:
    receivers = Receivers()

    assert receivers.post(PATH, pack(EVENT.encode()), Content_Encoding=encoding).status_code == 202
    assert [row["message"] for row in receivers.rows()] == ["cold"]


@pytest.mark.parametrize("body", [b"", b"\0", b"hello", b"\x1f\x8bx", b"\x78\x9cx", b"\xff"])
def test_what_is_no_gelf(body: bytes) -> None:
    receivers = Receivers()

    assert receivers.post(PATH, body, "application/json").status_code == 400
    assert not receivers.publisher.records


def test_an_event_that_no_record_can_hold() -> None:
    receivers = Receivers()
    receivers.publisher.max_record_bytes = 8000

    assert receivers.post(PATH, f"{EVENT}\n{json.dumps({'short_message': 'x' * 9000})}").status_code == 413
    assert len(receivers.rows()) == 1


def test_without_kafka_a_client_tries_again() -> None:
    receivers = Receivers()
    receivers.publisher.failure = TryAgainLater("away", code=KafkaCode.UNREACHABLE)

    assert receivers.post(PATH, EVENT).status_code == 503


def test_tokens() -> None:
    receivers = Receivers(authenticator=token_needed())

    assert receivers.post(PATH, EVENT).status_code == 401
    assert receivers.post(PATH, EVENT, Authorization=f"Bearer {SHIPPER}").status_code == 202
