"""OTLP logs as protobuf: a reader of the few messages of that protocol, which gives the shape of its JSON. Pure.

opentelemetry/proto/logs/v1/logs.proto, version 1; fields that it does not know are left out, as protobuf prescribes.
"""

import base64
import struct
from collections.abc import Callable, Iterator
from typing import Any, Final

CONTENT_TYPES: Final = (b"application/x-protobuf", b"application/protobuf", b"application/vnd.google.protobuf")
_MOST_DEEP: Final = 32
_MOST_WITHOUT_LOGS: Final = 1000  # resources in front of the first log; bytes that are no logs may look like many
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5

Reader = Callable[[Any, int], Any]


def read_otlp(value: bytes) -> dict[str, Any]:
    """The logs of an ExportLogsServiceRequest.

    Raises:
        ValueError: it is not one, or holds no log.
    """
    try:
        request = _message(memoryview(value), 0, _REQUEST, is_strict=True)
    except (IndexError, struct.error, UnicodeDecodeError, TypeError) as error:
        raise ValueError("not valid") from error
    if _holds_logs(request):
        return request
    raise ValueError("no logs")


def _holds_logs(request: dict[str, Any]) -> bool:
    return any(
        of_scope.get("logRecords")
        for of_resource in request.get("resourceLogs", ())
        for of_scope in of_resource.get("scopeLogs", ())
    )


def _fields(data: memoryview) -> Iterator[tuple[int, int, Any]]:
    """Number, kind and value of each field."""
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        number, kind = tag >> 3, tag & 7
        value: Any
        if kind == _VARINT:
            value, position = _varint(data, position)
        elif kind in (_FIXED64, _FIXED32):
            size = 8 if kind == _FIXED64 else 4
            value, position = bytes(data[position : position + size]), position + size
        elif kind == _BYTES:
            size, position = _varint(data, position)
            value, position = data[position : position + size], position + size
        else:
            raise ValueError("not valid")
        if position > len(data) or number == 0:
            raise ValueError("not valid")
        yield number, kind, value


def _varint(data: memoryview, position: int) -> tuple[int, int]:
    number = shift = 0
    while shift < 70:
        byte = data[position]
        number |= (byte & 127) << shift
        position, shift = position + 1, shift + 7
        if byte < 128:
            return number, position
    raise ValueError("not valid")


class _Field:
    """A field of a message: its name in JSON, its kind on the wire, how it is read, and whether it is a list."""

    def __init__(self, name: str, kind: int, read: Reader, is_list: bool = False) -> None:
        self.name, self.kind, self.read, self.is_list = name, kind, read, is_list


_Shape = dict[int, _Field]


def _message(data: memoryview, depth: int, shape: _Shape, is_strict: bool = False) -> dict[str, Any]:
    if depth > _MOST_DEEP:
        raise ValueError("nested too deeply")
    found: dict[str, Any] = {}
    for count, (number, kind, value) in enumerate(_fields(data)):
        if is_strict and count == _MOST_WITHOUT_LOGS and not _holds_logs(found):
            break
        field = shape.get(number)
        if field is None:
            if is_strict:
                raise ValueError("not valid")
            continue
        if kind != field.kind:
            raise ValueError("not valid")
        read = field.read(value, depth + 1)
        if field.is_list:
            found.setdefault(field.name, []).append(read)
        else:
            found[field.name] = read
    return found


def _text(value: memoryview, _: int) -> str:
    return bytes(value).decode(errors="replace")


def _hex(value: memoryview, _: int) -> str:
    return bytes(value).hex()


def _base64(value: memoryview, _: int) -> str:
    return base64.b64encode(value).decode()


def _fixed64(value: bytes, _: int) -> int:
    return int(struct.unpack("<Q", value)[0])


def _fixed32(value: bytes, _: int) -> int:
    return int(struct.unpack("<I", value)[0])


def _double(value: bytes, _: int) -> float | str:
    number = float(struct.unpack("<d", value)[0])
    return number if number - number == 0 else str(number)  # JSON has no NaN


def _signed(value: int, _: int) -> int:
    value &= 2**64 - 1
    return value - 2**64 if value >= 2**63 else value


def _flag(value: int, _: int) -> bool:
    return bool(value)


def _of(shape: _Shape) -> Reader:
    return lambda value, depth: _message(value, depth, shape)


_ANY: Final[_Shape] = {
    1: _Field("stringValue", _BYTES, _text),
    2: _Field("boolValue", _VARINT, _flag),
    3: _Field("intValue", _VARINT, _signed),
    4: _Field("doubleValue", _FIXED64, _double),
    7: _Field("bytesValue", _BYTES, _base64),
}
_PAIR: Final[_Shape] = {1: _Field("key", _BYTES, _text), 2: _Field("value", _BYTES, _of(_ANY))}
_ANY[5] = _Field("arrayValue", _BYTES, _of({1: _Field("values", _BYTES, _of(_ANY), is_list=True)}))
_ANY[6] = _Field("kvlistValue", _BYTES, _of({1: _Field("values", _BYTES, _of(_PAIR), is_list=True)}))

_ATTRIBUTES: Final = ("attributes", _BYTES, _of(_PAIR), True)
_RECORD: Final[_Shape] = {
    1: _Field("timeUnixNano", _FIXED64, _fixed64),
    2: _Field("severityNumber", _VARINT, _signed),
    3: _Field("severityText", _BYTES, _text),
    5: _Field("body", _BYTES, _of(_ANY)),
    6: _Field(*_ATTRIBUTES),
    8: _Field("flags", _FIXED32, _fixed32),
    9: _Field("traceId", _BYTES, _hex),
    10: _Field("spanId", _BYTES, _hex),
    11: _Field("observedTimeUnixNano", _FIXED64, _fixed64),
    12: _Field("eventName", _BYTES, _text),
}
_SCOPE: Final[_Shape] = {
    1: _Field("name", _BYTES, _text),
    2: _Field("version", _BYTES, _text),
    3: _Field(*_ATTRIBUTES),
}
_SCOPE_LOGS: Final[_Shape] = {
    1: _Field("scope", _BYTES, _of(_SCOPE)),
    2: _Field("logRecords", _BYTES, _of(_RECORD), is_list=True),
}
_RESOURCE_LOGS: Final[_Shape] = {
    1: _Field("resource", _BYTES, _of({1: _Field(*_ATTRIBUTES)})),
    2: _Field("scopeLogs", _BYTES, _of(_SCOPE_LOGS), is_list=True),
}
_REQUEST: Final[_Shape] = {1: _Field("resourceLogs", _BYTES, _of(_RESOURCE_LOGS), is_list=True)}
