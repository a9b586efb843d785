"""OTLP/HTTP: POST /v1/logs, and what is answered to the other signals.

https://opentelemetry.io/docs/specs/otlp/#otlphttp
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Final

from flask import Response
from msgspec.structs import replace
from pydantic import BaseModel
from werkzeug.exceptions import NotFound

from app.access.principal import Right
from app.api.body import Body
from app.api.endpoint import Endpoint, Request, Success
from app.api.error_responses import ErrorShape
from app.api.problems import Problem
from app.api.receivers.receiver import MAY_FAIL, Receiver, json_response
from app.api.request_head import RequestHead
from app.api.request_parameters import AnyParameters
from app.domain.protobuf import bytes_field, number_field
from app.receive import otlp
from app.receive.received import Sent

NAME: Final = "otlp"
_PROTOBUF: Final = "application/x-protobuf"
_PROTOBUFS: Final = (_PROTOBUF, "application/protobuf", "application/vnd.google.protobuf")
_TYPES: Final[Mapping[str, type[BaseModel] | None]] = dict.fromkeys((_PROTOBUF, otlp.JSON))
_NOT_TAKEN: Final = (
    "Only logs are taken here, at /v1/logs: set the exporter of {signal} to none, or to another address."
)

# google.rpc.Code, by HTTP's statuses.
_CODES: Final[Mapping[int, int]] = {401: 16, 403: 7, 404: 5, 408: 4, 413: 8, 429: 8, 500: 13, 503: 14}
_INVALID_ARGUMENT: Final = 3


def endpoints(receiver: Receiver, max_body_bytes: int) -> Iterator[Endpoint[AnyParameters]]:
    """The endpoints; those of traces and metrics say that they are not taken."""

    def handle(request: Request[AnyParameters]) -> BaseModel | Response | None:
        """Store log records of OpenTelemetry's protocol. Those that cannot be stored are counted in the response."""
        return receiver.take(NAME, request, otlp.read, partial(_response, request.head))

    logs = Endpoint(
        path="/v1/logs",
        methods=("POST",),
        operation_id="send_otlp_logs",
        summary="Send logs as OTLP",
        tags=("send",),
        parameters=AnyParameters,
        body=Body({**_TYPES, **dict.fromkeys(_PROTOBUFS)}, max_body_bytes),
        handle=handle,
        success=Success("Kafka has the records on all in-sync replicas: ExportLogsServiceResponse.", _TYPES),
        problems=MAY_FAIL,
        errors=ERRORS,
        right=Right.INGEST,
    )
    yield logs
    for signal in ("traces", "metrics"):
        yield replace(
            logs,
            path=f"/v1/{signal}",
            operation_id=f"send_otlp_{signal}",
            summary=f"Not taken: {signal} as OTLP",
            handle=_not_taken(signal),
            problems={404: f"There is no place for {signal} here."},
        )


def _not_taken(signal: str) -> Callable[[Request[AnyParameters]], Response]:
    def handle(request: Request[AnyParameters]) -> Response:
        """SDKs and collectors send all signals to one address; this one is not taken."""
        raise NotFound(_NOT_TAKEN.format(signal=signal))

    return handle


def _response(head: RequestHead, sent: Sent) -> Response:
    """ExportLogsServiceResponse, with the number of records that cannot be stored and why not, if there are any."""
    refused = sent.refused
    reason = next((f"record {number + 1}: {reason}" for number, reason in refused.items()), "")
    if head.media_type == otlp.JSON:
        partial_success = {"rejectedLogRecords": str(len(refused)), "errorMessage": reason}
        return json_response({"partialSuccess": partial_success} if refused else {}, 200)
    message = number_field(1, len(refused)) + bytes_field(2, reason.encode())
    return Response(bytes_field(1, message) if refused else b"", content_type=_PROTOBUF)


def _error(problem: Problem, head: RequestHead) -> Response:
    """google.rpc.Status, as JSON to those who sent neither protobuf nor nothing."""
    code = _CODES.get(problem.status, _INVALID_ARGUMENT)
    if head.media_type in ("", *_PROTOBUFS):
        status = number_field(1, code) + bytes_field(2, problem.message.encode())
        response = Response(status, problem.status, content_type=_PROTOBUF)
    else:
        response = json_response({"code": code, "message": problem.message}, problem.status)
    response.headers.extend(problem.headers)
    return response


ERRORS: Final = ErrorShape(_TYPES, _error)
"""google.rpc.Status: a code, and a message for people."""
