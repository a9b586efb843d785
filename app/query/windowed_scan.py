"""A time range read piece by piece, until there are enough rows or the time is up: for search, fields and context."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from app.domain.statement import Cost, Result
from app.errors import QueryTooExpensive
from app.query.log_table import LogTable, Select
from app.query.time_range import TimeRange

_LEAST_SECS: Final = 0.01  # with less time left nothing more is begun


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a time range, and what of it may hold rows that are looked for."""

    span: TimeRange
    condition: str = "true"
    """As SQL: that a row is in what may hold them."""
    cost: Cost = field(default_factory=Cost)
    """Of finding out."""


class Deadline:
    """When a request must be answered, by a clock in seconds."""

    def __init__(self, clock: Callable[[], float], timeout_secs: float) -> None:
        self._clock = clock
        self._at = clock() + timeout_secs

    def left_secs(self) -> float:
        """The time that is left for a statement.

        Raises:
            AskForLess: there is too little for one.
        """
        left_secs = self._at - self._clock()
        if left_secs < _LEAST_SECS:
            raise QueryTooExpensive("time", "the time is up")
        return left_secs


class WindowedScan:
    """Reads pieces of a range one after the other. Belongs to one request."""

    def __init__(self, table: LogTable, deadline: Deadline, wanted_rows: int) -> None:
        self.deadline = deadline
        self.wanted_rows = wanted_rows
        self.found_rows = 0
        self.cost = Cost()
        self.last_read: TimeRange | None = None
        """The piece that was read last."""
        self.is_out_of_time = False
        """Whether a statement took more than it may before there were enough rows."""
        self._table = table

    def answers(
        self,
        pieces: Iterator[Piece],
        select: Callable[[Piece, int], Select],
        rows_in: Callable[[Result], int] = lambda answer: len(answer.rows),
    ) -> Iterator[Result]:
        """The answers, piece by piece; `select` is for a piece and the rows that are missing, `rows_in` counts them.

        Raises:
            AskForLess: not even the first piece could be read.
            TryAgainLater, Refused: see `LogTable.ask`.
        """
        while self.found_rows < self.wanted_rows:
            try:
                piece = next(pieces, None)
                if piece is None:
                    return
                asked = select(piece, self.wanted_rows - self.found_rows)
                answer = self._table.ask(asked, timeout_secs=self.deadline.left_secs())
            except QueryTooExpensive:
                if self.last_read is None:
                    raise
                self.is_out_of_time = True
                return
            self.last_read = piece.span
            self.cost += piece.cost + answer.cost
            self.found_rows += rows_in(answer)
            yield answer

    def windows(
        self, cut: Callable[..., Iterator[TimeRange]], span: TimeRange, *, rows_per_sec: float
    ) -> Iterator[Piece]:
        """A range cut into windows (see `windows`) by how many rows this scan wants and has found."""
        for window in cut(
            span, rows_per_sec=rows_per_sec, wanted_rows=self.wanted_rows, found_rows=lambda: self.found_rows
        ):
            yield Piece(window)
