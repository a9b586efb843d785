"""A log as a result shows it: which columns to read, and the names of its fields."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from app.domain.columns import COLUMNS, Kind
from app.domain.event_time import rfc3339
from app.domain.statement import Result
from app.query.expressions import Expressions
from app.query.fields import Field, named
from app.query.log_id import LogId

_NANOSECONDS: Final = "toUnixTimestamp64Nano({})"
# What every row needs for its id and its position in the order of rows, as `LogId` takes it.
_IDENTITY: Final[Mapping[str, str]] = {
    "timestamp_ns": _NANOSECONDS.format("Timestamp"),
    "topic_id": "_topic_id",
    "partition": "_partition",
    "offset": "_offset",
    "item": "_item",
}
_MAPS: Final[Mapping[str, str]] = {column.name: column.column for column in COLUMNS if column.is_map}

FIELDS: Final = tuple(column.name for column in COLUMNS if column.is_shown)
"""The fields of a row by default, named as in the events that producers send."""


class LogRow(Struct, frozen=True):
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
        # Each expression once: a field may be what a row is known by, and every expression costs a small query time.
        columns = {sql: f"id_{name}" for name, sql in _IDENTITY.items()}
        shown = [columns.setdefault(_column(name, expressions), f"shown_{n}") for n, name in enumerate(self.names)]
        self.parameters: Mapping[str, object] = expressions.parameters
        """The bound parameters of `select`."""
        self.select = ", ".join(f"{sql} AS {column}" for sql, column in columns.items())
        """The list of expressions to read."""
        self._columns = list(zip(self.names, shown, strict=True))
        self._forms = [(name, form) for name in self.names if (form := _form_of(name))]

    def read(self, result: Result) -> list[LogRow]:
        """The rows of a result of `select`, which may have other columns too."""
        if not result.rows:
            return []
        number = {column: n for n, column in enumerate(result.columns)}
        identity = [number[f"id_{name}"] for name in _IDENTITY]
        shown = [(name, number[column]) for name, column in self._columns]
        return [self._row(row, identity, shown) for row in result.rows]

    def _row(self, values: Sequence[Any], identity: Sequence[int], shown: Sequence[tuple[str, int]]) -> LogRow:
        fields = {name: values[n] for name, n in shown}
        for name, form in self._forms:
            fields[name] = form(fields[name])
        return LogRow(LogId(*[values[n] for n in identity]), fields)


def _column(name: str, expressions: Expressions) -> str:
    if name in _MAPS:
        return _MAPS[name]
    field = named(name)
    if not isinstance(field, Field):
        return expressions.text(name)
    match field.kind:
        case Kind.TIME:  # nanoseconds do not fit into a datetime
            is_exact = field.column == "Timestamp"
            return _NANOSECONDS.format(field.column if is_exact else f"toDateTime64({field.column}, 9, 'UTC')")
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
