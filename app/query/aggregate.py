"""Figures over many logs: what is counted or summed, of which field, split by what, over time or in total."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.query.condition import Condition
from app.query.errors import BadParameter
from app.query.expressions import Expressions
from app.query.fields import Kind, named
from app.query.statement import Statement
from app.query.time_range import SECOND_NS, TimeRange

_MINUTE_NS: Final = 60 * SECOND_NS
_QUANTILE: Final = re.compile(r"p(\d{1,2}(?:\.\d{1,3})?)")
_PLAIN: Final = ("sum", "avg", "min", "max")
_EXAMPLES: Final = "count, count_distinct, sum, avg, min, max, p50, p95, p99, p99.9"
_APPROXIMATE: Final[Mapping[str, str]] = {
    "count_distinct": "usually within 1 %",
    "quantile": "within 1 % of the value",
}

# What the projection `per_minute` is made of: the columns that it is split by, and the field that it sums.
_MINUTE_COLUMNS: Final = frozenset({"ServiceName", "SeverityText", "SeverityNumber"})
_MINUTE_FIELD: Final = named("response_time_ms")
_MINUTE_FUNCTIONS: Final = frozenset({"count", "sum", "avg"})


@dataclass(frozen=True, slots=True)
class Function:
    """One figure: what is done (`count`, `avg`, `p99` ...) with which field."""

    name: str
    field: str = ""

    @property
    def approximation(self) -> str | None:
        """How far the figure may be from the exact one; None if it is exact."""
        return _APPROXIMATE.get("quantile" if _QUANTILE.fullmatch(self.name) else self.name)

    def over_rows(self, expressions: Expressions) -> str:
        """The figure as an expression over rows. Over no number at all there is none, which is not nought."""
        if self.name == "count" and not self.field:
            return "count()"
        if self.name == "count":
            return f"countIf({expressions.text(self.field)} != '')"
        if self.name == "count_distinct":
            text = expressions.text(self.field)
            return f"uniqIf({text}, {text} != '')"
        number = expressions.number(self.field)
        quantile = _QUANTILE.fullmatch(self.name)
        if quantile:
            # The sketch holds so many magnitudes and no more.
            near = f"greatest(-1e15, least(1e15, {number}))"
            bounded = f"multiIf(isNull({number}), NULL, abs({number}) < 1e-9, 0, {near})"
            figure = f"quantileDD(0.01, {float(quantile[1]) / 100:g})({bounded})"
        else:
            figure = f"{self.name}({number})"
        if self.name in ("min", "max"):
            figure = f"toFloat64OrNull(toString({figure}))"  # a 32-bit float without the digits that nobody measured
        return f"if(count({number}) = 0, NULL, {figure})"

    def over_minutes(self) -> str:
        """The figure as an expression over counts and sums of minutes."""
        if self.name == "count":
            return "sum(measured)" if self.field else "sum(logged)"
        return (
            "if(sum(measured) = 0, NULL, sum(total))" if self.name == "sum" else "sum(total) / nullIf(sum(measured), 0)"
        )


def read_functions(names: str, field: str) -> list[Function]:
    """The functions of a comma-separated list, each of the same field.

    Raises:
        BadParameter: one is not known, or needs a field and there is none.
    """
    functions = [Function(name, field) for name in dict.fromkeys(part.strip() for part in names.split(","))]
    for function in functions:
        if function.name not in ("count", "count_distinct", *_PLAIN) and not _QUANTILE.fullmatch(function.name):
            raise BadParameter("function", f"function={function.name} is not known; there are {_EXAMPLES}")
        if function.name != "count" and not field:
            raise BadParameter("field", f"function={function.name} needs a field, such as field=response_time_ms")
    return functions


def read_by(by: Sequence[str], functions: Sequence[Function]) -> Sequence[str]:
    """The fields to split figures by.

    Raises:
        BadParameter: one is a time, or has the name of another column of the answer.
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
    """What is asked: these functions over matching logs, split by fields, and by time if there is an interval."""

    condition: Condition
    span: TimeRange
    functions: Sequence[Function]
    by: Sequence[str] = ()
    interval_secs: int | None = None
    limit: int = 10_000

    @property
    def columns(self) -> list[str]:
        """The names of the answer's columns."""
        return [*(["time"] if self.interval_secs else []), *self.by, *(function.name for function in self.functions)]

    @property
    def statement(self) -> Statement:
        """The cheapest statement that answers it."""
        return _over_minutes(self) if _fits_minutes(self) else _over_rows(self)


def _over_rows(asked: Aggregate) -> Statement:
    expressions = Expressions()
    keys = _keys(asked, [expressions.text(field) for field in asked.by], "Timestamp")
    figures = [function.over_rows(expressions) for function in asked.functions]
    sql = f"SELECT {_listed([*keys, *figures])} FROM {{table}} WHERE {asked.span.condition} AND {asked.condition.sql}"
    return Statement(sql + _grouped(asked), {**asked.condition.parameters, **expressions.parameters})


def _fits_minutes(asked: Aggregate) -> bool:
    """Whether counts and sums of whole minutes answer it exactly."""
    columns = {_column(field) for field in asked.by} | asked.condition.columns
    return (
        columns <= _MINUTE_COLUMNS
        and (asked.interval_secs or 60) % 60 == 0
        and asked.span.whole(_MINUTE_NS) is not None
        and all(
            function.name in _MINUTE_FUNCTIONS and (not function.field or named(function.field) == _MINUTE_FIELD)
            for function in asked.functions
        )
    )


def _over_minutes(asked: Aggregate) -> Statement:
    """Whole minutes from the projection `per_minute`, the rest of the first and the last minute from rows.

    ClickHouse takes the projection only where everything is made of its keys and sums, so a statement that reads it
    must not mention Timestamp otherwise than as the start of a minute.
    """
    minutes = asked.span.whole(_MINUTE_NS)
    assert minutes is not None  # see _fits_minutes
    by = [f"{_column(field)} AS by_{n}" for n, field in enumerate(asked.by)]
    sums = ["count() AS logged", "count(ResponseTimeMs) AS measured", "sum(ResponseTimeMs) AS total"]
    grouped = f" GROUP BY {', '.join(['minute', *(f'by_{n}' for n in range(len(by)))])}"
    start = "toStartOfMinute(Timestamp)"
    whole = (
        f"{start} >= toDateTime({minutes.start_ns // SECOND_NS:d}, 'UTC')"
        f" AND {start} < toDateTime({minutes.end_ns // SECOND_NS:d}, 'UTC')"
    )
    pieces = [whole, *(edge.condition for edge in asked.span.without(minutes))]
    union = " UNION ALL ".join(
        f"SELECT {', '.join([f'{start} AS minute', *by, *sums])} FROM {{table}}"
        f" WHERE {piece} AND {asked.condition.sql}{grouped}"
        for piece in pieces
    )
    keys = _keys(asked, [f"toString(by_{n})" for n in range(len(by))], "minute")
    figures = [function.over_minutes() for function in asked.functions]
    return Statement(f"SELECT {_listed([*keys, *figures])} FROM ({union}){_grouped(asked)}", asked.condition.parameters)


def _column(field: str) -> str:
    return getattr(named(field), "column", "")


def _keys(asked: Aggregate, by: Sequence[str], time: str) -> list[str]:
    if not asked.interval_secs:
        return list(by)
    bucket = f"toUnixTimestamp(toStartOfInterval(toDateTime({time}, 'UTC'), INTERVAL {asked.interval_secs:d} SECOND))"
    return [bucket, *by]


def _listed(expressions: Sequence[str]) -> str:
    return ", ".join(f"{sql} AS column_{n}" for n, sql in enumerate(expressions))


def _grouped(asked: Aggregate) -> str:
    """The newest steps of time first, or the groups with the greatest first figure."""
    count = len(asked.by) + (1 if asked.interval_secs else 0)
    keys = ", ".join(f"column_{n}" for n in range(count))
    group = f" GROUP BY {keys}" if count else ""
    first_figure = f"column_{count} DESC"
    order = f"column_0 DESC, {keys}" if asked.interval_secs else ", ".join(filter(None, [first_figure, keys]))
    return f"{group} ORDER BY {order} LIMIT {asked.limit + 1:d}"
