"""The loop: poll, decode, gather, store, commit. Runs on the one thread that owns the source.

While a batch is being stored by another thread the next one is decoded here. There is never more than one batch in
flight and one filling, so memory is bounded: when both are full, reading pauses and polling goes on, which keeps this
member in its group.
"""

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any, Protocol, TypeVar

from app.errors import Abandoned, NotOurs, TryAgainLater
from app.model import Partition, Position, RecordChunk
from app.pipeline.batch import Gathering
from app.pipeline.decode import EventTimeBounds, decode
from app.pipeline.delivery import Delivered, Delivery, Patience
from app.ports import RecordSource
from app.settings import BatchSettings
from app.telemetry import IngestTelemetry

_log = logging.getLogger(__name__)
_Result = TypeVar("_Result")

_POLL_SECS = 0.1  # also the longest that a finished insert waits for its commit
_LAG_EVERY_SECS = 5.0


class Submit(Protocol):
    """Runs a call on another thread."""

    def __call__(self, call: Callable[[], _Result], /) -> "Future[_Result]": ...


class Ingest:
    """Moves records from a source to a table and commits only what is stored."""

    def __init__(
        self,
        source: RecordSource,
        delivery: Delivery,
        telemetry: IngestTelemetry,
        *,
        limits: BatchSettings,
        bounds: EventTimeBounds,
        clock: Callable[[], float],
        submit: Submit,
        new_patience: Callable[[], Patience] = Patience,
    ) -> None:
        self._source = source
        self._delivery = delivery
        self._telemetry = telemetry
        self._bounds = bounds
        self._clock = clock
        self._submit = submit
        self._new_patience = new_patience
        self._gathering = Gathering(limits)
        self._in_flight: Future[Delivered] | None = None
        self._in_flight_for: Patience | None = None
        self._in_flight_rows = 0
        self._recovery: Future[dict[Partition, int | None]] | None = None
        self._recovery_for: Patience | None = None
        self._patience = new_patience()
        self._unrecovered: Mapping[Partition, Position] = {}
        self._stored_up_to: dict[Partition, int] = {}
        self._uncommitted: dict[Partition, int] = {}
        self._committed: dict[Partition, int] = {}
        self._is_paused = False
        self._has_kafka_answered = False
        self._lag_at = clock()

    def step(self) -> None:
        """One turn. Never waits for ClickHouse, and for Kafka no longer than one call of each kind.

        Raises:
            Exception: whatever the delivering thread did not expect; the loop must not go on then.
        """
        # What fails on Kafka's side must keep nothing else from being done: rows that are read are stored all the
        # same, and reading pauses when there are too many of them.
        has_failed = not self._try(self._read)
        self._recover()
        self._collect()
        has_failed |= not self._try(self._commit)
        self._store_if(self._gathering.is_due(self._clock()))
        self._adjust_pace()
        has_failed |= not self._try(self._report_lag)
        if self._has_kafka_answered and not has_failed:
            self._telemetry.kafka_answered()
        self._has_kafka_answered = False
        self._telemetry.turned(
            buffer_rows=self._gathering.row_count + self._in_flight_rows,
            buffer_bytes=self._gathering.byte_count,
            is_paused=self._is_paused,
        )

    def drain(self, deadline: float) -> bool:
        """Store and commit what is in hand, as far as time allows. Returns whether everything was.

        What was not is read again by whoever gets the partitions next. The end of this instance.
        """
        while self._clock() < deadline:
            self._collect()
            self._store_if(self._gathering.row_count > 0)
            if self._in_flight is None:
                break
            _has_ended(self._in_flight, deadline - self._clock())
        in_hand = bool(self._gathering.row_count) or self._in_flight is not None
        stored = self._uncommitted
        self._try(self._commit)
        self._patience.give_up()
        return stored.items() <= self._committed.items() and not in_hand

    def abandon(self, timeout_secs: float) -> bool:
        """Begin no further insert, and wait for the end of the one in flight. Returns whether it has ended.

        Until then nobody should read the same records: what is still on its way to the table cannot be found there.
        """
        self._patience.give_up()
        return self._in_flight is None or _has_ended(self._in_flight, timeout_secs)

    def _try(self, call: Callable[[], None]) -> bool:
        try:
            call()
        except TryAgainLater as error:
            self._telemetry.kafka_failed(error)
            return False
        return True

    def _read(self) -> None:
        polled = self._source.poll(_POLL_SECS)
        if polled.assigned is not None:
            self._take_over(polled.assigned)
        for chunk in polled.chunks:
            self._take(chunk)
        # A poll that brings nothing proves nothing: it is also what a Kafka that is gone brings.
        self._has_kafka_answered |= polled.assigned is not None or bool(polled.chunks)

    def _take(self, chunk: RecordChunk) -> None:
        decoded = decode(chunk, self._bounds)
        self._telemetry.consumed(chunk, decoded.problems)
        self._gathering.add(
            chunk.partition,
            decoded.rows,
            chunk.next_offset,
            may_be_stored=chunk.offsets[0] <= self._stored_up_to.get(chunk.partition, -1),
            now=self._clock(),
        )

    # Taking over partitions: what an earlier owner stored but did not commit is found in the table.

    def _take_over(self, positions: Mapping[Partition, Position]) -> None:
        self._telemetry.assigned({partition: position.next_offset for partition, position in positions.items()})
        self._gathering.clear()  # it is read again from the committed offset
        self._uncommitted.clear()
        self._committed = {partition: position.next_offset for partition, position in positions.items()}
        self._unrecovered = positions
        self._patience.give_up()
        self._patience = self._new_patience()

    def _recover(self) -> None:
        """Start the partitions taken over, once the table has said how far each is stored."""
        if self._in_flight is not None:
            return  # its rows are about to be in the table, so wait before looking
        if self._recovery is None:
            if self._unrecovered:
                positions, patience, self._unrecovered = self._unrecovered, self._patience, {}
                self._recovery_for = patience
                self._recovery = self._submit(lambda: self._last_offsets(positions, patience))
            return
        if not self._recovery.done():
            return
        recovery, self._recovery = self._recovery, None
        try:
            last_offsets = recovery.result()
        except Abandoned:
            return
        if self._recovery_for is not self._patience:
            return  # partitions have changed hands again meanwhile
        self._stored_up_to = {p: last for p, last in last_offsets.items() if last is not None}
        for partition in last_offsets:
            self._source.start(partition)

    def _last_offsets(self, positions: Mapping[Partition, Position], patience: Patience) -> dict[Partition, int | None]:
        return {
            partition: self._delivery.last_offset(position.topic_id, partition.number, patience)
            for partition, position in positions.items()
        }

    # Storing and committing.

    def _store_if(self, is_due: bool) -> None:
        if is_due and self._in_flight is None and self._recovery is None and not self._unrecovered:
            batch, patience = self._gathering.take(), self._patience
            self._in_flight_rows = batch.rows.num_rows
            self._in_flight_for = patience
            self._in_flight = self._submit(lambda: self._delivery.store(batch, patience))

    def _collect(self) -> None:
        if self._in_flight is None or not self._in_flight.done():
            return
        in_flight, self._in_flight, self._in_flight_rows = self._in_flight, None, 0
        try:
            delivered = in_flight.result()
        except Abandoned:
            return
        if self._in_flight_for is not self._patience:
            return  # partitions have changed hands meanwhile; recovery finds the rows in the table
        self._uncommitted.update(delivered.next_offsets)
        for partition, reason in delivered.halted.items():
            self._source.halt(partition)
            self._gathering.drop(partition)
            self._telemetry.halted(partition, reason)

    def _commit(self) -> None:
        if not self._uncommitted:
            return
        try:
            self._source.commit(self._uncommitted)
        except NotOurs as error:
            _log.info("Offsets not committed, partitions are changing hands: %s", error)
        else:
            self._has_kafka_answered = True
            self._committed.update(self._uncommitted)
            self._telemetry.committed(self._committed)
        self._uncommitted = {}

    # Pace.

    def _adjust_pace(self) -> None:
        must_pause = self._in_flight is not None and self._gathering.is_full()
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
        if self._is_idle():
            self._uncommitted = self._passed_by()
        self._telemetry.lag({p: max(0, end - self._committed.get(p, end)) for p, end in ends.items()})

    def _is_idle(self) -> bool:
        return self._in_flight is None and not self._gathering.row_count and not self._uncommitted

    def _passed_by(self) -> dict[Partition, int]:
        """Positions beyond the committed offsets: transaction markers and the like, which are no records."""
        positions = self._source.positions()
        return {p: offset for p, offset in positions.items() if offset > self._committed.get(p, offset)}


def _has_ended(future: "Future[Any]", within_secs: float) -> bool:
    try:
        future.exception(timeout=max(0.0, within_secs))
    except TimeoutError:
        return False
    return True
