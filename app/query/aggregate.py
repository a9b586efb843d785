"""Aggregates over logs: functions of a field, grouped by other fields, over time or in total."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.columns import Kind
from app.query.condition import Condition
from app.query.errors import BadParameter
from app.query.expressions import Expressions
from app.query.fields import named
from app.query.functions import Function
from app.query.log_table import AnySelect, Select, SelectFromAll
from app.query.rollups import BUCKET_VALUE, RESPONSE_TIMES, SUMS_BY_SERVICE_AND_LEVEL, SUMS_BY_USER, Rollup, cover
from app.query.time_range import SECOND_NS, TimeRange

_MEASURED_FIELD = named("response_time_ms")


def read_by(by: Sequence[str], functions: Sequence[Function]) -> Sequence[str]:
    """Check the fields to group by, and return them.

    Raises:
        BadParameter: a field is a time, or has the name of another column of the result.
    """
    taken = {"time", *(function.name for function in functions)}
    for name in by:
        if getattr(named(name), "kind", None) is Kind.TIME:
            raise BadParameter("by", f"by={name} is a time: figures over time have an interval")
        if name in taken:
            raise BadParameter("by", f"by={name} is the name of a figure too: write by=attributes.{name}")
    return by


@dataclass(frozen=True, slots=True)
class Aggregate:
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

    @property
    def select(self) -> AnySelect:
        """The cheapest select with the exact result."""
        for rollups in (SUMS_BY_SERVICE_AND_LEVEL, SUMS_BY_USER, RESPONSE_TIMES):
            fitting = [rollup for rollup in rollups if _fits(self, rollup)]
            if fitting:
                return _over_rollups(self, fitting)
        return _over_rows(self)


def _over_rows(asked: Aggregate) -> Select:
    expressions = Expressions()
    keys = [*_step(asked, "Timestamp"), *(expressions.text(field) for field in asked.by)]
    figures = [function.over_rows(expressions) for function in asked.functions]
    return Select(
        _listed([*keys, *figures]),
        [asked.span.condition, asked.condition.sql],
        _grouped(asked),
        {**asked.condition.parameters, **expressions.parameters},
    )


def _fits(asked: Aggregate, rollup: Rollup) -> bool:
    """Whether the rollup, with rows at the edges of the range, gives the exact result."""
    columns = {_column(field) for field in asked.by} | asked.condition.columns
    interval_ns = (asked.interval_secs or 0) * SECOND_NS
    return (
        columns <= rollup.columns
        and interval_ns % rollup.step_ns == 0
        and asked.span.whole(rollup.step_ns) is not None
        and all(_is_held(function, rollup) for function in asked.functions)
    )


def _is_held(function: Function, rollup: Rollup) -> bool:
    if function.field and named(function.field) != _MEASURED_FIELD:
        return False
    return bool(function.over_buckets(BUCKET_VALUE) if rollup.has_buckets else function.over_sums)


def _over_rollups(asked: Aggregate, rollups: Sequence[Rollup]) -> SelectFromAll:
    """A select over rollups, the coarsest first, and over rows for the edges that no rollup covers.

    ClickHouse uses a projection only if a statement consists of its keys and sums. So a piece that is read from one
    must mention Timestamp only as the start of a step.
    """
    by = [f"{_column(field)} AS by_{n}" for n, field in enumerate(asked.by)]
    step_name = ["step"] if asked.interval_secs else []
    by_names = [f"by_{n}" for n in range(len(by))]
    has_buckets = rollups[0].has_buckets
    group = ", ".join([*step_name, *by_names, *(["bucket"] if has_buckets else [])])

    def piece(span: TimeRange, rollup: Rollup | None) -> Select:
        source = rollup or rollups[-1]
        step = [f"{sql} AS step" for sql in _step(asked, source.start)]
        return Select(
            ", ".join([*step, *by, *source.sums]),
            [span.condition if rollup is None else rollup.condition(span), asked.condition.sql],
            f"GROUP BY {group}" if group else "",
            asked.condition.parameters,
        )

    pieces = [piece(span, rollup) for span, rollup in cover(asked.span, rollups)]
    keys = [*step_name, *(f"toString({name})" for name in by_names)]
    figures = [
        function.over_buckets(BUCKET_VALUE) if has_buckets else function.over_sums for function in asked.functions
    ]
    return SelectFromAll(_listed([*keys, *figures]), pieces, _grouped(asked))


def _column(field: str) -> str:
    return getattr(named(field), "column", "")


def _step(asked: Aggregate, time: str) -> list[str]:
    """SQL for the start of a row's time step, Unix time in seconds; empty without an interval."""
    if not asked.interval_secs:
        return []
    start = f"toStartOfInterval(toDateTime({time}, 'UTC'), INTERVAL {asked.interval_secs:d} SECOND)"
    return [f"toUnixTimestamp({start})"]


def _listed(expressions: Sequence[str]) -> str:
    return ", ".join(f"{sql} AS column_{n}" for n, sql in enumerate(expressions))


def _grouped(asked: Aggregate) -> str:
    """GROUP BY, ORDER BY and LIMIT: the newest time steps first, or the groups with the greatest first aggregate."""
    count = len(asked.by) + (1 if asked.interval_secs else 0)
    keys = ", ".join(f"column_{n}" for n in range(count))
    group = f"GROUP BY {keys} " if count else ""
    first_value = f"column_{count} DESC"
    order = f"column_0 DESC, {keys}" if asked.interval_secs else ", ".join(filter(None, [first_value, keys]))
    return f"{group}ORDER BY {order} LIMIT {asked.limit + 1:d}"
