"""Inserts of unknown outcome store nothing twice."""

from __future__ import annotations

import pytest

from app.pipeline.delivery import MARGIN_SECS
from tests.support.sample_rows import sample_batch, sample_rows, without_offsets
from tests.unit.pipeline.delivery.setup import DEADLINE_SECS, DOWN, P0, UNKNOWN, Setup


def test_rows_that_were_stored_without_a_response_are_not_stored_twice(setup: Setup) -> None:
    setup.table.next_insert(UNKNOWN, stores=True)

    delivered = setup.deliver(sample_batch(sample_rows(3)))

    assert setup.table.offsets() == [0, 1, 2]
    assert setup.events.already_stored_rows == [3]
    assert delivered.next_offsets == {P0: 3}


def test_after_an_unknown_outcome_only_what_is_missing_is_sent(setup: Setup) -> None:
    rows = sample_rows(6)
    setup.table.next_insert(UNKNOWN)

    def store_a_part() -> None:
        if not setup.table.blocks:
            setup.store_earlier(without_offsets(rows, [1, 4]))

    setup.deliver(sample_batch(rows), meanwhile=store_a_part)

    assert setup.table.offsets() == [0, 1, 2, 3, 4, 5]
    assert setup.events.inserted_rows == [2]
    assert setup.events.already_stored_rows == [4]


def test_the_table_is_checked_only_after_deadline_and_margin_by_clickhouses_clock(setup: Setup) -> None:
    setup.table.next_insert(UNKNOWN)
    sent_at = setup.clock.now

    setup.deliver(sample_batch(sample_rows(3)))

    assert setup.clock.now > sent_at + DEADLINE_SECS + MARGIN_SECS
    assert setup.clock.now < sent_at + DEADLINE_SECS + MARGIN_SECS + 2.0
    assert setup.events.settled_in_secs == [pytest.approx(DEADLINE_SECS + MARGIN_SECS, abs=1.0)]


@pytest.mark.parametrize("after_secs", [0.0, 1.0, 5.0, DEADLINE_SECS - 0.1, DEADLINE_SECS, DEADLINE_SECS + 10])
def test_an_insert_that_lands_after_it_was_given_up_does_not_duplicate_its_rows(
    setup: Setup, after_secs: float
) -> None:
    setup.table.next_insert(UNKNOWN, lands_later=True)
    lands_at = setup.clock.now + after_secs

    def land() -> None:
        if setup.clock.now >= lands_at:
            setup.table.land()

    setup.deliver(sample_batch(sample_rows(3)), meanwhile=land)
    setup.table.land()

    assert setup.table.offsets() == [0, 1, 2]


def test_an_insert_that_runs_for_longer_than_its_deadline_is_waited_for(setup: Setup) -> None:
    setup.table.next_insert(UNKNOWN, runs_on=True)
    ends_at = setup.clock.now + 10 * DEADLINE_SECS
    tried_before_the_end: list[int] = []

    def end() -> None:
        if setup.clock.now >= ends_at:
            setup.table.land()
        else:
            tried_before_the_end.append(len(setup.table.tokens))

    setup.deliver(sample_batch(sample_rows(3)), meanwhile=end)

    assert set(tried_before_the_end) == {1}
    assert setup.table.offsets() == [0, 1, 2]


def test_inserts_of_others_that_run_meanwhile_are_not_waited_for(setup: Setup) -> None:
    setup.table.busy_with = {"of another instance"}
    setup.table.next_insert(UNKNOWN, stores=True)

    setup.deliver(sample_batch(sample_rows(3)))

    assert setup.table.offsets() == [0, 1, 2]


def test_two_consecutive_unknown_outcomes_do_not_duplicate_rows(setup: Setup) -> None:
    setup.table.next_insert(UNKNOWN, lands_later=True)
    setup.table.next_insert(UNKNOWN, lands_later=True)

    setup.deliver(sample_batch(sample_rows(3)))
    setup.table.land()

    assert setup.table.offsets() == [0, 1, 2]


def test_rows_are_stored_though_the_server_remembers_their_token_and_not_them(setup: Setup) -> None:
    setup.table.next_insert(UNKNOWN, keeps_token_only=True)

    setup.deliver(sample_batch(sample_rows(3)))

    assert setup.table.offsets() == [0, 1, 2]
    assert setup.events.already_stored_rows == []


def test_the_wait_lasts_until_clickhouse_returns_its_time_and_its_running_inserts(setup: Setup) -> None:
    setup.table.next_insert(UNKNOWN, stores=True)
    down_until = setup.clock.now + 100.0

    def be_down() -> None:
        if setup.clock.now < down_until:
            setup.table.next_check(DOWN)

    setup.deliver(sample_batch(sample_rows(3)), meanwhile=be_down)

    assert setup.clock.now > down_until
    assert setup.table.offsets() == [0, 1, 2]
