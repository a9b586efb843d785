"""RecordSource on KafkaConsumer. Belongs to one thread.

kafka-python calls rebalance listeners on its own I/O thread, where blocking stops heartbeats and commits fail. So the
listener only counts; what follows from it happens in `poll`, on the thread of the caller.
"""

import gc
from collections.abc import Callable, Iterable, Mapping

from kafka import ConsumerRebalanceListener, KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord
from kafka.errors import KafkaError, LogTruncationError, NoOffsetForPartitionError, OffsetOutOfRangeError
from kafka.structs import OffsetAndMetadata

from app.backends.kafka.errors import translated
from app.backends.kafka.lasting_join import keep_join
from app.backends.kafka.options import connection_options, open_client
from app.backends.kafka.unreachable import explained_silence
from app.domain.records import Mark, Partition, Polled, Position, RecordChunk
from app.errors import MustRejoin, NotOurs, TryAgainLater
from app.pipeline.commit_metadata import read_metadata, write_metadata
from app.settings import KafkaSettings

_REQUEST_SECS = 10.0
_COMMIT_SECS = 5.0
_OFFSETS_SECS = 5.0
_ASK_SECS = 2.0

# One poll is one chunk per partition: big enough that work per chunk does not count, small enough that a turn of the
# loop stays well under a second.
_MAX_POLL_RECORDS = 5_000
# Kafka answers a fetch when it has so much, or after this time. Without it every few records are a fetch, a poll and a
# chunk of their own: most of what a steady trickle would cost.
_FETCH_MIN_BYTES = 128 * 1024
_FETCH_MAX_WAIT_SECS = 0.1
_FETCH_MAX_BYTES = 8 * 1024 * 1024
_PARTITION_FETCH_MAX_BYTES = 1 * 1024 * 1024
_FREE_EVERY_BYTES = 64 * 1024 * 1024
_METADATA_SECS = 10.0  # partitions added to the topic, and a topic made again, are noticed within this time


class KafkaSource:
    """Reads one topic as a member of a consumer group. See `ports.RecordSource`."""

    def __init__(
        self,
        settings: KafkaSettings,
        *,
        read_topic_id: Callable[[], str],
        on_lost: Callable[[Partition, int, int], None],
        on_halted: Callable[[Partition, str], None],
        metadata_secs: float = _METADATA_SECS,
    ) -> None:
        """Connect. `on_lost(partition, first, next)` is told of offsets that Kafka deleted before they were read,
        `on_halted(partition, reason)` of a partition on which going on would be wrong.

        Raises:
            TryAgainLater: Kafka does not answer.
        """
        self._settings = settings
        self._read_topic_id = read_topic_id
        self._on_lost = on_lost
        self._on_halted = on_halted
        self._topic_id = ""
        self._topic_id_seen: object = None  # by the consumer, whose metadata may be older or newer than what we read
        self._is_topic_made_again = False  # while we were there: all that is in it is new
        self._started: set[TopicPartition] = set()
        self._halted: set[TopicPartition] = set()
        self._is_paused = False
        self._rebalances = _Rebalances(self._insist_on_joining)
        self._rebalances_seen = 0
        self._bytes_to_free = 0
        try:
            with explained_silence(settings.bootstrap_servers):
                self._consumer = open_client(KafkaConsumer, _consumer_options(settings, metadata_secs))
            self._consumer.subscribe([settings.topic], listener=self._rebalances)
        except (KafkaError, OSError) as error:
            raise translated(error, "connect") from error

    def poll(self, timeout_secs: float) -> Polled:
        """See `ports.RecordSource`."""
        try:
            records = self._poll(timeout_secs)
            self._look_for_another_topic()
            if self._is_reassigned():
                return Polled(assigned=self._take_assignment())
        except NotOurs as error:  # no longer, or not yet: the next poll takes the assignment anew
            raise TryAgainLater(str(error), code="rebalance") from error
        except (KafkaError, OSError) as error:
            raise _try_again(error, "poll") from error
        started = ((partition, batch) for partition, batch in records.items() if partition in self._started)
        chunks = [_chunk(partition, self._topic_id, batch) for partition, batch in started]
        self._free_fetches(chunks)
        return Polled(chunks)

    def start(self, partition: Partition) -> None:
        """See `ports.RecordSource`."""
        self._started.add(TopicPartition(*partition))
        self._apply_pauses()

    def pause(self) -> None:
        """See `ports.RecordSource`."""
        self._is_paused = True
        self._apply_pauses()

    def resume(self) -> None:
        """See `ports.RecordSource`."""
        self._is_paused = False
        self._apply_pauses()

    def halt(self, partition: Partition) -> None:
        """See `ports.RecordSource`."""
        self._halted.add(TopicPartition(*partition))
        self._apply_pauses()

    def commit(self, marks: Mapping[Partition, Mark]) -> None:
        """See `ports.RecordSource`."""
        offsets = self._to_commit({TopicPartition(*partition): mark for partition, mark in marks.items()})
        if self._is_reassigned() or not offsets.keys() <= self._consumer.assignment():
            self._rebalances.count += 1
            raise NotOurs("partitions are changing hands")
        self._commit(offsets)

    def positions(self) -> Mapping[Partition, int]:
        """See `ports.RecordSource`."""
        try:
            found = {tp: self._consumer.position(tp, timeout_ms=0) for tp in self._readable()}
        except KafkaError as error:  # of a partition that is just coming or going, or of lost records
            raise _try_again(error, "ask for positions") from error
        return {Partition(*tp): offset for tp, offset in found.items() if offset is not None}

    def end_offsets(self) -> Mapping[Partition, int]:
        """See `ports.RecordSource`."""
        assignment = self._consumer.assignment()
        if not assignment:
            return {}
        try:
            ends = self._consumer.end_offsets(assignment, timeout_ms=int(_ASK_SECS * 1000))
        except (KafkaError, OSError) as error:
            raise _try_again(error, "ask for end offsets") from error
        return {Partition(*tp): offset for tp, offset in ends.items()}

    def close(self, timeout_secs: float) -> None:
        """See `ports.RecordSource`."""
        self._consumer.close(autocommit=False, timeout_ms=int(timeout_secs * 1000))

    def _poll(self, timeout_secs: float) -> Mapping[TopicPartition, list[ConsumerRecord]]:
        self._let_parked_records_go_on()
        keep_join(self._consumer)
        try:
            return self._consumer.poll(timeout_ms=int(timeout_secs * 1000))
        except NoOffsetForPartitionError:
            self._rebalances.count += 1  # a partition without a committed offset: the start policy has its say
            return {}
        except OffsetOutOfRangeError as error:
            self._go_on_after_deleted(error.args[0])
            return {}
        except LogTruncationError as error:
            divergent = error.divergent_offsets.items()
            self._stop_at_truncated({partition: None if end is None else end.offset for partition, end in divergent})
            return {}

    def _let_parked_records_go_on(self) -> None:
        """Have the client take up again what it put aside when a partition was paused in the middle of a fetch.

        kafka-python 3.0.12 does so only while nothing is in hand, and takes a fetch that has been read to its end for
        something in hand: as long as another partition is read, the resumed one would stand still, for good.
        """
        fetcher = self._consumer._fetcher
        if not fetcher._next_partition_records:
            fetcher._next_partition_records = None

    def _free_fetches(self, chunks: Iterable[RecordChunk]) -> None:
        """Have cycles looked for by the bytes that were read, and not only by the number of objects that there are.

        A poll of kafka-python 3.0.12 that ends before its fetch does leaves a cycle behind (the error of its time-out
        and that error's traceback), in which hangs what the fetch brings: few objects, but as many bytes as it likes.
        """
        self._bytes_to_free += sum(len(value) for chunk in chunks for value in chunk.values if value)
        if self._bytes_to_free >= _FREE_EVERY_BYTES:
            self._bytes_to_free = 0
            gc.collect()

    def _look_for_another_topic(self) -> None:
        """Take the assignment anew when the topic was deleted and made again.

        The group need not notice, and the consumer would go on at its old positions in the new topic.
        """
        topic_id = self._consumer._cluster.topic_id(self._settings.topic)
        if topic_id not in (None, self._topic_id_seen):
            if self._topic_id_seen is not None:
                self._rebalances.count += 1
            self._topic_id_seen = topic_id

    def _insist_on_joining(self) -> None:
        """Have the client go on joining until it is done, over as many polls as that takes.

        kafka-python 3.0.12 joins again when it learns of the topic's partitions, forgets why as soon as it has dealt
        them out, and does not take its own when a poll ends right then: it would stand there without any, for good.
        """
        self._consumer._coordinator.request_rejoin()

    def _is_reassigned(self) -> bool:
        return self._rebalances.count != self._rebalances_seen

    def _take_assignment(self) -> dict[Partition, Position]:
        seen = self._rebalances.count
        assignment = self._consumer.assignment()
        self._started.clear()
        self._halted.clear()
        self._apply_pauses()
        topic_id = self._read_topic_id()
        self._is_topic_made_again |= self._topic_id not in ("", topic_id)
        self._topic_id = topic_id
        positions = self._committed_or_start(assignment)
        for partition, position in positions.items():
            self._consumer.seek(partition, position.next_offset)
        # Only now: had anything above failed, the next poll would do it all again. A rebalance that came meanwhile has
        # raised the count further.
        self._rebalances_seen = seen
        return {Partition(*partition): position for partition, position in positions.items()}

    def _committed_or_start(self, assignment: Iterable[TopicPartition]) -> dict[TopicPartition, Position]:
        """Where to go on, per partition; those that must not go on are left out."""
        committed = {partition: self._committed(partition) for partition in assignment}
        new = [partition for partition, position in committed.items() if position is None]
        starts = self._start_offsets(new) if new else {}
        if starts:
            marks = {partition: Mark(offset) for partition, offset in starts.items()}
            self._commit(self._to_commit(marks))
        known = {partition: position for partition, position in committed.items() if position is not None}
        return self._not_truncated(known) | {p: Position(self._topic_id, offset) for p, offset in starts.items()}

    def _committed(self, partition: TopicPartition) -> Position | None:
        """What this group committed for this very topic, not for an earlier one of the same name."""
        committed = self._consumer.committed(partition, metadata=True, timeout_ms=int(_REQUEST_SECS * 1000))
        if committed is None:
            return None
        remembered = read_metadata(committed.metadata)
        if remembered is None:
            return Position(self._topic_id, int(committed.offset), is_foreign=True)
        if remembered.topic_id != self._topic_id:
            return None
        return Position(self._topic_id, int(committed.offset), remembered.lease)

    def _commit(self, offsets: Mapping[TopicPartition, OffsetAndMetadata]) -> None:
        try:
            self._consumer.commit(offsets, timeout_ms=int(_COMMIT_SECS * 1000))
        except (KafkaError, OSError) as error:
            ours = translated(error, "commit offsets")
            if isinstance(ours, NotOurs):
                self._rebalances.count += 1  # also when no rebalance follows, all is read again from what is committed
            elif ours.is_outcome_unknown:
                raise MustRejoin(str(ours)) from error
            raise ours from error

    def _to_commit(self, marks: Mapping[TopicPartition, Mark]) -> dict[TopicPartition, OffsetAndMetadata]:
        return {
            partition: OffsetAndMetadata(mark.next_offset, write_metadata(self._topic_id, mark.lease), -1)
            for partition, mark in marks.items()
        }

    def _start_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        """Where partitions begin that the group has never read: the start policy counts for a new group, once."""
        is_new_group = not self._is_topic_made_again and not self._has_read_before()
        if self._settings.start_from == "latest" and is_new_group:
            return self._ends(partitions)
        return self._beginnings(partitions)

    def _beginnings(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        # Without a limit kafka-python asks for ever, also for a topic that is not there any more.
        return dict(self._consumer.beginning_offsets(list(partitions), timeout_ms=int(_OFFSETS_SECS * 1000)))

    def _ends(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        return dict(self._consumer.end_offsets(list(partitions), timeout_ms=int(_OFFSETS_SECS * 1000)))

    def _has_read_before(self) -> bool:
        topic = self._settings.topic
        partitions = [TopicPartition(topic, number) for number in self._consumer.partitions_for_topic(topic) or ()]
        timeout_ms = int(_REQUEST_SECS * 1000)
        return any(self._consumer.committed(partition, timeout_ms=timeout_ms) is not None for partition in partitions)

    def _not_truncated(self, positions: dict[TopicPartition, Position]) -> dict[TopicPartition, Position]:
        """Leave out partitions of which Kafka holds less than the group has read, and say so.

        Kafka has then lost records that it had acknowledged, and gives their offsets to other ones: reading on would
        skip those or take them for stored.
        """
        ends = self._ends(positions) if positions else {}
        kept = {}
        for partition, position in positions.items():
            read_up_to = max(position.next_offset, position.lease.end if position.lease is not None else 0)
            if read_up_to > ends[partition]:
                reason = f"the group has read up to offset {read_up_to}, but Kafka ends at {ends[partition]}"
                self._on_halted(Partition(*partition), reason)
            else:
                kept[partition] = position
        return kept

    def _go_on_after_deleted(self, out_of_range: Mapping[TopicPartition, int]) -> None:
        """Kafka's retention overtook us: say what is lost and read what is left.

        A partition that is not started yet is left alone: the client fetched ahead, and is going to be sent back.
        """
        started = out_of_range.keys() & self._started
        beginnings = self._beginnings(started) if started else {}
        for partition, beginning in beginnings.items():
            offset = out_of_range[partition]
            if beginning > offset:
                self._on_lost(Partition(*partition), offset, beginning)
                self._consumer.seek(partition, beginning)
            else:
                self._stop_at_truncated(self._ends([partition]))

    def _stop_at_truncated(self, ends: Mapping[TopicPartition, int | None]) -> None:
        """Halt partitions of which Kafka no longer holds what was read: it may give those offsets to other records."""
        if self._read_topic_id() != self._topic_id:
            self._rebalances.count += 1  # it is another topic, which is read from its beginning
            return
        for partition, end in ends.items():
            position = self._consumer.position(partition, timeout_ms=0)
            if position is None or position <= (end or 0):
                continue  # it was moved meanwhile, because partitions changed hands
            self.halt(Partition(*partition))
            self._consumer.seek(partition, 0)  # or kafka-python would complain of the old position at every poll
            known_end = "" if end is None else f", those from offset {end} on"
            self._on_halted(Partition(*partition), f"Kafka has lost records that were read already{known_end}")

    def _readable(self) -> set[TopicPartition]:
        return (self._started - self._halted) & self._consumer.assignment()

    def _apply_pauses(self) -> None:
        readable = set() if self._is_paused else self._readable()
        held = self._consumer.assignment() - readable
        if held:
            self._consumer.pause(*held)
        if readable:
            self._consumer.resume(*readable)


class _Rebalances(ConsumerRebalanceListener):  # type: ignore[misc]
    """Counts the times that partitions come or go. Called on kafka-python's I/O thread, so it does little else."""

    def __init__(self, on_joining: Callable[[], None]) -> None:
        """`on_joining` is called when this member begins to join its group, for the first time or once more."""
        self.count = 0
        self._on_joining = on_joining

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Partitions go, if there were any: a join begins with this."""
        self.count += 1
        self._on_joining()

    def on_partitions_lost(self, lost: Iterable[TopicPartition]) -> None:
        """Partitions are gone."""
        self.count += 1

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Partitions come."""
        self.count += 1


def _consumer_options(settings: KafkaSettings, metadata_secs: float = _METADATA_SECS) -> dict[str, object]:
    return connection_options(settings) | {
        "group_id": settings.group_id,
        "client_id": "log-ingest",
        # The library's defaults would skip records of a new group, commit what is not stored, and show records of
        # aborted transactions.
        "auto_offset_reset": "none",
        "enable_auto_commit": False,
        "isolation_level": "read_committed",
        "allow_auto_create_topics": False,
        "session_timeout_ms": int(settings.session_timeout_secs * 1000),
        "heartbeat_interval_ms": int(settings.session_timeout_secs * 1000 / 5),
        "max_poll_interval_ms": int(settings.max_poll_interval_secs * 1000),
        "request_timeout_ms": int(_REQUEST_SECS * 1000),
        "bootstrap_timeout_ms": int(_REQUEST_SECS * 1000),
        "metadata_max_age_ms": int(metadata_secs * 1000),
        "max_poll_records": _MAX_POLL_RECORDS,
        "fetch_min_bytes": _FETCH_MIN_BYTES,
        "fetch_max_wait_ms": int(_FETCH_MAX_WAIT_SECS * 1000),
        "fetch_max_bytes": _FETCH_MAX_BYTES,
        "max_partition_fetch_bytes": _PARTITION_FETCH_MAX_BYTES,
        "metrics_enabled": False,
    }


def _chunk(partition: TopicPartition, topic_id: str, records: list[ConsumerRecord]) -> RecordChunk:
    return RecordChunk(
        partition=Partition(*partition),
        topic_id=topic_id,
        offsets=[record.offset for record in records],
        timestamps_ms=[record.timestamp for record in records],
        values=[record.value for record in records],
        headers=[record.headers for record in records],
        next_offset=records[-1].offset + 1,
    )


def _try_again(error: KafkaError | OSError, doing: str) -> TryAgainLater:
    ours = translated(error, doing)
    return ours if isinstance(ours, TryAgainLater) else TryAgainLater(str(ours), code=type(error).__name__)
