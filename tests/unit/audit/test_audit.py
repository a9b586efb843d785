"""What an audit finds, between a topic and a table that are made up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.audit.audit import Scope, adds_up, audit, split
from app.audit.verdict import Finding, Kind, PartitionVerdict, Verdict, exit_code
from app.domain.offsets import BUCKET_OFFSETS, PartitionOffsets, Span
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
SCOPE = Scope(since_ms=NOW_MS - HOUR_MS)


def judge(topic: MemoryTopic, ledger: MemoryLedger, scope: Scope = SCOPE, *, has_time: bool = True) -> Verdict:
    return audit(topic, ledger, scope, has_time=lambda: has_time)


def judge_one(
    partition: PartitionOffsets, rows: list[Row], records_at: set[int] | None = None, scope: Scope = SCOPE
) -> PartitionVerdict:
    """Of a topic with one partition."""
    return judge(MemoryTopic({0: partition}, records_at), MemoryLedger(rows), scope).partitions[0]


# What adds up.


def test_a_topic_that_is_stored_once_has_no_findings_and_is_not_looked_at_row_by_row() -> None:
    ledger = MemoryLedger(stored(range(100)))

    verdict = judge(MemoryTopic({0: offsets()}), ledger)

    assert exit_code(verdict) == 0
    assert verdict.partitions[0] == PartitionVerdict(offsets(), Span(0, 100), records=100, rows=100, findings=[])
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


def test_a_span_is_sorted_by_what_the_ledger_says() -> None:
    whole = bucket_of(range(BUCKET_OFFSETS))
    holed = bucket_of([BUCKET_OFFSETS, BUCKET_OFFSETS + 2])

    sound, doubtful, bare = split(Span(0, 4 * BUCKET_OFFSETS), [holed, whole])

    assert sound == [whole]
    assert doubtful == [Span(BUCKET_OFFSETS, 2 * BUCKET_OFFSETS)]
    assert bare == [Span(2 * BUCKET_OFFSETS, 4 * BUCKET_OFFSETS)]


def test_doubtful_buckets_beside_each_other_are_looked_at_together_but_not_too_many() -> None:
    holed = [bucket_of([number * BUCKET_OFFSETS]) for number in range(10)]

    _, doubtful, _ = split(Span(0, 10 * BUCKET_OFFSETS), holed)

    assert [span.size // BUCKET_OFFSETS for span in doubtful] == [4, 4, 2]


def test_unparsed_rows_are_counted_whether_their_bucket_adds_up_or_not() -> None:
    rows = [Row(offset, is_unparsed=offset % 10 == 0) for offset in range(100)]

    assert judge_one(offsets(), rows).unparsed == 10
    assert judge_one(offsets(), rows[:-1]).unparsed == 10


# Missing.


def test_what_kafka_has_and_the_table_has_not_is_missing() -> None:
    verdict = judge_one(offsets(), stored(range(40), range(50, 99)))

    assert verdict.of(Kind.MISSING)[0] == Finding(Kind.MISSING, Span(40, 41), 1)
    assert found_of(Kind.MISSING, verdict) == {*range(40, 50), 99}
    assert verdict.records == 89


def test_offsets_without_a_record_are_not_missing() -> None:
    verdict = judge_one(offsets(), stored(range(40), range(50, 100)), records_at=set(range(100)) - set(range(40, 50)))

    assert exit_code(Verdict(TOPIC_ID, {0: verdict})) == 0
    assert found_of(Kind.EMPTY, verdict) == set(range(40, 50))


def test_with_no_row_at_all_every_record_is_missing() -> None:
    assert found_of(Kind.MISSING, judge_one(offsets(), [])) == set(range(100))


def test_a_gap_over_the_edge_of_a_bucket_is_asked_of_kafka_as_one() -> None:
    end = BUCKET_OFFSETS + 50
    topic = MemoryTopic({0: offsets(since=BUCKET_OFFSETS - 50, end=end, committed=end)})

    judge(topic, MemoryLedger(stored(BUCKET_OFFSETS - 50, end - 1)))

    assert topic.reads == [(0, Span(BUCKET_OFFSETS - 49, end - 1))]


def test_what_is_not_committed_is_not_judged() -> None:
    verdict = judge_one(offsets(committed=50), stored(range(50), 70, 70))

    assert verdict.findings == []
    assert verdict.checked == Span(0, 50)


def test_what_is_older_is_not_judged() -> None:
    verdict = judge_one(offsets(since=50), stored(range(50, 100), 10, 10))

    assert verdict.findings == []
    assert verdict.checked == Span(50, 100)


def test_a_group_that_has_committed_nothing_has_nothing_to_judge() -> None:
    verdict = judge_one(offsets(committed=None), [])

    assert verdict.findings == []
    assert verdict.checked.size == 0


def test_a_group_that_began_late_is_judged_from_its_first_row_on() -> None:
    rows = stored(range(30, 60), range(61, 100))

    assert found_of(Kind.MISSING, judge_one(offsets(), rows, scope=Scope(0, starts_late=True))) == {60}
    assert judge_one(offsets(), [], scope=Scope(0, starts_late=True)).checked.size == 0


# Duplicated.


def test_a_row_that_is_there_more_often_is_duplicated() -> None:
    verdict = judge_one(offsets(), stored(range(100), 7, 7, 8))

    assert verdict.count(Kind.DUPLICATED) == 3
    assert found_of(Kind.DUPLICATED, verdict) == {7, 8}
    assert verdict.records == 100
    assert verdict.rows == 103


def test_several_items_of_a_record_are_no_duplicates() -> None:
    rows = [Row(offset, item) for offset in range(100) for item in range(3)]

    verdict = judge_one(offsets(), rows)

    assert verdict.findings == []
    assert (verdict.records, verdict.rows) == (100, 300)


def test_items_that_are_not_there_make_a_record_incomplete() -> None:
    rows = [Row(offset, item) for offset in range(100) for item in range(3)]
    rows.remove(Row(5, 1))

    verdict = judge_one(offsets(), rows)

    assert verdict.of(Kind.INCOMPLETE) == [Finding(Kind.INCOMPLETE, Span(5, 6), 1)]
    assert exit_code(Verdict(TOPIC_ID, {0: verdict})) == 1


# Deleted by Kafka.


def test_what_kafka_deleted_before_anybody_read_it_is_lost_to_retention() -> None:
    verdict = judge_one(offsets(begin=40, since=40), stored(range(40, 100)))

    assert verdict.of(Kind.LOST) == [Finding(Kind.LOST, Span(0, 40), 40)]
    assert exit_code(Verdict(TOPIC_ID, {0: verdict})) == 0


def test_what_kafka_deleted_after_it_was_stored_is_accounted_for() -> None:
    verdict = judge_one(offsets(begin=40, since=40), stored(range(100)))

    assert verdict.findings == []
    assert verdict.records == 100


def test_what_kafka_deleted_between_is_lost() -> None:
    assert found_of(Kind.LOST, judge_one(offsets(begin=40, since=40), stored(range(10), range(40, 100)))) == set(
        range(10, 40)
    )


def test_rows_of_long_ago_that_have_expired_since_are_not_called_lost() -> None:
    old = [Row(offset, ingested_ms=NOW_MS - 10 * HOUR_MS) for offset in range(20, 60)]

    verdict = judge_one(offsets(begin=80, since=80), [*old, *stored(range(60, 100))])

    assert verdict.findings == []
    assert verdict.checked == Span(60, 100)


def test_what_kafka_deleted_before_the_group_came_to_it_is_lost_already() -> None:
    verdict = judge_one(offsets(begin=40, since=40, committed=10), stored(range(10)))

    assert verdict.of(Kind.LOST) == [Finding(Kind.LOST, Span(10, 40), 30)]
    assert verdict.records == 10


def test_what_kafka_deletes_while_it_is_asked_is_lost_and_not_missing() -> None:
    topic = MemoryTopic({0: offsets()}, begin_later=45)

    verdict = judge(topic, MemoryLedger(stored(range(40), range(50, 100)))).partitions[0]

    assert found_of(Kind.LOST, verdict) == set(range(40, 45))
    assert found_of(Kind.MISSING, verdict) == set(range(45, 50))


# What cannot be judged.


def test_without_time_doubtful_offsets_are_unverified_and_sound_ones_are_not() -> None:
    partitions = {0: offsets(), 1: offsets()}
    rows = [*stored(range(100)), *(Row(offset, partition=1) for offset in range(99))]

    verdict = judge(MemoryTopic(partitions), MemoryLedger(rows), has_time=False)

    assert verdict.partitions[0].findings == []
    assert found_of(Kind.UNVERIFIED, verdict.partitions[1]) == set(range(100))
    assert exit_code(verdict) == 2


def test_what_kafka_was_not_asked_for_lack_of_time_is_unverified() -> None:
    times = iter([True, False])
    topic, ledger = MemoryTopic({0: offsets()}), MemoryLedger(stored(range(99)))

    verdict = audit(topic, ledger, SCOPE, has_time=lambda: next(times))

    assert found_of(Kind.UNVERIFIED, verdict.partitions[0]) == {99}


def test_where_kafka_ends_before_the_committed_offset_nothing_can_be_judged() -> None:
    verdict = judge_one(offsets(end=60), stored(range(100)))

    assert found_of(Kind.UNVERIFIED, verdict) == set(range(60, 100))
    assert verdict.records == 60


# Several partitions and topics.


def test_only_the_partitions_that_are_asked_for_are_judged() -> None:
    topic = MemoryTopic({0: offsets(), 1: offsets(), 2: offsets()})

    verdict = judge(topic, MemoryLedger(stored(range(100))), Scope(0, partitions={0}))

    assert set(verdict.partitions) == {0}
    assert exit_code(verdict) == 0


def test_rows_of_other_topic_ids_are_counted_and_not_judged() -> None:
    rows = [*stored(range(100)), Row(5, topic_id="earlier"), Row(5, topic_id="earlier")]

    verdict = judge(MemoryTopic({0: offsets()}), MemoryLedger(rows))

    assert verdict.other_ids == {"earlier": 2}
    assert exit_code(verdict) == 0


# Everything at once.

EDGE = BUCKET_OFFSETS  # of the buckets that the offsets below lie in
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

    verdict = judge_one(partition, rows, records_at=kafka)

    checked = set(range(first, committed))
    unseen = checked - in_table
    skipped = set(range(committed, begin))
    assert found_of(Kind.MISSING, verdict) == unseen & kafka
    assert found_of(Kind.LOST, verdict) == {offset for offset in unseen if offset < begin} | skipped
    assert found_of(Kind.EMPTY, verdict) == {offset for offset in unseen if offset >= begin} - kafka
    assert found_of(Kind.DUPLICATED, verdict) == twice & checked
    assert verdict.rows == sum(row.offset in checked for row in rows)
