"""What is known of records that others have read before."""

from collections.abc import Sequence

from app.domain.records import LastRecord, Lease, Partition, RecordChunk
from app.pipeline.earlier_owners import EarlierOwners

ONE, TWO = Partition("logs", 1), Partition("logs", 2)


def chunk_of(offsets: Sequence[int], partition: Partition = ONE, *, value: bytes = b"as before") -> RecordChunk:
    count = len(offsets)
    return RecordChunk(partition, "topic-1", offsets, [0] * count, [value] * count, [()] * count, offsets[-1] + 1)


def with_lease_up_to(offset: int) -> EarlierOwners:
    """One partition was taken over, and an earlier owner was storing records up to this one."""
    owners = EarlierOwners()
    crc = chunk_of([offset]).crc(0)
    owners.add(ONE, 5, Lease("token", 0, offset + 1, LastRecord(offset, crc)))
    return owners


def test_rows_may_be_stored_before_the_offset_that_recovery_has_found() -> None:
    owners = EarlierOwners()
    owners.add(ONE, 5, None)

    assert owners.may_have_stored(chunk_of([4, 5]))
    assert not owners.may_have_stored(chunk_of([5, 6]))
    assert not owners.may_have_stored(chunk_of([0], TWO))


def test_nothing_is_known_of_partitions_after_the_next_assignment() -> None:
    owners = with_lease_up_to(7)

    owners.clear()

    assert not owners.may_have_stored(chunk_of([0]))
    assert owners.replaced_offset(chunk_of([7], value=b"another")) is None


def test_another_record_at_the_end_of_a_lease_was_replaced() -> None:
    assert with_lease_up_to(7).replaced_offset(chunk_of([6, 7, 8], value=b"another")) == 7
    assert with_lease_up_to(7).replaced_offset(chunk_of([6, 7, 8])) is None


def test_a_record_that_is_gone_was_not_replaced() -> None:
    assert with_lease_up_to(7).replaced_offset(chunk_of([6, 8], value=b"another")) is None


def test_the_record_is_compared_in_the_chunk_that_has_its_offset() -> None:
    owners = with_lease_up_to(7)

    assert owners.replaced_offset(chunk_of([5, 6], value=b"another")) is None
    assert owners.replaced_offset(chunk_of([7], TWO, value=b"another")) is None
    assert owners.replaced_offset(chunk_of([7, 8], value=b"another")) == 7
