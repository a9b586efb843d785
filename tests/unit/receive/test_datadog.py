"""Datadog's intake: what may be sent, what is answered, and what the consumer makes of it."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from app.errors import KafkaCode, TryAgainLater
from app.receive.datadog import read
from app.receive.received import Posted, TooManyEvents, Unreadable
from tests.support.receivers import READER, SHIPPER, Receivers, token_needed

PATH = "/api/v2/logs"
LOG = {
    "message": "ERROR boom",
    "status": "info",
    "timestamp": 1795960700123,
    "hostname": "kiln",
    "service": "shop",
    "ddsource": "java",
    "ddtags": "env:prod,team:a",
}


def test_what_the_agent_sends() -> None:
    receivers = Receivers()

    response = receivers.post(PATH, json.dumps([LOG, LOG]), "application/json", DD_API_KEY="k")

    assert (response.status_code, response.json) == (202, {})
    row, _ = receivers.rows()
    assert (row["timestamp"], row["level"], row["service"], row["message"]) == (
        "2026-11-29T13:58:20.123Z",
        "ERROR",
        "shop",
        "ERROR boom",
    )
    assert row["resource"] == {"host.name": "kiln", "deployment.environment.name": "prod"}
    assert (row["attributes"]["team"], row["attributes"]["log.receiver.name"]) == ("a", "datadog")
    assert receivers.count("stored", "datadog") == 2


@pytest.mark.parametrize(
    ("media_type", "body", "messages"),
    [
        ("application/json", '{"message":"m"}', ["m"]),
        ("application/json", '[{"message":"m"},{"message":"n"}]', ["m", "n"]),
        ("application/json", '{"message":"m"}\n{"message":"n"}\n', ["m", "n"]),
        ("", '{"message":"m"}', ["m"]),
        ("application/json;charset=utf-8", json.dumps({"message": "m"}, indent=1), ["m"]),
        ("application/json", '{"message":"{\\"msg\\":\\"inner\\"}"}', ["inner"]),
        ("application/json", '{"message":{"msg":"inner"}}', ["inner"]),
        ("text/plain", 'one\n{"message":"two"}', ["one", "two"]),
        ("application/json", '[{},{"message":"m"}]', ["{}", "m"]),
    ],
)
@pytest.mark.parametrize(("path", "status"), [(PATH, 202), ("/v1/input", 200)])
def test_forms(path: str, status: int, media_type: str, body: str, messages: list[str]) -> None:
    receivers = Receivers()

    response = receivers.post(path, body, media_type)

    assert (response.status_code, response.json) == (status, {})
    assert [row["message"] for row in receivers.rows()] == messages
    assert not any("ddsource" in row["attributes"] for row in receivers.rows())


@pytest.mark.parametrize("body", ["{}", " {}\n", "[]"])
def test_an_agent_that_asks_whether_it_is_heard(body: str) -> None:
    receivers = Receivers()

    assert receivers.post(PATH, body, "application/json").status_code == 202
    assert not receivers.publisher.records


@pytest.mark.parametrize(
    ("media_type", "body"),
    [("text/plain", "hello\nworld"), ("application/json", '[{"message":"hello"},{"message":"w"}]')],
)
def test_parameters_of_the_url(media_type: str, body: str) -> None:
    receivers = Receivers()

    receivers.post(f"{PATH}?ddsource=nginx&ddtags=env:prod,a:b&service=shop&hostname=kiln", body, media_type)

    row, _ = receivers.rows()
    assert (row["message"], row["service"]) == ("hello", "shop")
    assert row["resource"] == {"host.name": "kiln", "deployment.environment.name": "prod"}
    assert (row["attributes"]["a"], row["attributes"]["ddsource"]) == ("b", "nginx")


def test_what_a_log_says_itself_counts_before_the_url() -> None:
    receivers = Receivers()

    receivers.post(f"{PATH}?service=url", '{"message":"m","service":"own"}')

    assert [row["service"] for row in receivers.rows()] == ["own"]


def test_a_level_and_a_trace() -> None:
    receivers = Receivers()

    receivers.post(PATH, '{"message":"m","status":"warning","dd.trace_id":"8448337775085322083","dd.span_id":"16"}')

    [row] = receivers.rows()
    assert (row["level"], row["trace_id"], row["span_id"]) == ("WARN", f"{8448337775085322083:032x}", f"{16:016x}")


@pytest.mark.parametrize(
    ("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("zstd", zstandard.compress)]
)
def test_a_body_is_unpacked(encoding: str, pack: Any) -> None:
    receivers = Receivers()

    assert receivers.post(PATH, pack(json.dumps(LOG).encode()), Content_Encoding=encoding).status_code == 202
    assert len(receivers.rows()) == 1


@pytest.mark.parametrize(
    ("body", "headers"),
    [("", {}), ("no json", {}), ('[{"message":1}', {}), ("{}", {"Content_Encoding": "br"})],
)
def test_what_cannot_be_read_is_not_sent_again(body: str, headers: dict[str, str]) -> None:
    receivers = Receivers()

    new = receivers.post(PATH, body, "application/json", **headers)
    old = receivers.post("/v1/input", body, "application/json", **headers)

    [error] = (new.json or {})["errors"]
    assert (new.status_code, error["status"], error["title"]) == (400, "400", "Bad Request")
    assert (old.status_code, old.json) == (400, {"code": 400, "message": error["detail"]})
    assert not receivers.publisher.records


def test_a_log_that_no_record_can_hold() -> None:
    receivers = Receivers()
    receivers.publisher.max_record_bytes = 8000

    response = receivers.post(PATH, json.dumps([LOG, {"message": "x" * 9000}, LOG]))

    assert (response.status_code, (response.json or {})["errors"][0]["title"]) == (413, "Request Entity Too Large")
    assert "Log 1" in response.text
    assert len(receivers.rows()) == 2


def test_without_kafka_a_client_tries_again() -> None:
    receivers = Receivers()
    receivers.publisher.failure = TryAgainLater("away", code=KafkaCode.UNREACHABLE)

    response = receivers.post(PATH, json.dumps(LOG))

    assert (response.status_code, (response.json or {})["errors"][0]["status"]) == (503, "503")
    assert int(response.headers["Retry-After"]) > 0


@pytest.mark.parametrize(("key", "status"), [(SHIPPER, 202), (READER, 403), ("0" * 32, 403), ("", 401)])
def test_keys(key: str, status: int) -> None:
    receivers = Receivers(authenticator=token_needed())
    headers = {"DD-API-KEY": key} if key else {}

    response = receivers.post(PATH, json.dumps(LOG), **headers)
    asked = receivers.application.test_client().get("/api/v1/validate", headers=headers)

    assert response.status_code == status
    if status == 202:
        assert (asked.status_code, asked.json) == (200, {"valid": True})
    else:
        title = {401: "Unauthorized", 403: "Forbidden"}[status]
        assert (response.json or {})["errors"][0]["title"] == title
        assert (asked.status_code, asked.json) == (status, {"errors": [title]})


PARTS = [
    b'{"message":',
    b',"ddtags":',
    b'"',
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\\",
    b"\n",
    b" ",
    b"\xe9",
    b"1",
    b"NaN",
]
LOGS = st.lists(
    st.fixed_dictionaries(
        {"message": st.text()},
        optional={"ddtags": st.text(), "service": st.text(), "x": st.lists(st.integers())},
    ).filter(bool)
)


@given(LOGS, st.booleans())
def test_every_log_is_taken_once_and_in_order(logs: list[dict[str, Any]], is_ascii: bool) -> None:
    body = json.dumps(logs, ensure_ascii=is_ascii)

    received = read(Posted(body.encode(errors="replace"), "application/json", parameters={"service": "s"}))

    assert [{"ddsource": "", **json.loads(piece.value)} for piece in received.pieces] == [
        {"service": "s", "ddsource": "", **log} for log in json.loads(body.encode(errors="replace"))
    ]


@given(
    st.binary() | st.lists(st.sampled_from(PARTS)).map(b"".join),
    st.sampled_from(["", "application/json", "text/plain"]),
)
def test_any_bytes_are_logs_or_are_refused(body: bytes, media_type: str) -> None:
    try:
        received = read(Posted(body, media_type))
    except (Unreadable, TooManyEvents):
        return
    assert all(b"\n" not in piece.value or piece.form for piece in received.pieces)
