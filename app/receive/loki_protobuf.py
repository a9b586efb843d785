"""Loki's push as protobuf in a block of snappy: logproto.PushRequest. Pure.

https://github.com/grafana/loki/blob/main/pkg/push/push.proto; fields that are not named here are left out.
"""

from collections.abc import Iterator
from typing import Any, Final

import cramjam

from app.domain.protobuf import BYTES, VARINT, fields_of, signed
from app.receive.loki_stream import Stream, entry_of, labels_of
from app.receive.received import MAX_EVENTS, TooLarge, TooManyEvents, Unreadable

_STREAMS: Final = 1
_LABELS, _ENTRIES = 1, 2
_TIMESTAMP, _LINE, _METADATA = 1, 2, 3
_SECONDS, _NANOSECONDS = 1, 2
_NAME, _VALUE = 1, 2
_EMPTY: Final = memoryview(b"")


def streams_of(message: bytes) -> Iterator[Stream]:
    """The streams of a push, read as far as they are taken.

    Raises:
        TooManyEvents: it has more streams than it may have events.
        Unreadable: it is malformed.
    """
    for number, stream in enumerate(_repeated(memoryview(message), _STREAMS)):
        if number == MAX_EVENTS:
            raise TooManyEvents
        fields = _fields(stream, {_LABELS: BYTES})  # the last of them, as protobuf has it
        labels = labels_of(_text(fields.get(_LABELS, _EMPTY)))
        yield Stream(labels, map(_entry, _repeated(stream, _ENTRIES)))


def decompressed(body: bytes, max_bytes: int) -> bytes:
    """What a block of snappy holds.

    Raises:
        TooLarge: it is more than `max_bytes`, as the block says of itself.
        Unreadable: it is no such block.
    """
    try:
        if (size := cramjam.snappy.decompress_raw_len(body)) > max_bytes:
            raise TooLarge(f"The body may have at most {max_bytes:,} bytes after decompression, and not {size:,}.")
        return bytes(cramjam.snappy.decompress_raw(body))
    except cramjam.DecompressionError as error:
        raise Unreadable(f"The body is not a block of snappy: {error}") from error


def _entry(entry: memoryview) -> bytes:
    fields = _fields(entry, {_TIMESTAMP: BYTES, _LINE: BYTES})
    if _TIMESTAMP not in fields:
        raise Unreadable("An entry has no timestamp.")
    time = _fields(fields[_TIMESTAMP], {_SECONDS: VARINT, _NANOSECONDS: VARINT})
    time_ns = signed(time.get(_SECONDS, 0)) * 10**9 + signed(time.get(_NANOSECONDS, 0))
    return entry_of(time_ns, bytes(fields.get(_LINE, _EMPTY)), dict(map(_pair, _repeated(entry, _METADATA))))


def _pair(pair: memoryview) -> tuple[str, str]:
    fields = _fields(pair, {_NAME: BYTES, _VALUE: BYTES})
    return _text(fields.get(_NAME, _EMPTY)), _text(fields.get(_VALUE, _EMPTY))


def _text(data: memoryview) -> str:
    return bytes(data).decode(errors="replace")


def _fields(message: memoryview, kinds: dict[int, int]) -> dict[int, Any]:
    """The fields of these numbers, by number, each of its kind; of several with one number the last counts."""
    try:
        return {number: value for number, kind, value in fields_of(message) if kinds.get(number) == kind}
    except (ValueError, IndexError) as error:
        raise Unreadable("The body is not a PushRequest: its protobuf is malformed.") from error


def _repeated(message: memoryview, wanted: int) -> Iterator[memoryview]:
    try:
        yield from (value for number, kind, value in fields_of(message) if number == wanted and kind == BYTES)
    except (ValueError, IndexError) as error:
        raise Unreadable("The body is not a PushRequest: its protobuf is malformed.") from error
