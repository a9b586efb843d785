"""Datadog's intake of logs: /api/v2/logs, /v1/input of older clients, and whether a key counts, as the agent asks."""

import json
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final

from flask import Response
from msgspec.structs import replace
from pydantic import BaseModel, Field

from app.access.principal import Right
from app.api.body import Body
from app.api.credentials import secrets_in
from app.api.endpoint import Endpoint, Request, Success
from app.api.error_responses import ErrorShape
from app.api.problems import Problem
from app.api.receivers.receiver import MAY_FAIL, Receiver
from app.api.request_head import RequestHead
from app.api.request_parameters import AnyParameters
from app.receive import datadog
from app.receive.received import Sent

NAME: Final = "datadog"
_TAGS: Final = ("send",)

_STATUSES: Final[Mapping[int, int]] = {415: 400, 422: 400}
"""The agent sends again for ever what gets a status that Datadog has not."""


class Taken(BaseModel):
    """Kafka has the logs on all in-sync replicas."""


class IntakeError(BaseModel):
    """What was wrong."""

    detail: str
    status: str
    title: str


class IntakeErrors(BaseModel):
    """Datadog's errors."""

    errors: list[IntakeError]


class InputError(BaseModel):
    """Datadog's error of older clients."""

    code: int
    message: str


class Validity(BaseModel):
    """The key is valid."""

    valid: bool = Field(description="Always true: another key gets 403.")


class Reasons(BaseModel):
    """Why the key is not valid."""

    errors: list[str]


def endpoints(receiver: Receiver, max_body_bytes: int) -> Iterator[Endpoint[Any]]:
    """The endpoints."""
    logs: Endpoint[AnyParameters] = Endpoint(
        path="/logs",
        prefix="/api/v2",
        methods=("POST",),
        operation_id="send_datadog_logs",
        summary="Send logs to Datadog's intake",
        tags=_TAGS,
        parameters=AnyParameters,
        body=Body({"*/*": None}, max_body_bytes),
        handle=_takes(receiver, 202, _errors),
        success=Success("Kafka has the logs on all in-sync replicas.", {"application/json": Taken}, 202),
        problems=MAY_FAIL,
        errors=ErrorShape({"application/json": IntakeErrors}, _shaped(_errors)),
        right=Right.INGEST,
    )
    yield logs
    yield replace(
        logs,
        path="/input",
        prefix="/v1",
        operation_id="send_datadog_input",
        summary="Send logs to Datadog's former intake",
        handle=_takes(receiver, 200, _error),
        success=replace(logs.success, status=200),
        errors=ErrorShape({"application/json": InputError}, _shaped(_error)),
    )
    yield Endpoint(
        path="/api/v1/validate",  # whole: the prefix is that of the service's own API
        operation_id="validate_datadog_key",
        summary="Whether a key may send logs",
        tags=_TAGS,
        parameters=AnyParameters,
        handle=_validity,
        success=Success.of_json(Validity),
        errors=ErrorShape({"application/json": Reasons}, _shaped(lambda status, detail: {"errors": [_title(status)]})),
        right=Right.INGEST,
    )


_Render = Callable[[int, str], Mapping[str, object]]
"""Renders an error by its status and a sentence."""


def _takes(
    receiver: Receiver, status: int, render: _Render
) -> Callable[[Request[AnyParameters]], BaseModel | Response | None]:
    def respond(sent: Sent) -> Response:
        if not sent.refused:
            return _json({}, status)
        number, reason = next(iter(sent.refused.items()))
        detail = f"Log {number} (from 0) is {reason}; so many are not stored: {len(sent.refused)}. All others are."
        return _json(render(413, detail), 413)

    def handle(request: Request[AnyParameters]) -> BaseModel | Response | None:
        """Store logs: a JSON object, an array of objects, or lines."""
        return receiver.take(NAME, request, datadog.read, respond)

    return handle


def _validity(request: Request[AnyParameters]) -> Validity:
    """Say that the key is valid."""
    return Validity(valid=True)


def _errors(status: int, detail: str) -> Mapping[str, object]:
    return {"errors": [{"detail": detail, "status": str(status), "title": _title(status)}]}


def _error(status: int, detail: str) -> Mapping[str, object]:
    return {"code": status, "message": detail}


def _title(status: int) -> str:
    return HTTPStatus(status).phrase


def _shaped(render: _Render) -> Callable[[Problem, RequestHead], Response]:
    def shape(problem: Problem, head: RequestHead) -> Response:
        status = _STATUSES.get(problem.status, problem.status)
        if status == 401 and any(secrets_in(head.headers)):
            status = 403  # as Datadog answers a key that it does not know
        response = _json(render(status, problem.message), status)
        response.headers.extend(problem.headers)
        return response

    return shape


def _json(content: Mapping[str, object], status: int) -> Response:
    return Response(json.dumps(content), status, content_type="application/json")
