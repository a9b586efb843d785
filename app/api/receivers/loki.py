"""POST /loki/api/v1/push: Loki's protocol, for Promtail, Grafana Alloy, Vector, Fluent Bit and loggers.

https://grafana.com/docs/loki/latest/reference/loki-http-api/#ingest-logs
"""

from collections.abc import Iterator
from typing import Final

from flask import Response
from pydantic import BaseModel

from app.access.principal import Right
from app.api.body import DECODERS, Body
from app.api.endpoint import Endpoint, Request, Success
from app.api.error_responses import ErrorShape
from app.api.problems import Problem
from app.api.receivers.receiver import MAY_FAIL, Receiver
from app.api.request_head import RequestHead
from app.api.request_parameters import AnyParameters
from app.receive import loki
from app.receive.received import Sent

NAME: Final = "loki"
_PATHS: Final = {
    "/loki/api/v1/push": "push_loki",
    "/api/prom/push": "push_loki_old",
}
_SHOWN: Final = 10
_ENCODINGS: Final = {**DECODERS, "snappy": iter}
"""Some clients name the encoding of the block; the protocol has it without."""


def endpoints(receiver: Receiver, max_body_bytes: int) -> Iterator[Endpoint[AnyParameters]]:
    """The endpoint, at each of its paths."""

    def handle(request: Request[AnyParameters]) -> BaseModel | Response | None:
        """Store streams: protobuf in a block of snappy, or JSON."""
        return receiver.take(NAME, request, loki.read, _response)

    types = dict.fromkeys(("application/x-protobuf", loki.JSON, "*/*"))
    for path, name in _PATHS.items():
        yield Endpoint(
            path=path,
            methods=("POST",),
            operation_id=name,
            summary="Send logs as to Loki",
            tags=("send",),
            parameters=AnyParameters,
            body=Body(types, max_body_bytes, decoders=_ENCODINGS, unpack=_unpacked),
            handle=handle,
            success=Success("Kafka has all entries on all in-sync replicas.", status=204),
            problems=MAY_FAIL,
            errors=_TEXT_ERRORS,
            right=Right.INGEST,
        )


def _unpacked(head: RequestHead, body: bytes, max_bytes: int) -> bytes:
    return loki.unpacked(head.media_type, body, max_bytes)


def _response(sent: Sent) -> Response | None:
    """None, unless some entries are refused: then a 400, as from Loki, which has stored the others too."""
    if not sent.refused:
        return None
    reasons = [f"entry {number + 1}: {reason}" for number, reason in sent.refused.items()]
    more = ["..."] if len(reasons) > _SHOWN else []
    text = f"{len(reasons)} entries are refused, {sent.stored} are stored: {'; '.join([*reasons[:_SHOWN], *more])}"
    return _text(text, 400)


def _render(problem: Problem, head: RequestHead) -> Response:
    response = _text(problem.message, problem.status)
    response.headers.extend(problem.headers)
    return response


def _text(text: str, status: int) -> Response:
    return Response(text + "\n", status, content_type="text/plain; charset=utf-8")


_TEXT_ERRORS: Final = ErrorShape({"text/plain": None}, _render)
