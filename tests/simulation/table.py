"""An in-memory ClickHouse: inserts arrive late, in part, twice or not at all, and it forgets tokens."""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Callable, Sequence, Set
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from app.domain.missing import STORED_COLUMNS, missing_rows
from app.domain.rows import SCHEMA, Rows
from app.errors import Refused, TryAgainLater
from app.pipeline.delivery import MARGIN_SECS
from tests.simulation.rows import Identity, Row, is_refused, rows_in
from tests.simulation.servers import SimServers

_LATE = "469"


RecordKey = tuple[str, int, int]
"""Topic id, partition and offset."""


@dataclass(slots=True, eq=False)
class Insert:
    """An insert between its sender and the table. `answer` is None if the sender no longer waits."""

    rows: list[Row]
    is_refused: bool
    token: str
    deadline: float
    gives_up_at: float
    """When its sender stops waiting for the response."""
    answer: Future[Any] | None = None
    is_doubled: bool = False
    stalls_until: float = 0.0
    server: int = 0
    """The one that it is sent to."""
    held_until: float = 0.0
    began_at: float = 0.0


class Sent(BaseException):
    """Raised by an insert that has been sent; its response comes later."""

    def __init__(self, insert: Insert) -> None:
        super().__init__()
        self.insert = insert


@dataclass(frozen=True, slots=True)
class Removal:
    """Rows that are noted as removed and not deleted yet: those that `is_wanted`, of inserts before a time."""

    is_wanted: Callable[[Row], bool]
    before: float

    def __contains__(self, row: Row) -> bool:
        return row.ingested < self.before and self.is_wanted(row)


class SimTable:
    """The table with its clock, and all inserts in flight."""

    def __init__(
        self,
        rng: random.Random,
        *,
        window: int,
        patience_secs: float,
        checks_deadline: bool = True,
        servers: SimServers | None = None,
    ) -> None:
        self._rng = rng
        self.servers = servers or SimServers()
        self._patience_secs = patience_secs
        self._window = window
        self._checks_deadline = checks_deadline
        self.removed: dict[RecordKey, dict[tuple[Identity, int], Row]] = {}
        self.late: list[list[Row]] = []
        """Rows that are stored anew by inserts for which nobody waits."""
        self.removals: list[Removal] = []
        self.records: dict[RecordKey, list[Row]] = {}
        self.doubles: list[Identity] = []
        self.now = 1000.0
        self.on_the_way: list[Insert] = []
        self.running: list[Insert] = []
        self._tokens: OrderedDict[tuple[str, int], None] = OrderedDict()

    # Events.

    def arrive(self, insert: Insert) -> None:
        """An insert arrives at the server, which checks deadline and rows, and starts it; or it is still held."""
        if insert.held_until > self.now:
            return
        self.on_the_way.remove(insert)
        if any((other.token, other.server) == (insert.token, insert.server) for other in self.running):
            self._answer(insert, TryAgainLater("already running", code="216", is_outcome_unknown=True))
        elif self._checks_deadline and self.servers.clock_of(insert.server, self.now) >= insert.deadline:
            is_doubtful = self.servers.count > 1
            self._answer(insert, TryAgainLater("too late", code=_LATE, max_attempts=8, is_outcome_unknown=is_doubtful))
        elif insert.is_refused:
            self._answer(insert, Refused("a row is refused", code="27"))
        else:
            insert.began_at = self.servers.clock_of(insert.server, self.now)
            self.running.append(insert)

    def finish(self, insert: Insert, *, is_answered: bool = True) -> None:
        """A running insert is stored; the response arrives or is lost."""
        self.running.remove(insert)
        for day in (0, 1):
            self._store(insert, day)
        self._answer(insert, None if is_answered else _unknown())

    def fail(self, insert: Insert, *, is_answered: bool) -> None:
        """A running insert fails after some of its parts were stored, or none.

        Excluded: the failure is reported, and the same request arrives a second time.
        """
        is_answered = is_answered and not insert.is_doubled
        self.running.remove(insert)
        if self._rng.random() < 0.5:
            self._store(insert, self._rng.randrange(2))
        self._answer(insert, TryAgainLater("failed", code="243") if is_answered else _unknown())

    def orphan(self, insert: Insert) -> None:
        """The server is killed after it has written the token but not the rows.

        Excluded: the same request arrives a second time after the restart.
        """
        if insert.is_doubled:
            return
        self.running.remove(insert)
        for day in (0, 1):
            self._remember(insert.token, day)
        self._answer(insert, _unknown())

    def lose(self, insert: Insert) -> None:
        """An insert never arrives."""
        self.on_the_way.remove(insert)
        self._answer(insert, _unknown())

    def stall(self, insert: Insert) -> None:
        """A running insert stalls, as if the server stalled for a while."""
        insert.stalls_until = self.now + self._rng.choice((2.0, 15.0, 40.0))

    def let_senders_give_up(self) -> None:
        """Senders that have waited too long give up."""
        for insert in (*self.on_the_way, *self.running):
            if insert.answer is not None and insert.gives_up_at <= self.now:
                self.hang_up(insert)

    @property
    def advancing(self) -> list[Insert]:
        """Running inserts that do not stall."""
        return [insert for insert in self.running if insert.stalls_until <= self.now]

    def hang_up(self, insert: Insert) -> None:
        """The sender of an insert stops waiting; the insert continues."""
        self._answer(insert, _unknown())

    def duplicate(self, insert: Insert) -> None:
        """The network duplicates an insert."""
        insert.is_doubled = True
        copy = Insert(
            insert.rows, insert.is_refused, insert.token, insert.deadline, insert.gives_up_at, is_doubled=True
        )
        copy.server = self.servers.any()
        self.on_the_way.append(copy)

    def forget_tokens(self) -> None:
        """Other inserts fill the deduplication window."""
        self._tokens.clear()

    # Rows are removed on purpose, as `app.maintenance.removal` does.

    def note(self, is_wanted: Callable[[Row], bool]) -> None:
        """Note the positions of rows. Rows of inserts that are running, or began just now, are left."""
        began = [*(insert.began_at for insert in self.running), *(rows[0].ingested for rows in self.late)]
        before = min([self.clock() - MARGIN_SECS, *began])
        removal = Removal(is_wanted, before)
        self.removals.append(removal)
        for key, record in self.records.items():
            for row in record:
                if row in removal:
                    self.removed.setdefault(key, {})[row.identity, row.items] = row

    def delete(self, removal: Removal) -> None:
        """Delete what was noted, or what has the same properties by now."""
        self.removals.remove(removal)
        self.erase(removal.__contains__)

    def erase(self, is_gone: Callable[[Row], bool]) -> None:
        """Delete rows."""
        for key, record in list(self.records.items()):
            left = [row for row in record if not is_gone(row)]
            if left:
                self.records[key] = left
            else:
                del self.records[key]

    def whole_record(self, key: RecordKey) -> list[Row]:
        """All rows of a record, and those that were removed."""
        rows = self.records.get(key, [])
        there = {row.identity for row in rows}
        return [*rows, *(row for row in self.removed_of(key) if row.identity not in there)]

    def removed_of(self, key: RecordKey) -> list[Row]:
        """The rows of a record that were noted as removed."""
        return list(self.removed.get(key, {}).values())

    def store_anew(self, rows: Sequence[Row]) -> None:
        """Rows of a revision, beside those that are there."""
        for row in rows:
            self.records.setdefault(row.identity[:3], []).append(row)

    def clock(self) -> float:
        """Of all servers the one that is most behind."""
        return min(self.servers.clocks(self.now))

    # Requests.

    def send(self, rows: Rows, token: str, deadline_ms: int) -> Insert:
        """Put an insert on its way."""
        refused = any(is_refused(row) for row in rows.select(["Body", "ParseError", "_raw"]).to_pylist())
        insert = Insert(rows_in(rows), refused, token, deadline_ms / 1000, self.now + self._patience_secs)
        insert.server = self.servers.any()
        insert.held_until = self.now + self.servers.delay_secs()
        self.on_the_way.append(insert)
        return insert

    def last_removed(self, topic_id: str, partition: int) -> int | None:
        """The highest offset of a partition of rows that were removed."""
        return max((key[2] for key in self.removed if key[:2] == (topic_id, partition)), default=None)

    def of_record(self, topic_id: str, partition: int, offset: int) -> list[Row]:
        """All rows of a record."""
        return self.records.get((topic_id, partition, offset), [])

    def _store(self, insert: Insert, day: int) -> None:
        rows = [row for row in insert.rows if row.day == day]
        if rows and self._remember(insert.token, day):
            for row in rows:
                record = self.records.setdefault(row.identity[:3], [])
                self.doubles += [row.identity for other in record if other.identity == row.identity]
                if any(row.identity == removed.identity for removed in self.removed_of(row.identity[:3])):
                    self.doubles.append(row.identity)
                record.append(row._replace(ingested=insert.began_at))
            self.servers.stored(insert.server, {row.identity for row in rows})

    def _remember(self, token: str, day: int) -> bool:
        if not self._window:
            return True
        if (token, day) in self._tokens:
            return False
        self._tokens[token, day] = None
        while len(self._tokens) > self._window:
            self._tokens.popitem(last=False)
        return True

    def _answer(self, insert: Insert, error: Exception | None) -> None:
        answer, insert.answer = insert.answer, None
        if answer is None:
            return
        if error is None:
            answer.set_result(0.01)
        else:
            answer.set_exception(error)


class SimWriter:
    """A LogWriter on SimTable, corresponding to `ClickHouseWriter`."""

    def __init__(self, table: SimTable, meanwhile: Callable[[], None]) -> None:
        self._table = table
        self._meanwhile = meanwhile

    def insert(self, rows: Rows, token: str, deadline_ms: int) -> None:
        """See `ports.LogWriter`. Raises Sent: the outcome is decided later."""
        raise Sent(self._table.send(rows, token, deadline_ms))

    def missing(self, rows: Rows) -> Rows:
        """See `ports.LogWriter`."""
        return missing_rows(rows, self._stored)

    def last_offset(self, topic_id: str, partition: int) -> int | None:
        """See `ports.LogWriter`. Something may happen between the two queries."""
        records = [key for key in self._table.records if key[:2] == (topic_id, partition)]
        found = [row.identity.offset for row in self._rows_of(records)]
        self._meanwhile_removed()
        removed = self._last_removed(topic_id, partition)
        return max([*found, *([] if removed is None else [removed])], default=None)

    def now_ms(self) -> int:
        """See `ports.LogWriter`. Something may happen before the next query."""
        now = self._clock()
        self._meanwhile()
        return int(now * 1000)

    def running(self) -> Set[str]:
        """See `ports.LogWriter`."""
        running = {insert.token for insert in self._running_inserts()}
        self._meanwhile()
        return running

    def _clock(self) -> float:
        return self._table.clock()

    def _running_inserts(self) -> Sequence[Insert]:
        """Those of all servers."""
        return self._table.running

    def _stored(self, topic_id: str, partition: int, first: int, last: int) -> pa.Table:
        records = [(topic_id, partition, offset) for offset in range(first, last + 1)]
        found = self._found_in_both(records)
        columns = [[row.identity.offset for row in found], [row.identity.item for row in found]]
        columns.append([row.items for row in found])
        types = [SCHEMA.field(name).type for name in STORED_COLUMNS]
        arrays = [pa.array(column, kind) for column, kind in zip(columns, types, strict=True)]
        return pa.table(arrays, names=STORED_COLUMNS)

    def _found_in_both(self, records: Sequence[RecordKey]) -> list[Row]:
        found = self._found(records)
        self._meanwhile_removed()
        return found + self._removed(records)

    def _removed(self, records: Sequence[RecordKey]) -> list[Row]:
        return [row for record in records for row in self._table.removed_of(record)]

    def _last_removed(self, topic_id: str, partition: int) -> int | None:
        return self._table.last_removed(topic_id, partition)

    def _meanwhile_removed(self) -> None:
        if self._table.removed or self._table.removals:
            self._meanwhile()

    def _found(self, records: Sequence[RecordKey]) -> list[Row]:
        return self._rows_of(records)

    def _rows_of(self, records: Sequence[RecordKey]) -> list[Row]:
        """The rows that at least one server has."""
        return [row for record in records for row in self._table.of_record(*record)]


def _unknown() -> TryAgainLater:
    return TryAgainLater("no answer", code="unreachable", is_outcome_unknown=True)
