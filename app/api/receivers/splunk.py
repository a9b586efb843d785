"""Splunk's HTTP event collector (HEC) at /services/collector."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final

from flask import Response
from flask import request as flask_request
from msgspec.structs import replace
from pydantic import BaseModel, Field

from app.access.principal import Right
from app.api.body import Body
from app.api.credentials import secrets_in
from app.api.endpoint import Endpoint, Request, Success
from app.api.error_responses import ErrorShape
from app.api.problems import Problem
from app.api.receivers.receiver import MAY_FAIL, Receiver, json_response, posted_of
from app.api.request_head import RequestHead
from app.api.request_parameters import AnyParameters
from app.receive import splunk
from app.receive.received import Sent

NAME: Final = "splunk"
_PATH: Final = "/services/collector"
_SUCCESS: Final = "Success"
_TOKEN_REQUIRED, _NO_AUTHORIZATION, _INVALID_TOKEN = "Token is required", "Invalid authorization", "Invalid token"
_SERVER_ERROR, _BUSY, _TOO_LARGE = "Internal server error", "Server is busy", "Request entity too large"
_IN_URL: Final = "Query string authorization is not enabled"
_HEALTHY, _UNHEALTHY = "HEC is healthy", "HEC is unhealthy, queues are full"

_CODES: Final[Mapping[str, tuple[int, int]]] = {
    _SUCCESS: (200, 0),
    _TOKEN_REQUIRED: (401, 2),
    _NO_AUTHORIZATION: (401, 3),
    _INVALID_TOKEN: (403, 4),
    splunk.NO_DATA: (400, 5),
    splunk.INVALID: (400, 6),
    _SERVER_ERROR: (500, 8),
    _BUSY: (503, 9),
    splunk.NO_CHANNEL: (400, 10),
    splunk.INVALID_CHANNEL: (400, 11),
    splunk.NO_EVENT: (400, 12),
    splunk.BLANK_EVENT: (400, 13),
    _IN_URL: (400, 16),
    _HEALTHY: (200, 17),
    _UNHEALTHY: (503, 18),
    _TOO_LARGE: (413, 27),
}
"""Status and code of each text. Splunk has 429 only for full queues; its clients know 503 and code 9 better."""
_TEXTS: Final[Mapping[int, str]] = {413: _TOO_LARGE, 422: splunk.INVALID, 429: _BUSY, 500: _SERVER_ERROR, 503: _BUSY}


class HecResponse(BaseModel):
    """Splunk's response: code 0 means that Kafka has the events on all in-sync replicas."""

    text: str = Field(description="Splunk's text for the code.")
    code: int = Field(description="Splunk's code.")
    ackId: int | None = Field(None, description="Id to ask about, if the request has a channel.")  # noqa: N815


class AcksResponse(BaseModel):
    """For each id, whether its events are stored."""

    acks: dict[str, bool]


def endpoints(receiver: Receiver, max_body_bytes: int, is_ready: Callable[[], bool]) -> Iterator[Endpoint[Any]]:
    """The endpoints; `is_ready` says whether Kafka can be reached."""

    def handle_events(request: Request[AnyParameters]) -> BaseModel | Response | None:
        """Store events: JSON objects behind each other, or in an array."""
        return receiver.take(NAME, request, splunk.read_events, partial(_response, request))

    def handle_raw(request: Request[AnyParameters]) -> BaseModel | Response | None:
        """Store lines of text."""
        return receiver.take(NAME, request, splunk.read_raw, partial(_response, request))

    sends: Endpoint[AnyParameters] = Endpoint(
        path="",
        prefix=_PATH,
        methods=("POST",),
        operation_id="send_splunk_events",
        summary="Send events to Splunk's collector",
        tags=("send",),
        parameters=AnyParameters,
        body=Body({"*/*": None}, max_body_bytes),
        handle=handle_events,
        success=Success.of_json(HecResponse),
        problems=MAY_FAIL,
        errors=ERRORS,
        right=Right.INGEST,
    )
    raw = replace(sends, summary="Send lines to Splunk's collector", handle=handle_raw)
    acks = replace(
        sends,
        summary="Ask whether events are stored",
        handle=_acks,
        success=Success.of_json(AcksResponse),
    )
    health = replace(
        sends,
        methods=("GET",),
        summary="Whether Splunk's collector takes events",
        body=None,
        handle=lambda _: _written(_HEALTHY if is_ready() else _UNHEALTHY),
        right=Right.NONE,
    )
    yield from _at(sends, "send_splunk_events", "", "/event", "/event/1.0")
    yield from _at(raw, "send_splunk_raw", "/raw", "/raw/1.0")
    yield from _at(acks, "ask_splunk_ack", "/ack", "/ack/1.0")
    yield from _at(health, "splunk_health", "/health", "/health/1.0")


def _at(endpoint: Endpoint[Any], name: str, *paths: str) -> Iterator[Endpoint[Any]]:
    """The endpoint at several paths, each with a name of its own."""
    for number, path in enumerate(paths, start=1):
        yield replace(endpoint, path=path, operation_id=name if number == 1 else f"{name}_{number}")


def _response(request: Request[Any], sent: Sent) -> Response:
    """Success, or what is wrong with the first event that is not stored."""
    if not sent.refused:
        channel = splunk.channel_of(posted_of(request))
        return _written(_SUCCESS, {"ackId": splunk.new_ack_id(channel)} if channel else {})
    number, reason = next(iter(sent.refused.items()))
    text = reason if reason in _CODES else _TOO_LARGE
    detail = {} if text == reason else {"detail": reason}
    return _written(text, {"invalid-event-number": number, **detail})


def _acks(request: Request[AnyParameters]) -> Response:
    """Say which events are stored, by the ids of their requests."""
    return json_response({"acks": dict(splunk.read_acks(posted_of(request)))}, 200)


def _written(text: str, more: Mapping[str, object] | None = None) -> Response:
    status, code = _CODES[text]
    return json_response({"text": text, "code": code, **(more or {})}, status)


def _error(problem: Problem, head: RequestHead) -> Response:
    text = _text_of(problem, head)
    response = _written(text, {} if problem.message == text else {"detail": problem.message})
    if problem.status in (405, 408, 415):  # statuses that Splunk has no code for
        response.status_code = problem.status
    response.headers.extend(problem.headers)
    return response


def _text_of(problem: Problem, head: RequestHead) -> str:
    if problem.message in _CODES:
        return problem.message
    if problem.status == 403:
        return _INVALID_TOKEN
    if problem.status != 401:
        return _TEXTS.get(problem.status, splunk.INVALID)
    if any(secrets_in(head.headers)):
        return _INVALID_TOKEN
    if head.headers.get("Authorization"):
        return _NO_AUTHORIZATION
    return _IN_URL if "token" in flask_request.args else _TOKEN_REQUIRED


ERRORS: Final = ErrorShape({"application/json": HecResponse}, _error)
"""{"text": ..., "code": ..., "detail": why}; the detail is not Splunk's."""
