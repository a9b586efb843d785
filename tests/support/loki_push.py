"""Pushes to Loki as its clients make them: protobuf in a block of snappy, written by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cramjam

Entry = tuple[int, bytes, Mapping[str, str]]
"""Nanoseconds, the line, structured metadata."""


def snappy(message: bytes) -> bytes:
    return bytes(cramjam.snappy.compress_raw(message))


def push(*streams: tuple[str, Sequence[Entry]]) -> bytes:
    """The PushRequest of streams: their labels as text, and their entries."""
    return b"".join(
        _field(1, _field(1, labels.encode()) + b"".join(map(_entry, entries))) for labels, entries in streams
    )


def _entry(entry: Entry) -> bytes:
    time_ns, line, metadata = entry
    seconds, nanoseconds = divmod(time_ns, 10**9)
    time = b"\x08" + _varint(seconds) + b"\x10" + _varint(nanoseconds)
    pairs = (_field(1, name.encode()) + _field(2, value.encode()) for name, value in metadata.items())
    return _field(2, _field(1, time) + _field(2, line) + b"".join(_field(3, pair) for pair in pairs))


def _field(number: int, value: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(value)) + value


def _varint(number: int) -> bytes:
    number &= 2**64 - 1
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes([*found, number])
