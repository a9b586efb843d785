"""SQL of the panels: reads rollups where possible, and is safe against any text that somebody enters.

Grafana replaces `$__...` and `${...}`. Of its formats for a variable, only those that percent-encode are safe: its
quoting leaves backslashes as they are, and a backslash escapes the closing quote.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from app.domain.severity import SEVERITY_NUMBER
from app.query.buckets import BUCKET_VALUE
from app.query.rollups import (
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

# The parts in which messages of one kind differ: numbers, and runs of hexadecimal digits that contain a number.
_CHANGING: Final = r"\\b[0-9a-fA-F]*[0-9][0-9a-fA-F]*\\b|[0-9]+"
KIND: Final = f"replaceRegexpAll(substring(Body, 1, 200), '{_CHANGING}', '#')"
"""The kind of a message: its beginning without numbers and ids."""
# Characters that are words of their own in `_words`, roughly: domain/words.py knows more scripts.
_OWN_WORD: Final = r"[\\p{Han}\\p{Hiragana}\\p{Katakana}\\p{Hangul}\\p{Thai}]|[^\\x00-\\x7f\\p{L}\\p{N}\\p{M}]"


@dataclass(frozen=True, slots=True)
class Span:
    """A time range: start and exclusive end, as SQL."""

    start: str
    end: str

    def steps(self, rollup: Rollup) -> str:
        """The SQL condition that a step of a rollup is in the range. The first step is included as a whole."""
        return f"{rollup.start} >= {_floor(rollup, self.start)} AND {rollup.start} < {_moment(self.end)}"

    @property
    def rows(self) -> str:
        """The SQL condition that a row is in the range."""
        return f"Timestamp >= {_moment(self.start)} AND Timestamp < {_moment(self.end)}"

    @property
    def newest_day(self) -> "Span":
        """The part of the range that is at most a day before its end: panels that read rows read only this part."""
        end = _moment(self.end)
        return Span(f"greatest({_moment(self.start)}, {end} - INTERVAL 1 DAY)", end)


NOW: Final = Span("$__fromTime", "$__toTime")
"""The time range of the dashboard."""
BEFORE: Final = Span("$__fromTime - ($__toTime - $__fromTime)", "toStartOfMinute(toDateTime($__fromTime, 'UTC'))")
"""The period of the same length before it."""


def typed(variable: str) -> str:
    """The text that was entered or chosen for a variable, as SQL."""
    return f"decodeURLComponent('${{{variable}:percentencode}}')"


def chosen(column: str, variable: str) -> str:
    """The condition that a column is one of the chosen values of a variable; true if All is chosen."""
    pairs = f"splitByChar('&', '${{{variable}:customqueryparam:v}}')"
    values = f"arrayMap(pair -> decodeURLComponent(substring(pair, 3)), {pairs})"
    return f"$__conditionalAll(has({values}, {column}), ${variable})"


def unless_empty(condition: str, variable: str) -> str:
    """The condition, or true while the variable is empty."""
    return f"$__conditionalAll({condition}, ${variable})"


def matching(span: Span) -> str:
    """The condition of a dashboard that searches logs, from its five variables.

    While only services and levels are chosen, rollups are read; words are found by the text index.
    """
    search = typed("search")
    form = f"replaceRegexpAll(lowerUTF8({search}), '{_OWN_WORD}', ' \\\\0 ')"
    words = f"(hasAllTokens(lower(Body), lower({search})) OR hasAllTokens(_words, {form}))"
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
    """A subquery of counts and sums of a span by columns: from hours, and from minutes at its ends."""
    return _total(SUMS_BY_SERVICE_AND_LEVEL, columns, span, where)


def sums_over_time(columns: Sequence[str], span: Span, where: str) -> str:
    """The same by `step`: minutes, or hours if a point of the panel is an hour or more."""
    return _over_time(SUMS_BY_SERVICE_AND_LEVEL, columns, span, where)


def response_times(columns: Sequence[str], span: Span, where: str) -> str:
    """A subquery of response times by columns: `value` (within 0.8 %), and in `logged` the number of logs with it."""
    _day, *finer = RESPONSE_TIMES
    return _with_values(_total(finer, columns, span, where), columns)


def response_times_over_time(columns: Sequence[str], span: Span, where: str) -> str:
    """The same by `step`, as in `sums_over_time`."""
    _day, *finer = RESPONSE_TIMES
    return _with_values(_over_time(finer, columns, span, where), ["step", *columns])


def slowest(span: Span, where: str, limit: int) -> str:
    """A subquery of the `limit` pairs of five-minute bucket and service that hold the highest response times."""
    *_coarser, minute = RESPONSE_TIMES
    columns = ["step", "ServiceName"]
    measured = _with_values(f"({_piece(minute, columns, span.steps(minute), where)})", columns)
    start = FIVE_MINUTES.replace("Timestamp", "step")
    return f"(SELECT {start}, ServiceName FROM {measured} ORDER BY value DESC LIMIT {limit:d})"


def sums_by_user(span: Span, where: str) -> str:
    """A subquery of counts and sums by `UserId` and `step`, which is five minutes."""
    [rollup] = SUMS_BY_USER
    return f"({_piece(rollup, ['step', 'UserId'], span.steps(rollup), where)})"


def of_user(span: Span) -> str:
    """The condition for rows of the entered user, read only from the five-minute buckets that have some."""
    return _found_by("UserId", "{}", typed("user"), span)


def of_trace(span: Span) -> str:
    """The condition for rows of the entered trace, as in `of_user`."""
    return _found_by("TraceId", TRACE_KEY, typed("trace"), span)


def now_and_before(of: Callable[[Span], str]) -> str:
    """A subquery that unites the rows of the time range and of the period before; `is_now` distinguishes them."""
    return f"(SELECT *, true AS is_now FROM {of(NOW)} UNION ALL SELECT *, false AS is_now FROM {of(BEFORE)})"


def error_rate(when: str) -> str:
    """The fraction of logs of level ERROR or worse, among those for which a condition holds."""
    return f"sumIf(logged, {when} AND {IS_ERROR}) / nullIf(sumIf(logged, {when}), 0)"


def quantile(share: float, condition: str = "true") -> str:
    """A quantile of the values of `response_times`."""
    return f"quantileExactWeightedIf({share:g})(value, logged, {condition})"


def quantiles(shares: Sequence[float], condition: str = "true") -> str:
    """Several quantiles, as columns `p50`, `p95` ..."""
    return ", ".join(f"{quantile(share, condition)} AS {_percentile(share)}" for share in shares)


def quantiles_now_and_before(shares: Sequence[float]) -> str:
    """Several quantiles, each next to that of the period before, as columns `p50`, `p50_before` ..."""
    return ", ".join(
        f"{quantiles([share], 'is_now')}, {quantile(share, 'NOT is_now')} AS {_percentile(share)}_before"
        for share in shares
    )


def newest(columns: str, where: str, limit: int) -> str:
    """A subquery of the newest rows by five-minute bucket: in the table's order, so that reading stops early.

    Of the last bucket that is read, the rows are arbitrary.
    """
    return f"(SELECT {columns} FROM {TABLE} WHERE {where} ORDER BY {FIVE_MINUTES} DESC LIMIT {limit:d})"


def log_rows(where: str, limit: int) -> str:
    """The query of a panel of logs: the newest rows, with the column names that Grafana expects."""
    columns = (
        'Timestamp AS "timestamp", Body AS "body", SeverityText AS "level", ServiceName, UserId, ResponseTimeMs,'
        " TraceId, SpanId, ParseError, ResourceAttributes, LogAttributes"
    )
    return f"SELECT {columns} FROM {TABLE} WHERE {where} ORDER BY {FIVE_MINUTES} DESC, Timestamp DESC LIMIT {limit:d}"


def _percentile(share: float) -> str:
    return f"p{share * 100:g}"


def _found_by(column: str, key: str, value: str, span: Span) -> str:
    """The condition for rows with this value; a projection ordered by the key has their five-minute buckets."""
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
    """The query of one rollup for some steps. It uses only the rollup's keys and sums, else ClickHouse reads rows."""
    named = [f"{rollup.start} AS step" if column == "step" else column for column in columns]
    groups = [*columns, *(["bucket"] if rollup.has_buckets else [])]
    group = f" GROUP BY {', '.join(groups)}" if groups else ""
    held = [f"{of.of_group} AS {of.name}" for of in rollup.held]
    return f"SELECT {', '.join([*named, *held])} FROM {TABLE} WHERE {steps} AND {where}{group}"


def _with_values(buckets: str, columns: Sequence[str]) -> str:
    names = ", ".join([*columns, f"{BUCKET_VALUE} AS value", "logged"])
    return f"(SELECT {names} FROM {buckets} WHERE isNotNull(bucket))"


def _floor(rollup: Rollup, moment: str) -> str:
    """The start of the step that contains a moment."""
    return rollup.start.replace("Timestamp", _moment(moment))


def _moment(moment: str) -> str:
    # In UTC, as the table is: an hour does not begin at the same moment everywhere.
    return f"toDateTime({moment}, 'UTC')"
