"""OTLP logs as protobuf: a reader of the few messages of that protocol, which gives the shape of its JSON. Pure.

opentelemetry/proto/logs/v1/logs.proto, version 1; fields that it does not know are left out, as protobuf prescribes.
"""

import base64
import struct
from collections.abc import Callable
from typing import Any, Final

from app.domain.protobuf import BYTES, FIXED32, FIXED64, VARINT, fields_of, signed

CONTENT_TYPES: Final = (b"application/x-protobuf", b"application/protobuf", b"application/vnd.google.protobuf")
_MOST_DEEP: Final = 32
_MOST_WITHOUT_LOGS: Final = 1000  # resources in front of the first log; bytes that are no logs may look like many

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


class _Field:
    """A field of a message: its name in JSON, its kind on the wire, how it is read, and whether it is a list."""

    def __init__(self, name: str, kind: int, read: Reader, is_list: bool = False) -> None:
        self.name, self.kind, self.read, self.is_list = name, kind, read, is_list


_Shape = dict[int, _Field]


def _message(data: memoryview, depth: int, shape: _Shape, is_strict: bool = False) -> dict[str, Any]:
    if depth > _MOST_DEEP:
        raise ValueError("nested too deeply")
    found: dict[str, Any] = {}
    for count, (number, kind, value) in enumerate(fields_of(data)):
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
    return signed(value)


def _flag(value: int, _: int) -> bool:
    return bool(value)


def _of(shape: _Shape) -> Reader:
    return lambda value, depth: _message(value, depth, shape)


_ANY: Final[_Shape] = {
    1: _Field("stringValue", BYTES, _text),
    2: _Field("boolValue", VARINT, _flag),
    3: _Field("intValue", VARINT, _signed),
    4: _Field("doubleValue", FIXED64, _double),
    7: _Field("bytesValue", BYTES, _base64),
}
_PAIR: Final[_Shape] = {1: _Field("key", BYTES, _text), 2: _Field("value", BYTES, _of(_ANY))}
_ANY[5] = _Field("arrayValue", BYTES, _of({1: _Field("values", BYTES, _of(_ANY), is_list=True)}))
_ANY[6] = _Field("kvlistValue", BYTES, _of({1: _Field("values", BYTES, _of(_PAIR), is_list=True)}))

_ATTRIBUTES: Final = ("attributes", BYTES, _of(_PAIR), True)
_RECORD: Final[_Shape] = {
    1: _Field("timeUnixNano", FIXED64, _fixed64),
    2: _Field("severityNumber", VARINT, _signed),
    3: _Field("severityText", BYTES, _text),
    5: _Field("body", BYTES, _of(_ANY)),
    6: _Field(*_ATTRIBUTES),
    8: _Field("flags", FIXED32, _fixed32),
    9: _Field("traceId", BYTES, _hex),
    10: _Field("spanId", BYTES, _hex),
    11: _Field("observedTimeUnixNano", FIXED64, _fixed64),
    12: _Field("eventName", BYTES, _text),
}
_SCOPE: Final[_Shape] = {
    1: _Field("name", BYTES, _text),
    2: _Field("version", BYTES, _text),
    3: _Field(*_ATTRIBUTES),
}
_SCOPE_LOGS: Final[_Shape] = {
    1: _Field("scope", BYTES, _of(_SCOPE)),
    2: _Field("logRecords", BYTES, _of(_RECORD), is_list=True),
}
_RESOURCE_LOGS: Final[_Shape] = {
    1: _Field("resource", BYTES, _of({1: _Field(*_ATTRIBUTES)})),
    2: _Field("scopeLogs", BYTES, _of(_SCOPE_LOGS), is_list=True),
}
_REQUEST: Final[_Shape] = {1: _Field("resourceLogs", BYTES, _of(_RESOURCE_LOGS), is_list=True)}
