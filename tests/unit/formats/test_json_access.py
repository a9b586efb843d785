"""Access logs as JSON: which events have the level of their HTTP status."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.domain.event_time import EventTimeBounds
from app.domain.records import Partition, RecordChunk
from app.formats.reading import DEFAULT_RULES, ReadingRules
from app.pipeline.decode import decode

BOUNDS = EventTimeBounds.of_retention(30)


def level_of(event: dict[str, Any], rules: ReadingRules = DEFAULT_RULES) -> str:
    value = json.dumps(event).encode()
    chunk = RecordChunk(Partition("logs", 0), "id", [0], [1_795_960_800_000], [value], [()], 1)
    [level] = decode(chunk, BOUNDS, rules).rows["SeverityText"].to_pylist()
    return str(level)


ACCESS: dict[str, dict[str, Any]] = {
    "nginx": {
        "time_iso8601": "2026-11-29T10:15:01+00:00",
        "remote_addr": "192.0.2.7",
        "request": "GET /pay HTTP/1.1",
        "status": "{}",
    },
    "nginx, in parts": {"request_method": "GET", "request_uri": "/pay", "status": "{}", "body_bytes_sent": "5"},
    "Apache": {"client": "192.0.2.7", "method": "POST", "path": "/pay", "status": "{}", "message": "POST /pay"},
    "Envoy": {"method": "GET", "path": "/pay", "response_code": "{}", "response_flags": "-", "protocol": "HTTP/1.1"},
    "Traefik": {"DownstreamStatus": "{}", "RequestMethod": "GET", "RequestPath": "/pay", "ServiceName": "pay@docker"},
    "ALB": {"type": "https", "elb_status_code": "{}", "request_verb": "GET", "request_url": "https://x/"},
    "IIS": {"cs-method": "GET", "cs-uri-stem": "/pay", "sc-status": "{}", "c-ip": "192.0.2.7"},
    "API Gateway": {"httpMethod": "GET", "resourcePath": "/pay", "status": "{}", "ip": "192.0.2.7"},
    "Cloudflare": {"ClientRequestMethod": "GET", "ClientRequestURI": "/pay", "EdgeResponseStatus": "{}"},
    "ECS": {"http": {"request": {"method": "GET"}, "response": {"status_code": "{}"}}, "url": {"path": "/pay"}},
    "pino-http without level": {"msg": "request completed", "req": {"method": "GET"}, "res": {"statusCode": "{}"}},
    "Docker": {"log": '{"request":"GET / HTTP/1.1","status":"{}"}\n', "stream": "stdout", "container_id": "c"},
}


def with_status(event: dict[str, Any], status: int, *, as_text: bool) -> dict[str, Any]:
    text = json.dumps(event).replace('"{}"', f'"{status}"' if as_text else str(status))
    return dict(json.loads(text.replace(r"\"{}\"", str(status))))


@pytest.mark.parametrize("name", ACCESS)
@pytest.mark.parametrize("as_text", [True, False])
def test_the_status_of_an_access_log_is_its_level(name: str, as_text: bool) -> None:
    levels = [level_of(with_status(ACCESS[name], status, as_text=as_text)) for status in (200, 302, 404, 503)]

    assert levels == ["INFO", "INFO", "WARN", "ERROR"]
    off = ReadingRules(levels_from_status=False)
    assert level_of(with_status(ACCESS[name], 503, as_text=as_text), off) == ""


@pytest.mark.parametrize(
    "event",
    [
        {"message": "order", "status": 500},
        {"message": "job", "status": 404, "path": "/var/spool/x"},
        {"message": "job", "status": "active", "method": "GET"},
        {"message": "rpc", "status": 14, "method": "GET"},
        {"message": "pay", "status": 500, "method": "card"},
        {"message": "read", "code": 404, "request": "r-17"},
        {"message": "read", "status": 404.5, "method": "GET"},
        {"message": "read", "status": {"a": 404}, "method": "GET"},
        {"message": "read", "status": True, "method": "GET"},
        {"message": "read", "status": 10**30, "method": "GET"},
    ],
)
def test_a_status_of_anything_else_is_no_level(event: dict[str, Any]) -> None:
    assert level_of(event) == ""


def test_a_level_of_its_own_counts_before_the_status() -> None:
    assert (
        level_of({"level": "info", "message": "handled request", "method": "GET", "uri": "/", "status": 503}) == "INFO"
    )
    assert level_of({"level": "", "message": "handled request", "method": "GET", "uri": "/", "status": 503}) == "ERROR"
    nested = {"level": "info", "msg": "x", "req": {"method": "GET", "url": "/"}, "res": {"statusCode": 503}}
    assert level_of(nested) == "INFO"
