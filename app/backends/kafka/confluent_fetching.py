"""Fetching by librdkafka, beside a consumer that is the member of the group.

The member, of kafka-python, joins the group, is assigned partitions, sends heartbeats, and commits; everything that
fencing depends on stays with it. librdkafka is told which partitions to fetch, and from which offsets. It parses
records in compiled code, on threads of its own.
"""

import time
from collections.abc import Callable, Mapping, Sequence, Set

from confluent_kafka import KafkaError as LibraryError
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import LogTruncationError, OffsetOutOfRangeError

from app.backends.kafka.confluent_errors import as_kafka_error, divergence, is_end, is_out_of_range, is_truncation
from app.backends.kafka.fetching_client import FetchingClient, Report
from app.backends.kafka.workarounds import keep_join_result
from app.domain.records import Position, RecordChunk

_RETRY_SECS = 1.0  # between attempts to fetch from a partition that fails


class ConfluentFetching:
    """See `Fetching`.

    A partition that reports an error is fetched no more at once, since librdkafka would go on behind the records that
    it could not read; the next poll raises the error, and the partition is fetched again from where it was read to.
    """

    def __init__(
        self,
        member: KafkaConsumer,
        client: FetchingClient,
        *,
        max_poll_records: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._member = member
        self._client = client
        self._max_poll_records = max_poll_records
        self._clock = clock
        self._topic_ids: Mapping[str, str] = {}
        self._positions: dict[TopicPartition, int] = {}
        self._readable: Set[TopicPartition] = frozenset()
        self._is_paused = False
        self._fetched: set[TopicPartition] = set()
        self._errors: dict[TopicPartition, LibraryError] = {}  # that were not raised yet
        self._retry_at: dict[TopicPartition, float] = {}

    def begin(self, positions: Mapping[TopicPartition, Position]) -> None:
        """See `Fetching`."""
        self._stop(set(self._fetched))
        self._errors.clear()
        self._retry_at.clear()
        self._topic_ids = {partition.topic: position.topic_id for partition, position in positions.items()}
        self._positions = {partition: position.next_offset for partition, position in positions.items()}
        for partition, offset in self._positions.items():
            self._member.seek(partition, offset)  # or it would raise at every poll that it has no position

    def allow(self, readable: Set[TopicPartition], *, is_paused: bool) -> None:
        """See `Fetching`. While paused, what was fetched stays: to fetch it again would cost more than to keep it."""
        self._readable = frozenset(readable)
        self._is_paused = is_paused
        held = self._member.assignment()
        if held:
            self._member.pause(*held)  # it fetches nothing

    def poll(self, timeout_secs: float) -> Sequence[RecordChunk]:
        """See `Fetching`."""
        self._raise_error()
        self._stop(self._fetched - self._readable)
        self._fetch_readable()
        keep_join_result(self._member)
        is_waiting_for_records = bool(self._fetched) and not self._is_paused
        self._member.poll(timeout_ms=0 if is_waiting_for_records else int(timeout_secs * 1000))
        if not is_waiting_for_records:
            return []
        taken = self._client.take(self._max_poll_records, timeout_secs, self._topic_ids)
        for chunk in taken.chunks:
            self._positions[TopicPartition(*chunk.partition)] = chunk.next_offset
        self._heed(taken.reports)
        return taken.chunks

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """See `Fetching`."""
        self._stop({partition} & self._fetched)
        self._positions[partition] = offset
        self._retry_at.pop(partition, None)
        self._member.seek(partition, offset)

    def position(self, partition: TopicPartition) -> int | None:
        """See `Fetching`."""
        return self._positions.get(partition)

    def close(self) -> None:
        """See `Fetching`."""
        self._client.close()

    def _fetch_readable(self) -> None:
        now = self._clock()
        wanted = {p for p in self._readable - self._fetched if self._retry_at.get(p, now) <= now}
        self._client.fetch({partition: self._positions[partition] for partition in wanted})
        self._fetched |= wanted

    def _stop(self, partitions: Set[TopicPartition]) -> None:
        self._client.stop(list(partitions))
        self._fetched -= partitions

    def _heed(self, reports: Sequence[Report]) -> None:
        """Stop at errors, and go behind ends. The end of a partition that reports an error too tells nothing."""
        for partition, _, error in reports:
            if partition in self._fetched and not is_end(error):
                self._errors[partition] = error
                self._retry_at[partition] = self._clock() + _RETRY_SECS
                self._stop({partition})
        for partition, offset, error in reports:
            if partition in self._fetched and is_end(error):
                self._positions[partition] = max(offset, self._positions[partition])

    def _raise_error(self) -> None:
        """Raise what partitions have reported, as the member would if it fetched: one kind of error at a time."""
        if not self._errors:
            return
        truncated = {p: divergence(error) for p, error in self._errors.items() if is_truncation(error)}
        missing = {p: self._positions[p] for p, error in self._errors.items() if is_out_of_range(error)}
        if truncated:
            self._forget(truncated)
            raise LogTruncationError(truncated)
        if missing:
            self._forget(missing)
            raise OffsetOutOfRangeError(missing)
        error = next(iter(self._errors.values()))
        self._errors.clear()  # the others come again, and raising each would keep the member from polling
        raise as_kafka_error(error)

    def _forget(self, partitions: Mapping[TopicPartition, object]) -> None:
        for partition in partitions:
            del self._errors[partition]
