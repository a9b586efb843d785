"""Aggregates over logs: functions of a field, grouped by other fields, over time or in total."""

import re
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from app.domain.columns import Kind
from app.domain.statement import Result
from app.query.buckets import BUCKET_VALUE
from app.query.condition import Condition
from app.query.errors import BadParameter
from app.query.expressions import Expressions
from app.query.fields import named
from app.query.functions import Function
from app.query.hour_counts import unknown_rows
from app.query.log_table import AnySelect, Select, SelectFromAll
from app.query.rollups import RESPONSE_TIMES, SUMS_BY_SERVICE_AND_LEVEL, SUMS_BY_USER, Rollup, sources
from app.query.step_counts import MOST_STEPS, Steps
from app.query.time_range import SECOND_NS, TimeRange

_NAME = re.compile(r"\w+")
_MEASURED_FIELD = named("response_time_ms")
_FEW_ROWS = 400_000  # read in the time that two more selects take to be planned
_FEW_MEASURED = 250_000  # for quantiles, which take twice as long for a row
_FEW_OF_A_SERVICE = 500_000  # of the other services' rows, at most one column is read
_SMALL = 20_000_000  # logs, of which rollups have a hundredth: one thread reads them while two would share the work
_SMALL_MEASURED = 1_000_000  # rollups have a group for each bucket of response times


def read_by(by: Sequence[str], functions: Sequence[Function]) -> Sequence[str]:
    """Check the fields to group by, and return them.

    Raises:
        BadParameter: a field is a time, or has the name of another column of the result.
    """
    taken = {"time", *(function.name for function in functions)}
    for name in by:
        if getattr(named(name), "kind", None) is Kind.TIME:
            raise BadParameter("by", f"by={name} is a time; to group by time, set interval")
        if name in taken:
            raise BadParameter("by", f"by={name} is also the name of a result column; write by=attributes.{name}")
    return by


class Aggregate(Struct, frozen=True):
    """An aggregate query: functions over matching logs, grouped by fields, and by time if there is an interval."""

    condition: Condition
    span: TimeRange
    functions: Sequence[Function]
    by: Sequence[str] = ()
    interval_secs: int | None = None
    limit: int = 10_000

    @property
    def columns(self) -> list[str]:
        """The names of the result's columns."""
        return [*(["time"] if self.interval_secs else []), *self.by, *(function.name for function in self.functions)]

    def select(self, rows_in: Callable[[TimeRange], float] = unknown_rows) -> AnySelect:
        """The cheapest select with the exact result; `rows_in` estimates the rows of a range."""
        for rollups in (SUMS_BY_SERVICE_AND_LEVEL, SUMS_BY_USER, RESPONSE_TIMES):
            fitting = [rollup for rollup in rollups if _fits(self, rollup)]
            if fitting:
                spans_of = sources(self.span, fitting, rows_in, few_rows=_few_rows(self, fitting))
                is_small = _is_small(self, fitting, rows_in(self.span))
                if spans_of.keys() == {None}:
                    return replace(_over_rows(self), is_small=is_small)
                return replace(_over_rollups(self, fitting, spans_of), is_small=is_small)
        return _over_rows(self)

    def read(self, result: Result) -> Result:
        """The result of `select` with `columns`."""
        steps = self.steps_in_arrays
        return replace(result, rows=steps.rows(result.rows)) if steps else result

    @property
    def steps_in_arrays(self) -> Steps | None:
        """The steps if logs are counted in each, in an array per group; None if a group is one of a step."""
        is_count = list(self.functions) == [Function("count")] and len(self.by) == 1
        if not self.interval_secs or not is_count or _column(self.by[0]) != "SeverityText":
            return None
        steps = Steps.of(self.span, self.interval_secs)
        return steps if len(steps) <= MOST_STEPS else None


def _few_rows(query: Aggregate, rollups: Sequence[Rollup]) -> int:
    """So many rows are read sooner than a rollup more is planned."""
    if "ServiceName" in query.condition.equal:
        return _FEW_OF_A_SERVICE
    return _FEW_MEASURED if rollups[0].has_buckets else _FEW_ROWS


def _is_small(query: Aggregate, rollups: Sequence[Rollup], rows: float) -> bool:
    """Whether one thread reads it sooner than several, of a range with so many rows."""
    if rollups[0] in SUMS_BY_USER:
        return "UserId" in query.condition.equal  # one key of a sorted projection: a granule in each part
    return rows <= (_SMALL_MEASURED if rollups[0].has_buckets else _SMALL)


def _over_rows(query: Aggregate) -> Select:
    expressions = Expressions()
    by = [expressions.text(field) for field in query.by]
    if steps := query.steps_in_arrays:
        keys, aggregates = by, [f"{steps.resampled('count')}(toUInt32(Timestamp))"]
    else:
        keys = [*_step(query, "Timestamp"), *by]
        aggregates = [function.over_rows(expressions) for function in query.functions]
    where = [query.span.condition, query.condition.sql]
    parameters = {**query.condition.parameters, **expressions.parameters}
    select = Select(_listed([*keys, *aggregates]), where, _grouped(query), parameters)
    return select.filtered_first(query.span) if query.condition.is_of_service_and_level else select


def _fits(query: Aggregate, rollup: Rollup) -> bool:
    """Whether the rollup, with rows at the edges of the range, gives the exact result."""
    columns = {_column(field) for field in query.by} | query.condition.columns
    interval_ns = (query.interval_secs or 0) * SECOND_NS
    return (
        columns <= rollup.columns
        and interval_ns % rollup.step_ns == 0
        and query.span.whole(rollup.step_ns) is not None
        and all(_is_held(function, rollup) for function in query.functions)
    )


def _is_held(function: Function, rollup: Rollup) -> bool:
    if function.field and named(function.field) != _MEASURED_FIELD:
        return False
    return bool(function.over_buckets(BUCKET_VALUE) if rollup.has_buckets else function.over_sums)


def _over_rollups(
    query: Aggregate, rollups: Sequence[Rollup], spans_of: Mapping[Rollup | None, Sequence[TimeRange]]
) -> SelectFromAll:
    """A select over rollups, and over rows, each for its spans.

    Planning a select takes longer than reading a rollup, so there is one for each source, with all of its spans.
    ClickHouse uses a projection only if a statement consists of its keys and sums. So a piece that is read from one
    must mention Timestamp only as the start of a step. One that reads rows does not group them: ClickHouse would plan
    it for every projection.
    """
    by = [f"{_column(field)} AS by_{n}" for n, field in enumerate(query.by)]
    step_name = ["step"] if query.interval_secs else []
    by_names = [f"by_{n}" for n in range(len(by))]
    has_buckets = rollups[0].has_buckets
    group = ", ".join([*step_name, *by_names, *(["bucket"] if has_buckets else [])])
    if steps := query.steps_in_arrays:
        aggregates = [f"{steps.resampled('sum')}(logged, step)"]
    else:
        aggregates = [
            function.over_buckets(BUCKET_VALUE) if has_buckets else function.over_sums for function in query.functions
        ]
    # ClickHouse reads what no function needs too if there is nothing to group by.
    needed = {"bucket", *_NAME.findall(" ".join(aggregates))}
    held = [of for of in rollups[0].held if of.name in needed]

    def piece(rollup: Rollup | None, spans: Sequence[TimeRange]) -> Select:
        source = rollup or rollups[-1]
        step = [f"{sql} AS step" for sql in _step(query, source.start)]
        values = [f"{of.of_group if rollup else of.of_row} AS {of.name}" for of in held]
        return Select(
            ", ".join([*step, *by, *values]),
            [_any_of([rollup.condition(span) if rollup else span.condition for span in spans]), query.condition.sql],
            f"GROUP BY {group}" if group and rollup else "",
            query.condition.parameters,
            rollup.projection if rollup else "",
            is_without_indexes=rollup is not None,
        )

    pieces = [piece(rollup, spans) for rollup, spans in spans_of.items()]
    keys = [*([] if steps else step_name), *(f"toString({name})" for name in by_names)]
    return SelectFromAll(_listed([*keys, *aggregates]), pieces, _grouped(query))


def _any_of(conditions: Sequence[str]) -> str:
    """SQL that needs no further parentheses beside AND."""
    return conditions[0] if len(conditions) == 1 else f"({' OR '.join(f'({sql})' for sql in conditions)})"


def _column(field: str) -> str:
    return getattr(named(field), "column", "")


def _step(query: Aggregate, time: str) -> list[str]:
    """SQL for the start of a row's time step, Unix time in seconds; empty without an interval."""
    if not query.interval_secs:
        return []
    start = f"toStartOfInterval(toDateTime({time}, 'UTC'), INTERVAL {query.interval_secs:d} SECOND)"
    return [f"toUnixTimestamp({start})"]


def _listed(expressions: Sequence[str]) -> str:
    return ", ".join(f"{sql} AS column_{n}" for n, sql in enumerate(expressions))


def _grouped(query: Aggregate) -> str:
    """GROUP BY, ORDER BY and LIMIT: the newest time steps first, or the groups with the greatest first aggregate."""
    if query.steps_in_arrays:
        return "GROUP BY column_0"
    count = len(query.by) + (1 if query.interval_secs else 0)
    keys = ", ".join(f"column_{n}" for n in range(count))
    group = f"GROUP BY {keys} " if count else ""
    first_value = f"column_{count} DESC"
    order = f"column_0 DESC, {keys}" if query.interval_secs else ", ".join(filter(None, [first_value, keys]))
    return f"{group}ORDER BY {order} LIMIT {query.limit + 1:d}"
