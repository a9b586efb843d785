"""OTLP/HTTP, POST /v1/logs: an ExportLogsServiceRequest as protobuf, or as JSON (`otlp_json`). Pure.

https://opentelemetry.io/docs/specs/otlp/
"""

from collections.abc import Iterator
from typing import Final

from app.domain import otlp
from app.domain.protobuf import BYTES, bytes_field, spans_of
from app.receive import otlp_json
from app.receive.received import MAX_EVENTS, OTLP, Piece, Posted, Received, TooManyEvents, Unreadable

JSON: Final = "application/json"

PIECE_BYTES: Final = 32 * 1024
"""Records of one resource stay together up to this size; see `packed`."""

_MAX_RECORDS: Final = 1000
"""Of a piece, however small they are."""

_MAX_PARSED_BYTES: Final = 1024 * 1024
"""What is parsed takes up to thirty times its size in memory. A larger piece is one record that Kafka does not take by
default; where it does, the consumer parses it, and stores it as text if it cannot."""

_MAX_EMPTY: Final = 10_000
"""Resources without a log: they cost time and give nothing."""


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


def _pieces(body: bytes) -> Iterator[Piece]:
    """Pieces of the request, each a request of its own that was parsed to see whether it is one.

    Nothing is written anew but the lengths around it, so that fields of later versions stay.
    """
    count = empty = 0
    for start, end in _items(body, 0, len(body), otlp.RESOURCE_LOGS):
        before = count
        for value, records in _of_resource(body, start, end):
            if len(value) <= _MAX_PARSED_BYTES:
                otlp.Request.FromString(value)
            yield Piece(count, value, records)
            count += records
            if count > MAX_EVENTS:
                raise TooManyEvents
        empty += count == before
        if empty > _MAX_EMPTY:
            raise ValueError("no logs")


def _of_resource(body: bytes, start: int, end: int) -> Iterator[tuple[bytes, int]]:
    """Requests with the records of a ResourceLogs, and how many each has.

    What the resource says is repeated in each, and never takes more of them than the records do.
    """
    rest = _rest(body, start, end, otlp.SCOPE_LOGS)
    most_bytes = max(PIECE_BYTES, len(rest))
    scopes: list[bytes] = []
    size = count = 0
    for scope in _items(body, start, end, otlp.SCOPE_LOGS):
        for value, records in _of_scope(body, *scope):
            if scopes and (size + len(value) > most_bytes or count + records > _MAX_RECORDS):
                yield bytes_field(otlp.RESOURCE_LOGS, rest + b"".join(scopes)), count
                scopes, size, count = [], 0, 0
            scopes.append(value)
            size += len(value)
            count += records
    if scopes:
        yield bytes_field(otlp.RESOURCE_LOGS, rest + b"".join(scopes)), count


def _of_scope(body: bytes, start: int, end: int) -> Iterator[tuple[bytes, int]]:
    """The same of a ScopeLogs, as fields of ResourceLogs."""
    rest = _rest(body, start, end, otlp.LOG_RECORDS)
    most_bytes = max(PIECE_BYTES, len(rest))
    first = behind = start
    count = 0
    for number, kind, _, value_end in spans_of(body, start, end):
        is_record = (number, kind) == (otlp.LOG_RECORDS, BYTES)
        if count and (not is_record or value_end - first > most_bytes or count == _MAX_RECORDS):
            yield bytes_field(otlp.SCOPE_LOGS, rest + body[first:behind]), count
            count = 0
        if is_record:
            first = first if count else behind
            count += 1
        behind = value_end
    if count:
        yield bytes_field(otlp.SCOPE_LOGS, rest + body[first:behind]), count


def _items(body: bytes, start: int, end: int, number: int) -> Iterator[tuple[int, int]]:
    """Where the messages of a list begin and end."""
    for found, kind, value_start, value_end in spans_of(body, start, end):
        if (found, kind) == (number, BYTES):
            yield value_start, value_end


def _rest(body: bytes, start: int, end: int, number: int) -> bytes:
    """A message without one of its lists."""
    rest = bytearray()
    behind = start
    for found, kind, _, value_end in spans_of(body, start, end):
        if (found, kind) != (number, BYTES):
            rest += body[behind:value_end]
        behind = value_end
    return bytes(rest)
