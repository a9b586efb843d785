"""The loop: poll, decode, gather, deliver, commit. Runs on the one thread that owns the source.

While a batch is delivered, which is waiting for other threads, the loop decodes the next one. There is never more than
one batch in flight and one filling, so memory is bounded. When both are full, reading pauses (backpressure), what was
polled is not decoded yet, and polling goes on, which keeps this member in its group.
"""

import logging
import math
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Protocol

from app.domain.records import Partition, Position, RecordChunk
from app.errors import Abandoned, MustRejoin, NotOurs, TryAgainLater
from app.pipeline.batch import Gathering
from app.pipeline.decoded import Decoded
from app.pipeline.delivery import Delivered, Delivery
from app.pipeline.earlier_owners import EarlierOwners
from app.pipeline.progress import Progress
from app.pipeline.task import Steps, Submit, Task
from app.pipeline.undecoded import PIECE_BYTES, Undecoded
from app.ports import RecordSource
from app.settings import BatchSettings

_log = logging.getLogger(__name__)

_POLL_SECS = 0.1  # also the longest time that a finished insert waits for its commit, unless more waits for its end
_IDLE_POLL_SECS = 0.25  # while nothing but Kafka can bring work
_LAG_EVERY_SECS = 5.0


class IngestEvents(Protocol):
    """Receives the events of the loop, for metrics, health and log."""

    def turned(self, *, buffer_rows: int, buffer_bytes: int, is_paused: bool) -> None:
        """The loop has completed one turn."""

    def consumed(self, chunk: RecordChunk, problems: Mapping[str, int]) -> None:
        """A chunk was read and decoded; `problems` counts rows by reason."""

    def masked(self, counts: Mapping[str, int]) -> None:
        """Secrets of a chunk were masked; `counts` says how many by rule."""

    def assigned(self, partitions: Mapping[Partition, int]) -> None:
        """The partitions of this instance changed; `partitions` maps each to the offset that it resumes from."""

    def committed(self, next_offsets: Mapping[Partition, int]) -> None:
        """Everything before these offsets is stored and committed to Kafka."""

    def lag(self, lag: Mapping[Partition, int]) -> None:
        """Consumer lag: records after the committed offset, of each partition that was taken over."""

    def halted(self, partition: Partition, reason: str) -> None:
        """A partition is not read until it is assigned again: an operator has to act."""

    def kafka_failed(self, error: TryAgainLater) -> None:
        """A call to Kafka failed."""

    def kafka_answered(self) -> None:
        """A call to Kafka succeeded."""


class Ingest:
    """Moves records from a source to a table and commits only what is stored."""

    def __init__(
        self,
        source: RecordSource,
        delivery: Delivery,
        progress: Progress,
        events: IngestEvents,
        *,
        decode: Callable[[RecordChunk], Decoded],
        limits: BatchSettings,
        clock: Callable[[], float],
        submit: Submit,
        sleep: Callable[[float], None] = time.sleep,
        has_room: Callable[[], bool] = lambda: True,
        held_secs: float = 0.0,
        piece_bytes: int = PIECE_BYTES,
    ) -> None:
        """`has_room` is called in every turn; it returns whether the table has room for more.

        `held_secs` is how long Kafka may have held back a record before it gave it, as far as that counts as its age.
        Records are decoded in pieces of `piece_bytes`.
        """
        self._source = source
        self._delivery = delivery
        self._progress = progress
        self._events = events
        self._decode = decode
        self._clock = clock
        self._submit = submit
        self._sleep = sleep
        self._check_for_room = has_room
        self._has_room = True
        self._undecoded = Undecoded(held_secs=held_secs, piece_bytes=piece_bytes)
        self._gathering = Gathering(limits)
        self._delivering: Task[Delivered] | None = None
        self._in_flight_rows = 0
        self._recovering: Task[None] | None = None
        self._unrecovered: Mapping[Partition, Position] = {}
        self._earlier_owners = EarlierOwners()
        self._was_dropped = False
        self._is_paused = False
        self._has_read_all = False
        self._has_kafka_answered = False
        self._lag_at = clock()

    def step(self) -> None:
        """Run one turn. Never waits for ClickHouse, and waits for Kafka no longer than one call of each kind.

        Raises:
            MustRejoin: this member of the group must not go on.
            Exception: an unexpected error; the loop must not go on then.
        """
        # A failure of Kafka must not block the rest: a leased batch is stored anyway, and reading pauses when too much
        # has been read.
        has_failed = not self._try(self._read)
        self._recover()
        self._has_room = self._check_for_room()
        self._gather()
        has_failed |= not self._try(self._commit)
        self._adjust_pace()
        has_failed |= not self._try(self._report_lag)
        if self._has_kafka_answered and not has_failed and not self._progress.has_failed:
            self._events.kafka_answered()
        self._has_kafka_answered = False
        self._events.turned(
            buffer_rows=self._gathering.row_count + self._in_flight_rows,
            buffer_bytes=self._gathering.byte_count,
            is_paused=self._is_paused,
        )

    def drain(self, deadline: float) -> bool:
        """Store and commit what was read, until `deadline`. Returns whether everything was stored and committed.

        The next owner of the partitions reads the rest again. Call it last: this instance is done afterwards.
        """
        try:
            while self._clock() < deadline:
                self._turn_delivery()
                self._deliver_if(self._gathering.row_count > 0)
                if self._delivering is None:
                    break
                self._delivering.wait(deadline - self._clock(), self._sleep)
            has_rest = bool(self._undecoded or self._gathering.row_count) or self._delivering is not None
            self._abandon_delivery()
            return self._try(self._commit) and not has_rest and not self._was_dropped
        except MustRejoin as error:
            _log.warning("Stored records could not be committed: %s", error)
            return False

    def abandon(self, timeout_secs: float) -> bool:
        """Start nothing more, and wait for the end of the insert in flight. Returns whether it has ended.

        If it has, the next reader of the same records need not wait it out.
        """
        self._abandon_delivery()
        if self._delivering is not None:
            self._delivering.wait(timeout_secs, self._sleep)
            self._turn_delivery()
        return self._delivering is None

    def _try(self, call: Callable[[], None]) -> bool:
        try:
            call()
        except TryAgainLater as error:
            self._events.kafka_failed(error)
            return False
        return True

    def _read(self) -> None:
        if self._delivering is not None and self._awaits_insert():
            self._delivering.wait(_POLL_SECS, self._sleep)
            polled = self._source.poll(0.0)
        else:
            polled = self._source.poll(self._poll_secs())
        if polled.assigned is not None:
            self._take_assignment(polled.assigned)
        for chunk in polled.chunks:
            self._take(chunk)
        self._has_read_all = not polled.chunks
        if self._has_read_all:
            self._gathering.end_backlog()
        # An empty poll proves nothing: an unreachable Kafka returns the same.
        self._has_kafka_answered |= polled.assigned is not None or bool(polled.chunks)

    def _awaits_insert(self) -> bool:
        """Whether the end of the insert in flight brings more than records could: all is full, or the rest is due."""
        return self._is_paused or (self._has_read_all and self._gathering.is_due(self._clock()))

    def _poll_secs(self) -> float:
        """How long to wait for records: no longer than until the batch is due, or something else may be done."""
        is_awaiting = self._delivering is not None or self._recovering is not None or self._unrecovered
        if is_awaiting or not self._has_room:
            return _POLL_SECS
        return min(_IDLE_POLL_SECS, max(0.0, self._gathering.due_in_secs(self._clock())))

    def _take(self, chunk: RecordChunk) -> None:
        replaced = self._earlier_owners.replaced_offset(chunk)
        if replaced is None:
            self._undecoded.add(chunk, self._clock())
        else:
            self._halt(chunk.partition, f"Kafka holds another record at offset {replaced} than it held before")

    def _gather(self) -> None:
        """Decode what was polled, until nothing is left of it or the batches are full; deliver what is due.

        A batch in flight gets on after each piece: a poll may bring enough to decode for seconds.
        """
        self._deliver_due()
        while self._undecoded and not self._gathering.is_full():
            self._add(*self._undecoded.take())
            self._deliver_due()

    def _add(self, chunk: RecordChunk, since: float) -> None:
        decoded = self._decode(chunk)
        self._events.consumed(chunk, decoded.problems)
        if decoded.masked:
            self._events.masked(decoded.masked_counts())
        may_be_stored = self._earlier_owners.may_have_stored(chunk)
        self._gathering.add(chunk, decoded.rows, may_be_stored=may_be_stored, since=since)

    # Taking over partitions: rows that an earlier owner stored but did not commit are found in the table.

    def _take_assignment(self, positions: Mapping[Partition, Position]) -> None:
        self._events.assigned({partition: position.next_offset for partition, position in positions.items()})
        self._clear_read()  # these records are read again from the committed offset
        self._earlier_owners.clear()
        self._was_dropped = False
        self._abandon_delivery()
        if self._recovering is not None:
            self._recovering.abandon()
        self._unrecovered = positions

    def _recover(self) -> None:
        """Start the assigned partitions, each as soon as the table shows how far it is stored."""
        if self._recovering is not None and self._recovering.turn():
            recovering, self._recovering = self._recovering, None
            self._raise_unexpected(recovering)
        # An insert in flight may be of these partitions: once it has ended, its outcome need not be waited out.
        if self._unrecovered and self._recovering is None and self._delivering is None:
            positions, self._unrecovered = self._unrecovered, {}
            self._recovering = Task(self._take_over(positions), self._submit, self._clock)
            self._recovering.turn()

    def _take_over(self, positions: Mapping[Partition, Position]) -> Steps[None]:
        have_others_ended = False
        for partition, position in sorted(positions.items(), key=_wait_key):
            # One wait is enough: all that others sent for any of these partitions was sent before all became ours.
            awaited = position._replace(is_set_by_others=position.is_set_by_others and not have_others_ended)
            stored_before = yield from self._delivery.recover(partition, awaited)
            have_others_ended |= position.is_set_by_others
            self._earlier_owners.add(partition, stored_before, position.lease)
            self._progress.take_over(partition, position)
            self._source.start(partition)

    def _halt(self, partition: Partition, reason: str) -> None:
        self._source.halt(partition)
        self._undecoded.drop(partition)
        self._gathering.drop(partition)
        self._events.halted(partition, reason)

    # Delivering and committing.

    def _deliver_due(self) -> None:
        self._turn_delivery()
        # One that is old enough takes what was polled with it, too.
        is_filled = self._gathering.is_full() or not self._undecoded
        self._deliver_if(is_filled and self._gathering.is_due(self._clock()))

    def _deliver_if(self, is_due: bool) -> None:
        if is_due and self._delivering is None and self._has_room:
            batch = self._gathering.take()
            self._in_flight_rows = batch.rows.num_rows
            self._delivering = Task(self._delivery.deliver(batch), self._submit, self._clock)
            self._turn_delivery()

    def _turn_delivery(self) -> None:
        if self._delivering is None or not self._delivering.turn():
            return
        delivering, self._delivering, self._in_flight_rows = self._delivering, None, 0
        try:
            delivered = delivering.result()
        except Abandoned:
            return  # partitions were reassigned meanwhile; recovery finds the rows in the table
        except NotOurs as error:
            self._drop_all(error)
            return
        self._progress.stored(delivered.next_offsets)
        for partition, reason in delivered.halted.items():
            self._halt(partition, reason)

    def _abandon_delivery(self) -> None:
        if self._delivering is not None:
            self._delivering.abandon()
            self._turn_delivery()

    def _raise_unexpected(self, recovering: Task[None]) -> None:
        with suppress(Abandoned):
            recovering.result()

    def _commit(self) -> None:
        """Commit what is stored, unless the lease of a batch in flight has just done so or is about to."""
        if self._delivering is not None:
            return
        try:
            if self._progress.commit():
                self._has_kafka_answered = True
        except NotOurs as error:
            self._drop_all(error)

    def _drop_all(self, error: NotOurs) -> None:
        """Drop all unstored records; the next poll returns our partitions, and the offsets to read them again from."""
        _log.info("Dropping records that are not stored; partitions are being reassigned: %s", error)
        self._clear_read()
        self._was_dropped = True

    def _clear_read(self) -> None:
        self._undecoded.clear()
        self._gathering.clear()
        self._progress.clear()

    # Pace.

    def _adjust_pace(self) -> None:
        must_pause = self._gathering.is_full() and (self._delivering is not None or not self._has_room)
        if must_pause and not self._is_paused:
            self._source.pause()
        elif self._is_paused and not must_pause:
            self._source.resume()
        self._is_paused = must_pause

    def _report_lag(self) -> None:
        if self._clock() - self._lag_at < _LAG_EVERY_SECS:
            return
        self._lag_at = self._clock()
        ends = self._source.end_offsets()
        self._has_kafka_answered |= bool(ends)
        if self._delivering is None and not (self._undecoded or self._gathering.row_count):
            self._progress.stored(self._offsets_without_records())
        committed = self._progress.committed
        self._events.lag({p: max(0, end - committed[p]) for p, end in ends.items() if p in committed})

    def _offsets_without_records(self) -> dict[Partition, int]:
        """Positions beyond the committed offsets: transaction markers and the like, which are not records."""
        committed = self._progress.committed
        positions = self._source.positions()
        return {p: offset for p, offset in positions.items() if offset > committed.get(p, offset)}


def _wait_key(item: tuple[Partition, Position]) -> float:
    """A sort key: partitions without a wait first, then by deadline, and those with an unknown wait last."""
    position = item[1]
    if position.is_set_by_others:
        return math.inf
    return position.lease.deadline_ms if position.lease is not None else 0
