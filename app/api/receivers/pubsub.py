"""POST /pubsub/push: what subscriptions of Google Pub/Sub push."""

from typing import Final

from flask import Response
from pydantic import BaseModel
from werkzeug.exceptions import RequestEntityTooLarge

from app.access.principal import Right
from app.api.body import Body
from app.api.endpoint import Endpoint, Request, Success
from app.api.receivers.receiver import MAY_FAIL, Receiver
from app.api.request_parameters import AnyParameters
from app.receive import pubsub
from app.receive.received import Sent

NAME: Final = "pubsub"


def endpoint(receiver: Receiver, max_body_bytes: int) -> Endpoint[AnyParameters]:
    """The endpoint."""

    def handle(request: Request[AnyParameters]) -> BaseModel | Response | None:
        """Store a message, wrapped or not."""
        return receiver.take(NAME, request, pubsub.read, _acknowledge)

    return Endpoint(
        path="/push",
        prefix="/pubsub",
        methods=("POST",),
        operation_id="push_pubsub_message",
        summary="Push a message of Pub/Sub",
        tags=("send",),
        parameters=AnyParameters,
        body=Body({"*/*": None}, max_body_bytes),
        handle=handle,
        success=Success("Kafka has the message on all in-sync replicas.", status=204),
        problems=MAY_FAIL,
        right=Right.INGEST,
    )


def _acknowledge(sent: Sent) -> None:
    """Nothing, which acknowledges the message; one that is not stored must not be."""
    if sent.refused:
        raise RequestEntityTooLarge(f"The message is {next(iter(sent.refused.values()))}.")
