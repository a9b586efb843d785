"""A log as an answer shows it: which columns are read for it, and what its fields are called."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.pipeline.event_time import rfc3339
from app.query.log_id import LogId

# What every row needs for its id and its place among the others.
_PLACE: Final[Mapping[str, str]] = {
    "timestamp_ns": "toUnixTimestamp64Nano(Timestamp)",
    "topic_id": "_topic_id",
    "partition": "_partition",
    "offset": "_offset",
    "item": "_item",
}

# Named as in the events that producers send. Text of the time: nanoseconds do not fit into a datetime. Text of the
# response time: its shortest form, where the 32-bit float would show digits that nobody measured.
_FIELDS: Final[Mapping[str, str]] = {
    "timestamp": "",
    "level": "SeverityText",
    "service": "ServiceName",
    "message": "Body",
    "user_id": "UserId",
    "response_time_ms": "toString(ResponseTimeMs)",
    "trace_id": "TraceId",
    "span_id": "SpanId",
    "attributes": "LogAttributes",
    "resource": "ResourceAttributes",
    "parse_error": "ParseError",
    "topic": "_topic",
    "partition": "",
    "offset": "",
}
FIELDS: Final = tuple(_FIELDS)


@dataclass(frozen=True, slots=True)
class LogRow:
    """One log: its id, and its fields by name."""

    id: LogId
    fields: Mapping[str, Any]

    def as_object(self) -> dict[str, Any]:
        """As it is shown to programs."""
        return {"id": str(self.id), **self.fields}


class RowShape:
    """The fields that were chosen, all of them if none were. A name that is no field is an attribute's."""

    def __init__(self, chosen: Sequence[str] = ()) -> None:
        self.names = tuple(dict.fromkeys(chosen)) or FIELDS
        self._attributes = [name for name in self.names if name not in _FIELDS]
        self._columns = {name: _FIELDS[name] for name in self.names if _FIELDS.get(name)}

    @property
    def select(self) -> str:
        """The list of expressions to read."""
        columns = [f"{sql} AS row_{name}" for name, sql in {**_PLACE, **self._columns}.items()]
        columns += [
            f"if(mapContains(LogAttributes, {{key_{n}:String}}), LogAttributes[{{key_{n}:String}}],"
            f" ResourceAttributes[{{key_{n}:String}}]) AS attribute_{n}"
            for n in range(len(self._attributes))
        ]
        return ", ".join(columns)

    @property
    def parameters(self) -> dict[str, object]:
        """What `select` has bound."""
        return {f"key_{n}": name for n, name in enumerate(self._attributes)}

    def read(self, records: Iterable[Mapping[str, Any]]) -> list[LogRow]:
        """The rows of an answer to `select`."""
        return [self._row(record) for record in records]

    def _row(self, record: Mapping[str, Any]) -> LogRow:
        place = {name: record[f"row_{name}"] for name in _PLACE}
        found: dict[str, Any] = {
            "timestamp": rfc3339(place["timestamp_ns"]),
            "partition": place["partition"],
            "offset": place["offset"],
            **{name: record[f"row_{name}"] for name in self._columns},
            **{name: record[f"attribute_{n}"] for n, name in enumerate(self._attributes)},
        }
        if "response_time_ms" in found:
            text = found["response_time_ms"]
            found["response_time_ms"] = None if text is None else float(text)
        return LogRow(LogId(**place), {name: found[name] for name in self.names})
