"""POST /api/v1/logs: the service's own protocol."""

from flask import Response
from pydantic import BaseModel, Field

from app.access.principal import Right
from app.api.body import Body
from app.api.endpoint import Endpoint, Request, Success
from app.api.receivers.receiver import MAY_FAIL, Receiver
from app.api.request_parameters import AnyParameters
from app.receive import json_logs
from app.receive.received import Sent

NAME = "json"
_MOST_PROBLEMS = 100


class ProblemOfEvent(BaseModel):
    """What was wrong with one event."""

    line: int = Field(description="Number of the object or line in the body, from 1, without blank lines.")
    reason: str = Field(description="What was wrong, and whether it was stored all the same.")


class SentResponse(BaseModel):
    """Kafka has the events on all in-sync replicas: they will be found a moment later."""

    stored: int = Field(description="How many events are in Kafka.")
    refused: int = Field(description="How many are not, and never will be as they are.")
    problems: list[ProblemOfEvent] = Field(description=f"What was wrong with them: the first {_MOST_PROBLEMS}.")


def endpoint(receiver: Receiver, max_body_bytes: int) -> Endpoint[AnyParameters]:
    """The endpoint."""

    def handle(request: Request[AnyParameters]) -> BaseModel | Response | None:
        """Store logs: a JSON object, an array of objects, JSON lines, or lines of plain text (Content-Type:
        text/plain)."""
        return receiver.take(NAME, request, json_logs.read, _response)

    types = (json_logs.JSON, *json_logs.NDJSON, json_logs.TEXT, "application/x-www-form-urlencoded")
    return Endpoint(
        path="/logs",
        prefix="/api/v1",
        methods=("POST",),
        operation_id="send_logs",
        summary="Send logs",
        tags=("send",),
        parameters=AnyParameters,
        body=Body(dict.fromkeys(types), max_body_bytes),
        handle=handle,
        success=Success.of_json(SentResponse),
        problems=MAY_FAIL,
        right=Right.INGEST,
    )


def _response(sent: Sent) -> SentResponse:
    shown = [ProblemOfEvent(line=found.event + 1, reason=found.reason) for found in sent.problems[:_MOST_PROBLEMS]]
    return SentResponse(stored=sent.stored, refused=len(sent.refused), problems=shown)
