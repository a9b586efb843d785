"""What earlier owners of our partitions may have stored, or were about to store. Pure."""

from bisect import bisect_left

from app.domain.records import LastRecord, Lease, Partition, RecordChunk


class EarlierOwners:
    """Partitions that were taken over, and what is known of the records that others read before."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget all partitions."""
        self._stored_before: dict[Partition, int] = {}
        self._leased: dict[Partition, LastRecord] = {}

    def add(self, partition: Partition, stored_before: int, lease: Lease | None) -> None:
        """A partition was taken over: nothing from the offset `stored_before` on is stored; `lease` is the open one."""
        self._stored_before[partition] = stored_before
        if lease is not None:
            self._leased[partition] = lease.last_record

    def may_have_stored(self, chunk: RecordChunk) -> bool:
        """Whether rows of the chunk may be in the table already."""
        return chunk.offsets[0] < self._stored_before.get(chunk.partition, 0)

    def replaced_offset(self, chunk: RecordChunk) -> int | None:
        """The offset at which Kafka has another record than an earlier owner was storing; None if it has none.

        Only the first chunk with that offset is compared.
        """
        leased = self._leased.get(chunk.partition)
        if leased is None or leased.offset > chunk.offsets[-1]:
            return None
        del self._leased[chunk.partition]
        index = bisect_left(chunk.offsets, leased.offset)
        is_same = chunk.offsets[index] != leased.offset or chunk.crc(index) == leased.crc
        return None if is_same else leased.offset
