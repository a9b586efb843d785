"""The log of access: what it says about a request, and what it never says."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Response
from prometheus_client import CollectorRegistry
from pydantic import BaseModel, ConfigDict
from werkzeug.exceptions import TooManyRequests
from werkzeug.test import TestResponse

from app.access.principal import Principal, Right
from app.api.access_log import AccessLog
from app.api.app import create_app
from app.api.authentication import NotAllowed
from app.api.endpoint import Endpoint, Request
from app.api.request_head import RequestHead
from app.api.responses import ListResponse, Statistics
from app.health import Health
from app.logging_setup import ACCESS
from app.settings import AccessSettings
from tests.fakes import Clock

GRAFANA = Principal("grafana", frozenset({Right.READ}))
SECRET = "a log that is nobody's business"


class Lines(logging.Handler):
    """The fields of what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        assert SECRET not in str(record.__dict__)
        self.fields.append(record.__dict__["fields"]["access"])


@pytest.fixture
def lines() -> Iterator[Lines]:
    handler, logger = Lines(), logging.getLogger(ACCESS)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(logging.NOTSET)


class Parameters(BaseModel):
    """Those of the endpoint."""

    model_config = ConfigDict(extra="forbid")

    query: str = ""
    limit: int = 100
    cursor: str = ""


class Authenticator:
    """Knows one principal, who may read."""

    def authenticate(self, head: RequestHead, right: Right) -> Principal:
        if right is Right.ADMIN:
            raise NotAllowed(GRAFANA, right)
        return GRAFANA


class Site:
    """An application with an endpoint of each kind."""

    def __init__(self, log: str = "all", clock: Callable[[], float] = time.monotonic) -> None:
        self.pieces_made = 0
        routes = [
            self._endpoint("/rows", Right.READ, self._rows),
            self._endpoint("/stream", Right.READ, self._stream),
            self._endpoint("/busy", Right.READ, self._busy),
            self._endpoint("/admin", Right.ADMIN, self._rows),
            self._endpoint("/login", Right.NONE, self._busy),
            self._endpoint("/open", Right.NONE, self._rows),
            self._endpoint("/session", Right.NONE, self._log_in),
        ]
        settings = AccessSettings.model_validate({"log": log})
        app = create_app(
            Health(),
            CollectorRegistry(),
            routes,
            authenticator=Authenticator(),
            access_log=AccessLog(settings, clock=clock),
        )
        self.client = app.test_client()

    def get(self, path: str, **headers: str) -> TestResponse:
        """The response, read to its end."""
        return self.client.get(path, buffered=True, headers=headers)

    def _endpoint(self, path: str, right: Right, handle: Any) -> Endpoint[Parameters]:
        return Endpoint(path=path, right=right, parameters=Parameters, handle=handle)

    def _rows(self, request: Request[Parameters]) -> ListResponse:
        statistics = Statistics(took_ms=0, rows_read=0, bytes_read=0)
        return ListResponse(rows=[{"message": SECRET}] * 3, complete=True, statistics=statistics)

    def _stream(self, request: Request[Parameters]) -> Response:
        def pieces() -> Iterator[str]:
            for _ in range(2):
                self.pieces_made += 1
                request.count_rows(5)
                yield SECRET

        return Response(pieces())

    def _log_in(self, request: Request[Parameters]) -> None:
        request.is_login_of(GRAFANA)
        if request.parameters.query:
            raise TooManyRequests(SECRET)

    def _busy(self, request: Request[Parameters]) -> ListResponse:
        raise TooManyRequests("Not now.")


def test_a_line_says_who_sent_which_query_and_how_it_ended(lines: Lines) -> None:
    headers = {"X-Forwarded-For": "1.2.3.4, 10.0.0.9", "Authorization": "Bearer top"}
    answer = Site().get("/rows?query=level:error&limit=5&cursor=abc", **headers)

    [fields] = lines.fields
    assert fields.pop("secs") >= 0
    assert fields == {
        "request_id": answer.headers["X-Request-Id"],
        "principal": "grafana",
        "address": "127.0.0.1",
        "forwarded_for": "10.0.0.9",
        "method": "GET",
        "operation": "rows",
        "query": "level:error",
        "limit": 5,
        "status": 200,
        "refused": False,
        "rows": 3,
        "bytes": len(answer.data),
    }


def test_a_stream_is_logged_when_it_has_ended(lines: Lines) -> None:
    answer = Site().client.get("/stream", buffered=False)
    assert next(answer.iter_encoded()) == SECRET.encode()
    assert lines.fields == []

    answer.get_data()
    answer.close()

    [fields] = lines.fields
    assert (fields["rows"], fields["bytes"], "interrupted" in fields) == (10, 2 * len(SECRET), False)


def test_a_stream_that_is_not_read_to_its_end_is_interrupted(lines: Lines) -> None:
    answer = Site().client.get("/stream", buffered=False)
    next(answer.iter_encoded())
    answer.close()

    [fields] = lines.fields
    assert (fields["rows"], fields["interrupted"]) == (5, True)


@pytest.mark.parametrize(
    ("path", "status", "named"),
    [
        ("/busy?query=x", 429, {"operation": "busy", "query": "x", "principal": "grafana"}),
        ("/rows?limt=5", 400, {"operation": "rows", "principal": "grafana"}),
        ("/admin?query=x", 403, {"operation": "admin", "principal": "grafana"}),
        ("/etc/passwd%0a2026 ERROR", 404, {"path": "/etc/passwd\n2026 ERROR", "principal": "-"}),
        ("/rows?query=%ff", 400, {"path": "/rows", "principal": "-"}),
        ("/login?query=password", 429, {"operation": "login"}),
    ],
)
@pytest.mark.parametrize("log", ["all", "refused", "0.000001"])
def test_what_is_refused_is_logged_with_the_id_of_its_error(
    lines: Lines, log: str, path: str, status: int, named: dict[str, object]
) -> None:
    answer = Site(log).get(path)

    [fields] = lines.fields
    assert answer.json is not None
    assert answer.json["error"]["request_id"] == answer.headers["X-Request-Id"] == fields["request_id"]
    assert (fields["status"], fields["refused"]) == (status, True)
    assert fields.get("reason") == (None if path.startswith("/login") else answer.json["error"]["message"])
    assert {name: fields.get(name) for name in ("operation", "path", "query", "principal") if name in fields} == {
        "principal": "grafana",
        **named,
    }


@pytest.mark.parametrize("query", ["", "?query=fails"])
@pytest.mark.parametrize("log", ["all", "0.000001"])
def test_a_login_is_logged_with_the_name_of_its_token(lines: Lines, log: str, query: str) -> None:
    answer = Site(log).get(f"/session{query}")

    [fields] = lines.fields
    assert (fields["operation"], fields["principal"], fields["status"]) == ("session", "grafana", answer.status_code)
    assert fields["refused"] is bool(query)


def test_of_many_refusals_some_are_logged_and_the_others_counted(lines: Lines) -> None:
    clock = Clock()
    site = Site(clock=clock)
    for _ in range(50):
        site.get("/admin")
    site.get("/rows")
    clock.advance(61)
    site.get("/live")

    *refused, other, summary = lines.fields
    assert [fields["status"] for fields in refused] == [403] * 20
    assert (other["status"], summary) == (200, {"left_out": 30})


def test_another_site_is_logged(lines: Lines) -> None:
    Site().get("/rows", Host="evil.example.org")

    assert lines.fields[0]["status"] == 421


@pytest.mark.parametrize(("log", "path"), [("refused", "/rows"), ("all", "/live"), ("all", "/open"), ("off", "/busy")])
def test_what_nobody_wants_to_see_is_not_logged(lines: Lines, log: str, path: str) -> None:
    answer = Site(log).get(path)

    assert lines.fields == []
    assert len(answer.headers["X-Request-Id"]) == 16


def test_a_share_of_requests_is_logged(lines: Lines) -> None:
    site = Site("0.5")

    for _ in range(200):
        site.get("/rows")

    assert 40 < len(lines.fields) < 160  # else with a probability of less than 1e-16


def test_long_texts_are_cut(lines: Lines) -> None:
    Site().get("/rows?query=" + "x" * 5_000)

    assert lines.fields[0]["query"] == "x" * 1_000


def test_ids_of_requests_differ_and_those_of_clients_do_not_count(lines: Lines) -> None:
    site = Site()

    ids = {site.get("/rows", **{"X-Request-Id": "mine"}).headers["X-Request-Id"] for _ in range(5)}

    assert len(ids) == 5
    assert "mine" not in ids


@pytest.mark.parametrize("wrong", ["yes", "0", "1.5", "nan"])
def test_an_unknown_setting_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="must be all, refused, off, or a share of more than 0 and at most 1"):
        AccessSettings.model_validate({"log": wrong})
