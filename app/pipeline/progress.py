"""Up to which offset each of our partitions is stored, and which checkpoints Kafka holds."""

from collections.abc import Callable, Mapping, Set

from app.domain.records import Checkpoint, Lease, Partition, Position
from app.errors import NotOurs
from app.ports import RecordSource


class Progress:
    """The checkpoints of the partitions that were taken over. Belongs to the thread of the source."""

    def __init__(self, source: RecordSource, on_committed: Callable[[Mapping[Partition, int]], None]) -> None:
        self._source = source
        self._on_committed = on_committed
        self.clear()

    def clear(self) -> None:
        """Partitions are reassigned: none may be committed until it is taken over."""
        self._stored: dict[Partition, int] = {}
        self._leases: Mapping[Partition, Lease] = {}
        self._last_committed: dict[Partition, Checkpoint] = {}
        self._in_doubt: Set[Partition] = frozenset()  # a failed commit may have changed what Kafka holds for these
        self._has_failed = False

    def take_over(self, partition: Partition, position: Position) -> None:
        """Record that a partition is ours; no insert under the lease that it came with can be on its way any more."""
        self._stored[partition] = position.next_offset
        if not position.is_set_by_others:
            self._last_committed[partition] = Checkpoint(position.next_offset, position.lease)

    def stored(self, next_offsets: Mapping[Partition, int]) -> None:
        """Record that everything before these offsets is stored as well."""
        self._stored.update(next_offsets)

    def lease(self, leases: Mapping[Partition, Lease]) -> None:
        """Commit the leases of an insert before it is sent, and all that is stored.

        Raises:
            NotOurs: partitions are being reassigned.
            TryAgainLater: Kafka has certainly not committed all of them.
            MustRejoin: Kafka may have committed them, or may still do so.
        """
        if not leases.keys() <= self._stored.keys():
            raise NotOurs("partitions were not taken over")
        self._commit_news(leases)
        self._leases = leases

    def release(self) -> None:
        """Record that the insert of the last lease has ended; the next commit is made without the lease."""
        self._leases = {}

    def commit(self) -> bool:
        """Commit what has changed. Returns whether anything had.

        Raises:
            NotOurs, TryAgainLater, MustRejoin: see `lease`.
        """
        return self._commit_news(self._leases)

    @property
    def committed(self) -> Mapping[Partition, int]:
        """Next offset of each partition, as committed to Kafka."""
        return {partition: checkpoint.next_offset for partition, checkpoint in self._last_committed.items()}

    @property
    def has_failed(self) -> bool:
        """Whether the last commit failed."""
        return self._has_failed

    def _commit_news(self, leases: Mapping[Partition, Lease]) -> bool:
        news = self._news(leases)
        if not news:
            return False
        self._has_failed = True
        self._in_doubt |= news.keys()
        self._source.commit(news)
        self._in_doubt = frozenset()
        self._has_failed = False
        self._last_committed.update(news)
        self._on_committed(self.committed)
        return True

    def _news(self, leases: Mapping[Partition, Lease]) -> dict[Partition, Checkpoint]:
        checkpoints = {p: Checkpoint(offset, leases.get(p)) for p, offset in self._stored.items()}
        return {
            p: checkpoint
            for p, checkpoint in checkpoints.items()
            if p in self._in_doubt or checkpoint != self._last_committed.get(p)
        }
