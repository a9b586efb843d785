"""A log as a result shows it: which columns to read, and the names of its fields."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.domain.columns import COLUMNS, Kind
from app.domain.event_time import rfc3339
from app.query.expressions import Expressions
from app.query.fields import Field, named
from app.query.log_id import LogId

# What every row needs for its id and its position in the order of rows.
_IDENTITY: Final[Mapping[str, str]] = {
    "timestamp_ns": "toUnixTimestamp64Nano(Timestamp)",
    "topic_id": "_topic_id",
    "partition": "_partition",
    "offset": "_offset",
    "item": "_item",
}
_MAPS: Final[Mapping[str, str]] = {column.name: column.column for column in COLUMNS if column.is_map}

FIELDS: Final = tuple(column.name for column in COLUMNS if column.is_shown)
"""The fields of a row by default, named as in the events that producers send."""


@dataclass(frozen=True, slots=True)
class LogRow:
    """One log: its id, and its fields by name."""

    id: LogId
    fields: Mapping[str, Any]

    def as_object(self) -> dict[str, Any]:
        """The log as a JSON object."""
        return {"id": str(self.id), **self.fields}


class RowShape:
    """The chosen fields, under any of their names; `FIELDS` if none are chosen. Every row has its id besides."""

    def __init__(self, chosen: Sequence[str] = ()) -> None:
        self.names = tuple(name for name in dict.fromkeys(chosen or FIELDS) if name != "id")
        expressions = Expressions("shown")
        columns = [_column(name, expressions) for name in self.names]
        self.parameters: Mapping[str, object] = expressions.parameters
        """The bound parameters of `select`."""
        self.select = ", ".join(
            [
                *(f"{sql} AS id_{name}" for name, sql in _IDENTITY.items()),
                *(f"{sql} AS shown_{n}" for n, sql in enumerate(columns)),
            ]
        )
        """The list of expressions to read."""
        self._shown = [(name, f"shown_{n}", _form_of(name)) for n, name in enumerate(self.names)]

    def read(self, records: Iterable[Mapping[str, Any]]) -> list[LogRow]:
        """The rows of a result of `select`."""
        return [self._row(record) for record in records]

    def _row(self, record: Mapping[str, Any]) -> LogRow:
        identity = {name: record[f"id_{name}"] for name in _IDENTITY}
        fields = {name: record[column] if form is None else form(record[column]) for name, column, form in self._shown}
        return LogRow(LogId(**identity), fields)


def _column(name: str, expressions: Expressions) -> str:
    if name in _MAPS:
        return _MAPS[name]
    field = named(name)
    if not isinstance(field, Field):
        return expressions.text(name)
    match field.kind:
        case Kind.TIME:  # nanoseconds do not fit into a datetime
            return f"toUnixTimestamp64Nano(toDateTime64({field.column}, 9, 'UTC'))"
        case Kind.NUMBER:  # its shortest form, because the 32-bit float would show spurious digits
            return f"toString({field.column})"
        case _:
            # Raw bytes may not be valid text, and would break the result.
            return f"base64Encode({field.column})" if field.column == "_raw" else field.column


def _form_of(name: str) -> Callable[[Any], Any] | None:
    """How a value is shown; None for as it is. Decided once, since there are thousands of values."""
    field = named(name)
    if name in _MAPS or not isinstance(field, Field):
        return None
    forms: Mapping[Kind, Callable[[Any], Any]] = {Kind.TIME: rfc3339, Kind.NUMBER: _number}
    return forms.get(field.kind)


def _number(text: str | None) -> float | None:
    return None if text is None else float(text)
