"""What all receivers do with a request: read its events, send them, wait for Kafka, count."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from flask import Response
from flask import request as flask_request
from pydantic import BaseModel

from app.access.principal import ANONYMOUS
from app.api.endpoint import Request
from app.errors import Refused, TryAgainLater
from app.receive.receipts import receipt_of
from app.receive.received import Posted, Received, Sent

Read = Callable[[Posted], Received]
"""Reads a request; raises Unreadable."""

Respond = Callable[[Sent], BaseModel | Response | None]
"""The response once Kafka has every event that is not refused."""

MAY_FAIL: Final[Mapping[int, str]] = {
    400: "The body cannot be read; nothing was stored.",
    413: "The body is too large; nothing was stored.",
    429: "Too many concurrent requests; Retry-After says when to retry.",
    503: "Kafka has not acknowledged everything in time: some of it may be stored. Retry-After says when to retry.",
}


class Sends(Protocol):
    """See `app.receive.intake.Intake`."""

    def send(self, received: Received, receipt: Mapping[str, str], *, waited_secs: float = 0.0) -> Sent:
        """Send all events, and wait for Kafka."""


class CountsEvents(Protocol):
    """Counts what came in."""

    def received(self, receiver: str, size: int) -> None:
        """A request with a body of this many bytes."""

    def ended(self, receiver: str, outcome: str, events: int) -> None:
        """Events that were `stored`, `refused` or `failed`."""


class Receiver:
    """Takes requests of all protocols."""

    def __init__(self, intake: Sends, counts: CountsEvents) -> None:
        self._intake = intake
        self._counts = counts

    def take(self, name: str, request: Request[Any], read: Read, respond: Respond) -> BaseModel | Response | None:
        """Take a request of a protocol; the response is made when Kafka has its events.

        Raises:
            Unreadable: the body is not what the protocol prescribes.
            TryAgainLater, Refused: Kafka does not have all events.
        """
        self._counts.received(name, len(request.body))
        received = read(posted_of(request))
        principal = "" if request.principal.name == ANONYMOUS.name else request.principal.name
        head = request.head
        receipt = receipt_of(name, address=head.peer, request_id=head.request_id, token=principal)
        try:
            waited_secs = time.monotonic() - request.began_at
            sent = self._intake.send(received, receipt, waited_secs=waited_secs)
        except (TryAgainLater, Refused):
            self._counts.ended(name, "failed", received.count)
            raise
        self._counts.ended(name, "stored", sent.stored)
        self._counts.ended(name, "refused", len(sent.refused))
        return respond(sent)


def posted_of(request: Request[Any]) -> Posted:
    """What a receiver sees of a request."""
    head = request.head
    return Posted(request.body, head.media_type, head.charset, flask_request.args.to_dict(), dict(head.headers.items()))


def json_response(content: Mapping[str, object], status: int) -> Response:
    """JSON in the form of a protocol that is not the API's."""
    return Response(json.dumps(content, separators=(",", ":")), status, content_type="application/json")
