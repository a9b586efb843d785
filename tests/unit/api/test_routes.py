"""Endpoints of every kind are descriptions: receivers of other protocols, and a login, declared here as future ones
will be."""

from __future__ import annotations

import gzip
import io
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient
from prometheus_client import CollectorRegistry
from pydantic import BaseModel, ConfigDict
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import BadRequest, Forbidden, Unauthorized

from app.access.principal import ANONYMOUS, Principal, Right
from app.api.admission import Admission, QuerySlots, TooBusy
from app.api.authentication import Authenticator, NoAuthentication
from app.api.body import Body
from app.api.endpoint import Endpoint, Request, Success
from app.api.error_responses import ErrorShape
from app.api.openapi import openapi
from app.api.problems import Problem
from app.api.request_head import RequestHead
from app.api.request_parameters import AnyParameters
from app.api.routes import add_routes
from app.errors import TryAgainLater
from app.metrics import Metrics
from tests.support.openapi import require_valid

NO_AUTHENTICATION = NoAuthentication()


def client(*endpoints: Endpoint[Any], authenticator: Authenticator = NO_AUTHENTICATION) -> FlaskClient:
    app = Flask("test")
    add_routes(app, endpoints, authenticator)
    return app.test_client()


def never(request: Request[Any]) -> Response:
    raise AssertionError("the handler was called")


class Tokens:
    """Knows two tokens, of which one may only read."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, Right]] = []

    def authenticate(self, head: RequestHead, right: Right) -> Principal:
        self.requests.append((head.peer, right))
        scheme, _, token = head.headers.get("Authorization", "").partition(" ")
        if scheme not in ("Bearer", "Splunk") or token not in ("shipper", "reader"):
            raise Unauthorized("There is no valid token.", www_authenticate=WWWAuthenticate("bearer"))
        if right is Right.INGEST and token == "reader":
            raise Forbidden("The token may not send logs.")
        return Principal(token)


# OTLP over HTTP: errors have the media type of the request.


def otlp_error(problem: Problem, head: RequestHead) -> Response:
    kind = head.media_type or "application/x-protobuf"
    text = problem.message if kind == "application/x-protobuf" else f'{{"message":"{problem.message}"}}'
    response = Response(text, 503 if problem.status == 500 else problem.status, content_type=kind)
    response.headers.extend(problem.headers)
    return response


OTLP_TYPES: dict[str, type[BaseModel] | None] = {"application/x-protobuf": None, "application/json": None}


@dataclass
class Otlp:
    """A receiver that records requests."""

    got: list[Request[AnyParameters]] = field(default_factory=list)
    error: Exception | None = None

    def receive(self, request: Request[AnyParameters]) -> Response:
        self.got.append(request)
        if self.error:
            raise self.error
        return Response(b"", content_type=request.head.media_type or "application/x-protobuf")

    def endpoint(self, **more: Any) -> Endpoint[AnyParameters]:
        return Endpoint(
            path="/v1/logs",
            methods=("POST",),
            summary="Logs as OTLP",
            tags=("receivers",),
            parameters=AnyParameters,
            right=Right.INGEST,
            body=Body(OTLP_TYPES, max_bytes=100_000),
            handle=self.receive,
            success=Success("All logs are stored.", OTLP_TYPES),
            problems={400: "The body is not OTLP.", 413: "The body is too large."},
            errors=ErrorShape(OTLP_TYPES, otlp_error),
            **more,
        )


def test_a_receiver_gets_the_decompressed_body_and_answers_in_the_type_of_the_request() -> None:
    otlp = Otlp()

    answer = client(otlp.endpoint()).post(
        "/v1/logs?x=1",
        data=gzip.compress(b"\0\1" * 10_000),
        headers={"Content-Type": "application/x-protobuf", "Content-Encoding": "gzip"},
    )

    assert (answer.status_code, answer.content_type, answer.data) == (200, "application/x-protobuf", b"")
    [request] = otlp.got
    assert request.body == b"\0\1" * 10_000
    assert (request.head.method, request.head.path, request.head.peer) == ("POST", "/v1/logs", "127.0.0.1")
    assert request.principal == ANONYMOUS


def test_a_chunked_body_is_read_to_its_end() -> None:
    otlp = Otlp()
    environ = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    http = client(otlp.endpoint())

    small = http.post("/v1/logs", input_stream=io.BytesIO(b"x" * 99_999), environ_overrides=environ)
    large = http.post("/v1/logs", input_stream=io.BytesIO(b"x" * 100_001), environ_overrides=environ)

    assert (small.status_code, large.status_code) == (200, 413)
    assert [len(request.body) for request in otlp.got] == [99_999]


@pytest.mark.parametrize("kind", OTLP_TYPES)
@pytest.mark.parametrize(
    ("headers", "body", "error", "status", "words"),
    [
        (
            {"Content-Encoding": "gzip"},
            gzip.compress(b"0" * 100_001),
            None,
            413,
            "The body may have at most 100,000 bytes",
        ),
        ({"Content-Encoding": "br"}, b"", None, 415, "Content-Encoding is br"),
        ({"Content-Encoding": "gzip"}, b"no gzip", None, 400, "The body does not match"),
        ({}, b"", BadRequest("No OTLP."), 400, "No OTLP."),
        ({}, b"", TooBusy(3), 429, "Too many concurrent requests"),
        ({}, b"", TryAgainLater("Kafka does not answer", code="unreachable"), 503, "A system that this needs"),
        ({}, b"", ZeroDivisionError(), 503, "Internal error; the log of the service has details."),
    ],
    ids=["too large", "encoding", "no gzip", "bad request", "too busy", "try again later", "unforeseen"],
)
def test_every_error_has_the_shape_of_the_endpoint(
    kind: str,
    headers: dict[str, str],
    body: bytes,
    error: Exception | None,
    status: int,
    words: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    http = client(Otlp(error=error).endpoint())

    answer = http.post("/v1/logs", data=body, headers={"Content-Type": kind, **headers})

    assert (answer.status_code, answer.content_type) == (status, kind)
    assert answer.text.removeprefix('{"message":"').startswith(words)
    retry_after = "3" if status == 429 else "5" if isinstance(error, TryAgainLater) else None
    assert answer.headers.get("Retry-After") == retry_after
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * isinstance(error, ZeroDivisionError)


def test_a_method_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    answer = client(Otlp().endpoint()).get("/v1/logs")

    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == {"POST", "OPTIONS"}
    assert answer.json is not None
    assert answer.json["error"]["code"] == "method_not_allowed"


def test_options_name_the_methods_of_all_endpoints_of_a_path_and_need_no_right() -> None:
    reading = Endpoint(path="/v1/logs", parameters=AnyParameters, right=Right.READ, handle=never, headers={"X-A": "b"})

    answer = client(reading, Otlp().endpoint(), authenticator=Tokens()).options("/v1/logs")

    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "POST", "OPTIONS"}
    assert answer.headers["X-A"] == "b"


def test_an_endpoint_may_answer_options_itself() -> None:
    endpoint = Endpoint(
        path="/",
        methods=("OPTIONS",),
        parameters=AnyParameters,
        right=Right.NONE,
        handle=lambda request: None,
        success=Success(status=204),
    )

    assert client(endpoint).options("/").status_code == 204


# Authentication.


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 401), ({"Authorization": "Bearer x"}, 401), ({"Authorization": "Bearer reader"}, 403)],
)
def test_an_unauthorized_request_is_refused_in_the_format_of_the_endpoint_before_anything_is_read(
    headers: dict[str, str], status: int
) -> None:
    otlp, tokens = Otlp(), Tokens()
    http = client(otlp.endpoint(), authenticator=tokens)

    answer = http.post("/v1/logs", data=b"0" * 1_000_000, headers={"Content-Type": "application/json", **headers})

    assert (answer.status_code, answer.content_type) == (status, "application/json")
    assert answer.headers.get("WWW-Authenticate", "").startswith("Bearer" if status == 401 else "")
    assert tokens.requests == [("127.0.0.1", Right.INGEST)]
    assert otlp.got == []


def test_the_handler_is_given_the_principal() -> None:
    otlp = Otlp()

    client(otlp.endpoint(), authenticator=Tokens()).post("/v1/logs", headers={"Authorization": "Bearer shipper"})

    assert otlp.got[0].principal == Principal("shipper")


def test_an_endpoint_may_have_an_authenticator_of_its_own() -> None:
    of_application, of_endpoint = Tokens(), Tokens()

    client(Otlp().endpoint(authenticator=of_endpoint), authenticator=of_application).post("/v1/logs")

    assert (len(of_application.requests), len(of_endpoint.requests)) == (0, 1)


def test_every_endpoint_checks_its_right_with_the_authenticator_of_the_application() -> None:
    tokens = Tokens()
    endpoints: list[Endpoint[Any]] = [
        Endpoint(path=f"/{right.value}", parameters=AnyParameters, right=right, handle=never) for right in Right
    ]
    http = client(*endpoints, authenticator=tokens)

    for right in Right:
        assert http.get(f"/{right.value}").status_code == 401

    assert [right for _, right in tokens.requests] == list(Right)


# Other protocols.


def test_loki_is_answered_without_a_body() -> None:
    got: list[bytes] = []
    endpoint = Endpoint(
        path="/loki/api/v1/push",
        methods=("POST",),
        parameters=AnyParameters,
        right=Right.INGEST,
        body=Body(OTLP_TYPES, max_bytes=100),
        handle=lambda request: got.append(request.body),
        success=Success("Kafka has them.", status=204),
    )

    answer = client(endpoint).post("/loki/api/v1/push", data=b"snappy")

    assert (answer.status_code, answer.data, got) == (204, b"", [b"snappy"])
    assert "Content-Type" not in answer.headers


def test_splunk_has_codes_of_its_own() -> None:
    def splunk_error(problem: Problem, head: RequestHead) -> Response:
        codes = {"unauthorized": 2, "too_busy": 9}
        text = f'{{"text":"{problem.message}","code":{codes.get(problem.code, 8)}}}'
        return Response(text, problem.status, content_type="application/json")

    endpoint = Endpoint(
        path="/services/collector",
        methods=("POST",),
        parameters=AnyParameters,
        right=Right.INGEST,
        body=Body({"application/json": None, "*/*": None}, max_bytes=100),
        handle=lambda request: Response('{"text":"Success","code":0}', content_type="application/json"),
        errors=ErrorShape({"application/json": None}, splunk_error),
    )
    http = client(endpoint, authenticator=Tokens())

    refused = http.post("/services/collector", data={"as": "curl does"})
    taken = http.post("/services/collector", data={"as": "curl does"}, headers={"Authorization": "Splunk shipper"})

    assert (refused.status_code, refused.json) == (401, {"text": "There is no valid token.", "code": 2})
    assert (taken.status_code, taken.json) == (200, {"text": "Success", "code": 0})


class BulkParameters(BaseModel):
    """Clients send others too."""

    index: str = ""


class BulkAnswer(BaseModel):
    """An item for each document."""

    errors: bool
    items: list[str]


def bulk(path: str) -> Endpoint[BulkParameters]:
    return Endpoint(
        path=path,
        prefix="/elasticsearch",
        methods=("POST", "PUT"),
        parameters=BulkParameters,
        right=Right.INGEST,
        body=Body({"application/x-ndjson": None, "application/vnd.elasticsearch+x-ndjson": None}, max_bytes=1000),
        handle=lambda request: BulkAnswer(errors=False, items=[request.parameters.index, request.body.decode()]),
        success=Success.of_json(BulkAnswer),
        headers={"X-Elastic-Product": "Elasticsearch"},
    )


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize(("path", "index"), [("/_bulk", ""), ("/my-logs/_bulk", "my-logs")])
def test_elasticsearch_takes_two_methods_and_is_known_by_a_header(method: str, path: str, index: str) -> None:
    http = client(bulk("/_bulk"), bulk("/{index}/_bulk"))
    headers = {"Content-Type": "application/vnd.elasticsearch+x-ndjson; compatible-with=8"}

    answer = http.open(f"/elasticsearch{path}?filter_path=took", method=method, data=b"{}\n", headers=headers)
    refused = http.open(f"/elasticsearch{path}", method=method, data=b"0" * 1001, headers=headers)

    assert (answer.status_code, answer.json) == (200, {"errors": False, "items": [index, "{}\n"]})
    assert refused.status_code == 413
    assert {one.headers["X-Elastic-Product"] for one in (answer, refused)} == {"Elasticsearch"}


class Cookies:
    """Authenticates by a cookie."""

    def authenticate(self, head: RequestHead, right: Right) -> Principal:
        if right is Right.NONE:
            return ANONYMOUS
        if "session=1" not in head.headers.get("Cookie", ""):
            raise Unauthorized
        return Principal("browser")


def to_login(problem: Problem, head: RequestHead) -> Response:
    return Response(status=303, headers={"Location": "/login"})


def sign_in(request: Request[AnyParameters]) -> Response:
    if parse_qs(request.body.decode())["token"] != ["right"]:
        raise Forbidden("The token is not known.")
    return Response(status=303, headers={"Location": "/", "Set-Cookie": "session=1; HttpOnly; SameSite=Lax"})


def test_a_login_is_a_form_that_sets_a_cookie() -> None:
    shared: dict[str, Any] = {"path": "/login", "parameters": AnyParameters, "right": Right.NONE}
    form = Body({"application/x-www-form-urlencoded": None}, max_bytes=1000)
    http = client(
        Endpoint(**shared, handle=lambda request: Response("<form method=post>")),
        Endpoint(**shared, methods=("POST",), body=form, handle=sign_in),
        Endpoint(
            path="/",
            parameters=AnyParameters,
            right=Right.READ,
            handle=lambda request: Response(request.principal.name),
            errors=ErrorShape({}, to_login),
        ),
        authenticator=Cookies(),
    )

    assert http.get("/").location == "/login"
    assert http.get("/login").text == "<form method=post>"
    assert http.post("/login", data={"token": "wrong"}).status_code == 403
    assert http.post("/login", data={"token": "right"}).location == "/"
    assert http.get("/").text == "browser"


# Common behaviour.


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")

    limit: int = 5


def test_parameters_that_are_not_known_are_refused_only_where_the_model_forbids_them() -> None:
    class Lenient(BaseModel):
        limit: int = 5

    http = client(
        Endpoint(path="/strict", parameters=Strict, right=Right.NONE, handle=lambda request: request.parameters),
        Endpoint(path="/lenient", parameters=Lenient, right=Right.NONE, handle=lambda request: request.parameters),
        Endpoint(
            path="/files/{limit}", parameters=Lenient, right=Right.NONE, handle=lambda request: request.parameters
        ),
    )

    assert http.get("/strict?x=1").status_code == 400
    assert http.get("/lenient?x=1&x=2&limit=7").json == {"limit": 7}
    assert http.get("/lenient?limit=7&limit=8").status_code == 400
    assert http.get("/files/9?limit=7").json == {"limit": 9}


def test_slots_are_taken_before_the_body_is_read_and_released_after_the_response() -> None:
    admission = Admission(1, wait_secs=0)
    running = Metrics(CollectorRegistry(), version="").query_running
    otlp = Otlp()
    http = client(otlp.endpoint(slots=(QuerySlots(admission, running),)))

    with admission.slot("another"):
        refused = http.post("/v1/logs", data=b"0" * 1_000_000, headers={"Content-Length": "1000000"})
    answers = [http.post("/v1/logs", data=b"{}").status_code for _ in range(2)]

    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
    assert answers == [200, 200]


def test_the_slots_that_are_named_first_are_taken_first() -> None:
    class Named:
        def __init__(self, name: str) -> None:
            self.name = name

        def hold(self, client: str, begin: Callable[[], Response]) -> Response:
            taken.append(self.name)
            return begin()

    taken: list[str] = []
    http = client(Otlp().endpoint(slots=(Named("of all"), Named("of streams"))))

    http.post("/v1/logs")

    assert taken == ["of all", "of streams"]


def test_each_response_is_observed_by_name_and_status() -> None:
    observed: list[tuple[str, int]] = []
    http = client(Otlp().endpoint(on_response=lambda name, status, secs: observed.append((name, status))))

    http.post("/v1/logs")
    http.post("/v1/logs", headers={"Content-Type": "text/html"})

    assert observed == [("post_v1_logs", 200), ("post_v1_logs", 415)]


def test_the_document_describes_endpoints_of_every_kind() -> None:
    document = openapi([Otlp().endpoint(), bulk("/_bulk"), bulk("/{index}/_bulk")])

    require_valid(document)
    post = document["paths"]["/v1/logs"]["post"]
    assert post["operationId"] == "post_v1_logs"
    assert post["tags"] == ["receivers"]
    assert post["requestBody"]["content"].keys() == OTLP_TYPES.keys()
    assert post["responses"]["413"]["content"].keys() == OTLP_TYPES.keys()
    operations = document["paths"]["/elasticsearch/_bulk"]
    assert {method: operation["operationId"] for method, operation in operations.items()} == {
        "post": "post_bulk",
        "put": "put_bulk",
    }
    answer = operations["put"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert answer == {"$ref": "#/components/schemas/BulkAnswer"}


def test_a_model_may_be_both_sent_and_received() -> None:
    class Note(BaseModel):
        text: str = ""

    endpoint = Endpoint(
        path="/notes",
        methods=("PUT",),
        parameters=AnyParameters,
        right=Right.ADMIN,
        body=Body({"application/json": Note}, max_bytes=100),
        handle=lambda request: Note.model_validate_json(request.body),
        success=Success.of_json(Note),
    )

    require_valid(openapi([endpoint]))
    assert client(endpoint).put("/notes", data=b'{"text":"a"}').json == {"text": "a"}
