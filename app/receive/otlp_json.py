"""OTLP/HTTP's requests as JSON. Pure.

https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding. What is checked here is that the consumer will read
every value; the texts of records are passed on as they are.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Final, NamedTuple

import msgspec
from msgspec import Raw

from app.receive.charset import utf8_of
from app.receive.otlp_values import require_attributes, require_record
from app.receive.received import LINES, MAX_EVENTS, Piece, Posted, Received, TooManyEvents, Unreadable

PIECE_BYTES: Final = 32 * 1024
"""Records of one scope stay together on a line up to this size, with their resource and scope before them."""

_MAX_COMMAS: Final = 4 * MAX_EVENTS  # elements of lists take memory before they are counted
_RESOURCE_LOGS: Final = ("resourceLogs", "resource_logs")
_SCOPE_LOGS: Final = ("scopeLogs", "scope_logs", "instrumentationLibraryLogs")
_LOG_RECORDS: Final = ("logRecords", "log_records")

_object = msgspec.json.Decoder(dict[str, Raw]).decode
_list = msgspec.json.Decoder(list[Raw] | None).decode
_any = msgspec.json.Decoder().decode


def read(posted: Posted) -> Received:
    """The log records of a request; an empty one has none.

    Raises:
        Unreadable: it is not JSON, or a value is not what OTLP prescribes.
        TooManyEvents: it has too many records.
    """
    body = utf8_of(posted).strip()
    if not body:
        return Received(LINES, ())
    if body.count(b",") > _MAX_COMMAS:
        raise TooManyEvents
    try:
        return Received(LINES, list(_pieces(body)))
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"The body is not an ExportLogsServiceRequest of OTLP as JSON: {error}") from error


class _Message(NamedTuple):
    """An object in two parts: the elements of one list, and all other values that are not null, as texts."""

    items: Sequence[Raw]
    rest: Mapping[str, Raw]

    def with_list(self, name: str, text: bytes) -> bytes:
        """The object with other elements in its list."""
        members = [msgspec.json.encode(key) + b":" + bytes(value) for key, value in self.rest.items()]
        return b"{" + b",".join([*members, b'"' + name.encode() + b'":[' + text + b"]"]) + b"}"


def _split(text: bytes | Raw, names: Sequence[str]) -> _Message:
    members = _object(text)
    lists = [_list(members[name]) or () for name in names if name in members]
    rest = {key: value for key, value in members.items() if key not in names and bytes(value) != b"null"}
    return _Message(list(chain(*lists)), rest)


def _pieces(body: bytes) -> Iterator[Piece]:
    count = 0
    for of_resource in _split(body, _RESOURCE_LOGS).items:
        scopes = _split(of_resource, _SCOPE_LOGS)
        _require_attributes_of("resource", scopes)
        for of_scope in scopes.items:
            records = _split(of_scope, _LOG_RECORDS)
            _require_attributes_of("scope", records)
            for run in _runs(records.items):
                inside = scopes.with_list("scopeLogs", records.with_list("logRecords", b",".join(run)))
                line = b'{"resourceLogs":[' + inside + b"]}"
                yield Piece(count, line.replace(b"\n", b" ").replace(b"\r", b" "), len(run))
                count += len(run)
                if count > MAX_EVENTS:
                    raise TooManyEvents


def _require_attributes_of(name: str, message: _Message) -> None:
    if name in message.rest:
        found = _any(message.rest[name])
        if not isinstance(found, dict):
            raise ValueError(f"{name} is not an object")
        require_attributes(found)


def _runs(items: Sequence[Raw]) -> Iterator[Sequence[bytes]]:
    """Records that follow each other, each of which was checked, as many as fit on a line; a larger one is alone."""
    run: list[bytes] = []
    size = 0
    for item in items:
        text = bytes(item)
        require_record(_any(text))
        if run and size + len(text) > PIECE_BYTES:
            yield run
            run, size = [], 0
        run.append(text)
        size += len(text)
    if run:
        yield run
