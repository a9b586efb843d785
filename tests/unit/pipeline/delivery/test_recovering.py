"""Recovery: which inserts of other owners are waited for before the table is checked."""

from __future__ import annotations

import pytest

from app.domain.records import LastRecord, Lease
from app.errors import KafkaCode, MustRejoin, NotOurs, TryAgainLater
from app.pipeline.delivery import MARGIN_SECS
from tests.support.sample_rows import sample_batch, sample_rows
from tests.unit.pipeline.delivery.setup import DEADLINE_SECS, DOWN, P0, P1, UNKNOWN, Setup, position


def others_lease(setup: Setup, *, secs: float = DEADLINE_SECS, end: int = 5) -> Lease:
    """A lease that another instance has just committed."""
    return Lease("of another", int((setup.clock.now + secs) * 1000), end, LastRecord(end - 1, 0))


def test_a_partition_without_a_lease_is_recovered_at_once(setup: Setup) -> None:
    setup.store_earlier(sample_rows(3, partition=1))
    began_at = setup.clock.now

    assert setup.recover(P1, position()) == 3
    assert setup.recover(P0, position()) == 0
    assert setup.clock.now == began_at


def test_the_last_offset_is_queried_until_it_is_known(setup: Setup) -> None:
    setup.store_earlier(sample_rows(3))
    setup.table.next_check(DOWN)

    assert setup.recover(P0, position()) == 3
    assert setup.events.retries == [("517", 1)]


def test_the_open_lease_of_another_owner_is_waited_for(setup: Setup) -> None:
    began_at = setup.clock.now

    setup.recover(P0, position(others_lease(setup)))

    assert began_at + DEADLINE_SECS + MARGIN_SECS < setup.clock.now < began_at + DEADLINE_SECS + MARGIN_SECS + 2.0


def test_a_lease_that_has_run_out_long_ago_is_not_waited_for(setup: Setup) -> None:
    lease = others_lease(setup, secs=-60)
    began_at = setup.clock.now

    setup.recover(P0, position(lease))

    assert setup.clock.now == began_at


def test_the_insert_of_another_owner_that_still_runs_is_waited_for(setup: Setup) -> None:
    lease = others_lease(setup, secs=-60)
    setup.table.busy_with = {lease.token}
    ends_at = setup.clock.now + 30.0

    def end() -> None:
        if setup.clock.now >= ends_at:
            setup.table.busy_with = set()

    setup.recover(P0, position(lease), meanwhile=end)

    assert ends_at <= setup.clock.now < ends_at + 2.0


def test_the_table_is_checked_after_the_wait_and_includes_rows_that_landed_meanwhile(setup: Setup) -> None:
    lease = others_lease(setup)
    lands_at = setup.clock.now + DEADLINE_SECS - 0.5

    def land() -> None:
        if lands_at <= setup.clock.now and not setup.table.blocks:
            setup.store_earlier(sample_rows(9))

    assert setup.recover(P0, position(lease), meanwhile=land) == 9


def test_everything_before_the_end_of_a_lease_may_be_stored_regardless_of_the_table(setup: Setup) -> None:
    assert setup.recover(P0, position(others_lease(setup, secs=-60, end=5))) == 5


def test_a_lease_that_this_process_saw_the_end_of_is_not_waited_for(setup: Setup) -> None:
    setup.deliver(sample_batch(sample_rows(3)))
    began_at = setup.clock.now

    setup.recover(P0, position(setup.leases[-1]))

    assert setup.clock.now == began_at


def test_a_lease_that_an_earlier_pipeline_of_this_process_saw_the_end_of_is_not_waited_for(setup: Setup) -> None:
    setup.deliver(sample_batch(sample_rows(3)))
    setup.delivery = setup.new_delivery()
    began_at = setup.clock.now

    setup.recover(P0, position(setup.leases[-1]))

    assert setup.clock.now == began_at


def test_a_lease_that_kafka_did_not_take_for_all_partitions_is_not_waited_for_as_nothing_was_sent(
    setup: Setup,
) -> None:
    setup.new_token = lambda: "for some"
    setup.delivery = setup.new_delivery()
    setup.source.next_commit(TryAgainLater("a topic was deleted", code=KafkaCode.UNKNOWN_TOPIC))
    setup.source.next_commit(NotOurs("the group has moved on"))
    with pytest.raises(NotOurs):
        setup.deliver(sample_batch(sample_rows(3)))
    began_at = setup.clock.now

    setup.recover(P0, position(others_lease(setup)._replace(token="for some")))

    assert setup.clock.now == began_at


def test_a_lease_whose_commit_has_an_unknown_outcome_is_not_waited_for_as_nothing_was_sent(
    setup: Setup,
) -> None:
    setup.new_token = lambda: "unanswered"
    setup.delivery = setup.new_delivery()
    setup.source.next_commit(MustRejoin("no answer"))
    with pytest.raises(MustRejoin):
        setup.deliver(sample_batch(sample_rows(3)))
    began_at = setup.clock.now

    setup.recover(P0, position(others_lease(setup)._replace(token="unanswered")))

    assert setup.clock.now == began_at


def test_a_lease_of_our_own_whose_end_was_not_seen_is_waited_for(setup: Setup) -> None:
    setup.deliver(sample_batch(sample_rows(1)))
    setup.table.next_insert(UNKNOWN)
    task = setup.task(setup.delivery.deliver(sample_batch(sample_rows(3, first_offset=1))))
    while len(setup.table.tokens) < 2:
        task.turn()
        setup.thread.run()
    task.abandon()
    task.turn()
    began_at = setup.clock.now

    setup.recover(P0, position(setup.leases[-1]))

    assert setup.clock.now > began_at + DEADLINE_SECS + MARGIN_SECS


def test_an_insert_that_ends_after_it_was_abandoned_is_known_to_have_ended(setup: Setup) -> None:
    task = setup.task(setup.delivery.deliver(sample_batch(sample_rows(3))))
    while not setup.leases:
        task.turn()
        if not setup.leases:
            setup.thread.run()
    task.abandon()
    setup.thread.run()
    task.turn()
    began_at = setup.clock.now

    assert setup.recover(P0, position(setup.leases[-1])) == 3

    assert setup.clock.now == began_at


def test_an_offset_set_by_another_client_waits_for_every_running_insert(setup: Setup) -> None:
    began_at = setup.clock.now
    setup.table.busy_with = {"one that nobody knows"}
    starts_at, ends_at = began_at + DEADLINE_SECS - 1, began_at + 60.0

    def run() -> None:
        if setup.clock.now >= starts_at:
            setup.table.busy_with |= {"another one"}
        if setup.clock.now >= ends_at:
            setup.table.busy_with = {"one that began later"}

    setup.recover(P0, position(is_set_by_others=True), meanwhile=run)

    assert ends_at <= setup.clock.now < ends_at + 2.0


def test_an_offset_set_by_another_client_has_a_deadline_from_now(setup: Setup) -> None:
    began_at = setup.clock.now

    setup.recover(P0, position(is_set_by_others=True))

    assert began_at + DEADLINE_SECS + MARGIN_SECS < setup.clock.now < began_at + DEADLINE_SECS + MARGIN_SECS + 2.0
