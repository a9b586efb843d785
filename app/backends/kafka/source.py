"""RecordSource on KafkaConsumer. Belongs to one thread: a rebalance is handled in `poll` too."""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError, LogTruncationError, NoOffsetForPartitionError, OffsetOutOfRangeError
from kafka.structs import OffsetAndMetadata

from app.backends.kafka.errors import translated, try_again
from app.backends.kafka.fetching import Fetching
from app.backends.kafka.flow import Flow
from app.backends.kafka.group_offsets import GroupOffsets, to_commit
from app.backends.kafka.rebalances import Rebalances
from app.backends.kafka.topics import KafkaTopics, TopicWatch
from app.backends.kafka.unreachable import explained_unreachable
from app.backends.kafka.workarounds import (
    forget_lost_position,
    fresh_topic_ids,
    keep_joining,
    open_client,
    topic_id_seen_by,
)
from app.domain.records import Checkpoint, Partition, Polled, Position, RecordChunk
from app.errors import KafkaCode, MustRejoin, NotOurs, TryAgainLater
from app.settings import KafkaSettings

_COMMIT_SECS = 5.0
_END_OFFSETS_SECS = 2.0


class KafkaSource:
    """Reads topics as a member of a consumer group. See `ports.RecordSource`."""

    def __init__(
        self,
        settings: KafkaSettings,
        *,
        topics: KafkaTopics,
        watch: TopicWatch | None,
        on_lost: Callable[[Partition, int, int], None],
        on_halted: Callable[[Partition, str], None],
        options: Mapping[str, Any],
        fetch_by: Callable[[KafkaConsumer], Fetching],
    ) -> None:
        """Connect; see `factory.open_source`. `options` are the consumer's, `fetch_by` makes what fetches for it."""
        self._settings = settings
        self._topics = topics
        self._watch = watch
        self._on_lost = on_lost
        self._on_halted = on_halted
        self._topic_ids: dict[str, str] = {}
        self._topic_ids_seen: dict[str, object] = {}  # by the consumer, whose metadata may be older or newer than ours
        self._recreated: set[str] = set()  # topics that were while we were running: all their records are new
        self._vanished: Set[str] = frozenset()  # topics of our partitions that did not exist when these were assigned
        self._rebalances = Rebalances(on_joining=lambda: keep_joining(self._consumer))
        self._rebalances_seen = 0
        self._unchecked: set[str] = set()  # topics of which records were read since their ids were last compared
        try:
            with explained_unreachable(settings.bootstrap_servers):
                self._consumer = open_client(KafkaConsumer, options)
            self._fetching = fetch_by(self._consumer)
            self._flow = Flow(self._consumer, self._fetching)
            self._offsets = GroupOffsets(self._consumer, settings.start_from)
            self._subscribe()
        except (KafkaError, OSError) as error:
            raise translated(error, "connect") from error

    def poll(self, timeout_secs: float) -> Polled:
        """See `ports.RecordSource`."""
        if self._watch is not None and self._watch.turn():
            self._subscribe()
        try:
            polled = self._poll(timeout_secs)
            self._detect_recreated_topics()
            if self._is_reassigned():
                return Polled(assigned=self._take_assignment())
        except NotOurs as error:  # not a member any more, or not yet: the next poll takes the assignment again
            raise TryAgainLater(str(error), code=KafkaCode.REBALANCE) from error
        except (KafkaError, OSError) as error:
            raise try_again(error, "poll") from error
        chunks = [chunk for chunk in polled if chunk.partition in self._flow.started]
        self._unchecked |= {chunk.partition.topic for chunk in chunks}
        return Polled(chunks)

    def start(self, partition: Partition) -> None:
        """See `ports.RecordSource`."""
        self._flow.start(TopicPartition(*partition))

    def pause(self) -> None:
        """See `ports.RecordSource`."""
        self._flow.pause()

    def resume(self) -> None:
        """See `ports.RecordSource`."""
        self._flow.resume()

    def halt(self, partition: Partition) -> None:
        """See `ports.RecordSource`."""
        self._flow.halt(TopicPartition(*partition))

    def commit(self, checkpoints: Mapping[Partition, Checkpoint]) -> None:
        """See `ports.RecordSource`."""
        offsets = to_commit(
            {TopicPartition(*partition): checkpoint for partition, checkpoint in checkpoints.items()}, self._topic_ids
        )
        if self._is_reassigned() or not offsets.keys() <= self._consumer.assignment():
            self._rebalances.count += 1
            raise NotOurs("partitions are being reassigned")
        self._require_same_topics({partition.topic for partition in offsets})
        self._commit(offsets)

    def positions(self) -> Mapping[Partition, int]:
        """See `ports.RecordSource`."""
        try:
            found = {tp: self._fetching.position(tp) for tp in self._flow.readable()}
        except KafkaError as error:  # a partition is being reassigned, or has lost records
            raise try_again(error, "read positions") from error
        return {Partition(*tp): offset for tp, offset in found.items() if offset is not None}

    def end_offsets(self) -> Mapping[Partition, int]:
        """See `ports.RecordSource`."""
        assignment = [tp for tp in self._consumer.assignment() if tp.topic not in self._vanished]
        if not assignment:
            return {}
        try:
            ends = self._consumer.end_offsets(assignment, timeout_ms=int(_END_OFFSETS_SECS * 1000))
        except (KafkaError, OSError) as error:
            raise try_again(error, "read end offsets") from error
        return {Partition(*tp): offset for tp, offset in ends.items()}

    def close(self, timeout_secs: float) -> None:
        """See `ports.RecordSource`."""
        self._fetching.close()
        self._consumer.close(autocommit=False, timeout_ms=int(timeout_secs * 1000))
        self._topics.close()
        if self._watch is not None:
            self._watch.close()

    def _subscribe(self) -> None:
        """Subscribe to the topics to read. If there are none, the main topic's absence is the error of each poll."""
        names = self._watch.names if self._watch is not None else None
        self._consumer.subscribe(sorted(names or {self._settings.topic}), listener=self._rebalances)

    def _poll(self, timeout_secs: float) -> Sequence[RecordChunk]:
        try:
            return self._fetching.poll(timeout_secs)
        except NoOffsetForPartitionError:
            self._rebalances.count += 1  # a partition without a committed offset: the start policy applies
            return []
        except OffsetOutOfRangeError as error:
            self._skip_deleted(error.args[0])
            return []
        except LogTruncationError as error:
            divergent = error.divergent_offsets.items()
            self._halt_truncated({partition: None if end is None else end.offset for partition, end in divergent})
            return []

    def _detect_recreated_topics(self) -> None:
        """Take the assignment again if a topic was deleted and recreated.

        The group may not notice, and the consumer would read the new topic from its old positions.
        """
        for topic in {partition.topic for partition in self._consumer.assignment()}:
            topic_id, before = topic_id_seen_by(self._consumer, topic), self._topic_ids_seen.get(topic)
            if topic_id in (None, before):
                continue
            if before is not None or topic in self._vanished:
                self._rebalances.count += 1
            self._topic_ids_seen[topic] = topic_id

    def _require_same_topics(self, topics: Set[str]) -> None:
        """Refuse to go on with records of a topic that was deleted and recreated since they were asked for.

        Records are fetched by offset, and nothing in them says which topic of that name they are of: the new one may
        have others at the same offsets. Ids are never used again, so one that is the same now was the same all along.

        Raises:
            NotOurs: one was recreated; the next poll begins it anew.
            TryAgainLater: Kafka does not answer.
        """
        topics = self._unchecked & topics
        if not topics:
            return
        try:
            ids = fresh_topic_ids(self._consumer, topics, _COMMIT_SECS)
        except (KafkaError, OSError) as error:
            ours = try_again(error, "ask for the ids of topics")
            raise TryAgainLater(str(ours), code=ours.code) from error
        if any(topic_id is not None and str(topic_id) != self._topic_ids[topic] for topic, topic_id in ids.items()):
            self._rebalances.count += 1
            raise NotOurs("a topic was deleted and created again")
        self._unchecked -= {topic for topic, topic_id in ids.items() if topic_id is not None}

    def _is_reassigned(self) -> bool:
        return self._rebalances.count != self._rebalances_seen

    def _take_assignment(self) -> dict[Partition, Position]:
        seen = self._rebalances.count
        assignment = self._consumer.assignment()
        self._flow.reset()
        existing = self._without_vanished(assignment)
        positions = self._committed_or_start(existing)
        self._fetching.begin(positions)
        self._unchecked.clear()
        # Only now: if anything above fails, the next poll does it all again. A rebalance that happened meanwhile has
        # raised the count further.
        self._rebalances_seen = seen
        return {Partition(*partition): position for partition, position in positions.items()}

    def _without_vanished(self, assignment: Set[TopicPartition]) -> list[TopicPartition]:
        """The partitions whose topics exist; takes the ids of these."""
        topics = {partition.topic for partition in assignment}
        ids = self._topics.ids(topics or {self._settings.topic})
        self._recreated |= {topic for topic in ids if self._topic_ids.get(topic, ids[topic]) != ids[topic]}
        self._topic_ids |= ids
        self._vanished = topics - ids.keys()
        for partition in assignment:
            if partition.topic in self._vanished:
                forget_lost_position(self._consumer, partition)
        return [partition for partition in assignment if partition.topic in ids]

    def _committed_or_start(self, assignment: Iterable[TopicPartition]) -> dict[TopicPartition, Position]:
        """The position of each partition; those that must not be read any further are left out."""
        ids = self._topic_ids
        committed = {partition: self._offsets.committed(partition, ids[partition.topic]) for partition in assignment}
        new = [partition for partition, position in committed.items() if position is None]
        starts = self._offsets.starts(new, recreated=self._recreated) if new else {}
        if starts:
            checkpoints = {partition: Checkpoint(offset) for partition, offset in starts.items()}
            self._commit(to_commit(checkpoints, ids))
        known = {partition: position for partition, position in committed.items() if position is not None}
        return self._not_truncated(known) | {p: Position(ids[p.topic], offset) for p, offset in starts.items()}

    def _commit(self, offsets: Mapping[TopicPartition, OffsetAndMetadata]) -> None:
        try:
            self._consumer.commit(offsets, timeout_ms=int(_COMMIT_SECS * 1000))
        except (KafkaError, OSError) as error:
            ours = translated(error, "commit offsets")
            if isinstance(ours, NotOurs):
                self._rebalances.count += 1  # even if no rebalance follows, all uncommitted is read again
            elif ours.is_outcome_unknown:
                raise MustRejoin(str(ours)) from error
            raise ours from error

    def _not_truncated(self, positions: dict[TopicPartition, Position]) -> dict[TopicPartition, Position]:
        """Leave out partitions of which Kafka holds less than the group has read, and report them.

        Kafka has then lost records that it had acknowledged, and gives their offsets to new ones: reading on would
        skip the new ones or take them for stored.
        """
        ends = self._offsets.ends(positions) if positions else {}
        kept = {}
        for partition, position in positions.items():
            read_up_to = max(position.next_offset, position.lease.end if position.lease is not None else 0)
            if read_up_to > ends[partition]:
                reason = f"the group has read up to offset {read_up_to}, but Kafka ends at {ends[partition]}"
                self._on_halted(Partition(*partition), reason)
            else:
                kept[partition] = position
        return kept

    def _skip_deleted(self, out_of_range: Mapping[TopicPartition, int]) -> None:
        """Kafka's retention overtook us: report the lost offsets and read on after them.

        A partition that is not started yet is left alone: the client fetched ahead, and its position will be reset.
        """
        started = out_of_range.keys() & self._flow.started
        beginnings = self._offsets.beginnings(started) if started else {}
        for partition, beginning in beginnings.items():
            offset = out_of_range[partition]
            if beginning > offset:
                self._on_lost(Partition(*partition), offset, beginning)
                self._fetching.seek(partition, beginning)
            else:
                self._halt_truncated(self._offsets.ends([partition]))

    def _halt_truncated(self, ends: Mapping[TopicPartition, int | None]) -> None:
        """Halt partitions in which Kafka no longer has the records read: it may give their offsets to other records."""
        topics = {partition.topic for partition in ends}
        ids = self._topics.ids(topics)
        if any(ids.get(topic) != self._topic_ids[topic] for topic in topics):
            self._rebalances.count += 1  # one is another topic, which is read from its beginning
            return
        for partition, end in ends.items():
            position = self._fetching.position(partition)
            if position is None or position <= (end or 0):
                continue  # it moved meanwhile, because partitions were reassigned
            self._flow.halt(partition)
            forget_lost_position(self._consumer, partition)
            known_end = "" if end is None else f", those from offset {end} on"
            self._on_halted(Partition(*partition), f"Kafka has lost records that were read already{known_end}")
