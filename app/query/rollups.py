"""Rollups: the projections of schema.sql that aggregates can be computed from."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from app.query.buckets import BUCKET
from app.query.condition import SERVICE_AND_LEVEL
from app.query.time_range import SECOND_NS, TimeRange

_MINUTE_NS: Final = 60 * SECOND_NS
_HOUR_NS: Final = 3600 * SECOND_NS
_DAY_NS: Final = 24 * _HOUR_NS

FIVE_MINUTES: Final = "toStartOfFiveMinutes(Timestamp)"
"""The start of a five-minute bucket as SQL: the first column of the table's sorting key."""
FIVE_MINUTES_NS: Final = 5 * _MINUTE_NS
TRACE_KEY: Final = "bitShiftRight(cityHash64({}), 32)"
"""The sorting key of the projection by trace, as SQL; `{}` is the trace id."""


class Held(Struct, frozen=True):
    """What a rollup holds of each group under a name, and the same of a single row, as SQL."""

    name: str
    of_group: str
    of_row: str


_LOGGED: Final = Held("logged", "count()", "toUInt64(1)")
_BUCKETS: Final = (Held("bucket", BUCKET, BUCKET), _LOGGED)
_SUMS: Final = (
    _LOGGED,
    Held("measured", "count(ResponseTimeMs)", "toUInt64(isNotNull(ResponseTimeMs))"),
    Held("total", "sum(ResponseTimeMs)", "toFloat64(ResponseTimeMs)"),
)


def starts_in(span: TimeRange, start: str) -> str:
    """SQL condition that the start of a time step, itself SQL, is in a range of whole seconds."""
    return (
        f"{start} >= toDateTime({span.start_ns // SECOND_NS:d}, 'UTC')"
        f" AND {start} < toDateTime({span.end_ns // SECOND_NS:d}, 'UTC')"
    )


class Rollup(Struct, frozen=True):
    """One projection: the time step and columns that group rows, and the aggregates of each group."""

    projection: str
    """Its name in schema.sql."""
    start: str
    """The start of a step, as SQL."""
    step_ns: int
    columns: frozenset[str]
    held: Sequence[Held]
    has_buckets: bool = False
    """Whether rows are grouped by response time bucket too."""

    def condition(self, span: TimeRange) -> str:
        """SQL condition that a step is in a range, which consists of whole steps."""
        return starts_in(span, self.start)


_MINUTE: Final = "toStartOfMinute(Timestamp)"
_HOUR: Final = "toStartOfHour(Timestamp)"

# Each list begins with the coarsest: the edges of a range that one does not cover are read from the next.
SUMS_BY_SERVICE_AND_LEVEL: Final = (
    Rollup("per_hour", _HOUR, _HOUR_NS, SERVICE_AND_LEVEL, _SUMS),
    Rollup("per_minute", _MINUTE, _MINUTE_NS, SERVICE_AND_LEVEL, _SUMS),
)
SUMS_BY_USER: Final = (Rollup("per_user", FIVE_MINUTES, FIVE_MINUTES_NS, frozenset({"UserId"}), _SUMS),)
RESPONSE_TIMES: Final = tuple(
    Rollup(f"response_times_{name}", start, step_ns, frozenset({"ServiceName"}), _BUCKETS, has_buckets=True)
    for name, start, step_ns in (
        ("per_day", "toStartOfDay(Timestamp)", _DAY_NS),
        ("per_hour", _HOUR, _HOUR_NS),
        ("per_minute", _MINUTE, _MINUTE_NS),
    )
)


def cover(span: TimeRange, rollups: Sequence[Rollup]) -> Iterator[tuple[TimeRange, Rollup | None]]:
    """Split a range into parts, each with the coarsest rollup that covers it; None where only rows do."""
    if not rollups:
        yield span, None
        return
    whole = span.whole(rollups[0].step_ns)
    if whole is None:
        yield from cover(span, rollups[1:])
        return
    yield whole, rollups[0]
    for edge in span.without(whole):
        yield from cover(edge, rollups[1:])


def sources(
    span: TimeRange, rollups: Sequence[Rollup], rows_in: Callable[[TimeRange], float], *, few_rows: int
) -> dict[Rollup | None, list[TimeRange]]:
    """The parts of a range by the rollup to read them from, or None for rows, which `rows_in` estimates.

    As `cover` splits it, except that rollups, the finest first, are left out while no more than `few_rows` are read.
    """
    spans_of: dict[Rollup | None, list[TimeRange]] = {}
    for part, rollup in cover(span, rollups):
        spans_of.setdefault(rollup, []).append(part)
    for rollup in reversed(rollups):
        by_rows = _joined([*spans_of.get(rollup, []), *spans_of.get(None, [])])
        if sum(map(rows_in, by_rows)) > few_rows:
            break
        if spans_of.pop(rollup, None):
            spans_of[None] = by_rows
    return spans_of


def _joined(spans: Sequence[TimeRange]) -> list[TimeRange]:
    """The same ranges, in order, those that touch as one."""
    joined: list[TimeRange] = []
    for span in sorted(spans, key=lambda span: span.start_ns):
        if joined and joined[-1].end_ns == span.start_ns:
            span = TimeRange(joined.pop().start_ns, span.end_ns)
        joined.append(span)
    return joined
