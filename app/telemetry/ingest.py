"""Reports the pipeline, from the first attempt to connect to Kafka to the last insert."""

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Set
from typing import Final

import pyarrow.compute as pc

from app.domain.group import GroupStanding
from app.domain.records import Partition, RecordChunk
from app.domain.rows import Rows
from app.errors import TableMissing, TryAgainLater
from app.health import Health
from app.metrics import Metrics
from app.preflight.guarantee import Guarantee
from app.scaling.demand import Target
from app.telemetry.demand import DemandReport
from app.telemetry.partitions import PartitionReport, labels
from app.telemetry.reports import RateLimit, SystemReport

_log = logging.getLogger(__name__)

_STORED_EVERY_SECS: Final = 10.0
_KAFKA_WITHIN_SECS: Final = 30.0  # the loop requests the end offsets every five seconds
_TARGET: Final = Target()
_TABLE_MISSING_ATTEMPTS: Final = 5  # some seconds: an operator who swaps tables may put it back


class IngestTelemetry:
    """Reports the pipeline. Called on the thread of the loop."""

    def __init__(
        self,
        metrics: Metrics,
        health: Health,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
        on_dated: Callable[[str, int], None] = lambda _topic, _record_ms: None,
        target: Target = _TARGET,
    ) -> None:
        """`on_dated` is given the topic and the time, Unix milliseconds, of the last record of each chunk."""
        self._metrics = metrics
        self._health = health
        self._wall_clock = wall_clock
        self._stored_line = RateLimit(_STORED_EVERY_SECS, clock)
        self._on_dated = on_dated
        self._kafka = SystemReport("Kafka", health, clock, expected_within_secs=_KAFKA_WITHIN_SECS)
        self._clickhouse = SystemReport("ClickHouse", health, clock)
        self._partitions = PartitionReport(metrics, health, clock)
        self._demand = DemandReport(metrics, health, target, clock=clock, wall_clock=wall_clock)
        self._is_answering, self._is_disk_full = True, False
        self._missing_table: TableMissing | None = None
        self._unlogged_inserts: deque[tuple[int, float]] = deque()

    # Before the loop.

    def decodes_by(self, decoder: str) -> None:
        """What decodes records was chosen."""
        _log.info("Records are decoded by %s", decoder)
        self._health.note(decoder=decoder)

    def connect_failed(self, side: str, error: TryAgainLater) -> None:
        """Kafka or ClickHouse did not answer at the start, or when the pipeline was opened again."""
        self._metrics.retries.labels(side, error.code).inc()

    def closed(self) -> None:
        """The pipeline is closed, and may be opened again: clear all that was known about it."""
        self._partitions.closed()
        self._demand.assigned(())
        self._kafka.closed()
        self._report_loop(buffer_rows=0, buffer_bytes=0, is_paused=False)
        self._missing_table = None
        self._metrics.disk_free.set(0)
        self._metrics.disk_full.set(0)
        self._is_answering, self._is_disk_full = True, False
        self._health.report("clickhouse disk", None)

    # Read by other threads.

    @property
    def partitions(self) -> Set[Partition]:
        """The partitions that this instance reads. Safe from any thread."""
        return self._partitions.current

    @property
    def missing_table(self) -> TableMissing | None:
        """The error if the table has been missing for a while and must be created again."""
        return self._missing_table

    # The loop.

    def turned(self, *, buffer_rows: int, buffer_bytes: int, is_paused: bool) -> None:
        """The loop has completed one iteration."""
        self._health.turned()
        self._partitions.turned()
        self._report_loop(buffer_rows=buffer_rows, buffer_bytes=buffer_bytes, is_paused=is_paused)

    def _report_loop(self, *, buffer_rows: int, buffer_bytes: int, is_paused: bool) -> None:
        self._metrics.buffer_rows.set(buffer_rows)
        self._metrics.buffer_bytes.set(buffer_bytes)
        self._metrics.paused.set(is_paused)

    def consumed(self, chunk: RecordChunk, problems: Mapping[str, int]) -> None:
        """A chunk was read and decoded; `problems` counts rows by reason."""
        self._metrics.messages_consumed.labels(*labels(chunk.partition)).inc(len(chunk.offsets))
        self._metrics.bytes_consumed.inc(chunk.byte_count)
        for reason, count in problems.items():
            self._metrics.parse_errors.labels(reason).inc(count)
        self._demand.read(chunk)
        self._on_dated(chunk.partition.topic, chunk.timestamps_ms[-1])

    def masked(self, counts: Mapping[str, int]) -> None:
        """Secrets of a chunk were masked; `counts` says how many by rule."""
        for rule, count in counts.items():
            self._metrics.masked.labels(rule).inc(count)

    def assigned(self, partitions: Mapping[Partition, int]) -> None:
        """The partitions of this instance changed; each comes with the offset to continue from."""
        self._partitions.assigned(partitions)
        self._demand.assigned(partitions)

    def unassigned(self, standing: GroupStanding) -> None:
        """This instance has no partition; `standing` is the state of its group."""
        self._partitions.unassigned(standing)
        self._kafka.succeeded()

    def committed(self, next_offsets: Mapping[Partition, int]) -> None:
        """Everything before these offsets is stored, and the offsets are committed."""
        self._partitions.committed(next_offsets)

    def lag(self, lag: Mapping[Partition, int]) -> None:
        """Records behind the committed offset."""
        self._partitions.lag(lag)
        is_storing = self._is_answering and not self._is_disk_full
        storable = self._partitions.current - self._partitions.halted_now if is_storing else frozenset()
        self._demand.lag(lag, self._partitions.next_offsets, storable)

    def halted(self, partition: Partition, reason: str) -> None:
        """A partition is not read until it is assigned again: an operator has to act."""
        self._partitions.halted(partition, reason)

    def unread(self, reasons: Mapping[str, str]) -> None:
        """All topics that are to be read and cannot be, with the reason."""
        self._partitions.unread(reasons)

    def lost_to_retention(self, partition: Partition, first: int, next_offset: int) -> None:
        """Kafka deleted records before they were read."""
        _log.error("Kafka deleted offsets %d to %d of %s before they were read", first, next_offset - 1, partition)
        self._metrics.lost_to_retention.labels(*labels(partition)).inc(next_offset - first)

    def kafka_failed(self, error: TryAgainLater) -> None:
        """A call to Kafka failed."""
        self._metrics.retries.labels("kafka", error.code).inc()
        self._kafka.failed(error)

    def kafka_answered(self) -> None:
        """A call to Kafka succeeded."""
        self._kafka.succeeded()

    # Delivery (see DeliveryEvents).

    def inserted(self, rows: Rows, seconds: float) -> None:
        """An insert was stored."""
        now = self._wall_clock()
        self._partitions.stored()
        self._metrics.inserts.labels("stored").inc()
        self._metrics.rows_inserted.inc(rows.num_rows)
        self._metrics.batch_rows.observe(rows.num_rows)
        self._metrics.batch_bytes.observe(rows.nbytes)
        self._metrics.insert_duration.observe(seconds)
        self._metrics.last_insert.set(now)
        self._observe_latency(rows, now)
        self._unlogged_inserts.append((rows.num_rows, seconds))
        if self._stored_line.lets_through():
            logged = [self._unlogged_inserts.popleft() for _ in range(len(self._unlogged_inserts))]
            row_count, slowest = sum(count for count, _ in logged), max(secs for _, secs in logged)
            _log.info("Stored %d rows in %d batches, slowest %.0f ms", row_count, len(logged), slowest * 1000)

    def failed(self, result: str) -> None:
        """An insert was not stored."""
        self._metrics.inserts.labels(result).inc()

    def already_stored(self, row_count: int) -> None:
        """Rows were not inserted, because the table holds them."""
        self._partitions.stored()
        self._metrics.rows_already_stored.inc(row_count)
        _log.info("Skipped %d rows that the table already holds", row_count)

    def migrated(self, migration: str) -> None:
        """A migration was applied at the start, where nothing else shows that the loop is not stuck."""
        self._health.turned()
        _log.info("ClickHouse: applied migration %s to the table", migration)

    def table_is_newer(self, number: int, last: int) -> None:
        """A later version of the service has changed the table."""
        _log.warning(
            "ClickHouse: the table has schema %d, this version of the service has %d: a later version has migrated it."
            " The service continues",
            number,
            last,
        )

    def guaranteed(self, guarantee: Guarantee) -> None:
        """The pipeline opens with this guarantee."""
        self._metrics.exactly_once.set(guarantee.is_exactly_once)
        self._health.note(guarantee=str(guarantee), doubts=list(guarantee.doubts))
        for doubt in guarantee.doubts:
            _log.warning("Exactly once is not guaranteed: %s", doubt)

    def disk(self, free_ratio: float | None, *, is_full: bool) -> None:
        """ClickHouse has reported its free disk space."""
        if free_ratio is not None:
            self._metrics.disk_free.set(free_ratio)
        self._metrics.disk_full.set(is_full)
        self._is_disk_full = is_full
        problem = "nearly full: nothing is stored until there is free space, logs wait in Kafka" if is_full else None
        if not self._health.report("clickhouse disk", problem):
            return
        if is_full:
            _log.error("ClickHouse's disk is %s (%.1f %% free)", problem, 100 * (free_ratio or 0))
        else:
            _log.info("ClickHouse's disk has free space again")

    def waiting_out(self, deadline_in_secs: float) -> None:
        """The outcome of an insert is unknown."""
        self._metrics.unknown_outcomes.inc()
        _log.info("The outcome of an insert is unknown; checking the table in %.1f s", max(0.0, deadline_in_secs))

    def retrying(self, error: TryAgainLater, attempt: int) -> None:
        """A call to ClickHouse failed."""
        self._metrics.retries.labels("clickhouse", error.code).inc()
        self._clickhouse.failed(error)
        self._is_answering = False
        if isinstance(error, TableMissing) and attempt >= _TABLE_MISSING_ATTEMPTS:
            self._missing_table = error

    def answered(self) -> None:
        """A call to ClickHouse succeeded."""
        self._clickhouse.succeeded()
        self._is_answering = True
        self._missing_table = None

    def _observe_latency(self, rows: Rows, now: float) -> None:
        histogram = self._metrics.end_to_end_latency
        seconds = pc.divide(pc.subtract(now * 1000, rows["record_time_ms"].cast("float64")), 1000.0)
        seconds = pc.max_element_wise(seconds, 0.0)  # clocks of two machines may disagree
        up_to = [pc.sum(pc.less_equal(seconds, bound)).as_py() for bound in histogram.bounds]
        counts = [count - before for before, count in zip([0, *up_to], [*up_to, rows.num_rows], strict=True)]
        histogram.add(counts, pc.sum(seconds).as_py())
