"""Reading pauses before memory runs out (backpressure), and resumes afterwards."""

from tests.unit.pipeline.ingest.world import NO_COORDINATOR, World


def test_nothing_is_stored_and_reading_pauses_while_the_disk_is_full(world: World) -> None:
    instance = world.reading_instance(max_rows=10, max_chunk_records=5)
    instance.has_room = False
    world.send(1000)

    for _ in range(10):
        instance.settle()

    assert world.table.tokens == []
    assert instance.source.is_paused
    assert instance.metric("buffer_rows") == 10


def test_storing_resumes_when_there_is_space_again(world: World) -> None:
    instance = world.reading_instance(max_rows=10, max_chunk_records=5)
    instance.has_room = False
    world.send(30)
    instance.settle()

    instance.has_room = True
    for _ in range(5):
        instance.settle()

    assert world.table.offsets() == list(range(30))
    assert world.kafka.committed() == 30


def test_reading_pauses_when_one_batch_is_in_flight_and_the_next_is_full(world: World) -> None:
    instance = world.reading_instance(max_rows=10, max_chunk_records=5)
    world.send(1000)

    instance.step(20)

    assert instance.source.is_paused
    assert instance.metric("paused") == 1
    assert instance.metric("buffer_rows") == 20


def test_reading_resumes_when_the_insert_has_ended(world: World) -> None:
    instance = world.reading_instance(max_rows=10, max_chunk_records=5)
    world.send(100)
    instance.step(20)
    assert instance.metric("paused") == 1

    instance.thread.run()
    instance.step()  # reads the time of ClickHouse
    instance.thread.run()
    instance.step(2)

    assert instance.metric("paused") == 0
    instance.settle()
    assert world.table.offsets() == list(range(100))


def test_while_reading_pauses_the_end_of_the_insert_is_waited_for(world: World) -> None:
    instance = world.reading_instance(max_rows=10, max_chunk_records=5)
    world.send(1000)
    instance.step(20)
    assert instance.source.is_paused

    instance.ingest.step()  # the time of ClickHouse comes
    instance.ingest.step()  # the insert ends

    assert world.table.offsets() == list(range(10))
    assert [lease.end for lease in instance.leases] == [10, 20]  # in the same turn


def test_memory_stays_bounded_while_commits_fail(world: World) -> None:
    instance = world.reading_instance(max_rows=10, max_chunk_records=5)
    instance.source.commit_error = NO_COORDINATOR
    world.send(1000)

    instance.settle(secs=50)

    assert instance.metric("buffer_rows") == 20
    assert instance.source.is_paused


def test_nothing_is_inserted_while_kafka_takes_no_lease(world: World) -> None:
    instance = world.reading_instance(max_rows=10)
    instance.source.commit_error = NO_COORDINATOR
    world.send(10)

    instance.settle()

    assert world.table.tokens == []
    instance.source.commit_error = None
    instance.settle(secs=60)
    assert world.table.offsets() == list(range(10))
    assert world.kafka.committed() == 10


def test_rows_are_stored_while_polls_fail(world: World) -> None:
    instance = world.reading_instance()
    world.send(10)
    instance.step()
    for _ in range(200):
        instance.source.next_poll(NO_COORDINATOR)

    instance.settle()

    assert instance.source.faults_left

    assert world.table.offsets() == list(range(10))
    assert world.kafka.committed() == 10
