"""Draining, and giving up."""

import pytest

from app.domain.records import Checkpoint
from app.errors import MustRejoin
from tests.unit.pipeline.ingest.world import DOWN, NO_COORDINATOR, UNKNOWN, World


def test_draining_stores_and_commits_gathered_rows(world: World) -> None:
    instance = world.reading_instance(max_rows=10, max_age_secs=60)
    world.send(10)
    instance.hand_over()
    world.send(5)
    instance.step()

    assert instance.ingest.drain(deadline=world.clock.now + 5)

    assert world.table.offsets() == list(range(15))
    assert world.kafka.checkpoint() == Checkpoint(15)


def test_draining_without_gathered_rows_is_done_at_once(world: World) -> None:
    instance = world.reading_instance()
    now = world.clock.now

    assert instance.ingest.drain(deadline=now + 5)

    assert world.clock.now == now


def test_draining_ends_at_its_deadline_and_commits_only_what_was_stored(world: World) -> None:
    instance = world.reading_instance(max_rows=10, max_chunk_records=10)
    world.send(20)
    instance.hand_over()
    instance.step()
    instance.thread.run()  # stored, but not noticed yet
    instance.thread.runs_when_waited_for = False
    deadline = world.clock.now + 5

    assert not instance.ingest.drain(deadline)

    assert world.clock.now == deadline
    assert world.kafka.committed() == 10


def test_draining_does_not_release_the_lease_of_an_insert_that_may_be_on_its_way(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    world.send(10)
    instance.hand_over()
    instance.thread.runs_when_waited_for = False

    instance.ingest.drain(world.clock.now + 5)

    assert world.kafka.checkpoint() == Checkpoint(0, instance.leases[0])


def test_draining_does_not_release_the_lease_of_an_insert_whose_end_was_not_seen(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    world.table.next_insert(UNKNOWN, lands_later=True)
    world.send(10)
    instance.go_on()

    instance.ingest.drain(world.clock.now + 5)

    assert world.kafka.checkpoint() == Checkpoint(0, instance.leases[0])


def test_draining_releases_the_lease_of_an_insert_that_has_failed(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    world.table.next_insert(DOWN)
    world.send(10)
    instance.go_on()

    instance.ingest.drain(world.clock.now)

    assert world.kafka.checkpoint() == Checkpoint(0)


def test_undrained_rows_are_not_retried_in_the_background(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    world.table.next_insert(DOWN)
    world.send(10)
    instance.hand_over()
    instance.thread.runs_when_waited_for = False
    instance.ingest.drain(world.clock.now + 5)

    instance.thread.run()

    assert world.table.offsets() == []
    assert not instance.thread.is_busy


@pytest.mark.parametrize("error", [NO_COORDINATOR, MustRejoin("no answer")])
def test_draining_reports_a_failed_commit(world: World, error: Exception) -> None:
    instance = world.reading_instance(max_rows=10)
    world.send(10)
    instance.hand_over()
    instance.source.commit_error = error

    assert not instance.ingest.drain(deadline=world.clock.now + 5)

    assert world.table.offsets() == list(range(10))
    assert world.kafka.committed() == 0


def test_draining_reports_a_rebalance(world: World) -> None:
    instance = world.reading_instance(max_age_secs=60)
    world.send(10)
    instance.step()
    world.kafka.rebalance()

    assert not instance.ingest.drain(deadline=world.clock.now + 5)

    assert world.kafka.committed() == 0
    assert world.table.tokens == []


def test_an_abandoned_instance_stores_nothing_more(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    world.table.next_insert(DOWN)
    world.send(10)
    instance.hand_over()

    assert instance.ingest.abandon(timeout_secs=1)

    assert not instance.thread.is_busy
    assert world.table.offsets() == []


def test_an_abandoned_instance_is_waited_for_until_its_insert_has_ended(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    world.send(10)
    instance.hand_over()
    instance.thread.runs_when_waited_for = False

    assert not instance.ingest.abandon(timeout_secs=1)

    instance.thread.run()
    assert instance.ingest.abandon(timeout_secs=1)
