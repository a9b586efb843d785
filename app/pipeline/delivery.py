"""Stores a batch in the table: each row exactly once, however many attempts that takes.

A row's identity (topic id, partition, offset, item) is in the table, so the table itself shows which rows it holds. It
does not show which inserts are still on their way. So no insert is sent without a lease, a fencing token with a
deadline: it stands beside the committed offsets in Kafka, and names the insert and the moment, by ClickHouse's clock,
after which ClickHouse refuses it. Kafka accepts a lease only from the owner of the partitions. The next owner, or an
owner that does not know how an insert ended, waits for that moment before it checks the table. docs/delivery.md
explains the whole protocol and the reason for each step; `domain/missing.py` has the rule for records that another
version or setting stored in part.

The methods are steps of a `Task`: they yield what they wait for. Knows neither Kafka nor ClickHouse.
"""

import logging
import uuid
from collections import deque
from collections.abc import Callable, Mapping, Set
from concurrent.futures import Future
from functools import partial
from typing import Final, NamedTuple, Protocol, TypeVar

from msgspec import Struct

from app.domain.missing import count_of_wholes
from app.domain.records import Lease, Partition, Position
from app.domain.rows import Rows, first_position, flagged, is_flagged, without_partitions
from app.errors import MustRejoin, Refused, TryAgainLater
from app.pipeline.backoff import Backoff
from app.pipeline.batch import Batch
from app.pipeline.progress import Progress
from app.pipeline.task import Call, Pause, Steps
from app.ports import LogWriter

_log = logging.getLogger(__name__)
_Result = TypeVar("_Result")

# ClickHouse compares with the deadline when it receives the rows; it needs a moment more until they are in the table.
MARGIN_SECS: Final = 3.0

_CLOCK_FRESH_SECS = 60.0
_CHECK_EVERY_SECS = 1.0
_LEAST_LEFT_SECS = 0.5  # a lease that ends sooner than this is not worth an insert


class DeliveryEvents(Protocol):
    """Receives the events of delivery, for metrics and health."""

    def inserted(self, rows: Rows, seconds: float) -> None:
        """An insert was stored."""

    def failed(self, result: str) -> None:
        """An insert was not stored: "failed" or "refused"."""

    def already_stored(self, row_count: int) -> None:
        """Rows were left out because the table holds them."""

    def waiting_out(self, deadline_in_secs: float) -> None:
        """The outcome of an insert is unknown; it is waited out until the table would refuse it."""

    def retrying(self, error: TryAgainLater, attempt: int) -> None:
        """A call to ClickHouse failed; it will be retried."""

    def answered(self) -> None:
        """A call to ClickHouse succeeded."""

    def kafka_failed(self, error: TryAgainLater) -> None:
        """Kafka refused a lease; it will be retried."""


class Delivered(Struct, frozen=True):
    """Up to which offset each partition is stored, and the partitions that must halt there, with the reason."""

    next_offsets: Mapping[Partition, int]
    halted: Mapping[Partition, str]


class ServerClock:
    """ClickHouse's clock, estimated from ours between two readings."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._read_at = float("-inf")
        self._ms = 0

    def set(self, now_ms: int) -> None:
        """Take a reading of ClickHouse's clock that was made just now."""
        self._read_at, self._ms = self._clock(), now_ms

    def doubt(self) -> None:
        """Something unexpected happened: make no estimate before the next reading."""
        self._read_at = float("-inf")

    @property
    def is_fresh(self) -> bool:
        """Whether the last reading is recent enough for an estimate."""
        return self._clock() - self._read_at < _CLOCK_FRESH_SECS

    def now_ms(self) -> int:
        """Unix time in milliseconds, equal to ClickHouse's or slightly behind it. Call it only while fresh."""
        return self._ms + int((self._clock() - self._read_at) * 1000)


class CompletedTokens:
    """Tokens of this process's last inserts that have ended for certain, or were never sent.

    Outlives a pipeline, so that the next one need not wait out an insert that the last one saw end.
    """

    def __init__(self) -> None:
        self._tokens: deque[str] = deque(maxlen=8)  # Kafka holds the last lease, or one before it that it took

    def add(self, token: str) -> None:
        """Record that no insert with this token is on its way any more, nor will be."""
        self._tokens.append(token)

    def __contains__(self, token: str) -> bool:
        return token in self._tokens


class Delivery:
    """Stores one batch at a time."""

    def __init__(
        self,
        writer: LogWriter,
        progress: Progress,
        events: DeliveryEvents,
        *,
        clock: Callable[[], float],
        backoff: Backoff,
        deadline_secs: float,
        completed: CompletedTokens | None = None,
        new_token: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        self._writer = writer
        self._progress = progress
        self._events = events
        self._clock = clock
        self._backoff = backoff
        self._deadline_secs = deadline_secs
        self._new_token = new_token
        self._server_clock = ServerClock(clock)
        self._completed = completed or CompletedTokens()

    def deliver(self, batch: Batch) -> Steps[Delivered]:
        """Store every row of the batch, for as long as it takes.

        If a batch is refused, it is halved until the row that causes it stands alone; that row is stored in a form
        that ClickHouse cannot refuse. If even that is refused, its partition halts there.

        Raises:
            NotOurs: the partitions are being reassigned; any part of the batch may be stored.
            MustRejoin: see `Progress.commit`.
        """
        halted: dict[Partition, str] = {}
        next_offsets = dict(batch.next_offsets)
        pending = deque([batch.rows])
        must_check = batch.may_be_stored
        while pending:
            rows = without_partitions(pending.popleft(), halted)
            refused = yield from self._insert_missing(rows, batch, must_check=must_check)
            if refused is None:
                continue
            self._events.failed("refused")
            must_check = True  # a block over several days is several parts, and one of them may be stored
            rows, refusal = refused
            if rows.num_rows > 1:
                half = rows.num_rows // 2
                pending.extendleft([rows.slice(half), rows.slice(0, half)])
            elif not is_flagged(rows):
                _log.warning("ClickHouse refuses a row; it is stored flagged instead: %s", refusal)
                pending.appendleft(flagged(rows, f"refused: ClickHouse error {refusal.code}"))
            else:
                partition, offset = first_position(rows)
                halted[partition] = f"ClickHouse refuses offset {offset} in every form: {refusal}"
                next_offsets[partition] = offset
        return Delivered(next_offsets, halted)

    def recover(self, partition: Partition, position: Position) -> Steps[int]:
        """Wait until no insert of a partition can be on its way any more, then check up to which offset it is stored.

        Returns the offset from which on nothing is stored.
        """
        lease = position.lease
        if lease is not None and lease.token not in self._completed:
            yield from self._wait_out(lease.token, lease.deadline_ms)
        elif position.is_set_by_others:
            deadline_ms = (yield from self._now_ms()) + int(self._deadline_secs * 1000)
            yield from self._wait_out(None, deadline_ms)
        last = yield from self._call(partial(self._writer.last_offset, position.topic_id, partition.number))
        return max(-1 if last is None else last + 1, lease.end if lease is not None else 0)

    def _insert_missing(self, rows: Rows, batch: Batch, *, must_check: bool) -> "Steps[RefusedRows | None]":
        """Insert what the table lacks of the rows; returns what ClickHouse refuses of that, if it does.

        What the check has left out stays out: it needs all rows of a record, and a half may have only some of them.
        """
        attempt = doubts = 0
        while rows.num_rows:
            lease = yield from self._take_lease(batch)
            if must_check:
                rows = yield from self._missing(rows)
                # One check is enough, however long it took: we have no insert on its way, so only another owner could
                # store these rows now, and then Kafka would accept no further lease from us.
                must_check = False
                if not rows.num_rows or not self._is_worth_an_insert(lease):
                    self._end(lease)  # no insert was sent under it
                    continue
            try:
                seconds = yield Call(partial(self._timed_insert, rows, lease), partial(self._note_end, lease))
            except Refused as refusal:
                return RefusedRows(rows, refusal)
            except TryAgainLater as error:
                self._events.failed("failed")
                self._server_clock.doubt()
                must_check = True
                attempt += 1
                doubts = doubts + 1 if error.max_attempts else 0
                # One row is never too large: a row must not be flagged for a fault of the server.
                if error.max_attempts and doubts >= error.max_attempts and rows.num_rows > 1:
                    return RefusedRows(rows, Refused(str(error), code=error.code))
                self._events.retrying(error, attempt)
                yield Pause(self._backoff.delay_secs(attempt))
                if error.is_outcome_unknown:
                    yield from self._wait_out(lease.token, lease.deadline_ms)
                    self._end(lease)
            else:
                self._events.answered()
                self._events.inserted(rows, seconds)
                return None
        return None

    def _take_lease(self, batch: Batch) -> "Steps[_BatchLease]":
        """Prove that the partitions are still ours, and commit the token and the deadline of this insert.

        Each insert gets a new token and a new deadline, because an insert under an old one may have stored a part.
        """
        attempt = 0
        while True:
            now_ms = yield from self._now_ms()
            lease = _BatchLease(self._new_token(), now_ms + int(self._deadline_secs * 1000))
            try:
                self._progress.lease({p: lease.of(batch, p) for p in batch.next_offsets})
            except TryAgainLater as error:
                self._completed.add(lease.token)  # some partitions may have it, and nothing is sent under it
                attempt += 1
                self._events.kafka_failed(error)
                yield Pause(self._backoff.delay_secs(attempt))
            except MustRejoin:
                self._completed.add(lease.token)  # whether Kafka accepted it or not, nothing is sent under it
                raise
            else:
                return lease

    def _end(self, lease: "_BatchLease") -> None:
        """Record that nothing sent under this lease is on its way any more."""
        self._completed.add(lease.token)
        self._progress.release()

    def _note_end(self, lease: "_BatchLease", outcome: "Future[float]") -> None:
        error = outcome.exception()
        is_definite = error is None or isinstance(error, Refused)
        if is_definite or (isinstance(error, TryAgainLater) and not error.is_outcome_unknown):
            self._end(lease)

    def _is_worth_an_insert(self, lease: "_BatchLease") -> bool:
        left_ms = lease.deadline_ms - self._server_clock.now_ms()
        return self._server_clock.is_fresh and left_ms > _LEAST_LEFT_SECS * 1000

    def _wait_out(self, token: str | None, deadline_ms: int) -> Steps[None]:
        """Wait until an insert of unknown outcome has ended or can no longer begin; without a token, until all have.

        An insert that began before the deadline may run long after it.
        """
        suspects: Set[str] | None = None if token is None else {token}
        is_reported = False
        while True:
            now_ms, running = yield from self._call(self._running_inserts)
            self._server_clock.set(now_ms)
            left_secs = (deadline_ms - now_ms) / 1000 + MARGIN_SECS
            if left_secs < 0:
                suspects = running if suspects is None else suspects & running
                if not suspects:
                    return
            if not is_reported:
                is_reported = True
                self._events.waiting_out(left_secs)
            yield Pause(min(max(left_secs, 0.2), _CHECK_EVERY_SECS))

    def _missing(self, rows: Rows) -> Steps[Rows]:
        missing = yield from self._call(partial(self._writer.missing, rows))
        if missing.num_rows < rows.num_rows:
            self._events.already_stored(rows.num_rows - missing.num_rows)
        if wholes := count_of_wholes(missing):
            _log.warning(
                "Another version stored %d records in part; a flagged row is stored for each, with all of it", wholes
            )
        return missing

    def _now_ms(self) -> Steps[int]:
        if not self._server_clock.is_fresh:
            self._server_clock.set((yield from self._call(self._writer.now_ms)))
        return self._server_clock.now_ms()

    def _call(self, call: Callable[[], _Result]) -> Steps[_Result]:
        attempt = 0
        while True:
            try:
                result: _Result = yield Call(call)
            except TryAgainLater as error:
                attempt += 1
                self._events.retrying(error, attempt)
                yield Pause(self._backoff.delay_secs(attempt))
            else:
                self._events.answered()
                return result

    # On the other thread.

    def _timed_insert(self, rows: Rows, lease: "_BatchLease") -> float:
        started_at = self._clock()
        self._writer.insert(rows, lease.token, lease.deadline_ms)
        return self._clock() - started_at

    def _running_inserts(self) -> tuple[int, Set[str]]:
        # In this order: an insert that arrives after this time is refused, and one that arrived before is listed.
        now_ms = self._writer.now_ms()
        return now_ms, self._writer.running()


class RefusedRows(NamedTuple):
    """Rows that ClickHouse refused, and its reason."""

    rows: Rows
    refusal: Refused


class _BatchLease(Struct, frozen=True):
    token: str
    deadline_ms: int

    def of(self, batch: Batch, partition: Partition) -> Lease:
        return Lease(self.token, self.deadline_ms, batch.next_offsets[partition], batch.last_records[partition])
