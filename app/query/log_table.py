"""The table of logs as one caller sees it: the only way from a query to ClickHouse, always within a scope."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from msgspec import Struct, field
from msgspec.structs import replace

from app.domain.cancellation import Cancellation
from app.domain.statement import Result, Statement
from app.ports import LogReader
from app.query.condition import Condition, condition_of
from app.query.scope import EVERYTHING, Scope
from app.query.time_range import TimeRange
from app.query.tree import Node

_EXTENTS: Final = Statement(
    "SELECT _topic_id, _partition, min(_offset), max(_offset) FROM {table} WHERE _topic_id != ''"
    " GROUP BY _topic_id, _partition SETTINGS preferred_optimize_projection_name = 'ledger'"
)
_ALWAYS: Final = "true"  # to leave it out is a fiftieth of a small query
# Reads no row, and fails like a query if the table is missing or the user may not read it.
_PROBE: Final = Statement("SELECT 1 FROM {table} LIMIT 0")

_ONE_THREAD: Final = "max_threads = 1"

# By default ClickHouse looks into the indexes of a part when it begins to read it, and so learns late how many rows
# are left. The first index is of no use in a range of many parts, and has a file in each of them.
_INDEXES_FIRST: Final = ", use_skip_indexes_on_data_read = 0, ignore_data_skipping_indices = 'timestamp_range'"
# Beside an OR, as that of the two indexes of words, ClickHouse compares the key of each granule in vain.
_WHOLE_PARTS: Final = ", use_primary_key = 0"

_LONG_SECS: Final = 3600  # many five-minute buckets: the index of times could rule out rows of the first and the last


class Select(Struct, frozen=True):
    """Expressions over the logs that fulfil all conditions in `where`; `then` groups, orders and limits.

    All parts are SQL, without the table and the scope. Each condition needs no further parentheses beside AND.
    """

    expressions: str
    where: Sequence[str | Among]
    then: str = ""
    parameters: Mapping[str, object] = field(default_factory=dict)
    projection: str = ""
    """The projection that holds what is selected; "" if rows are read.

    ClickHouse would find it by itself, after planning the statement for every projection of the table, which takes
    longer than to run it. Where a part does not have the projection, its rows are read.
    """
    is_small: bool = False
    """Whether one thread reads it: so little that others take longer to share the work than to do it."""
    is_without_indexes: bool = False
    """Whether no index besides the primary key can rule out more than a little: to ask takes a tenth of the plan. Those
    of the rows are asked also where a projection is read, which has none."""
    is_filtered_first: bool = False
    """Whether the columns of its conditions are small, and to be read first, as they stand (PREWHERE).

    ClickHouse would decide the same by itself, which takes another tenth.
    """
    most_rows: int = 0
    """Read nothing, and raise QueryTooExpensive, if the indexes leave more rows than this; 0 to read however many."""
    is_of_whole_parts: bool = False
    """Whether the primary key would rule out next to nothing: rows of the first and the last of many days, where no
    condition is on the service."""

    def filtered_first(self, span: TimeRange) -> Select:
        """The same for conditions of which only that on times, the first, has an index besides the primary key.

        Times are the largest of their columns, so they are read last. `span` is the range of times.
        """
        return replace(
            self, where=self.where[::-1], is_without_indexes=span.seconds >= _LONG_SECS, is_filtered_first=True
        )

    @property
    def settings(self) -> str:
        """The SETTINGS clause that says so."""
        # What a statement says of projections goes for the selects within it too.
        within = [condition.found.projection for condition in self.where if isinstance(condition, Among)]
        projection = next(filter(None, [self.projection, *within]), "")
        use = f"preferred_optimize_projection_name = '{projection}'" if projection else "optimize_use_projections = 0"
        threads = f", {_ONE_THREAD}" if self.is_small else ""
        key = _WHOLE_PARTS if self.is_of_whole_parts else ""
        return f"SETTINGS {use}{threads}{self._use_of_indexes}{key}"

    @property
    def _use_of_indexes(self) -> str:
        if self.is_without_indexes:
            return ", use_skip_indexes = 0"
        return _INDEXES_FIRST if self.most_rows else ""


class Among(Struct, frozen=True):
    """The condition that an expression equals one of those that another select finds, in the same statement.

    The parameters of that select must be among those of the one around it.
    """

    expression: str
    found: Select


class SelectFromAll(Struct, frozen=True):
    """Expressions over the rows of several selects (UNION ALL)."""

    expressions: str
    parts: Sequence[Select]
    then: str = ""
    is_small: bool = False
    """As of a `Select`, for all parts together: what one of them says of threads holds for that part alone."""


AnySelect: TypeAlias = Select | SelectFromAll


class LogTable:
    """Builds statements over the logs of a scope, and runs them. Shared by threads.

    No other module of `query` names the table or holds a `LogReader` (tests/test_architecture.py), so no query can
    find, count or list anything outside the scope.
    """

    def __init__(self, reader: LogReader, scope: Scope = EVERYTHING, cancellation: Cancellation | None = None) -> None:
        self._reader = reader
        self._cancellation = cancellation
        self.scope = scope
        self._seen = condition_of(scope.tree, prefix="scope")

    def within(self, scope: Scope) -> LogTable:
        """The logs of this table that are in another scope too. A scope can only be narrowed."""
        return LogTable(self._reader, scope.within(self.scope), self._cancellation)

    def until(self, cancellation: Cancellation) -> LogTable:
        """The same logs for one request, whose statements end when it is cancelled."""
        return LogTable(self._reader, self.scope, cancellation)

    @property
    def scope_columns(self) -> frozenset[str]:
        """The columns that every statement reads for the scope."""
        return self._seen.columns

    def condition(self, tree: Node) -> Condition:
        """The condition for a tree. Its `columns` and `equal` include those of the scope."""
        of_tree = condition_of(tree)
        columns, equal = of_tree.columns | self._seen.columns, {**self._seen.equal, **of_tree.equal}
        return replace(of_tree, columns=columns, equal=equal, scope=self.scope.tree)

    def run(self, select: AnySelect, *, timeout_secs: float) -> Result:
        """Run a select.

        Raises:
            Abandoned, QueryTooExpensive, TryAgainLater, Refused: see `LogReader.run`.
        """
        return self._run(self.statement(select), timeout_secs)

    def statement(self, select: AnySelect) -> Statement:
        """The statement for a select, with the table and the scope."""
        if isinstance(select, Select):
            return Statement(self._sql(select), {**select.parameters, **self._seen.parameters}, select.most_rows)
        rows = " UNION ALL ".join(map(self._sql, select.parts))
        parameters = {name: value for part in select.parts for name, value in part.parameters.items()}
        settings = f"SETTINGS {_ONE_THREAD}" if select.is_small else ""
        sql = _joined(f"SELECT {select.expressions} FROM ({rows})", select.then, settings)
        return Statement(sql, {**parameters, **self._seen.parameters})

    def extents(self, *, timeout_secs: float) -> Result:
        """Topic id, partition, first and last offset of each stored partition.

        These cover all logs, not only the scope: a tail runs this twice a second, which only a projection makes cheap,
        and no projection has the offsets of a scope. They reveal the total number of logs, as do the offsets in the ids
        of any two logs.
        """
        return self._run(_EXTENTS, timeout_secs)

    def probe(self, *, timeout_secs: float) -> None:
        """Check that the table can be queried, at almost no cost.

        Raises:
            QueryTooExpensive, TryAgainLater, Refused: see `LogReader.run`.
        """
        self._run(_PROBE, timeout_secs)

    def _run(self, statement: Statement, timeout_secs: float) -> Result:
        return self._reader.run(statement, timeout_secs=timeout_secs, cancellation=self._cancellation)

    def _sql(self, select: Select) -> str:
        where = " AND ".join(sql for sql in map(self._condition, select.where) if sql != _ALWAYS) or _ALWAYS
        if not self.scope.is_everything:
            where = f"{self._seen.sql} AND ({where})"  # the parentheses keep any condition from undoing the scope
        filter_by = "PREWHERE" if select.is_filtered_first else "WHERE"
        return _joined(f"SELECT {select.expressions} FROM {{table}} {filter_by} {where}", select.then, select.settings)

    def _condition(self, condition: str | Among) -> str:
        if isinstance(condition, str):
            return condition
        # Of a Distributed table, ClickHouse refuses IN: each shard would ask all of them.
        return f"{condition.expression} GLOBAL IN ({self._sql(condition.found)})"


def _joined(*clauses: str) -> str:
    return " ".join(filter(None, clauses))
