"""Facets: which fields matching logs have, and the values of a field, for suggestions and to narrow a search."""

from collections import Counter
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from app.domain.statement import Cost, Result
from app.errors import QueryTooExpensive
from app.query.aggregate import Aggregate
from app.query.condition import Condition
from app.query.expressions import Expressions
from app.query.fields import FIELDS, Attribute, named
from app.query.functions import Function
from app.query.log_table import Select
from app.query.time_range import TimeRange
from app.query.tree import Node
from app.query.windowed_scan import Scans

_ENOUGH_ROWS: Final = 100_000  # number of newest logs that suffice to know the fields
_SHARE_OF_TIME: Final = 0.6  # for the whole range; the rest is for its newest part if the first query times out
_PARTS: Final = 16
# Columns that every row has need no query, and raw bytes make no facet.
_OFFERED: Final = [field.name for field in FIELDS if not field.name.startswith("_")]


class Found(Struct, frozen=True):
    """Names or values with their counts of logs, the most frequent first, out of `looked_at` logs."""

    counts: list[tuple[str, int]]
    looked_at: int
    is_complete: bool
    cost: Cost


class Facets:
    """Finds fields and values. Shared by threads."""

    def __init__(self, scans: Scans, rows_in: Callable[[TimeRange], float]) -> None:
        """`rows_in` estimates the rows of a range."""
        self._scans = scans
        self._table = scans.table
        self._rows_in = rows_in

    def fields(self, tree: Node, span: TimeRange, *, prefix: str, limit: int, timeout_secs: float) -> Found:
        """The fields of the newest matching logs whose names begin with `prefix`, in any case."""
        condition = self._table.condition(tree)
        scan = self._scans.begin(self._scans.deadline(timeout_secs), _ENOUGH_ROWS)
        windows = self._scans.newest_windows(scan, span, condition)
        counts: Counter[str] = Counter()
        for result in scan.results(windows, lambda window, _: _which_fields(condition, window.span), _rows_counted):
            [(_, columns, attributes, resources)] = result.rows
            counts.update(dict(zip(_OFFERED, columns, strict=True)))
            counts.update({_attribute_name(key): count for key, count in attributes.items()})
            counts.update({f"resource.{key}": count for key, count in resources.items()})
        is_whole = scan.last_read is not None and scan.last_read.start_ns == span.start_ns
        wanted = [(name, n) for name, n in counts.most_common() if n and name.lower().startswith(prefix.lower())]
        return Found(wanted[:limit], scan.found_rows, is_whole and len(wanted) <= limit, scan.cost)

    def values(self, name: str, tree: Node, span: TimeRange, *, prefix: str, limit: int, timeout_secs: float) -> Found:
        """The most frequent values of a field in matching logs; if the timeout is too short, only of the newest part.

        Raises:
            QueryTooExpensive, TryAgainLater, Refused: see `LogTable.run`.
        """
        condition = self._table.condition(tree)
        deadline = self._scans.deadline(timeout_secs)
        try:
            return self._values(name, condition, span, prefix, limit, timeout_secs * _SHARE_OF_TIME)
        except QueryTooExpensive as error:
            if error.resource != "time":
                raise
        newest = TimeRange(span.end_ns - (span.end_ns - span.start_ns) // _PARTS, span.end_ns)
        found = self._values(name, condition, newest, prefix, limit, deadline.left_secs())
        return Found(found.counts, found.looked_at, False, found.cost)

    def _values(
        self, name: str, condition: Condition, span: TimeRange, prefix: str, limit: int, timeout_secs: float
    ) -> Found:
        query = Aggregate(_with_value(name, prefix, condition), span, [Function("count")], by=[name], limit=limit)
        result = self._table.run(query.select(self._rows_in), timeout_secs=timeout_secs)
        counts = [(str(value), int(count)) for value, count in result.rows[:limit]]
        return Found(counts, sum(count for _, count in counts), len(result.rows) <= limit, result.cost)


def _attribute_name(key: str) -> str:
    """The name to query an attribute by: its key, unless a column has that name."""
    return key if isinstance(named(key), Attribute) else f"attributes.{key}"


def _rows_counted(result: Result) -> int:
    return int(result.rows[0][0])


def _which_fields(condition: Condition, window: TimeRange) -> Select:
    expressions = Expressions()
    counts = ", ".join(f"countIf({expressions.text(name)} != '')" for name in _OFFERED)
    ones = "sumMap(mapApply((k, v) -> (k, toUInt64(1)), {column}))"
    return Select(
        f"count(), [{counts}], {ones.format(column='LogAttributes')}, {ones.format(column='ResourceAttributes')}",
        [window.condition, condition.sql],
        parameters={**condition.parameters, **expressions.parameters},
    )


def _with_value(name: str, prefix: str, condition: Condition) -> Condition:
    """The condition, and that the field has a value that begins with `prefix`, in any case."""
    expressions = Expressions("value")
    text = expressions.text(name)
    sql = f"{condition.sql} AND {text} != ''"
    if prefix:
        sql += f" AND startsWithCaseInsensitive({text}, {expressions.bound(prefix)})"
    return Condition(
        f"({sql})", {**condition.parameters, **expressions.parameters}, condition.columns | expressions.columns
    )
