"""The messages of OTLP logs for protobuf's compiled parser. Pure.

opentelemetry/proto/logs/v1/logs.proto and common/v1/common.proto, version 1. They differ from those in one thing: texts
are declared as bytes, which look the same on the wire. Collectors send texts of files that are not UTF-8, and a parser
of strings would refuse everything that was sent with one of them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError as DecodeError
from google.protobuf.message_factory import GetMessageClass

_PACKAGE: Final = "otlp"

ANY_VALUE: Final = "value"
"""The name of the choice in AnyValue: which of its fields is set."""

RESOURCE_LOGS: Final = 1
SCOPE_LOGS: Final = 2
LOG_RECORDS: Final = 2
"""The numbers of the lists within each other: in a request, in ResourceLogs, in ScopeLogs."""

# By message the number, name and type of each field. Of AnyValue at most one is set; `*` marks lists.
_MESSAGES: Final[Mapping[str, Sequence[tuple[int, str, str]]]] = {
    "AnyValue": (
        (1, "string_value", "bytes"),
        (2, "bool_value", "bool"),
        (3, "int_value", "int64"),
        (4, "double_value", "double"),
        (5, "array_value", "ArrayValue"),
        (6, "kvlist_value", "KeyValueList"),
        (7, "bytes_value", "bytes"),
    ),
    "ArrayValue": ((1, "values", "*AnyValue"),),
    "KeyValueList": ((1, "values", "*KeyValue"),),
    "KeyValue": ((1, "key", "bytes"), (2, "value", "AnyValue")),
    "LogRecord": (
        (1, "time_unix_nano", "fixed64"),
        (2, "severity_number", "int32"),
        (3, "severity_text", "bytes"),
        (5, "body", "AnyValue"),
        (6, "attributes", "*KeyValue"),
        (7, "dropped_attributes_count", "uint32"),
        (8, "flags", "fixed32"),
        (9, "trace_id", "bytes"),
        (10, "span_id", "bytes"),
        (11, "observed_time_unix_nano", "fixed64"),
        (12, "event_name", "bytes"),
    ),
    "InstrumentationScope": (
        (1, "name", "bytes"),
        (2, "version", "bytes"),
        (3, "attributes", "*KeyValue"),
        (4, "dropped_attributes_count", "uint32"),
    ),
    "ScopeLogs": ((1, "scope", "InstrumentationScope"), (2, "log_records", "*LogRecord"), (3, "schema_url", "bytes")),
    "Resource": ((1, "attributes", "*KeyValue"), (2, "dropped_attributes_count", "uint32")),
    "ResourceLogs": ((1, "resource", "Resource"), (2, "scope_logs", "*ScopeLogs"), (3, "schema_url", "bytes")),
    "Request": ((1, "resource_logs", "*ResourceLogs"),),
}


def _field(number: int, name: str, kind: str, is_one_of: bool) -> FieldDescriptorProto:
    field = FieldDescriptorProto(name=name, number=number)
    field.label = field.LABEL_REPEATED if kind[:1] == "*" else field.LABEL_OPTIONAL
    kind = kind.lstrip("*")
    if kind in _MESSAGES:
        field.type, field.type_name = field.TYPE_MESSAGE, f".{_PACKAGE}.{kind}"
    else:
        field.type = FieldDescriptorProto.Type.Value(f"TYPE_{kind.upper()}")
    if is_one_of:
        field.oneof_index = 0
    return field


def _pool() -> DescriptorPool:
    file = FileDescriptorProto(name="otlp.proto", package=_PACKAGE, syntax="proto3")
    for name, fields in _MESSAGES.items():
        has_one_of = name == "AnyValue"
        message = DescriptorProto(name=name, field=[_field(*field, has_one_of) for field in fields])
        if has_one_of:
            message.oneof_decl.add(name=ANY_VALUE)
        file.message_type.append(message)
    pool = DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return pool


_POOL: Final = _pool()


def _message(name: str) -> Any:
    return GetMessageClass(_POOL.FindMessageTypeByName(f"{_PACKAGE}.{name}"))


Request: Final = _message("Request")
"""ExportLogsServiceRequest."""
