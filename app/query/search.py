"""Searches for the newest matching logs: page by page, window by window, within a time limit."""

import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final, Self

from msgspec import Struct
from msgspec.structs import replace

from app.domain.statement import Cost
from app.query.attribute_reference import resolved
from app.query.condition import Condition
from app.query.errors import BadParameter
from app.query.hour_counts import unknown_rows
from app.query.log_id import LogId
from app.query.log_row import LogRow, RowShape
from app.query.log_table import Select
from app.query.order import BEFORE, NEWEST_FIRST, cursor_parameters
from app.query.sparse_lookup import has_sparse_lookup, sparse_pieces
from app.query.time_range import TimeRange
from app.query.windowed_scan import Piece, Scans, WindowedScan
from app.query.word_lookup import word_pieces

_CURSOR: Final = re.compile(r"(\d{1,19})~([^~]{1,200})~([0-9a-f]{1,8})")


class Cursor(Struct, frozen=True):
    """Where the next page begins (keyset pagination): before a row, or before a time if the query timed out.

    It also holds the start of the range, since a relative one moves between two pages, and a checksum of the query.
    """

    start_ns: int
    before: LogId | int
    query_crc: int

    def __str__(self) -> str:
        return f"{self.start_ns}~{self.before}~{self.query_crc:x}"

    @classmethod
    def read(cls, text: str, query_crc: int) -> Self:
        """Parse a cursor of the query with this checksum.

        Raises:
            BadParameter: the text is not a cursor, or belongs to another query.
        """
        found = _CURSOR.fullmatch(text)
        try:
            start, before, crc = found.groups() if found else ("", "", "")
            cursor = cls(int(start), int(before) if before.isdecimal() else LogId.read(before), int(crc, 16))
        except ValueError as error:
            raise BadParameter("cursor", "cursor is not the next_cursor of a response") from error
        if cursor.query_crc != query_crc:
            raise BadParameter("cursor", "cursor belongs to another query; send it with the query that returned it")
        return cursor


class Search(Struct, frozen=True):
    """A search for the newest matching logs of a time range, at most `limit`, with the fields of `shape`."""

    condition: Condition
    span: TimeRange
    limit: int
    shape: RowShape
    cursor: Cursor | None = None

    def after(self, cursor: Cursor) -> "Search":
        """The same search, continued from a cursor."""
        return replace(self, cursor=cursor)

    @property
    def left(self) -> TimeRange:
        """The part of the range that this page is read from."""
        if self.cursor is None:
            return self.span
        before = self.cursor.before
        end_ns = before if isinstance(before, int) else before.timestamp_ns + 1
        return TimeRange(self.cursor.start_ns, max(self.cursor.start_ns, end_ns))

    @property
    def crc(self) -> int:
        """Checksum of the query without its range, which may move from page to page."""
        condition = self.condition
        sql = resolved(condition.sql, condition.parameters)  # so that cursors of earlier versions stay valid
        return zlib.crc32(repr((sql, sorted(condition.parameters.items()))).encode())


class Page(Struct, frozen=True):
    """Logs, newest first. `next_cursor` is set if there may be more; `is_complete` is false if the query timed out."""

    rows: list[LogRow]
    next_cursor: Cursor | None
    is_complete: bool
    cost: Cost


class Searcher:
    """Runs searches. Shared by threads."""

    def __init__(self, scans: Scans, rows_in: Callable[[TimeRange], float] = unknown_rows) -> None:
        """`rows_in` estimates the rows of a range."""
        self._scans = scans
        self._table = scans.table
        self._rows_in = rows_in

    def page(self, search: Search, *, timeout_secs: float) -> Page:
        """The next page.

        Raises:
            QueryTooExpensive: not even the first window could be read.
            TryAgainLater, Refused: see `LogTable.run`.
        """
        scan = self._scans.begin(self._scans.deadline(timeout_secs), search.limit)
        rows: list[LogRow] = []
        for result in scan.results(self._pieces(search, scan), partial(_select, search)):
            rows += search.shape.read(result)
        return Page(rows, _next_cursor(search, scan, rows), not scan.is_out_of_time, scan.cost)

    def _pieces(self, search: Search, scan: WindowedScan) -> Iterator[Piece]:
        """The pieces of the range to read, the newest first."""
        condition, span = search.condition, search.left
        is_first_page = search.cursor is None  # where there is another, it is not worth a try that few logs match
        if has_sparse_lookup(self._table, condition):
            yield from sparse_pieces(
                self._table,
                condition,
                span,
                wanted_rows=search.limit,
                deadline=scan.deadline,
                rows=self._rows_in(span),
                is_first_page=is_first_page,
            )
        elif condition.words and is_first_page:
            yield from word_pieces(self._scans, scan, condition, span)
        else:
            yield from self._scans.newest_windows(scan, span, condition)


def _next_cursor(search: Search, scan: WindowedScan, rows: Sequence[LogRow]) -> Cursor | None:
    """Where the next page begins; None if this one is the last."""
    start_ns = search.left.start_ns
    if scan.is_out_of_time and scan.last_read:
        return Cursor(start_ns, scan.last_read.start_ns, search.crc)
    return Cursor(start_ns, rows[-1].id, search.crc) if len(rows) >= search.limit else None


def _select(search: Search, piece: Piece, limit: int) -> Select:
    where = [piece.span.condition, piece.condition, search.condition.sql]
    parameters: dict[str, object] = {**search.condition.parameters, **search.shape.parameters}
    if search.cursor is not None and isinstance(search.cursor.before, LogId):
        where.append(BEFORE)
        parameters |= cursor_parameters(search.cursor.before)
    order = f"ORDER BY {NEWEST_FIRST} LIMIT {limit:d}"
    select = Select(
        search.shape.select,
        where,
        order,
        parameters,
        most_rows=piece.most_rows,
        is_of_whole_parts=piece.is_of_whole_parts and "ServiceName" not in search.condition.columns,
    )
    return select.filtered_first(piece.span) if search.condition.is_unindexed else select
