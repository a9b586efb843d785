"""Loki's push as JSON: `stream` and `values`, or the older `labels` and `entries`. Pure.

https://grafana.com/docs/loki/latest/reference/loki-http-api/#ingest-logs
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from app.domain.event_time import read_time_ns
from app.receive.json_text import on_one_line, repaired
from app.receive.loki_stream import Stream, entry_of, labels_of
from app.receive.received import MAX_EVENTS, TooManyEvents, Unreadable

_SHAPE: Final = 'A push is {"streams": [{"stream": {"label": "value"}, "values": [["nanoseconds", "line"]]}]}'
_MAX_COMMAS: Final = 8 * MAX_EVENTS
"""Two between the parts of an event, and some in its line. More would be millions of values, each of which takes many
times the memory of its text."""
_NONE: Final = msgspec.Raw(b"{}")


class _Stream(msgspec.Struct):
    stream: msgspec.Raw = _NONE
    values: list[msgspec.Raw] = []
    labels: str = ""
    entries: list[msgspec.Raw] = []


class _Push(msgspec.Struct):
    streams: list[msgspec.Raw]  # one is parsed after the other: millions of them fit into a body


class _OldEntry(msgspec.Struct):
    ts: str
    line: str


_push = msgspec.json.Decoder(_Push).decode
_stream = msgspec.json.Decoder(_Stream).decode
_value = msgspec.json.Decoder(list[str | dict[str, Any]]).decode
_old_entry = msgspec.json.Decoder(_OldEntry).decode


def streams_of(body: bytes) -> Iterator[Stream]:
    """The streams of a push, read as far as they are taken.

    Raises:
        Unreadable: it is not one.
        TooManyEvents: it has more streams than it may have events.
    """
    if body.count(b",") > _MAX_COMMAS:
        raise TooManyEvents
    streams = _push_of(body).streams
    if len(streams) > MAX_EVENTS:
        raise TooManyEvents
    for written in streams:
        stream = _stream_of(written)
        if stream.labels or stream.entries:
            yield Stream(labels_of(stream.labels), map(_of_old, stream.entries))
        elif bytes(stream.stream)[:1] == b"{":
            yield Stream(on_one_line(bytes(stream.stream)), map(_checked, stream.values))
        else:
            raise Unreadable(f"{_SHAPE}: stream is an object.")


def _push_of(body: bytes) -> _Push:
    try:
        try:
            body.decode()
            return _push(body)
        except ValueError:
            if (mended := repaired(body)) == body:
                raise
            return _push(mended)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"{_SHAPE}: {error}") from error


def _stream_of(text: msgspec.Raw) -> _Stream:
    try:
        return _stream(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"{_SHAPE}: {error}") from error


def _checked(value: msgspec.Raw) -> bytes:
    """An entry as it was written."""
    text = bytes(value)
    try:
        match _value(text):
            case [str() as time, str()] | [str() as time, str(), dict()]:
                return on_one_line(text) if _is_int64(time) else _reject(text)
            case _:
                return _reject(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"{_SHAPE}: {error}") from error


def _is_int64(text: str) -> bool:
    digits = text.removeprefix("-")
    return digits.isascii() and digits.isdecimal() and len(digits) < 20 and -(2**63) <= int(text) < 2**63


def _reject(text: bytes) -> bytes:
    raise Unreadable(f"{_SHAPE}, and not {text[:100].decode(errors='replace')}.")


def _of_old(entry: msgspec.Raw) -> bytes:
    try:
        found = _old_entry(entry)
        return entry_of(read_time_ns(found.ts), found.line.encode(), {})
    except (ValueError, RecursionError, OverflowError) as error:
        raise Unreadable(f'An entry is {{"ts": "RFC 3339", "line": "text"}}: {error}') from error
