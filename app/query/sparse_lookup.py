"""Sparse lookup: the five-minute buckets of a user's or a trace's few logs, so that only those are read.

Two projections of schema.sql know it. A stretch is what the table is ordered by first, so the primary key leads to it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from app.domain.statement import Cost
from app.query.condition import Condition
from app.query.log_table import LogTable, Select
from app.query.rollups import FIVE_MINUTES, FIVE_MINUTES_NS, TRACE_KEY, starts_in
from app.query.time_range import SECOND_NS, TimeRange
from app.query.windowed_scan import Deadline, Piece

_AT_ONCE: Final = 10_000  # buckets: the server accepts statements of 256 KiB
_GROWTH: Final = 8
_LAST_NS: Final = (2**32 - 1) * SECOND_NS  # starts of buckets are DateTime, which ends in 2106


@dataclass(frozen=True, slots=True)
class _Register:
    """A projection that holds the five-minute buckets by the value of a column."""

    column: str
    key: str
    """What it is sorted by, as SQL, for `{}` that holds the value."""
    rows: str
    """The number of rows of the value in a bucket, as SQL; 1 where the projection has no count."""


_REGISTERS: Final = (
    _Register("TraceId", TRACE_KEY, "1"),
    _Register("UserId", "{}", "count()"),
)


@dataclass(frozen=True, slots=True)
class _Bucket:
    start_secs: int
    rows: int


def has_sparse_lookup(table: LogTable, condition: Condition) -> bool:
    """Whether a projection knows the buckets of the rows that a condition finds."""
    return _register_of(table, condition) is not None


def sparse_pieces(
    table: LogTable,
    condition: Condition,
    span: TimeRange,
    *,
    wanted_rows: int,
    deadline: Deadline,
) -> Iterator[Piece]:
    """All buckets of a range that may hold matching rows, the newest first.

    The first piece is enough if the condition names nothing but the user or the trace.

    Raises:
        AskForLess, TryAgainLater: see `LogTable.ask`.
    """
    register = _register_of(table, condition)
    assert register is not None
    end_ns, enough_rows = span.end_ns, wanted_rows
    while end_ns > span.start_ns:
        asked = _which(register, condition, TimeRange(span.start_ns, end_ns))
        answer = table.ask(asked, timeout_secs=deadline.left_secs())
        known, cost = [_Bucket(start, rows) for start, rows in answer.rows], answer.cost
        is_last = len(known) < _AT_ONCE
        while known:
            taken = _enough(known, enough_rows)
            known = known[len(taken) :]
            start_ns = max(span.start_ns, taken[-1].start_secs * SECOND_NS)
            yield Piece(TimeRange(start_ns, end_ns), _in(taken), cost)
            end_ns, cost = start_ns, Cost()
            enough_rows *= _GROWTH
        if is_last:
            return


def _register_of(table: LogTable, condition: Condition) -> _Register | None:
    """The projection for the lookup: one that knows the columns of the condition and of the scope."""
    return next(
        (
            register
            for register in _REGISTERS
            if register.column in condition.equal and table.scope_columns <= {register.column}
        ),
        None,
    )


def _which(register: _Register, condition: Condition, span: TimeRange) -> Select:
    first_ns = min(span.start_ns // FIVE_MINUTES_NS * FIVE_MINUTES_NS, _LAST_NS)
    end_ns = min(-(-span.end_ns // SECOND_NS) * SECOND_NS, _LAST_NS)
    value = condition.equal[register.column]
    return Select(
        f"toUnixTimestamp({FIVE_MINUTES}) AS stretch, {register.rows}",
        [
            f"{register.key.format(register.column)} = {register.key.format(value)}",
            starts_in(TimeRange(first_ns, end_ns), FIVE_MINUTES),
        ],
        f"GROUP BY {FIVE_MINUTES} ORDER BY stretch DESC LIMIT {_AT_ONCE:d}",
        condition.parameters,
    )


def _enough(known: Sequence[_Bucket], rows: int) -> Sequence[_Bucket]:
    """The first buckets that hold this many rows together."""
    total = 0
    for count, bucket in enumerate(known, 1):
        total += bucket.rows
        if total >= rows:
            return known[:count]
    return known


def _in(taken: Sequence[_Bucket]) -> str:
    starts = ", ".join(f"toDateTime({bucket.start_secs:d}, 'UTC')" for bucket in taken)
    return f"{FIVE_MINUTES} IN ({starts})"
