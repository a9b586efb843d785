"""When offsets are committed."""

from app.domain.records import Checkpoint, RecordChunk
from app.errors import KafkaCode
from tests.unit.pipeline.ingest.world import NO_COORDINATOR, P0, World


def test_offsets_are_committed_only_after_the_rows_are_stored(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    world.send(10)
    instance.hand_over()
    instance.step(5)
    assert world.kafka.committed() == 0

    instance.thread.run()
    instance.step()

    assert world.kafka.checkpoint() == Checkpoint(10)
    assert instance.metric("committed_offset", topic="logs", partition="0") == 10


def test_nothing_is_committed_for_what_is_only_gathered(world: World) -> None:
    instance = world.reading_instance(max_rows=10, max_chunk_records=10)
    world.send(10)
    instance.go_on()
    world.send(5)

    instance.go_on()

    assert instance.metric("buffer_rows") == 5
    assert world.kafka.committed() == 10


def test_a_batch_costs_one_lease_and_one_insert_when_the_next_is_due_already(world: World) -> None:
    instance = world.reading_instance(max_rows=10, max_chunk_records=10)
    world.send(50)

    while world.kafka.committed() != 50:
        instance.step()
        instance.step()  # the next batch is full before the insert has ended
        instance.thread.run()

    assert len(world.table.tokens) == 5
    *leased, last = [commit[P0] for commit in instance.source.commits]
    assert [mark.next_offset for mark in leased] == [0, 10, 20, 30, 40]
    assert [mark.lease.end for mark in leased if mark.lease] == [10, 20, 30, 40, 50]
    assert last == Checkpoint(50)


def test_stored_offsets_wait_for_a_lease_that_is_about_to_commit_them(world: World) -> None:
    instance = world.reading_instance(max_rows=10, max_chunk_records=10)
    world.send(20)
    instance.hand_over()
    instance.step()
    instance.thread.run()
    world.clock.advance(100)  # the next lease needs the time of ClickHouse again

    instance.step(3)
    assert len(instance.source.commits) == 1
    instance.thread.run()
    instance.step()

    assert [commit[P0].next_offset for commit in instance.source.commits] == [0, 10]


def test_a_plain_commit_follows_an_insert_when_nothing_else_is_due(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    world.send(10)

    instance.go_on()

    [leased, plain] = [commit[P0] for commit in instance.source.commits]
    assert leased.lease is not None
    assert plain == Checkpoint(10)


def test_a_loop_with_nothing_to_do_commits_nothing(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    world.send(10)
    instance.settle()
    commits = len(instance.source.commits)

    instance.settle(secs=60)

    assert len(instance.source.commits) == commits


def test_the_lease_names_the_last_record_of_the_batch(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    world.send(10)

    instance.hand_over()

    value, time_ms = b'{"message": "9"}', world.kafka.log(P0).records[-1].timestamp_ms
    assert instance.leases[0].last_record == chunk_of(value, time_ms, offset=9).last_record


def chunk_of(value: bytes, time_ms: int, *, offset: int) -> RecordChunk:
    return RecordChunk(P0, "topic-1", [offset], [time_ms], [value], [()], offset + 1)


def test_a_commit_that_fails_is_repeated(world: World) -> None:
    instance = world.reading_instance()
    instance.source.next_commit(NO_COORDINATOR)
    instance.source.next_commit(NO_COORDINATOR)
    world.send(10)

    instance.settle()

    assert world.kafka.committed() == 10
    assert instance.metric("retries_total", side="kafka", code=KafkaCode.NO_COORDINATOR) == 2
    assert "kafka" not in instance.health.problems()


def test_rows_stored_while_commits_fail_are_committed_later(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    world.send(10)
    instance.hand_over()
    instance.source.commit_error = NO_COORDINATOR
    instance.go_on()
    assert world.table.offsets() == list(range(10))
    assert world.kafka.committed() == 0

    instance.source.commit_error = None
    instance.step()

    assert world.kafka.committed() == 10


def test_health_reports_failing_commits_as_long_as_they_fail(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    world.send(10)
    instance.hand_over()
    instance.source.commit_error = NO_COORDINATOR

    instance.settle()

    assert instance.health.problems()["kafka"] == "no coordinator"


def test_health_reports_rejected_leases_as_long_as_they_are_rejected(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    instance.source.commit_error = NO_COORDINATOR
    problems: list[str | None] = []

    for _ in range(30):
        world.send(10)
        instance.go_on()
        problems.append(instance.health.problems().get("kafka"))
        world.clock.advance(1.0)

    assert set(problems) == {"no coordinator"}
    instance.source.commit_error = None
    instance.settle(secs=60)
    assert "kafka" not in instance.health.problems()


def test_offsets_that_hold_no_records_are_committed_when_there_is_nothing_else_to_do(world: World) -> None:
    instance = world.reading_instance()
    world.send(3)
    world.kafka.skip_offset()
    instance.settle()

    assert world.kafka.committed() == 4
    assert instance.metric("consumer_lag", topic="logs", partition="0") == 0


def test_positions_are_not_committed_while_rows_before_them_are_not_stored(world: World) -> None:
    instance = world.reading_instance(max_age_secs=60)
    world.send(3)
    instance.step()
    world.clock.advance(10)

    instance.step(3)

    assert world.kafka.committed() == 0


def test_the_lag_counts_what_is_not_committed(world: World) -> None:
    instance = world.reading_instance(max_age_secs=60)
    world.send(7)
    world.clock.advance(10)

    instance.step()

    assert instance.metric("consumer_lag", topic="logs", partition="0") == 7


def test_the_lag_of_a_partition_that_is_not_taken_over_yet_is_not_known(world: World) -> None:
    world.send(7)
    world.kafka.set_offset(0)  # another client has set it: an unknown insert may be in flight
    instance = world.reading_instance()
    world.clock.advance(6)

    instance.step()

    assert instance.source.started == set()
    assert instance.metric("consumer_lag", topic="logs", partition="0") is None
