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


def signed(value: int) -> int:
    """An int64 of its varint."""
    value &= 2**64 - 1
    return value - 2**64 if value >= 2**63 else value


def _varint(data: memoryview, position: int) -> tuple[int, int]:
    number = shift = 0
    while shift < _VARINT_BITS:
        byte = data[position]
        number |= (byte & 127) << shift
        position, shift = position + 1, shift + 7
        if byte < 128:
            return number, position
    raise ValueError("not valid")
