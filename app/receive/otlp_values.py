"""The values that OTLP allows in JSON. Pure.

Names are in lowerCamelCase; those of the protocol's definition are taken too, as protobuf's own JSON allows. Ids are in
hexadecimal digits, enumerations are numbers, integers of 64 bits are texts or numbers, bytes are base64, null is like
no value, and keys that are not known are ignored. All functions raise ValueError, with a name and what it has to be.
"""

import base64
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,20}", re.ASCII)
_HEX: Final = re.compile(r"[0-9A-Fa-f]*", re.ASCII)
# What writers that know only protobuf's own JSON send: the base64 of 16 or 8 bytes, and the names of constants.
_ID_AS_BYTES: Final = re.compile(r"[A-Za-z0-9+/]{22}==|[A-Za-z0-9+/]{11}=", re.ASCII)
_SEVERITY: Final = re.compile(r"SEVERITY_NUMBER_[A-Z]{4,11}[2-4]?", re.ASCII)
_NO_NUMBERS: Final = ("NaN", "Infinity", "-Infinity")

Require = Callable[[str, Any], None]


def require_record(record: object) -> None:
    """Require a LogRecord."""
    _require(isinstance(record, dict), "a log record", "an object")
    assert isinstance(record, dict)
    for names, require in _RECORD.items():
        for name in names:
            if record.get(name) is not None:
                require(name, record[name])
    require_attributes(record)


def require_attributes(message: Mapping[str, Any]) -> None:
    """Require that the attributes of a record, a scope or a resource are a list of KeyValue."""
    if (attributes := message.get("attributes")) is not None:
        _pairs("attributes", attributes)


def _require(is_right: bool, name: str, wanted: str) -> None:
    if not is_right:
        raise ValueError(f"{name} is not {wanted}")


def _text(name: str, value: Any) -> None:
    _require(isinstance(value, str), name, "a text")


def _integer(name: str, value: Any) -> None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    _require(is_number or (isinstance(value, str) and bool(_INTEGER.fullmatch(value))), name, "an integer")


def _double(name: str, value: Any) -> None:
    if isinstance(value, str) and value not in _NO_NUMBERS:
        try:
            float(value)
        except ValueError:
            raise ValueError(f"{name} is not a number") from None
    _require(isinstance(value, int | float | str) and not isinstance(value, bool), name, "a number")


def _bool(name: str, value: Any) -> None:
    _require(isinstance(value, bool), name, "true or false")


def _severity(name: str, value: Any) -> None:
    if not (isinstance(value, str) and _SEVERITY.fullmatch(value)):
        _integer(name, value)


def _id(name: str, value: Any) -> None:
    is_id = isinstance(value, str) and (_HEX.fullmatch(value) or _ID_AS_BYTES.fullmatch(value))
    _require(bool(is_id), name, "an id in hexadecimal digits")


def _bytes(name: str, value: Any) -> None:
    _text(name, value)
    try:
        base64.b64decode(value.translate(_URL_SAFE) + "=" * (-len(value) % 4), validate=True)
    except ValueError:
        raise ValueError(f"{name} is not base64") from None


_URL_SAFE: Final = str.maketrans("-_", "+/")


def _pairs(name: str, value: Any) -> None:
    _require(isinstance(value, list), name, "a list")
    for pair in value:
        _require(isinstance(pair, dict), name, "a list of objects")
        _text(f"a key in {name}", pair.get("key", ""))
        if pair.get("value") is not None:
            _value(f"a value in {name}", pair["value"])


def _values_of(require: Require) -> Require:
    def require_values(name: str, value: Any) -> None:
        _require(isinstance(value, dict), name, "an object")
        if value.get("values") is not None:
            require(f"values of {name}", value["values"])

    return require_values


def _list(name: str, value: Any) -> None:
    _require(isinstance(value, list), name, "a list")
    for item in value:
        if item is not None:
            _value(name, item)


def _value(name: str, value: Any) -> None:
    """An AnyValue."""
    _require(isinstance(value, dict), name, "an object")
    for kind, inner in value.items():
        if inner is not None and (require := _KINDS.get(kind)):
            require(kind, inner)


_KINDS: Final[Mapping[str, Require]] = {
    "stringValue": _text,
    "string_value": _text,
    "boolValue": _bool,
    "bool_value": _bool,
    "intValue": _integer,
    "int_value": _integer,
    "doubleValue": _double,
    "double_value": _double,
    "bytesValue": _bytes,
    "bytes_value": _bytes,
    "arrayValue": _values_of(_list),
    "array_value": _values_of(_list),
    "kvlistValue": _values_of(_pairs),
    "kvlist_value": _values_of(_pairs),
}
_RECORD: Final[Mapping[tuple[str, ...], Require]] = {
    ("timeUnixNano", "time_unix_nano"): _integer,
    ("observedTimeUnixNano", "observed_time_unix_nano"): _integer,
    ("severityNumber", "severity_number"): _severity,
    ("severityText", "severity_text"): _text,
    ("body",): _value,
    ("droppedAttributesCount", "dropped_attributes_count"): _integer,
    ("flags",): _integer,
    ("traceId", "trace_id"): _id,
    ("spanId", "span_id"): _id,
    ("eventName", "event_name"): _text,
}
