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
"""Records of one resource stay together on a line up to this size; see `packed`."""

_MAX_RECORDS: Final = 1000
"""Of a line, however small they are."""

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

    def most_bytes(self) -> int:
        """How many bytes of the list go together, so that repeating the rest at most doubles them."""
        return max(PIECE_BYTES, sum(len(bytes(value)) for value in self.rest.values()))

    def with_list(self, name: str, items: Sequence[bytes]) -> bytes:
        """The object with other elements in its list."""
        members = [msgspec.json.encode(key) + b":" + bytes(value) for key, value in self.rest.items()]
        return b"{" + b",".join([*members, b'"' + name.encode() + b'":[' + b",".join(items) + b"]"]) + b"}"


def _split(text: bytes | Raw, names: Sequence[str]) -> _Message:
    members = _object(text)
    lists = [_list(members[name]) or () for name in names if name in members]
    rest = {key: value for key, value in members.items() if key not in names and bytes(value) != b"null"}
    return _Message(list(chain(*lists)), rest)


def _pieces(body: bytes) -> Iterator[Piece]:
    count = 0
    for of_resource in _split(body, _RESOURCE_LOGS).items:
        for text, records in _of_resource(of_resource):
            line = b'{"resourceLogs":[' + text + b"]}"
            yield Piece(count, line.replace(b"\n", b" ").replace(b"\r", b" "), records)
            count += records
            if count > MAX_EVENTS:
                raise TooManyEvents


def _of_resource(text: Raw) -> Iterator[tuple[bytes, int]]:
    """Objects with the records of an element of resourceLogs, and how many each has.

    What the resource says is repeated in each, and never takes more of them than the records do.
    """
    scopes = _split(text, _SCOPE_LOGS)
    _require_attributes_of("resource", scopes)
    most_bytes = scopes.most_bytes()
    together: list[bytes] = []
    size = count = 0
    for of_scope in scopes.items:
        for part, records in _of_scope(of_scope):
            if together and (size + len(part) > most_bytes or count + records > _MAX_RECORDS):
                yield scopes.with_list("scopeLogs", together), count
                together, size, count = [], 0, 0
            together.append(part)
            size += len(part)
            count += records
    if together:
        yield scopes.with_list("scopeLogs", together), count


def _of_scope(text: Raw) -> Iterator[tuple[bytes, int]]:
    """The same of an element of scopeLogs; each record is checked."""
    records = _split(text, _LOG_RECORDS)
    _require_attributes_of("scope", records)
    most_bytes = records.most_bytes()
    run: list[bytes] = []
    size = 0
    for item in records.items:
        record = bytes(item)
        require_record(_any(record))
        if run and (size + len(record) > most_bytes or len(run) == _MAX_RECORDS):
            yield records.with_list("logRecords", run), len(run)
            run, size = [], 0
        run.append(record)
        size += len(record)
    if run:
        yield records.with_list("logRecords", run), len(run)


def _require_attributes_of(name: str, message: _Message) -> None:
    if name in message.rest:
        found = _any(message.rest[name])
        if not isinstance(found, dict):
            raise ValueError(f"{name} is not an object")
        require_attributes(found)
