"""Sparse lookup: finds the five-minute buckets with a user's or a trace's logs, so that a search reads only these.

Two projections of schema.sql list the buckets. The table is ordered by bucket first, so reading one by the primary key
is cheap.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from app.domain.statement import Cost
from app.query.condition import Condition
from app.query.log_table import Among, LogTable, Select
from app.query.rollups import FIVE_MINUTES, FIVE_MINUTES_NS, TRACE_KEY, starts_in
from app.query.time_range import SECOND_NS, TimeRange
from app.query.windowed_scan import FEW_ROWS, Deadline, Piece

_AT_ONCE: Final = 10_000  # buckets: the server accepts statements of up to 256 KiB
_GROWTH: Final = 8
_MOST_ROWS_BY_INDEX: Final = 20_000_000
_LAST_NS: Final = (2**32 - 1) * SECOND_NS  # bucket starts are DateTime, which ends in 2106


class _Register(Struct, frozen=True):
    """A projection that lists the buckets for each value of a column."""

    projection: str
    """Its name in schema.sql."""
    column: str
    key: str
    """Its sorting key, as SQL; `{}` is the value."""
    rows: str
    """How many rows with the value a bucket has, as SQL; 1 where the projection has no counts."""


_REGISTERS: Final = (
    _Register("per_trace", "TraceId", TRACE_KEY, "1"),
    _Register("per_user", "UserId", "{}", "count()"),
)


class _Bucket(Struct, frozen=True):
    start_secs: int
    rows: int


def has_sparse_lookup(table: LogTable, condition: Condition) -> bool:
    """Whether a projection can list the buckets with rows that match the condition and the table's scope."""
    return _register_of(table, condition) is not None


def sparse_pieces(
    table: LogTable,
    condition: Condition,
    span: TimeRange,
    *,
    wanted_rows: int,
    deadline: Deadline,
    rows: float,
    is_first_page: bool = True,
) -> Iterator[Piece]:
    """All buckets of a range with candidate rows, in pieces, the newest first. There are none between two pieces.

    The first piece has enough rows if the condition is only about the user or the trace. Most traces have few: on the
    first page, all of its buckets are tried at once, which are found and read by one statement. Where the range holds
    few rows of any log (`rows`, an estimate), the index of trace ids finds them sooner; it grows with the rows.

    Raises:
        QueryTooExpensive, TryAgainLater, Refused: see `LogTable.run`.
    """
    register = _register_of(table, condition)
    assert register is not None
    if is_first_page and register.projection == "per_trace":
        if rows <= _MOST_ROWS_BY_INDEX:
            yield Piece(span, most_rows=FEW_ROWS)
        else:
            yield Piece(span, Among(FIVE_MINUTES, _buckets(register, condition, span)), most_rows=FEW_ROWS)
    end_ns, enough_rows = span.end_ns, wanted_rows
    while end_ns > span.start_ns:
        select = _which(register, condition, TimeRange(span.start_ns, end_ns))
        result = table.run(select, timeout_secs=deadline.left_secs())
        known, cost = [_Bucket(start, rows) for start, rows in result.rows], result.cost
        is_last = len(known) < _AT_ONCE
        while known:
            taken = _enough(known, enough_rows)
            known = known[len(taken) :]
            start_ns = max(span.start_ns, taken[-1].start_secs * SECOND_NS)
            taken_until_ns = min(end_ns, taken[0].start_secs * SECOND_NS + FIVE_MINUTES_NS)
            yield Piece(TimeRange(start_ns, taken_until_ns), _in(taken), cost)
            end_ns, cost = start_ns, Cost()
            enough_rows *= _GROWTH
        if is_last:
            return


def _register_of(table: LogTable, condition: Condition) -> _Register | None:
    """The projection with the column that the condition fixes, and all columns of the scope; None if there is none."""
    return next(
        (
            register
            for register in _REGISTERS
            if register.column in condition.equal and table.scope_columns <= {register.column}
        ),
        None,
    )


def _which(register: _Register, condition: Condition, span: TimeRange) -> Select:
    """The newest buckets, with their rows."""
    buckets = _buckets(register, condition, span)
    return replace(
        buckets,
        expressions=f"toUnixTimestamp({FIVE_MINUTES}) AS bucket_start, {register.rows}",
        then=f"{buckets.then} ORDER BY bucket_start DESC LIMIT {_AT_ONCE:d}",
        is_small=True,  # a granule in each part
    )


def _buckets(register: _Register, condition: Condition, span: TimeRange) -> Select:
    first_ns = min(span.start_ns // FIVE_MINUTES_NS * FIVE_MINUTES_NS, _LAST_NS)
    end_ns = min(-(-span.end_ns // SECOND_NS) * SECOND_NS, _LAST_NS)
    value = condition.equal[register.column]
    return Select(
        FIVE_MINUTES,
        [
            f"{register.key.format(register.column)} = {register.key.format(value)}",
            starts_in(TimeRange(first_ns, end_ns), FIVE_MINUTES),
        ],
        f"GROUP BY {FIVE_MINUTES}",
        condition.parameters,
        register.projection,
    )


def _enough(known: Sequence[_Bucket], rows: int) -> Sequence[_Bucket]:
    """The first buckets that together have at least this many rows, or all of them."""
    total = 0
    for count, bucket in enumerate(known, 1):
        total += bucket.rows
        if total >= rows:
            return known[:count]
    return known


def _in(taken: Sequence[_Bucket]) -> str:
    """As numbers: a hundred calls of toDateTime take longer to plan than half of the rows to read."""
    return f"{FIVE_MINUTES} IN ({', '.join(str(bucket.start_secs) for bucket in taken)})"
