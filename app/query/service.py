"""The single entry point for all queries, from the HTTP API and the command line. It takes trees, not text."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from msgspec import Struct

from app.domain.cancellation import Cancellation
from app.domain.statement import Result
from app.query.aggregate import Aggregate, read_by
from app.query.context import Surroundings
from app.query.density_estimate import Density
from app.query.errors import BadParameter
from app.query.facets import Facets
from app.query.functions import Function
from app.query.hour_counts import unknown_rows
from app.query.log_row import RowShape
from app.query.log_table import LogTable
from app.query.scope import Scope
from app.query.search import Cursor, Page, Search, Searcher
from app.query.second_look import SecondLook
from app.query.shared_reads import SharedReads
from app.query.tail import Tail, read_resume_token
from app.query.time_range import SECOND_NS, TimeRange, read_interval_secs, read_range
from app.query.tree import Node
from app.query.windowed_scan import Scans

_LAST_MINUTE_NS: Final = 2**32 // 60 * 60 * SECOND_NS
_BARS: Final = 100  # maximum of a histogram without an interval
_MOST_BARS: Final = 5_000
_INTERVALS_SECS: Final = (
    *(1, 2, 5, 10, 30, 60, 120, 300, 600, 900, 1800),
    *(3600 * hours for hours in (1, 2, 3, 6, 12, 24, 48, 168, 720)),
)


class AggregateResult(Struct, frozen=True):
    """The result of an aggregate query."""

    query: Aggregate
    result: Result

    @property
    def rows(self) -> Sequence[Sequence[Any]]:
        """The groups, at most the query's limit; with an interval the oldest time step first."""
        rows = self.result.rows[: self.query.limit]
        return sorted(rows, key=lambda row: row[0]) if self.query.interval_secs else rows

    @property
    def is_complete(self) -> bool:
        """Whether there are no more groups than the limit."""
        return len(self.result.rows) <= self.query.limit


class QueryService:
    """Runs queries over the logs of a table's scope. Shared by threads."""

    def __init__(
        self,
        table: LogTable,
        *,
        now_ns: Callable[[], int] = time.time_ns,
        clock: Callable[[], float] = time.monotonic,
        density: Density | None = None,
        rows_in: Callable[[TimeRange], float] = unknown_rows,
        tail_reads: SharedReads | None = None,
    ) -> None:
        """`density` estimates and caches the density of logs, `rows_in` the rows of a range.

        Services may share the density, and the reads of tails.
        """
        self._density = density or Density(now_ns, clock)
        self._rows_in = rows_in
        self._tail_reads = tail_reads or SharedReads(clock)
        self._table = table
        self._now_ns = now_ns
        self._clock = clock
        scans = Scans(table, partial(self._density.expected, table), clock)
        self._searcher = Searcher(scans, rows_in)
        self.surroundings = Surroundings(scans)
        self.facets = Facets(scans, rows_in)
        self.second_look = SecondLook(scans)

    def within(self, scope: Scope) -> QueryService:
        """The same service, limited to the logs of a scope. A scope can only be narrowed."""
        if scope.is_everything:
            return self
        return self._over(self._table.within(scope))

    def until(self, cancellation: Cancellation) -> QueryService:
        """The same service for one request: when it is cancelled, its statements end, and it raises Abandoned."""
        return self._over(self._table.until(cancellation))

    def _over(self, table: LogTable) -> QueryService:
        return QueryService(
            table,
            now_ns=self._now_ns,
            clock=self._clock,
            density=self._density,
            rows_in=self._rows_in,
            tail_reads=self._tail_reads,
        )

    def span(self, start: str, end: str) -> TimeRange:
        """The range between two times.

        Raises:
            BadParameter: see `read_range`.
        """
        return read_range(start, end, now_ns=self._now_ns())

    def search(self, tree: Node, span: TimeRange, *, fields: Sequence[str], limit: int, cursor: str) -> Search:
        """A search, continued from a cursor if there is one ("" for none).

        Raises:
            BadParameter: the cursor is not valid, or belongs to another search.
        """
        search = Search(self._table.condition(tree), span, limit, RowShape(fields))
        return search.after(Cursor.read(cursor, search.crc)) if cursor else search

    def page(self, search: Search, *, timeout_secs: float) -> Page:
        """See `Searcher.page`."""
        return self._searcher.page(search, timeout_secs=timeout_secs)

    def histogram(self, tree: Node, span: TimeRange, *, by: Sequence[str], interval: str) -> Aggregate:
        """Counts over time, per interval; without one ("") its length is chosen to suit the range.

        Raises:
            BadParameter: the range, the interval or a field of `by` is not possible for aggregates.
        """
        secs = _interval_secs(interval, span) if interval else _fitting_interval_secs(span)
        functions = [Function("count")]
        return Aggregate(self._table.condition(tree), _bounded(span), functions, read_by(by, functions), secs)

    def stats(
        self,
        tree: Node,
        span: TimeRange,
        *,
        functions: Sequence[Function],
        by: Sequence[str],
        interval: str,
        limit: int,
    ) -> Aggregate:
        """Aggregates, over time if there is an interval.

        Raises:
            BadParameter: as for `histogram`.
        """
        secs = _interval_secs(interval, span) if interval else None
        return Aggregate(self._table.condition(tree), _bounded(span), functions, read_by(by, functions), secs, limit)

    def aggregates(self, query: Aggregate, *, timeout_secs: float) -> AggregateResult:
        """Run an aggregate query.

        Raises:
            QueryTooExpensive, TryAgainLater, Refused: see `LogTable.run`.
        """
        result = self._table.run(query.select(self._rows_in), timeout_secs=timeout_secs)
        return AggregateResult(query, query.read(result))

    def tail(self, tree: Node, *, fields: Sequence[str], last_id: str) -> Tail:
        """Follow matching logs as they are stored, from now on or from a resume token in `last_id`.

        Raises:
            BadParameter: `last_id` is not a resume token.
        """
        positions = read_resume_token(last_id) if last_id else None
        return Tail(self._table, self._tail_reads, tree, RowShape(fields), positions)


def names_in(text: str) -> list[str]:
    """The names of a comma-separated list, each once."""
    return list(dict.fromkeys(name for part in text.split(",") if (name := part.strip())))


def _interval_secs(interval: str, span: TimeRange) -> int:
    secs = read_interval_secs("interval", interval)
    if span.seconds / secs > _MOST_BARS:
        raise BadParameter("interval", f"interval={interval} divides this range into more than {_MOST_BARS:,} steps")
    return secs


def _bounded(span: TimeRange) -> TimeRange:
    """Check that a range ends before the last minute that DateTime holds, in 2106.

    Raises:
        BadParameter: it ends later.
    """
    if span.end_ns > _LAST_MINUTE_NS:
        raise BadParameter("end", "end is too late: aggregates cover times up to the year 2106")
    return span


def _fitting_interval_secs(span: TimeRange) -> int:
    return next((secs for secs in _INTERVALS_SECS if span.seconds / secs <= _BARS), _INTERVALS_SECS[-1])
