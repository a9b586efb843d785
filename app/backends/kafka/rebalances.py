"""Notices rebalances.

kafka-python calls rebalance listeners on its own I/O thread, where blocking stops heartbeats and commits fail. So the
listener only counts; `KafkaSource.poll` acts on the count, on the thread of the caller.
"""

from collections.abc import Callable, Iterable

from kafka import ConsumerRebalanceListener, TopicPartition


class Rebalances(ConsumerRebalanceListener):  # type: ignore[misc]
    """Counts assignments and revocations. Called on kafka-python's I/O thread, so it does little else."""

    def __init__(self, on_joining: Callable[[], None]) -> None:
        """`on_joining` is called when this member begins to join its group, for the first time or once more."""
        self.count = 0
        self._on_joining = on_joining

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Partitions are revoked, if there were any: a join begins with this."""
        self.count += 1
        self._on_joining()

    def on_partitions_lost(self, lost: Iterable[TopicPartition]) -> None:
        """Partitions are lost."""
        self.count += 1

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Partitions are assigned."""
        self.count += 1
