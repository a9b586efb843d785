"""Nothing is sent without a committed lease; when leases end."""

from __future__ import annotations

import pytest

from app.domain.records import Checkpoint, LastRecord, Lease
from app.domain.rows import Rows
from app.errors import KafkaCode, MustRejoin, NotOurs, Refused, TryAgainLater
from tests.support.sample_rows import sample_batch, sample_rows
from tests.unit.pipeline.delivery.setup import DEADLINE_SECS, DOUBTFUL, DOWN, NO_COORDINATOR, UNKNOWN, Setup, body_is


def test_the_lease_stands_in_kafka_for_every_partition_before_the_insert_is_sent(setup: Setup) -> None:
    seen: list[list[Checkpoint | None]] = []
    setup.table.meanwhile = lambda: seen.append([setup.kafka.checkpoint(number) for number in range(3)])
    now_ms = int(setup.clock.now * 1000)

    setup.deliver(sample_batch(sample_rows(3), sample_rows(2, partition=1, first_offset=40)))

    [token], deadline_ms = setup.table.tokens, now_ms + int(DEADLINE_SECS * 1000)
    assert setup.table.deadlines_ms == [deadline_ms]
    assert seen == [
        [
            Checkpoint(0, Lease(token, deadline_ms, 3, LastRecord(2, 0))),
            Checkpoint(0, Lease(token, deadline_ms, 42, LastRecord(41, 0))),
            Checkpoint(0),
        ]
    ]


def test_nothing_is_sent_as_long_as_kafka_takes_no_lease(setup: Setup) -> None:
    tried_before: list[int] = []
    for _ in range(5):
        setup.source.next_commit(NO_COORDINATOR)

    setup.deliver(sample_batch(sample_rows(3)), lambda: tried_before.append(len(setup.table.tokens)))

    assert tried_before == [0] * 5
    assert setup.events.kafka_failures == [KafkaCode.NO_COORDINATOR] * 5
    assert setup.table.offsets() == [0, 1, 2]


def test_a_lease_that_took_long_to_commit_has_its_full_duration(setup: Setup) -> None:
    setup.source.next_commit(NO_COORDINATOR)
    setup.source.next_commit(NO_COORDINATOR)

    setup.deliver(sample_batch(sample_rows(3)))

    assert setup.table.deadlines_ms == [int((setup.clock.now + DEADLINE_SECS) * 1000)]


def test_nothing_is_sent_when_the_partitions_are_reassigned(setup: Setup) -> None:
    setup.source.next_commit(NotOurs("the group has moved on"))

    with pytest.raises(NotOurs):
        setup.deliver(sample_batch(sample_rows(3)))

    assert setup.table.tokens == []


def test_nothing_is_sent_under_a_lease_of_unknown_outcome(setup: Setup) -> None:
    setup.source.next_commit(MustRejoin("no answer"))

    with pytest.raises(MustRejoin):
        setup.deliver(sample_batch(sample_rows(3)))

    assert setup.table.tokens == []


def test_nothing_is_sent_for_a_partition_that_was_not_taken_over(setup: Setup) -> None:
    setup.progress.clear()

    with pytest.raises(NotOurs):
        setup.deliver(sample_batch(sample_rows(3)))

    assert setup.table.tokens == []


@pytest.mark.parametrize("error", [DOWN, UNKNOWN, DOUBTFUL], ids=["failed", "unknown", "doubtful"])
def test_a_lease_is_used_for_one_insert_only(setup: Setup, error: TryAgainLater) -> None:
    setup.table.next_insert(error)
    setup.table.next_insert(error)

    setup.deliver(sample_batch(sample_rows(3)))

    tokens, deadlines = setup.table.tokens, setup.table.deadlines_ms
    assert len(set(tokens)) == len(set(deadlines)) == 3
    assert deadlines == sorted(deadlines)
    assert [(lease.token, lease.deadline_ms) for lease in setup.leases] == list(zip(tokens, deadlines, strict=True))


def test_every_half_of_a_refused_batch_has_a_lease_of_its_own(setup: Setup) -> None:
    setup.table.refuses = body_is("2")

    setup.deliver(sample_batch(sample_rows(4)))

    assert [lease.token for lease in setup.leases] == setup.table.tokens
    assert len(set(setup.table.tokens)) == len(setup.table.tokens) == 6


@pytest.mark.parametrize("error", [None, DOWN, Refused("no", code="27")], ids=["stored", "failed", "refused"])
def test_a_lease_ends_with_an_insert_whose_end_was_seen(setup: Setup, error: Exception | None) -> None:
    if error is not None:
        setup.table.next_insert(error)
    task = setup.task(setup.delivery.deliver(sample_batch(sample_rows(3))))
    while not setup.leases:
        task.turn()
        if not setup.leases:
            setup.thread.run()
    setup.source.commit_error = NO_COORDINATOR  # so that there is no second lease
    setup.thread.run()
    task.turn()
    setup.source.commit_error = None

    setup.progress.commit()

    assert setup.table.tokens == [setup.leases[0].token]
    assert setup.lease() is None


def test_a_lease_whose_insert_may_be_on_its_way_is_not_released(setup: Setup) -> None:
    setup.table.next_insert(UNKNOWN, lands_later=True)
    seen: list[str | None] = []

    def look() -> None:
        setup.progress.commit()
        lease = setup.lease()
        seen.append(lease.token if lease else None)

    setup.deliver(sample_batch(sample_rows(3)), meanwhile=look)

    assert len(seen) > DEADLINE_SECS
    assert set(seen) == {setup.table.tokens[0]}


def test_a_lease_with_no_time_left_after_a_long_check_is_not_used(setup: Setup) -> None:
    def take_long() -> None:
        if setup.lease() is not None and setup.events.retries:
            setup.clock.advance(DEADLINE_SECS)

    setup.deliver(sample_batch(sample_rows(1, partition=1)))  # from here on the time is known
    setup.table.next_check(DOWN)
    setup.deliver(sample_batch(sample_rows(3), may_be_stored=True), meanwhile=take_long)

    assert setup.table.offsets() == [0, 1, 2]
    assert len(setup.leases) == 2
    assert setup.table.tokens[1:] == [setup.leases[1].token]


def test_a_check_that_takes_longer_than_a_lease_is_not_repeated(setup: Setup) -> None:
    looks: list[int] = []

    def look_long(rows: Rows) -> Rows:
        looks.append(rows.num_rows)
        assert len(looks) < 5, "it does nothing but look"
        setup.clock.advance(2 * DEADLINE_SECS)
        return missing(rows)

    missing, setup.table.missing = setup.table.missing, look_long  # type: ignore[method-assign]
    setup.store_earlier(sample_rows(2))
    setup.deliver(sample_batch(sample_rows(5), may_be_stored=True))

    assert setup.table.offsets() == [0, 1, 2, 3, 4]
    assert looks == [5]


def test_clickhouses_clock_is_read_at_intervals_and_not_for_every_batch(setup: Setup) -> None:
    for offset in range(0, 130):
        setup.deliver(sample_batch(sample_rows(1, first_offset=offset)))
        setup.clock.advance(1.0)

    assert setup.table.look_count == 3


def test_the_deadline_is_by_clickhouses_clock_and_not_by_ours(setup: Setup) -> None:
    setup.table.clock_ahead_secs = -3600.0

    setup.deliver(sample_batch(sample_rows(1)))
    setup.clock.advance(5.0)
    setup.deliver(sample_batch(sample_rows(1, first_offset=1)))

    first, second = setup.table.deadlines_ms
    assert first == int((setup.clock.now - 5.0 - 3600.0 + DEADLINE_SECS) * 1000)
    assert second == first + 5_000


def test_a_clock_that_was_set_back_meanwhile_is_noticed_with_the_insert_that_it_fails(setup: Setup) -> None:
    setup.deliver(sample_batch(sample_rows(1)))
    setup.table.clock_ahead_secs = 3600.0

    setup.deliver(sample_batch(sample_rows(1, first_offset=1)))

    assert setup.table.offsets() == [0, 1]
    assert setup.events.retries == [("469", 1)]
