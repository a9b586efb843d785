"""Statements for ClickHouse, and their results."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, field


class Statement(Struct, frozen=True):
    """SQL with bound parameters, `{name:Type}` in the text.

    `{table}` stands for the table of logs, and `{name:AnyAttribute}`, `{name:LogAttribute}` or
    `{name:ResourceAttribute}` for the value of the attribute whose key is bound to the name.
    """

    sql: str
    parameters: Mapping[str, object] = field(default_factory=dict)
    most_rows: int = 0
    """How many rows ClickHouse may read for it, or fewer if queries may read fewer; 0 for as many as any query."""


class Cost(Struct, frozen=True):
    """What a query read."""

    rows_read: int = 0
    bytes_read: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.rows_read + other.rows_read, self.bytes_read + other.bytes_read)


class Result(Struct, frozen=True):
    """Rows in the order in which ClickHouse returned them, one value for each column."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    cost: Cost = Cost()
