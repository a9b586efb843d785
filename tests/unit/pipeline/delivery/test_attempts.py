"""A batch is one insert, retried until it is stored."""

from __future__ import annotations

from app.pipeline.delivery import Delivered
from tests.support.sample_rows import sample_batch, sample_rows, without_offsets
from tests.unit.pipeline.delivery.setup import DOWN, P0, P1, Setup


def test_a_batch_is_one_insert(setup: Setup) -> None:
    delivered = setup.deliver(sample_batch(sample_rows(3), sample_rows(2, partition=1)))

    assert [block.num_rows for block in setup.table.blocks] == [5]
    assert delivered == Delivered({P0: 3, P1: 2}, {})
    assert setup.events.inserted_rows == [5]


def test_each_batch_has_a_token_of_its_own(setup: Setup) -> None:
    setup.deliver(sample_batch(sample_rows(1)))
    setup.deliver(sample_batch(sample_rows(1, first_offset=1)))

    assert setup.table.offsets() == [0, 1]
    assert len(set(setup.table.tokens)) == 2


def test_a_failed_insert_is_retried_until_it_is_stored(setup: Setup) -> None:
    for _ in range(12):
        setup.table.next_insert(DOWN)

    setup.deliver(sample_batch(sample_rows(3)))

    assert setup.table.offsets() == [0, 1, 2]
    assert setup.events.retries == [("517", attempt) for attempt in range(1, 13)]
    assert setup.events.failures == ["failed"] * 12


def test_the_wait_between_attempts_grows_to_a_limit(setup: Setup) -> None:
    times: list[float] = []
    for _ in range(6):
        setup.table.next_insert(DOWN)

    setup.deliver(sample_batch(sample_rows(1)), meanwhile=lambda: times.append(setup.clock.now))

    waits = [after - before for before, after in zip(times, [*times[1:], setup.clock.now], strict=True)]
    assert all(full / 2 <= wait <= full for wait, full in zip(waits, [1, 2, 4, 8, 8, 8], strict=True))


def test_the_time_of_an_insert_is_that_of_the_attempt_that_stored_it(setup: Setup) -> None:
    setup.table.next_insert(DOWN)

    setup.deliver(sample_batch(sample_rows(1)))

    assert setup.events.insert_secs == [0.0]


def test_after_a_certain_failure_the_table_is_checked_without_waiting(setup: Setup) -> None:
    rows = sample_rows(6)
    setup.table.next_insert(DOWN)

    setup.deliver(sample_batch(rows), lambda: setup.store_earlier(without_offsets(rows, [1, 4])))

    assert setup.table.offsets() == [0, 1, 2, 3, 4, 5]  # a block over several days may be stored in part
    assert setup.events.inserted_rows == [2]
    assert setup.events.settled_in_secs == []


def test_a_new_batch_is_sent_without_a_check(setup: Setup) -> None:
    setup.deliver(sample_batch(sample_rows(3)))
    looks = setup.table.look_count

    setup.deliver(sample_batch(sample_rows(3, first_offset=3)))

    assert setup.table.look_count == looks


def test_rows_that_an_earlier_instance_stored_are_left_out(setup: Setup) -> None:
    setup.store_earlier(sample_rows(3))

    delivered = setup.deliver(sample_batch(sample_rows(5), may_be_stored=True))

    assert setup.table.offsets() == [0, 1, 2, 3, 4]
    assert setup.events.already_stored_rows == [3]
    assert delivered.next_offsets == {P0: 5}


def test_a_batch_that_is_stored_whole_needs_no_insert(setup: Setup) -> None:
    setup.store_earlier(sample_rows(3))

    delivered = setup.deliver(sample_batch(sample_rows(3), may_be_stored=True))
    setup.progress.commit()

    assert setup.table.tokens == []
    assert delivered == Delivered({P0: 3}, {})
    assert setup.lease() is None, "nothing was sent under it"


def test_a_check_that_fails_is_repeated(setup: Setup) -> None:
    setup.store_earlier(sample_rows(3))
    setup.deliver(sample_batch(sample_rows(1, partition=1)))  # from here on the time is known
    setup.table.next_check(DOWN)
    setup.table.next_check(DOWN)

    setup.deliver(sample_batch(sample_rows(5), may_be_stored=True))

    assert setup.table.offsets() == [0, 1, 2, 3, 4]
    assert setup.events.retries == [("517", 1), ("517", 2)]
