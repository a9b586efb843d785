"""SQL of the panels: answered from what ClickHouse keeps summed up, and the same whatever somebody types.

Grafana replaces `$__...` and `${...}`. Of the ways in which it writes a variable only those that percent-encode it are
safe: what it calls quoting leaves backslashes as they are, and a backslash takes the meaning from a closing quote.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from app.domain.severity import SEVERITY_NUMBER
from app.query.rollups import (
    BUCKET_VALUE,
    FIVE_MINUTES,
    RESPONSE_TIMES,
    SUMS_BY_SERVICE_AND_LEVEL,
    SUMS_BY_USER,
    TRACE_KEY,
    Rollup,
)

TABLE: Final = "logs.logs"
LEVEL: Final = "if(SeverityText = '', 'none', SeverityText)"
IS_ERROR: Final = f"SeverityNumber >= {SEVERITY_NUMBER['ERROR']}"
ERROR_SHARE: Final = f"sumIf(logged, {IS_ERROR}) / sum(logged)"

_HOUR_SECS: Final = 3600
_MINUTE_SECS: Final = 60

# What differs from one message of a kind to the next: numbers, and runs of hexadecimal digits with a number in them.
_CHANGING: Final = r"\\b[0-9a-fA-F]*[0-9][0-9a-fA-F]*\\b|[0-9]+"
KIND: Final = f"replaceRegexpAll(substring(Body, 1, 200), '{_CHANGING}', '#')"
"""The kind of a message: its beginning without numbers and ids."""


@dataclass(frozen=True, slots=True)
class Span:
    """A time range: two moments as SQL, of which the end is not part."""

    start: str
    end: str

    def steps(self, rollup: Rollup) -> str:
        """As SQL: that a step of a rollup is in it. The first step is whole."""
        return f"{rollup.start} >= {_floor(rollup, self.start)} AND {rollup.start} < {_moment(self.end)}"

    @property
    def rows(self) -> str:
        """As SQL: that a row is in it."""
        return f"Timestamp >= {_moment(self.start)} AND Timestamp < {_moment(self.end)}"

    @property
    def newest_day(self) -> "Span":
        """What of it is not older than a day: panels that read rows read no more."""
        end = _moment(self.end)
        return Span(f"greatest({_moment(self.start)}, {end} - INTERVAL 1 DAY)", end)


NOW: Final = Span("$__fromTime", "$__toTime")
"""The time range of the dashboard."""
BEFORE: Final = Span("$__fromTime - ($__toTime - $__fromTime)", "toStartOfMinute(toDateTime($__fromTime, 'UTC'))")
"""The one as long before it."""


def typed(variable: str) -> str:
    """What somebody has typed or chosen, as one text."""
    return f"decodeURLComponent('${{{variable}:percentencode}}')"


def chosen(column: str, variable: str) -> str:
    """A condition: that a column is one of the values that were chosen; true where All was."""
    pairs = f"splitByChar('&', '${{{variable}:customqueryparam:v}}')"
    values = f"arrayMap(pair -> decodeURLComponent(substring(pair, 3)), {pairs})"
    return f"$__conditionalAll(has({values}, {column}), ${variable})"


def unless_empty(condition: str, variable: str) -> str:
    """A condition that holds for every row while nothing is typed."""
    return f"$__conditionalAll({condition}, ${variable})"


def matching(span: Span) -> str:
    """The condition of a dashboard where logs are looked for, by its five variables.

    While only services and levels are chosen it is answered from the sums; words are found by the text index.
    """
    words = f"hasAllTokens(lower(Body), lower({typed('search')}))"
    return " AND ".join(
        [
            chosen("ServiceName", "service"),
            chosen(LEVEL, "level"),
            unless_empty(words, "search"),
            unless_empty(of_user(span), "user"),
            unless_empty(of_trace(span), "trace"),
        ]
    )


def sums(columns: Sequence[str], span: Span, where: str) -> str:
    """Counts and sums of a span by columns: from hours, and from minutes at its ends. A subquery."""
    return _total(SUMS_BY_SERVICE_AND_LEVEL, columns, span, where)


def sums_over_time(columns: Sequence[str], span: Span, where: str) -> str:
    """The same by `step`: minutes, or hours where a point of the panel is an hour or more."""
    return _over_time(SUMS_BY_SERVICE_AND_LEVEL, columns, span, where)


def response_times(columns: Sequence[str], span: Span, where: str) -> str:
    """Which response times were measured: `value` (within 0.8 %), by columns; `logged` says how often. A subquery."""
    _day, *finer = RESPONSE_TIMES
    return _with_values(_total(finer, columns, span, where), columns)


def response_times_over_time(columns: Sequence[str], span: Span, where: str) -> str:
    """The same by `step`, as in `sums_over_time`."""
    _day, *finer = RESPONSE_TIMES
    return _with_values(_over_time(finer, columns, span, where), ["step", *columns])


def slowest(span: Span, where: str, limit: int) -> str:
    """In which five minutes and services the highest response times are: that many pairs. A subquery."""
    *_coarser, minute = RESPONSE_TIMES
    columns = ["step", "ServiceName"]
    measured = _with_values(f"({_piece(minute, columns, span.steps(minute), where)})", columns)
    start = FIVE_MINUTES.replace("Timestamp", "step")
    return f"(SELECT {start}, ServiceName FROM {measured} ORDER BY value DESC LIMIT {limit:d})"


def sums_by_user(span: Span, where: str) -> str:
    """Counts and sums by `UserId` and `step`, which is five minutes. A subquery."""
    [rollup] = SUMS_BY_USER
    return f"({_piece(rollup, ['step', 'UserId'], span.steps(rollup), where)})"


def of_user(span: Span) -> str:
    """A condition: rows of the user that was typed, read only from the five minutes in which there are some."""
    return _found_by("UserId", "{}", typed("user"), span)


def of_trace(span: Span) -> str:
    """A condition: rows of the trace that was typed, as in `of_user`."""
    return _found_by("TraceId", TRACE_KEY, typed("trace"), span)


def now_and_before(of: Callable[[Span], str]) -> str:
    """A subquery of the time range and the same of the time before as one; `is_now` says which a row is from."""
    return f"(SELECT *, true AS is_now FROM {of(NOW)} UNION ALL SELECT *, false AS is_now FROM {of(BEFORE)})"


def error_rate(when: str) -> str:
    """Which part of the logs is of level ERROR or worse, of those that a condition holds for."""
    return f"sumIf(logged, {when} AND {IS_ERROR}) / nullIf(sumIf(logged, {when}), 0)"


def quantile(share: float, condition: str = "true") -> str:
    """A quantile of what `response_times` gives."""
    return f"quantileExactWeightedIf({share:g})(value, logged, {condition})"


def quantiles(shares: Sequence[float], condition: str = "true") -> str:
    """Some of them, as columns `p50`, `p95` ..."""
    return ", ".join(f"{quantile(share, condition)} AS {_percentile(share)}" for share in shares)


def quantiles_now_and_before(shares: Sequence[float]) -> str:
    """Each of them beside that of the time before, as columns `p50`, `p50_before` ..."""
    return ", ".join(
        f"{quantiles([share], 'is_now')}, {quantile(share, 'NOT is_now')} AS {_percentile(share)}_before"
        for share in shares
    )


def newest(columns: str, where: str, limit: int) -> str:
    """The newest rows, five minutes by five minutes: in the order of the table, so that reading stops in time.

    Within the last five minutes that are read it is not told which rows. A subquery.
    """
    return f"(SELECT {columns} FROM {TABLE} WHERE {where} ORDER BY {FIVE_MINUTES} DESC LIMIT {limit:d})"


def log_rows(where: str, limit: int) -> str:
    """What a panel of logs wants: the newest rows, and their columns by the names that it knows."""
    columns = (
        'Timestamp AS "timestamp", Body AS "body", SeverityText AS "level", ServiceName, UserId, ResponseTimeMs,'
        " TraceId, SpanId, ParseError, ResourceAttributes, LogAttributes"
    )
    return f"SELECT {columns} FROM {TABLE} WHERE {where} ORDER BY {FIVE_MINUTES} DESC, Timestamp DESC LIMIT {limit:d}"


def _percentile(share: float) -> str:
    return f"p{share * 100:g}"


def _found_by(column: str, key: str, value: str, span: Span) -> str:
    """Rows with this value; a projection that is sorted by the key knows in which five minutes they are."""
    [rollup] = SUMS_BY_USER
    is_key = f"{key.format(column)} = {key.format(value)}"
    known = f"SELECT {FIVE_MINUTES} FROM {TABLE} WHERE {is_key} AND {span.steps(rollup)} GROUP BY {FIVE_MINUTES}"
    return f"{column} = {value} AND {FIVE_MINUTES} IN ({known})"


def _total(rollups: Sequence[Rollup], columns: Sequence[str], span: Span, where: str) -> str:
    hour, minute = rollups
    whole = Span(_floor(hour, f"{_floor(minute, span.start)} + {_HOUR_SECS - _MINUTE_SECS}"), _floor(hour, span.end))
    edges = f"{span.steps(minute)} AND ({minute.start} < {whole.start} OR {minute.start} >= {whole.end})"
    pieces = _piece(hour, columns, whole.steps(hour), where), _piece(minute, columns, edges, where)
    return f"({' UNION ALL '.join(pieces)})"


def _over_time(rollups: Sequence[Rollup], columns: Sequence[str], span: Span, where: str) -> str:
    hour, minute = rollups
    by = ["step", *columns]
    pieces = (
        _piece(hour, by, f"$__interval_s >= {_HOUR_SECS} AND {span.steps(hour)}", where),
        _piece(minute, by, f"$__interval_s < {_HOUR_SECS} AND {span.steps(minute)}", where),
    )
    return f"({' UNION ALL '.join(pieces)})"


def _piece(rollup: Rollup, columns: Sequence[str], steps: str, where: str) -> str:
    """What one rollup holds of some steps. Everything in it is made of its keys and sums, or it would not be taken."""
    named = [f"{rollup.start} AS step" if column == "step" else column for column in columns]
    groups = [*columns, *(["bucket"] if rollup.has_buckets else [])]
    group = f" GROUP BY {', '.join(groups)}" if groups else ""
    return f"SELECT {', '.join([*named, *rollup.sums])} FROM {TABLE} WHERE {steps} AND {where}{group}"


def _with_values(buckets: str, columns: Sequence[str]) -> str:
    names = ", ".join([*columns, f"{BUCKET_VALUE} AS value", "logged"])
    return f"(SELECT {names} FROM {buckets} WHERE isNotNull(bucket))"


def _floor(rollup: Rollup, moment: str) -> str:
    """The start of the step that a moment is in."""
    return rollup.start.replace("Timestamp", _moment(moment))


def _moment(moment: str) -> str:
    # In UTC, as the table is: an hour does not begin at the same moment everywhere.
    return f"toDateTime({moment}, 'UTC')"
