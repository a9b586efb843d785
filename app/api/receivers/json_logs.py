"""POST /api/v1/logs: the service's own protocol."""

from typing import Literal

from flask import Response
from msgspec.structs import replace
from pydantic import BaseModel, ConfigDict, Field, RootModel

from app.access.principal import Right
from app.api.body import Body
from app.api.endpoint import Endpoint, Request, Success
from app.api.query_routes import PREFIX
from app.api.receivers.receiver import MAY_FAIL, Receiver
from app.domain.times import zone_named
from app.query.errors import BadParameter
from app.receive import json_logs
from app.receive.received import Posted, Received, Sent

NAME = "json"
_MOST_PROBLEMS = 100


class SendParameters(BaseModel):
    """What counts for events that do not say it themselves, and how lines are read."""

    model_config = ConfigDict(extra="forbid")

    service: str = Field("", max_length=256, description="Their service.")
    host: str = Field("", max_length=256, description="Their host.")
    timezone: str = Field("", max_length=64, description="The zone of times that state none, such as `Europe/Berlin`.")
    multiline: Literal["on", "off"] = Field(
        "on", description="Of text/plain: whether the lines of a stack trace are one event, or one each."
    )

    @property
    def given(self) -> dict[str, str]:
        """The headers of records that say so.

        Raises:
            BadParameter: there is no such time zone.
        """
        if self.timezone and zone_named(self.timezone) is None:
            raise BadParameter("timezone", f"timezone={self.timezone} is no time zone, as Europe/Berlin is")
        headers = {"service.name": self.service, "host.name": self.host, "timezone": self.timezone}
        return {name: text for name, text in headers.items() if text}


class SentEvent(BaseModel):
    """A log. All fields are optional, many other names are understood, and any others may be there."""

    model_config = ConfigDict(extra="allow")

    timestamp: str = Field("", description="When it happened, such as 2026-11-23T10:15:30.123Z.")
    level: str = Field("", description="Its level, such as ERROR.")
    service: str = Field("", description="The service that wrote it.")
    message: str = Field("", description="What it says.")


class Events(RootModel[SentEvent | list[SentEvent]]):
    """One log or several."""


class ProblemOfEvent(BaseModel):
    """What was wrong with one event."""

    event: int = Field(description="Its number in the body, from 1.")
    reason: str = Field(description="What was wrong, and whether it was stored all the same.")


class SentResponse(BaseModel):
    """Kafka has the events on all in-sync replicas: they will be found a moment later."""

    stored: int = Field(description="How many events are in Kafka.")
    refused: int = Field(description="How many are not, and never will be as they are.")
    problems: list[ProblemOfEvent] = Field(description=f"What was wrong with them: the first {_MOST_PROBLEMS}.")


def endpoint(receiver: Receiver, max_body_bytes: int) -> Endpoint[SendParameters]:
    """The endpoint."""

    def handle(request: Request[SendParameters]) -> BaseModel | Response | None:
        """Store logs: a JSON object, an array of objects, JSON lines, or lines of plain text (Content-Type:
        text/plain)."""
        parameters = request.parameters

        def read(posted: Posted) -> Received:
            received = json_logs.read(posted, joins_lines=parameters.multiline == "on")
            return replace(received, given=parameters.given)

        return receiver.take(NAME, request, read, _response)

    # Generators of clients know no other type with several events in it, and leave out the operation if they see some.
    others = (*json_logs.NDJSON, json_logs.PLAIN, json_logs.FORM)
    return Endpoint(
        path="/logs",
        prefix=PREFIX,
        methods=("POST",),
        operation_id="send_logs",
        summary="Send logs: JSON, or with other types NDJSON and lines of text",
        tags=("send",),
        parameters=SendParameters,
        body=Body({json_logs.JSON: Events}, max_body_bytes, also=others),
        handle=handle,
        success=Success.of_json(SentResponse),
        problems=MAY_FAIL,
        right=Right.INGEST,
    )


def _response(sent: Sent) -> SentResponse:
    shown = [ProblemOfEvent(event=found.event + 1, reason=found.reason) for found in sent.problems[:_MOST_PROBLEMS]]
    return SentResponse(stored=sent.stored, refused=len(sent.refused), problems=shown)
