"""The wire format of protobuf: the fields of a message, one after the other. Pure.

https://protobuf.dev/programming-guides/encoding. Groups, which no protocol of logs uses, count as malformed.
"""

from collections.abc import Iterator
from typing import Any, Final

VARINT: Final = 0
FIXED64: Final = 1
BYTES: Final = 2
FIXED32: Final = 5

_VARINT_BITS: Final = 70


def fields_of(message: memoryview) -> Iterator[tuple[int, int, Any]]:
    """The number, the kind and the value of each field: an int for VARINT, a slice of the message for BYTES, else
    bytes.

    Raises:
        ValueError, IndexError: it is malformed.
    """
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        number, kind = tag >> 3, tag & 7
        value: Any
        if kind == VARINT:
            value, position = _varint(message, position)
        elif kind in (FIXED64, FIXED32):
            size = 8 if kind == FIXED64 else 4
            value, position = bytes(message[position : position + size]), position + size
        elif kind == BYTES:
            size, position = _varint(message, position)
            value, position = message[position : position + size], position + size
        else:
            raise ValueError("not valid")
        if position > len(message) or number == 0:
            raise ValueError("not valid")
        yield number, kind, value


def spans_of(message: bytes, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """The number and kind of each field between two positions, and where its value begins and ends.

    Raises:
        ValueError, IndexError: it is malformed.
    """
    position = start
    while position < end:
        tag, position = _varint(message, position)
        number, kind = tag >> 3, tag & 7
        if kind == BYTES:
            size, position = _varint(message, position)
        elif kind == VARINT:
            size = _varint(message, position)[1] - position
        elif kind in (FIXED64, FIXED32):
            size = 8 if kind == FIXED64 else 4
        else:
            raise ValueError("not valid")
        if position + size > end or number == 0:
            raise ValueError("not valid")
        yield number, kind, position, position + size
        position += size


def bytes_field(number: int, value: bytes) -> bytes:
    """A field of the kind BYTES, as it is written."""
    return _written(number << 3 | BYTES) + _written(len(value)) + value


def number_field(number: int, value: int) -> bytes:
    """A field of the kind VARINT, as it is written; the value is not negative."""
    return _written(number << 3 | VARINT) + _written(value)


def signed(value: int) -> int:
    """An int64 of its varint."""
    value &= 2**64 - 1
    return value - 2**64 if value >= 2**63 else value


def _varint(data: bytes | memoryview, position: int) -> tuple[int, int]:
    number = shift = 0
    while shift < _VARINT_BITS:
        byte = data[position]
        number |= (byte & 127) << shift
        position, shift = position + 1, shift + 7
        if byte < 128:
            return number, position
    raise ValueError("not valid")


def _written(number: int) -> bytes:
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes([*found, number])
