"""Reads a time range piece by piece until there are enough rows or the query times out (search, fields, context)."""

from collections.abc import Callable, Iterator
from typing import Final

from msgspec import Struct, field

from app.domain.statement import Cost, Result
from app.errors import QueryTooExpensive
from app.query.condition import Condition
from app.query.log_table import Among, LogTable, Select
from app.query.time_range import TimeRange
from app.query.windows import Expected, newest_first

_LEAST_SECS: Final = 0.01  # minimum time left to send another statement
FEW_ROWS: Final = 200_000
"""What a try may read: about a hundred granules, since each of a hundred logs may be in one of its own."""
_SHARE_OF_TRY: Final = 0.25  # of the time left: the pieces in its place need some too


_EVERY_ROW: Final = "true"
_PART_SECS: Final = 86_400  # the rows of a day are one part, once it is over


class Piece(Struct, frozen=True):
    """A part of a time range, and a condition for those of its rows that may match."""

    span: TimeRange
    condition: str | Among = _EVERY_ROW
    """The condition, as SQL or by another select."""
    cost: Cost = field(default_factory=Cost)
    """The cost of finding this piece."""
    most_rows: int = 0
    """If set, the piece is a try at all that is left. It takes the place of the pieces after it, unless ClickHouse
    would have to read more rows for it than these.
    """

    @property
    def is_of_whole_parts(self) -> bool:
        """Whether it is a try in which only indexes say where a row may be, not the order of the table."""
        return self.most_rows > 0 and self.condition == _EVERY_ROW and self.span.seconds > _PART_SECS


class Deadline:
    """The time by which a request must be finished, by a clock in seconds."""

    def __init__(self, clock: Callable[[], float], timeout_secs: float) -> None:
        self._clock = clock
        self._at = clock() + timeout_secs

    def left_secs(self) -> float:
        """The time left for a statement.

        Raises:
            QueryTooExpensive: there is too little left.
        """
        left_secs = self._at - self._clock()
        if left_secs < _LEAST_SECS:
            raise QueryTooExpensive("time", "the query timed out")
        return left_secs


class WindowedScan:
    """Reads pieces of a range one after the other. Belongs to one request."""

    def __init__(self, table: LogTable, deadline: Deadline, wanted_rows: int) -> None:
        self.deadline = deadline
        self.wanted_rows = wanted_rows
        self.found_rows = 0
        self.cost = Cost()
        self.last_read: TimeRange | None = None
        """The range of the last piece that was read."""
        self.is_out_of_time = False
        """Whether a statement exceeded its limits before there were enough rows."""
        self._table = table

    def results(
        self,
        pieces: Iterator[Piece],
        select: Callable[[Piece, int], Select],
        rows_in: Callable[[Result], int] = lambda result: len(result.rows),
    ) -> Iterator[Result]:
        """The results, piece by piece. `select` takes a piece and the number of missing rows; `rows_in` counts rows.

        Raises:
            QueryTooExpensive: not even the first piece could be read.
            TryAgainLater, Refused: see `LogTable.run`.
        """
        while self.found_rows < self.wanted_rows:
            is_try = False
            try:
                piece = next(pieces, None)
                if piece is None:
                    return
                is_try = piece.most_rows > 0
                query = select(piece, self.wanted_rows - self.found_rows)
                timeout_secs = self.deadline.left_secs()
                result = self._table.run(query, timeout_secs=timeout_secs * _SHARE_OF_TRY if is_try else timeout_secs)
            except QueryTooExpensive:
                if is_try:
                    continue
                if self.last_read is None:
                    raise
                self.is_out_of_time = True
                return
            self.last_read = piece.span
            self.cost += piece.cost + result.cost
            self.found_rows += rows_in(result)
            yield result
            if is_try:
                return

    def windows(
        self, cut: Callable[..., Iterator[TimeRange]], span: TimeRange, *, expected: Expected
    ) -> Iterator[Piece]:
        """Cut a range into windows (see `windows`), sized by how many rows this scan wants and has found."""
        for window in cut(span, expected=expected, wanted_rows=self.wanted_rows, found_rows=lambda: self.found_rows):
            yield Piece(window)


class Scans(Struct, frozen=True):
    """Begins scans of a table. Shared by threads."""

    table: LogTable
    expected: Callable[[TimeRange, Condition], Expected]
    """Estimates the density of matching logs at the end of a range."""
    clock: Callable[[], float]

    def deadline(self, timeout_secs: float) -> Deadline:
        """The time that a request has from now on."""
        return Deadline(self.clock, timeout_secs)

    def begin(self, deadline: Deadline, wanted_rows: int) -> WindowedScan:
        """A scan for one request."""
        return WindowedScan(self.table, deadline, wanted_rows)

    def newest_windows(self, scan: WindowedScan, span: TimeRange, condition: Condition) -> Iterator[Piece]:
        """The windows of a range, the newest first, sized for the logs that match a condition."""
        return scan.windows(newest_first, span, expected=self.expected(span, condition))
