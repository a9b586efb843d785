"""Live tail: logs as they are stored, after the last seen row of each partition."""

from __future__ import annotations

import heapq
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from app.query.errors import BadParameter
from app.query.log_id import LogId
from app.query.log_row import LogRow, RowShape
from app.query.log_table import LogTable, Select
from app.query.shared_reads import SharedReads
from app.query.tree import Node

# Limits of one poll per partition: rows, and offsets to read through, however far behind a client is. The first poll
# has lower limits to return sooner, since all rows of a poll are read and sorted before the first is sent.
FIRST_ROWS: Final = 50
MAX_ROWS: Final = 500
_FIRST_OFFSETS: Final = 1_000
_MAX_OFFSETS: Final = 50_000
_TIMEOUT_SECS: Final = 5.0
_EXTENTS_FRESH_SECS: Final = 0.5
_ROWS_FRESH_SECS: Final = 1.0  # tails of the same query ask for the same rows one after the other
_POSITION: Final = re.compile(r"([A-Za-z0-9_-]{1,64}):(\d{1,5}):(\d{1,20}):(\d{1,5})")
_MAX_PARTITIONS: Final = 1_000
_LAST_ITEM: Final = 2**16 - 1
_EMPTY_TABLE: Final = "start"  # the table was empty when the client connected


class TailPartition(NamedTuple):
    """One partition of one topic, by the topic's id."""

    topic_id: str
    number: int


class TailPosition(NamedTuple):
    """The last seen row of a partition."""

    offset: int
    item: int


class _Extent(NamedTuple):
    """The first and last offset of a partition in the table."""

    first: int
    last: int


Positions = Mapping[TailPartition, TailPosition]


class TailRow(NamedTuple):
    """A row as a tail sends it."""

    id: LogId
    resume_token: str
    """The token to continue after it."""
    json: str


class _Found(NamedTuple):
    """The rows that were read, in the order in which they were stored; where they end; the partitions with more."""

    rows: Sequence[TailRow]
    positions: Positions
    full: frozenset[TailPartition]


def write_resume_token(positions: Positions) -> str:
    """The positions as a resume token: the id of an event, which a client sends to continue after it."""
    words = (
        f"{key.topic_id}:{key.number}:{position.offset}:{position.item}" for key, position in sorted(positions.items())
    )
    return ",".join(words) or _EMPTY_TABLE


def read_resume_token(text: str) -> dict[TailPartition, TailPosition]:
    """Parse a resume token of `write_resume_token`.

    Raises:
        BadParameter: the text is not a resume token.
    """
    positions: dict[TailPartition, TailPosition] = {}
    if text == _EMPTY_TABLE:
        return positions
    for part in text.split(","):
        found = _POSITION.fullmatch(part)
        if not found or len(positions) >= _MAX_PARTITIONS:
            raise BadParameter("last_id", "last_id is not the id of an event of this stream")
        positions[TailPartition(found[1], int(found[2]))] = TailPosition(int(found[3]), int(found[4]))
        if int(found[2]) >= 2**16 or int(found[3]) >= 2**64:
            raise BadParameter("last_id", "last_id is not the id of an event of this stream")
    return positions


class Tail:
    """Follows the table for one client. What it reads it shares with the tails of others."""

    def __init__(
        self, table: LogTable, reads: SharedReads, tree: Node, shape: RowShape, positions: Positions | None = None
    ) -> None:
        """Begins after `positions`; without them, with rows that are stored from now on."""
        self._table = table
        self._reads = reads
        self._condition = table.condition(tree)
        self._shape = shape
        self._most_rows, self._most_offsets = FIRST_ROWS, _FIRST_OFFSETS
        # What another tail has read a moment ago may lack rows that its client has already seen in a search.
        self._seen = reads.read_alone(self._read_extents) if positions is None else self._extents()
        self._positions = (
            {key: TailPosition(extent.last, _LAST_ITEM) for key, extent in self._seen.items()}
            if positions is None
            else dict(positions)
        )
        self.is_behind = False
        """Whether there are more rows than the last poll returned."""

    @property
    def resume_token(self) -> str:
        """The token to continue after the last returned row."""
        return write_resume_token(self._positions)

    def poll(self) -> Iterator[TailRow]:
        """Matching rows among those stored up to the end of the last poll, in the order in which they were stored.

        Returns at most MAX_ROWS from at most _MAX_OFFSETS offsets per partition; the next poll continues there, and
        `is_behind` says that it need not wait. It does not read up to now, since an insert over several days becomes
        visible day by day: an insert that was visible one poll ago is now visible as a whole. `resume_token` is that
        of the last row when all are returned.

        Raises:
            QueryTooExpensive, TryAgainLater, Refused: see `LogTable.run`.
        """
        spans = {key: span for key, extent in self._seen.items() if (span := self._span(key, extent)) is not None}
        self.is_behind = False
        if spans:
            yield from self._new_rows(spans)
            self._most_rows, self._most_offsets = MAX_ROWS, _MAX_OFFSETS
        self._seen = self._extents()

    def _new_rows(self, spans: Mapping[TailPartition, tuple[TailPosition, int]]) -> Iterator[TailRow]:
        rows, positions, full = self._rows(spans)
        yield from rows
        self._positions |= positions
        # Rows that did not match have been read too.
        self._positions |= {key: TailPosition(last, _LAST_ITEM) for key, (_, last) in spans.items() if key not in full}
        self.is_behind = bool(full) or any(last < self._seen[key].last for key, (_, last) in spans.items())

    def _span(self, key: TailPartition, extent: _Extent) -> tuple[TailPosition, int] | None:
        """The row after which, and the offset up to which, to read a partition next; None if there is nothing new."""
        position = self._positions.get(key, TailPosition(extent.first, -1))
        if position >= (extent.last, _LAST_ITEM):
            return None
        return position, min(extent.last, position.offset + self._most_offsets)

    def _extents(self) -> Mapping[TailPartition, _Extent]:
        """The same for every scope, so that one read does for all tails."""
        return self._reads.read("", self._read_extents, fresh_secs=_EXTENTS_FRESH_SECS)

    def _read_extents(self) -> Mapping[TailPartition, _Extent]:
        result = self._table.extents(timeout_secs=_TIMEOUT_SECS)
        return {TailPartition(topic_id, number): _Extent(*offsets) for topic_id, number, *offsets in result.rows}

    def _rows(self, spans: Mapping[TailPartition, tuple[TailPosition, int]]) -> _Found:
        select = self._select(spans)
        # The statement has the scope; two names may be of one column; positions are in the tokens.
        key = repr((self._table.statement(select), self._shape.names, sorted(self._positions.items())))
        return self._reads.read(key, lambda: self._found(select), fresh_secs=_ROWS_FRESH_SECS)

    def _select(self, spans: Mapping[TailPartition, tuple[TailPosition, int]]) -> Select:
        parameters: dict[str, object] = {**self._condition.parameters, **self._shape.parameters}
        pieces = []
        for n, (key, (position, last)) in enumerate(spans.items()):
            pieces.append(
                f"(_topic_id = {{tail_{n}:String}} AND _partition = {key.number:d}"
                f" AND _offset >= {position.offset:d} AND _offset <= {last:d}"
                f" AND (_offset > {position.offset:d} OR toInt32(_item) > {position.item:d}))"
            )
            parameters[f"tail_{n}"] = key.topic_id
        return Select(
            f"toUnixTimestamp64Milli(_ingested) AS stored_ms, {self._shape.select}",
            [f"({' OR '.join(pieces)})", self._condition.sql],
            f"ORDER BY _topic_id, _partition, _offset, _item LIMIT {self._most_rows:d} BY _topic_id, _partition",
            parameters,
        )

    def _found(self, select: Select) -> _Found:
        result = self._table.run(select, timeout_secs=_TIMEOUT_SECS)
        found: dict[TailPartition, list[tuple[int, LogRow]]] = {}
        for (stored_ms, *_), row in zip(result.rows, self._shape.read(result), strict=True):
            found.setdefault(_partition_of(row.id), []).append((stored_ms, row))
        positions, rows = dict(self._positions), list[TailRow]()
        for _, row in heapq.merge(*found.values(), key=lambda entry: entry[0]):
            positions[_partition_of(row.id)] = _position_of(row.id)
            # All text is made here, once for everybody who reads it.
            text = json.dumps(row.as_object(), ensure_ascii=False)
            rows.append(TailRow(row.id, write_resume_token(positions), text))
        return _Found(
            rows, positions, frozenset(key for key, of_one in found.items() if len(of_one) >= self._most_rows)
        )


def _partition_of(log: LogId) -> TailPartition:
    return TailPartition(log.topic_id, log.partition)


def _position_of(log: LogId) -> TailPosition:
    return TailPosition(log.offset, log.item)
