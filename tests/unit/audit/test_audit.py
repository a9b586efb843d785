"""Findings of an audit on an in-memory topic and table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.audit.audit import Scope, adds_up, audit, split
from app.audit.verdict import Finding, Kind, PartitionVerdict, Verdict, exit_code
from app.domain.offsets import BUCKET_OFFSETS, PartitionOffsets, Span, TopicOffsets
from app.domain.reader import REST_ITEM
from app.domain.records import Partition
from tests.unit.audit.memory import (
    NOW_MS,
    TOPIC_ID,
    MemoryLedger,
    MemoryTopic,
    Row,
    bucket_of,
    found_of,
    offsets,
    stored,
)

HOUR_MS = 3600 * 1000
LOGS_0, LOGS_1 = Partition("logs", 0), Partition("logs", 1)
SCOPE = Scope(since_ms=NOW_MS - HOUR_MS)


def run_audit(topic: MemoryTopic, ledger: MemoryLedger, scope: Scope = SCOPE, *, has_time: bool = True) -> Verdict:
    return audit(topic, ledger, scope, has_time=lambda: has_time)


def audit_one(
    partition: PartitionOffsets, rows: list[Row], records_at: set[int] | None = None, scope: Scope = SCOPE
) -> PartitionVerdict:
    """Audit a topic with one partition."""
    return run_audit(MemoryTopic({0: partition}, records_at), MemoryLedger(rows), scope).partitions[LOGS_0]


# Matching buckets.


def test_a_topic_that_is_stored_once_has_no_findings_and_is_not_checked_row_by_row() -> None:
    ledger = MemoryLedger(stored(range(100)))

    verdict = run_audit(MemoryTopic({0: offsets()}), ledger)

    assert exit_code(verdict) == 0
    assert verdict.partitions[LOGS_0] == PartitionVerdict(offsets(), Span(0, 100), records=100, rows=100, findings=[])
    assert ledger.looks == []


@pytest.mark.parametrize(
    ("rows", "is_sound"),
    [
        ([4, 5, 6, 7], True),
        ([7, 5, 4, 6], True),
        ([4, 5, 6], False),
        ([4, 5, 6, 6, 7], False),
        ([4, 5, 5, 7], False),  # one lost, one doubled
        ([4, 5, 6, 7, 8], False),
        ([3, 4, 5, 6, 7], False),
        ([4, 4, 7, 7], False),  # the same sum
    ],
)
def test_a_bucket_adds_up_only_with_one_row_for_each_offset(rows: list[int], is_sound: bool) -> None:
    assert adds_up(bucket_of(rows), Span(4, 8)) is is_sound


def test_sums_may_be_larger_than_the_table_can_hold() -> None:
    first = 2**40 * BUCKET_OFFSETS

    assert adds_up(bucket_of(range(first, first + BUCKET_OFFSETS)), Span(first, first + BUCKET_OFFSETS))


def test_a_span_is_sorted_by_the_ledger() -> None:
    whole = bucket_of(range(BUCKET_OFFSETS))
    holed = bucket_of([BUCKET_OFFSETS, BUCKET_OFFSETS + 2])

    sound, doubtful, bare = split(Span(0, 4 * BUCKET_OFFSETS), [holed, whole])

    assert sound == [whole]
    assert doubtful == [Span(BUCKET_OFFSETS, 2 * BUCKET_OFFSETS)]
    assert bare == [Span(2 * BUCKET_OFFSETS, 4 * BUCKET_OFFSETS)]


def test_adjacent_doubtful_buckets_are_checked_together_up_to_a_limit() -> None:
    holed = [bucket_of([number * BUCKET_OFFSETS]) for number in range(10)]

    _, doubtful, _ = split(Span(0, 10 * BUCKET_OFFSETS), holed)

    assert [span.size // BUCKET_OFFSETS for span in doubtful] == [4, 4, 2]


def test_unparsed_rows_are_counted_whether_their_bucket_adds_up_or_not() -> None:
    rows = [Row(offset, is_unparsed=offset % 10 == 0) for offset in range(100)]

    assert audit_one(offsets(), rows).unparsed == 10
    assert audit_one(offsets(), rows[:-1]).unparsed == 10


# Missing.


def test_records_in_kafka_without_a_row_are_missing() -> None:
    verdict = audit_one(offsets(), stored(range(40), range(50, 99)))

    assert verdict.of(Kind.MISSING)[0] == Finding(Kind.MISSING, Span(40, 41), 1)
    assert found_of(Kind.MISSING, verdict) == {*range(40, 50), 99}
    assert verdict.records == 89


def test_offsets_without_a_record_are_not_missing() -> None:
    verdict = audit_one(offsets(), stored(range(40), range(50, 100)), records_at=set(range(100)) - set(range(40, 50)))

    assert exit_code(Verdict({"logs": TOPIC_ID}, {LOGS_0: verdict})) == 0
    assert found_of(Kind.EMPTY, verdict) == set(range(40, 50))


def test_with_no_row_at_all_every_record_is_missing() -> None:
    assert found_of(Kind.MISSING, audit_one(offsets(), [])) == set(range(100))


def test_a_gap_across_two_buckets_is_read_from_kafka_at_once() -> None:
    end = BUCKET_OFFSETS + 50
    topic = MemoryTopic({0: offsets(since=BUCKET_OFFSETS - 50, end=end, committed=end)})

    run_audit(topic, MemoryLedger(stored(BUCKET_OFFSETS - 50, end - 1)))

    assert topic.reads == [(LOGS_0, Span(BUCKET_OFFSETS - 49, end - 1))]


def test_uncommitted_offsets_are_not_audited() -> None:
    verdict = audit_one(offsets(committed=50), stored(range(50), 70, 70))

    assert verdict.findings == []
    assert verdict.checked == Span(0, 50)


def test_older_records_are_not_audited() -> None:
    verdict = audit_one(offsets(since=50), stored(range(50, 100), 10, 10))

    assert verdict.findings == []
    assert verdict.checked == Span(50, 100)


def test_a_group_without_commits_has_nothing_to_audit() -> None:
    verdict = audit_one(offsets(committed=None), [])

    assert verdict.findings == []
    assert verdict.checked.size == 0


def test_a_group_that_began_late_is_audited_from_its_first_row_on() -> None:
    rows = stored(range(30, 60), range(61, 100))

    assert found_of(Kind.MISSING, audit_one(offsets(), rows, scope=Scope(0, starts_late=True))) == {60}
    assert audit_one(offsets(), [], scope=Scope(0, starts_late=True)).checked.size == 0


# Removed on purpose.


def removed(*numbers: int) -> list[Row]:
    return [Row(offset, is_removed=True) for offset in numbers]


def test_what_was_removed_on_purpose_is_not_missing() -> None:
    verdict = audit_one(offsets(), [*stored(range(10), range(12, 100)), *removed(10, 11)])

    assert verdict.findings == []
    assert (verdict.records, verdict.rows, verdict.removed) == (98, 98, 2)


def test_a_row_that_is_noted_as_removed_and_still_there_is_no_duplicate() -> None:
    verdict = audit_one(offsets(), [*stored(range(99)), *removed(98, 99)])

    assert verdict.findings == []
    assert (verdict.records, verdict.rows, verdict.removed) == (99, 99, 1)


def test_what_is_missing_beside_removed_rows_is_found() -> None:
    verdict = audit_one(offsets(), [*stored(range(98)), *removed(99)])

    assert found_of(Kind.MISSING, verdict) == {98}


# Duplicated.


def test_a_row_that_is_stored_twice_is_duplicated() -> None:
    verdict = audit_one(offsets(), stored(range(100), 7, 7, 8))

    assert verdict.count(Kind.DUPLICATED) == 3
    assert found_of(Kind.DUPLICATED, verdict) == {7, 8}
    assert verdict.records == 100
    assert verdict.rows == 103


def test_several_items_of_a_record_are_no_duplicates() -> None:
    rows = [Row(offset, item) for offset in range(100) for item in range(3)]

    verdict = audit_one(offsets(), rows)

    assert verdict.findings == []
    assert (verdict.records, verdict.rows) == (100, 300)


def test_items_that_are_not_there_make_a_record_incomplete() -> None:
    rows = [Row(offset, item) for offset in range(100) for item in range(3)]
    rows.remove(Row(5, 1))

    verdict = audit_one(offsets(), rows)

    assert verdict.of(Kind.INCOMPLETE) == [Finding(Kind.INCOMPLETE, Span(5, 6), 1)]
    assert exit_code(Verdict({"logs": TOPIC_ID}, {LOGS_0: verdict})) == 1


def test_items_that_are_missing_at_the_end_make_a_record_incomplete() -> None:
    rows = [Row(offset, item, items=3) for offset in range(100) for item in range(3)]
    rows.remove(Row(5, 2, items=3))

    assert audit_one(offsets(), rows).of(Kind.INCOMPLETE) == [Finding(Kind.INCOMPLETE, Span(5, 6), 1)]


@pytest.mark.parametrize("item", [0, 1, 2])
def test_a_record_of_which_a_single_item_is_stored_is_found_among_records_of_one_row(item: int) -> None:
    rows = [*stored(range(5), range(6, 100)), Row(5, item, items=3)]

    assert audit_one(offsets(), rows).of(Kind.INCOMPLETE) == [Finding(Kind.INCOMPLETE, Span(5, 6), 2)]


def test_a_record_that_another_reader_has_finished_is_complete() -> None:
    finished = [Row(5, 1, items=3), Row(5, REST_ITEM, items=2, is_unparsed=True)]

    verdict = audit_one(offsets(), [*stored(range(5), range(6, 100)), *finished])

    assert verdict.findings == []
    assert (verdict.records, verdict.rows, verdict.unparsed) == (100, 101, 1)


def test_a_finished_record_that_has_lost_a_row_is_incomplete() -> None:
    rows = [*stored(range(5), range(6, 100)), Row(5, REST_ITEM, items=2)]

    assert audit_one(offsets(), rows).of(Kind.INCOMPLETE) == [Finding(Kind.INCOMPLETE, Span(5, 6), 1)]


def test_buckets_of_records_of_one_row_are_not_checked_row_by_row() -> None:
    ledger = MemoryLedger([*stored(range(BUCKET_OFFSETS)), Row(BUCKET_OFFSETS, items=2)])

    run_audit(MemoryTopic({0: offsets(end=BUCKET_OFFSETS + 1, committed=BUCKET_OFFSETS + 1)}), ledger)

    assert ledger.looks == [Span(BUCKET_OFFSETS, BUCKET_OFFSETS + 1)]


# Deleted by Kafka.


def test_records_that_kafka_deleted_before_they_were_read_are_lost_to_retention() -> None:
    verdict = audit_one(offsets(begin=40, since=40), stored(range(40, 100)))

    assert verdict.of(Kind.LOST) == [Finding(Kind.LOST, Span(0, 40), 40)]
    assert exit_code(Verdict({"logs": TOPIC_ID}, {LOGS_0: verdict})) == 0


def test_records_that_kafka_deleted_after_they_were_stored_are_accounted_for() -> None:
    verdict = audit_one(offsets(begin=40, since=40), stored(range(100)))

    assert verdict.findings == []
    assert verdict.records == 100


def test_records_that_kafka_deleted_in_between_are_lost() -> None:
    assert found_of(Kind.LOST, audit_one(offsets(begin=40, since=40), stored(range(10), range(40, 100)))) == set(
        range(10, 40)
    )


def test_rows_of_long_ago_that_have_expired_since_are_not_called_lost() -> None:
    old = [Row(offset, ingested_ms=NOW_MS - 10 * HOUR_MS) for offset in range(20, 60)]

    verdict = audit_one(offsets(begin=80, since=80), [*old, *stored(range(60, 100))])

    assert verdict.findings == []
    assert verdict.checked == Span(60, 100)


def test_records_that_kafka_deleted_before_the_group_reached_them_are_lost() -> None:
    verdict = audit_one(offsets(begin=40, since=40, committed=10), stored(range(10)))

    assert verdict.of(Kind.LOST) == [Finding(Kind.LOST, Span(10, 40), 30)]
    assert verdict.records == 10


def test_records_that_kafka_deletes_during_the_audit_are_lost_and_not_missing() -> None:
    topic = MemoryTopic({0: offsets()}, begin_later=45)

    verdict = run_audit(topic, MemoryLedger(stored(range(40), range(50, 100)))).partitions[LOGS_0]

    assert found_of(Kind.LOST, verdict) == set(range(40, 45))
    assert found_of(Kind.MISSING, verdict) == set(range(45, 50))


# What cannot be audited.


def test_without_time_doubtful_offsets_are_unverified_and_sound_ones_are_not() -> None:
    partitions = {0: offsets(), 1: offsets()}
    rows = [*stored(range(100)), *(Row(offset, partition=1) for offset in range(99))]

    verdict = run_audit(MemoryTopic(partitions), MemoryLedger(rows), has_time=False)

    assert verdict.partitions[LOGS_0].findings == []
    assert found_of(Kind.UNVERIFIED, verdict.partitions[LOGS_1]) == set(range(100))
    assert exit_code(verdict) == 2


def test_offsets_not_read_from_kafka_for_lack_of_time_are_unverified() -> None:
    times = iter([True, False])
    topic, ledger = MemoryTopic({0: offsets()}), MemoryLedger(stored(range(99)))

    verdict = audit(topic, ledger, SCOPE, has_time=lambda: next(times))

    assert found_of(Kind.UNVERIFIED, verdict.partitions[LOGS_0]) == {99}


def test_nothing_can_be_audited_if_kafka_ends_before_the_committed_offset() -> None:
    verdict = audit_one(offsets(end=60), stored(range(100)))

    assert found_of(Kind.UNVERIFIED, verdict) == set(range(60, 100))
    assert verdict.records == 60


# Several partitions and topics.


def test_only_the_requested_partitions_are_audited() -> None:
    topic = MemoryTopic({0: offsets(), 1: offsets(), 2: offsets()})

    verdict = run_audit(topic, MemoryLedger(stored(range(100))), Scope(0, partitions={LOGS_0}))

    assert set(verdict.partitions) == {LOGS_0}
    assert exit_code(verdict) == 0


def test_rows_of_other_topic_ids_are_counted_and_not_audited() -> None:
    rows = [*stored(range(100)), Row(5, topic_id="earlier"), Row(5, topic_id="earlier")]

    verdict = run_audit(MemoryTopic({0: offsets()}), MemoryLedger(rows))

    assert verdict.other_ids == {"earlier": 2}
    assert exit_code(verdict) == 0


# Everything at once.

EDGE = BUCKET_OFFSETS  # between the buckets of the offsets below
SOME = st.sets(st.integers(EDGE - 40, EDGE + 40))


@given(
    records=SOME,
    lost=SOME,
    doubled=SOME,
    begin=st.integers(EDGE - 40, EDGE + 40),
    committed=st.integers(EDGE - 40, EDGE + 40),
)
def test_the_audit_finds_what_sets_say(
    records: set[int], lost: set[int], doubled: set[int], begin: int, committed: int
) -> None:
    first, end = EDGE - 40, EDGE + 41
    records = set(range(first, end)) - records  # most offsets are those of records
    in_table = records - lost
    twice = in_table & doubled
    too_old = Row(first - 1, ingested_ms=NOW_MS - 2 * HOUR_MS)  # the audit begins behind it
    rows = [too_old, *stored(*in_table, *twice)]
    kafka = {offset for offset in records if offset >= begin}
    partition = offsets(begin=begin, since=begin, end=end, committed=committed)

    verdict = audit_one(partition, rows, records_at=kafka)

    checked = set(range(first, committed))
    unseen = checked - in_table
    skipped = set(range(committed, begin))
    assert found_of(Kind.MISSING, verdict) == unseen & kafka
    assert found_of(Kind.LOST, verdict) == {offset for offset in unseen if offset < begin} | skipped
    assert found_of(Kind.EMPTY, verdict) == {offset for offset in unseen if offset >= begin} - kafka
    assert found_of(Kind.DUPLICATED, verdict) == twice & checked
    assert verdict.rows == sum(row.offset in checked for row in rows)


class TwoTopics(MemoryTopic):
    """The topics `logs` and `web`, with the same partitions."""

    def offsets(self, since_ms: int) -> list[TopicOffsets]:
        return [TopicOffsets("logs", TOPIC_ID, self.partitions), TopicOffsets("web", "of-web", self.partitions)]


def test_each_topic_is_compared_with_the_rows_of_its_own_id() -> None:
    rows = [*stored(range(100)), *(Row(offset, topic_id="of-web") for offset in range(90)), Row(0, topic_id="gone")]

    verdict = run_audit(TwoTopics({0: offsets()}), MemoryLedger(rows))

    assert verdict.topic_ids == {"logs": TOPIC_ID, "web": "of-web"}
    assert verdict.partitions[LOGS_0].findings == []
    assert found_of(Kind.MISSING, verdict.partitions[Partition("web", 0)]) == set(range(90, 100))
    assert verdict.other_ids == {"gone": 1}


def test_of_two_topics_only_the_asked_partitions_are_audited() -> None:
    topics = TwoTopics({0: offsets()})

    verdict = run_audit(topics, MemoryLedger(stored(range(100))), Scope(0, partitions={Partition("web", 0)}))

    assert set(verdict.partitions) == {Partition("web", 0)}
    assert topics.reads == [(Partition("web", 0), Span(0, 100))]
