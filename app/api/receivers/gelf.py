"""POST /gelf: Graylog's GELF over HTTP."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

from flask import Response
from pydantic import BaseModel
from werkzeug.exceptions import RequestEntityTooLarge

from app.access.principal import Right
from app.api.body import DECODERS, Body
from app.api.endpoint import Endpoint, Request, Success
from app.api.receivers.receiver import MAY_FAIL, Receiver
from app.api.request_parameters import AnyParameters
from app.receive import gelf
from app.receive.received import Sent

NAME: Final = "gelf"


def endpoint(receiver: Receiver, max_body_bytes: int) -> Endpoint[AnyParameters]:
    """The endpoint."""

    def handle(request: Request[AnyParameters]) -> BaseModel | Response | None:
        """Store GELF: a JSON object, or several, one a line."""
        return receiver.take(NAME, request, gelf.read, _accept)

    return Endpoint(
        path="/gelf",
        methods=("POST",),
        operation_id="send_gelf",
        summary="Send GELF",
        tags=("send",),
        parameters=AnyParameters,
        body=Body({"*/*": None}, max_body_bytes, decoders=_DECODERS),
        handle=handle,
        success=Success("Kafka has the events on all in-sync replicas.", status=202),
        problems=MAY_FAIL,
        right=Right.INGEST,
    )


def _accept(sent: Sent) -> None:
    if sent.refused:
        number, reason = next(iter(sent.refused.items()))
        count = len(sent.refused)
        raise RequestEntityTooLarge(f"Event {number + 1} is {reason}; so many are not stored: {count}. All others are.")


def _by_first_bytes(pieces: Iterator[bytes]) -> Iterable[bytes]:
    first = next(pieces, b"")
    encoding = "gzip" if first[:2] == b"\x1f\x8b" else "deflate" if first[:1] == b"\x78" else "identity"
    return DECODERS[encoding](chain([first], pieces))


_UNSURE: Final = ("gzip,deflate", "gzip, deflate")
"""pygelf names two encodings and uses one of them, or none: the first bytes say which."""
_DECODERS: Final = {**DECODERS, **dict.fromkeys(_UNSURE, _by_first_bytes)}
