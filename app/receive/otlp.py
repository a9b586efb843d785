"""OTLP/HTTP, POST /v1/logs: an ExportLogsServiceRequest as protobuf, or as JSON (`otlp_json`). Pure.

https://opentelemetry.io/docs/specs/otlp/
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from app.domain import otlp
from app.domain.protobuf import BYTES, bytes_field, spans_of
from app.receive import otlp_json
from app.receive.received import MAX_EVENTS, OTLP, Piece, Posted, Received, TooManyEvents, Unreadable

JSON: Final = "application/json"

PIECE_BYTES: Final = 32 * 1024
"""Records of one scope stay together up to this size, with their resource and scope before them; see `packed`."""

_MAX_EMPTY: Final = 10_000
"""Resources and scopes without a log: they cost time and give nothing."""


def read(posted: Posted) -> Received:
    """The log records of a request; an empty one has none.

    Raises:
        Unreadable: it is not OTLP.
        TooManyEvents: it has too many records.
    """
    if posted.media_type == JSON or (not posted.media_type and posted.body.lstrip()[:1] == b"{"):
        return otlp_json.read(posted)
    try:
        return Received(OTLP, list(_pieces(posted.body)))
    except (ValueError, IndexError, otlp.DecodeError) as error:
        raise Unreadable("The body is not an ExportLogsServiceRequest of OTLP as protobuf.") from error


class _Message(NamedTuple):
    """A message in two parts: the fields of one list, where their values begin and end, and all the others as sent."""

    items: list[tuple[int, int]]
    rest: bytes


def _pieces(body: bytes) -> Iterator[Piece]:
    """Pieces of the request, each a request of its own that the parser takes.

    Nothing is written anew but the lengths around it, so that fields of later versions stay.
    """
    count = empty = 0
    for resource_span in _split(body, 0, len(body), otlp.RESOURCE_LOGS).items:
        scopes = _split(body, *resource_span, otlp.SCOPE_LOGS)
        for scope_span in scopes.items:
            records = _split(body, *scope_span, otlp.LOG_RECORDS)
            for run in _runs(records.items):
                value = b"".join(bytes_field(otlp.LOG_RECORDS, body[start:end]) for start, end in run)
                value = bytes_field(otlp.SCOPE_LOGS, records.rest + value)
                value = bytes_field(otlp.RESOURCE_LOGS, scopes.rest + value)
                otlp.Request.FromString(value)
                yield Piece(count, value, len(run))
                count += len(run)
                if count > MAX_EVENTS:
                    raise TooManyEvents
            empty += not records.items
        empty += not scopes.items
        if empty > _MAX_EMPTY:
            raise ValueError("no logs")


def _split(body: bytes, start: int, end: int, number: int) -> _Message:
    items: list[tuple[int, int]] = []
    rest = b""
    behind = start
    for found, kind, value_start, value_end in spans_of(body, start, end):
        if found == number and kind == BYTES:
            items.append((value_start, value_end))
            if len(items) > MAX_EVENTS:
                raise TooManyEvents
        else:
            rest += body[behind:value_end]
        behind = value_end
    return _Message(items, rest)


def _runs(spans: list[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    """Records that follow each other, as many as fit into a piece; a larger one is alone."""
    run: list[tuple[int, int]] = []
    size = 0
    for start, end in spans:
        if run and size + end - start > PIECE_BYTES:
            yield run
            run, size = [], 0
        run.append((start, end))
        size += end - start
    if run:
        yield run
