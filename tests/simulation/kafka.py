"""An in-memory Kafka whose members learn late of rebalances, and whose commits can be lost, duplicated or late."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from app.domain.records import Checkpoint, Partition, Polled, Position, RecordChunk
from app.errors import KafkaCode, MustRejoin, NotOurs, TryAgainLater
from app.pipeline.commit_metadata import read_metadata, write_metadata

TOPIC = "logs"
_CHUNK_RECORDS = 4

Offsets = Mapping[int, tuple[int, str]]


@dataclass(slots=True)
class Log:
    """One partition: `ids` by offset, None where an offset holds no record."""

    ids: list[int | None] = field(default_factory=list)
    first_offset: int = 0


@dataclass(slots=True)
class Member:
    """A member of the group. It learns of its partitions when it polls, and until then uses the old ones."""

    id: int
    generation: int
    partitions: list[int]


class LateCommit(NamedTuple):
    """A commit that the broker has not processed yet."""

    member: Member
    generation: int
    offsets: Offsets


class SimKafka:
    """One topic and the one group that reads it."""

    def __init__(self, rng: random.Random, partitions: int) -> None:
        self._rng = rng
        self.topic_id = "topic-1"
        self.logs = [Log() for _ in range(partitions)]
        self.committed: dict[int, tuple[int, str]] = {}
        self.members: dict[int, Member] = {}
        self.generation = 0
        self.owners: dict[int, int] = {}
        self.late_commits: list[LateCommit] = []
        self.history: list[dict[int, tuple[int, str]]] = []
        self.is_gentle = False
        self._ids = 0

    # Events.

    def produce(self, value: int | None, partition: int) -> None:
        """Append a record, or use up an offset without one."""
        self.logs[partition].ids.append(value)

    def join(self) -> Member:
        """A new member; all assignments may change."""
        self._ids += 1
        member = Member(self._ids, self.generation, [])
        self.members[member.id] = member
        self.rebalance()
        return member

    def replace(self, member: Member) -> Member:
        """A new member that immediately gets the partitions of an old, fenced one (static membership)."""
        self._ids += 1
        successor = Member(self._ids, self.generation, [])
        del self.members[member.id]
        self.members[successor.id] = successor
        self.owners = {p: successor.id if owner == member.id else owner for p, owner in self.owners.items()}
        return successor

    def leave(self, member: Member) -> None:
        """A member leaves or is considered dead."""
        if self.members.pop(member.id, None) is not None:
            self.rebalance()

    def rebalance(self) -> None:
        """Reassign the partitions: all of them, or only those without an owner."""
        self.generation += 1
        members = sorted(self.members)
        if not members:
            self.owners = {}
            return
        is_sticky = self._rng.random() < 0.5
        for partition in range(len(self.logs)):
            if not (is_sticky and self.owners.get(partition) in self.members):
                self.owners[partition] = self._rng.choice(members)

    def recreate(self) -> None:
        """The topic is deleted and created again; Kafka deletes the committed offsets, at once or later.

        An offset set by another client does not contain the topic id, so it would count for the new topic.
        """
        is_late = self._rng.random() < 0.5
        self.committed = {n: its for n, its in self.committed.items() if is_late and its[1]}
        self.history.clear()
        self.topic_id = f"topic-{int(self.topic_id.partition('-')[2]) + 1}"
        self.logs = [Log() for _ in self.logs]
        self.rebalance()

    def land_commit(self, index: int) -> None:
        """The broker processes a late commit: it accepts it if the member still exists in that generation."""
        late = self.late_commits.pop(index)
        if self._is_current(late.member, late.generation):
            self._remember(late.offsets)

    # Requests of members.

    def sync(self, member: Member) -> bool:
        """A member checks for a rebalance. Returns whether there was one.

        Raises:
            MustRejoin: it is no longer a member.
        """
        if member.id not in self.members:
            raise MustRejoin("unknown member")
        partitions = [p for p, owner in sorted(self.owners.items()) if owner == member.id]
        if (member.generation, member.partitions) == (self.generation, partitions):
            return False
        member.generation, member.partitions = self.generation, partitions
        return True

    def commit(self, member: Member, offsets: Offsets) -> None:
        """Commit offsets of the group.

        Kafka checks the generation, not the owner of the partitions.

        Raises:
            NotOurs: there was a rebalance.
            TryAgainLater: the commit failed, or it was carried out for some partitions only.
            MustRejoin: the outcome is unknown.
        """
        luck = 1.0 if self.is_gentle else self._rng.random()
        if luck < 0.02:
            raise TryAgainLater("coordinator is loading", code=KafkaCode.NO_COORDINATOR)
        if luck < 0.05:
            self.late_commits.append(LateCommit(member, member.generation, dict(offsets)))
            raise MustRejoin("no answer")
        if not self._is_current(member, member.generation):
            raise NotOurs("the group has moved on")
        if luck > 0.98 and not self.is_gentle:
            self._remember({number: its for number, its in offsets.items() if self._rng.random() < 0.5})
            raise TryAgainLater("a topic may not be read", code=KafkaCode.NOT_AUTHORIZED)
        self._remember(offsets)
        if luck < 0.08:
            raise MustRejoin("the answer got lost")

    def begin(self, member: Member, number: int, offset: int) -> None:
        """A member commits the start offset of the group."""
        if self._is_current(member, member.generation):
            self._remember({number: (offset, write_metadata(self.topic_id, None))})

    def _is_current(self, member: Member, generation: int) -> bool:
        return member.id in self.members and generation == self.generation

    def _remember(self, offsets: Offsets) -> None:
        self.committed.update(offsets)
        self.history.append(dict(self.committed))


class SimSource:
    """A RecordSource on SimKafka, corresponding to `KafkaSource`."""

    def __init__(self, kafka: SimKafka, member: Member, on_lost: Callable[[str, int, int, int], None]) -> None:
        self._kafka = kafka
        self._member = member
        self._on_lost = on_lost
        self._is_reassigned = True
        self._topic_id = ""
        self._assigned: list[int] = []
        self._positions: dict[int, int] = {}
        self._started: set[int] = set()
        self._halted: set[int] = set()
        self._is_paused = False

    def poll(self, timeout_secs: float) -> Polled:
        """See `ports.RecordSource`. Never waits."""
        self._is_reassigned |= self._kafka.sync(self._member)
        if self._is_reassigned:
            return Polled(assigned=self._take_assignment())
        if self._is_paused:
            return Polled()
        chunks = [self._chunk(number) for number in self._readable()]
        return Polled([chunk for chunk in chunks if chunk is not None])

    def start(self, partition: Partition) -> None:
        """See `ports.RecordSource`."""
        self._started.add(partition.number)

    def pause(self) -> None:
        """See `ports.RecordSource`."""
        self._is_paused = True

    def resume(self) -> None:
        """See `ports.RecordSource`."""
        self._is_paused = False

    def halt(self, partition: Partition) -> None:
        """See `ports.RecordSource`."""
        self._halted.add(partition.number)

    def commit(self, checkpoints: Mapping[Partition, Checkpoint]) -> None:
        """See `ports.RecordSource`."""
        if self._is_reassigned or not {p.number for p in checkpoints} <= set(self._assigned):
            raise NotOurs("partitions are being reassigned")
        offsets = {p.number: (m.next_offset, write_metadata(self._topic_id, m.lease)) for p, m in checkpoints.items()}
        try:
            self._kafka.commit(self._member, offsets)
        except NotOurs:
            self._is_reassigned = True
            raise

    def positions(self) -> Mapping[Partition, int]:
        """See `ports.RecordSource`."""
        return {Partition(TOPIC, number): self._positions[number] for number in self._readable()}

    def end_offsets(self) -> Mapping[Partition, int]:
        """See `ports.RecordSource`."""
        return {Partition(TOPIC, number): len(self._kafka.logs[number].ids) for number in self._assigned}

    def close(self, timeout_secs: float) -> None:
        """See `ports.RecordSource`."""
        self._kafka.leave(self._member)

    def _take_assignment(self) -> dict[Partition, Position]:
        self._is_reassigned = False
        self._started.clear()
        self._halted.clear()
        self._topic_id = self._kafka.topic_id
        self._assigned = list(self._member.partitions)
        positions = {number: self._position(number) for number in self._assigned}
        self._positions = {number: position.next_offset for number, position in positions.items()}
        return {Partition(TOPIC, number): position for number, position in positions.items()}

    def _position(self, number: int) -> Position:
        offset, metadata = self._kafka.committed.get(number, (0, write_metadata(self._topic_id, None)))
        remembered = read_metadata(metadata)
        if remembered is None:
            return Position(self._topic_id, offset, is_set_by_others=True)
        if remembered.topic_id != self._topic_id:
            first_offset = self._kafka.logs[number].first_offset
            self._on_lost(self._topic_id, number, 0, first_offset)  # deleted before the group began
            self._kafka.begin(self._member, number, first_offset)
            return Position(self._topic_id, first_offset)
        return Position(self._topic_id, offset, remembered.lease)

    def _readable(self) -> list[int]:
        return [number for number in self._assigned if number in self._started and number not in self._halted]

    def _chunk(self, number: int) -> RecordChunk | None:
        log, position = self._kafka.logs[number], self._positions[number]
        if position < log.first_offset:
            self._on_lost(self._topic_id, number, position, log.first_offset)
            position = log.first_offset
        end = min(position + _CHUNK_RECORDS, len(log.ids))
        self._positions[number] = end
        records = [(offset, value) for offset, value in enumerate(log.ids[position:end], position) if value is not None]
        if not records:
            return None
        return RecordChunk(
            partition=Partition(TOPIC, number),
            topic_id=self._topic_id,
            offsets=[offset for offset, _ in records],
            timestamps_ms=[0] * len(records),
            values=[b"%d" % value for _, value in records],
            headers=[()] * len(records),
            next_offset=end,
        )
