"""Reports the partitions of an instance: their committed offsets, their lag, and which are halted.

Unknown values are not reported: a metric without a source is cleared, and does not keep its last value.
"""

import logging
from collections.abc import Callable, Mapping, Set
from typing import Final

from app.domain.group import GroupStanding
from app.domain.records import Partition
from app.health import Health
from app.metrics import Metrics

_log = logging.getLogger(__name__)

_LAG_FRESH_SECS: Final = 15.0  # the loop requests it every five seconds
_STORED_WITHIN_SECS: Final = 60.0
_STANDBY_WITHIN_SECS: Final = 30.0  # several times the interval between two checks of the group

NONE_ASSIGNED: Final = "none is assigned to this instance"


class PartitionReport:
    """Belongs to the thread of the loop; only `current` may be read from others."""

    def __init__(self, metrics: Metrics, health: Health, clock: Callable[[], float]) -> None:
        self._metrics = metrics
        self._health = health
        self._clock = clock
        self.current: Set[Partition] = frozenset()
        self.next_offsets: Mapping[Partition, int] = {}
        self._halted: set[Partition] = set()
        self._just_halted: set[Partition] = set()
        self._is_behind = False
        self._lag_at: float | None = None
        self._unread: Set[str] = frozenset()
        self._forget(frozenset())

    @property
    def halted_now(self) -> Set[Partition]:
        """The partitions that are halted."""
        return self._halted

    def assigned(self, partitions: Mapping[Partition, int]) -> None:
        """Partitions were assigned; each of ours comes with the offset to continue from."""
        self._metrics.rebalances.inc()
        # A partition halted right before was left out because of that. Others were lost, or are read again.
        self._forget(self._just_halted - partitions.keys())
        self.current = frozenset(partitions)
        self._metrics.assigned_partitions.set(len(partitions))
        listed = ", ".join(f"{p} from {offset}" for p, offset in sorted(partitions.items())) or "none"
        _log.info("Partitions assigned: %s", listed)
        if partitions:
            self._health.report("partitions", None)
            self._health.note(assignment=", ".join(map(str, sorted(partitions))))
            self._mark_behind()  # until the lag is known
        self.committed(partitions)

    def unassigned(self, standing: GroupStanding) -> None:
        """This instance has no partition; `standing` is the state of its group."""
        members, partitions = _count(standing.member_count, "member"), _count(standing.partition_count, "partition")
        shared = f"the group has {members} and {partitions}"
        if standing.has_standbys:
            self._health.expect("partitions", _STANDBY_WITHIN_SECS, NONE_ASSIGNED)
            self._health.note(assignment=f"standby: {shared}")
        else:
            self._health.report("partitions", f"{NONE_ASSIGNED}: {shared}")
            self._health.note(assignment="none")

    def committed(self, next_offsets: Mapping[Partition, int]) -> None:
        """Everything before these offsets is stored, and the offsets are committed."""
        for partition, offset in next_offsets.items():
            self._metrics.committed_offset.labels(*labels(partition)).set(offset)
        self.next_offsets = {**self.next_offsets, **next_offsets}
        self._health.note(committed_offsets={str(p): offset for p, offset in sorted(next_offsets.items())})

    def lag(self, lag: Mapping[Partition, int]) -> None:
        """Records behind the committed offset, for each partition whose lag is known."""
        for partition, records in lag.items():
            self._metrics.consumer_lag.labels(*labels(partition)).set(records)
        self._lag_at = self._clock()
        is_known = bool(lag) and lag.keys() >= self.current
        self._health.note(consumer_lag=sum(lag.values()) if is_known else None)
        if any(records for partition, records in lag.items() if partition not in self._halted):
            self._mark_behind()
        elif is_known:
            self._mark_caught_up()

    def stored(self) -> None:
        """Rows were stored, or were stored already."""
        if self._is_behind:
            self._expect_rows()

    def halted(self, partition: Partition, reason: str) -> None:
        """A partition is not read until it is assigned again: an operator has to act."""
        self._halted.add(partition)
        self._just_halted.add(partition)
        self._metrics.halted_partitions.set(len(self._halted))
        if self._health.report(f"partition {partition}", f"halted: {reason}"):
            _log.error("Partition %s is halted: %s", partition, reason)

    def unread(self, reasons: Mapping[str, str]) -> None:
        """All topics that are to be read and cannot be, with the reason; the others are read."""
        self._metrics.unread_topics.set(len(reasons))
        for topic in sorted(self._unread | reasons.keys()):
            if self._health.warn(f"topic {topic}", reasons.get(topic)):
                _log.warning("Topic %s: %s", topic, reasons.get(topic, "the reason why it was not read is gone"))
        self._unread = reasons.keys()

    def turned(self) -> None:
        """The loop has completed one iteration: a lag that was not requested recently is unknown again."""
        self._just_halted.clear()
        if self._lag_at is not None and self._clock() - self._lag_at > _LAG_FRESH_SECS:
            self._forget_lag()

    def closed(self) -> None:
        """The pipeline is closed: this instance has no partition, and the state of its former ones is unknown."""
        self._forget(frozenset())

    def _forget(self, still_halted: Set[Partition]) -> None:
        self.current = frozenset()
        self.next_offsets = {}
        self._metrics.assigned_partitions.set(0)
        self._metrics.committed_offset.clear()
        self._health.report("partitions", NONE_ASSIGNED)
        self._health.note(assignment="none", committed_offsets={})
        self._forget_lag()
        self._mark_caught_up()
        for partition in self._halted - still_halted:
            self._health.report(f"partition {partition}", None)
        self._halted &= still_halted
        self._metrics.halted_partitions.set(len(self._halted))

    def _forget_lag(self) -> None:
        self._lag_at = None
        self._metrics.consumer_lag.clear()
        self._metrics.lag_seconds.clear()
        self._health.note(consumer_lag=None, lag_secs=None)

    def _mark_behind(self) -> None:
        if not self._is_behind:
            self._is_behind = True
            self._expect_rows()

    def _mark_caught_up(self) -> None:
        self._is_behind = False
        self._health.report("storing", None)

    def _expect_rows(self) -> None:
        otherwise = f"records wait in Kafka, and nothing was stored for {_STORED_WITHIN_SECS:g} s"
        self._health.expect("storing", _STORED_WITHIN_SECS, otherwise)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def labels(partition: Partition) -> tuple[str, str]:
    """The labels that series of one partition have."""
    return partition.topic, str(partition.number)
