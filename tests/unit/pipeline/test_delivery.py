"""Getting a batch into the table once, whatever the table and Kafka answer."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from app.domain.records import LastRecord, Lease, Mark, Partition, Position
from app.domain.rows import Rows
from app.errors import Abandoned, KafkaCode, MustRejoin, NotOurs, Refused, TryAgainLater
from app.pipeline.backoff import Backoff
from app.pipeline.batch import Batch
from app.pipeline.delivery import MARGIN_SECS, Delivered, Delivery, Ended
from app.pipeline.progress import Progress
from app.pipeline.task import Process, Steps
from tests.fakes import Clock, MemoryKafka, MemorySource, MemoryTable, OtherThread
from tests.support.sample_rows import sample_batch, sample_rows, without_offsets

_Result = TypeVar("_Result")

P0, P1 = Partition("logs", 0), Partition("logs", 1)
DEADLINE_SECS = 10.0
FAR_MS = 10**15

DOWN = TryAgainLater("ClickHouse does not answer", code="517")
UNKNOWN = TryAgainLater("the answer got lost", code="unreachable", is_outcome_unknown=True)
DOUBTFUL = TryAgainLater("too many parts", code="252", max_attempts=3)
NO_COORDINATOR = TryAgainLater("no coordinator", code=KafkaCode.NO_COORDINATOR)


class Events:
    """DeliveryEvents, kept in lists."""

    def __init__(self) -> None:
        self.inserted_rows: list[int] = []
        self.insert_secs: list[float] = []
        self.failures: list[str] = []
        self.already_stored_rows: list[int] = []
        self.settled_in_secs: list[float] = []
        self.retries: list[tuple[str, int]] = []
        self.kafka_failures: list[str] = []
        self.answers = 0

    def inserted(self, rows: Rows, seconds: float) -> None:
        self.inserted_rows.append(rows.num_rows)
        self.insert_secs.append(seconds)

    def failed(self, result: str) -> None:
        self.failures.append(result)

    def already_stored(self, row_count: int) -> None:
        self.already_stored_rows.append(row_count)

    def settling(self, deadline_in_secs: float) -> None:
        self.settled_in_secs.append(deadline_in_secs)

    def retrying(self, error: TryAgainLater, attempt: int) -> None:
        self.retries.append((error.code, attempt))

    def answered(self) -> None:
        self.answers += 1

    def kafka_failed(self, error: TryAgainLater) -> None:
        self.kafka_failures.append(error.code)


class Setup:
    """A delivery into a table in memory, of three partitions that were taken over."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.kafka = MemoryKafka(partitions=3)
        self.source = MemorySource(self.kafka)
        self.table = MemoryTable(self.clock)
        self.thread = OtherThread(self.clock)
        self.events = Events()
        self.progress = Progress(self.source, on_committed=lambda _: None)
        for partition, position in (self.source.poll(0).assigned or {}).items():
            self.progress.take_over(partition, position)
        self.ended = Ended()
        self.new_token: Callable[[], str] = lambda: uuid.uuid4().hex
        self.delivery = self.new_delivery()

    def new_delivery(self) -> Delivery:
        """One more in the same process."""
        return Delivery(
            self.table,
            self.progress,
            self.events,
            clock=self.clock,
            backoff=Backoff(1.0, 8.0),
            deadline_secs=DEADLINE_SECS,
            ended=self.ended,
            new_token=self.new_token,
        )

    def deliver(self, batch: Batch, meanwhile: Callable[[], None] = lambda: None) -> Delivered:
        """Deliver a batch to its end; `meanwhile` is what happens while it waits."""
        return self.finish(self.process(self.delivery.deliver(batch)), meanwhile)

    def recover(self, partition: Partition, position: Position, meanwhile: Callable[[], None] = lambda: None) -> int:
        """Recover a partition."""
        return self.finish(self.process(self.delivery.recover(partition, position)), meanwhile)

    def process(self, steps: Steps[_Result]) -> Process[_Result]:
        return Process(steps, self.thread.submit, self.clock)

    def finish(self, process: Process[_Result], meanwhile: Callable[[], None] = lambda: None) -> _Result:
        """Turn a process to its end: calls are made at once, and pauses turn the clock."""

        def sleep(secs: float) -> None:
            meanwhile()
            self.clock.turn(secs)

        while not process.turn():
            process.wait(3600, sleep)
        return process.result()

    def lease(self, partition: int = 0) -> Lease | None:
        """The lease that stands in Kafka."""
        mark = self.kafka.mark(partition)
        return mark.lease if mark else None

    def store_earlier(self, rows: Rows) -> None:
        """Rows that somebody has stored before."""
        self.table.insert(rows, "earlier", FAR_MS)
        self.table.tokens.clear()
        self.table.deadlines_ms.clear()

    @property
    def leases(self) -> list[Lease]:
        """Every lease of the first partition that Kafka has taken, in order."""
        marks = [commit[P0] for commit in self.source.commits if P0 in commit]
        return [mark.lease for mark in marks if mark.lease is not None]


@pytest.fixture
def setup() -> Setup:
    return Setup()


def body_is(*bodies: str) -> Callable[[dict[str, Any]], bool]:
    return lambda row: row["Body"] in bodies


def offset_is(*offsets: int, partition: int = 0) -> Callable[[dict[str, Any]], bool]:
    return lambda row: row["_partition"] == partition and row["_offset"] in offsets


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


def test_what_fails_is_tried_again_until_it_is_stored(setup: Setup) -> None:
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


def test_after_a_failure_that_is_certain_nobody_waits_for_the_deadline_but_looks(setup: Setup) -> None:
    rows = sample_rows(6)
    setup.table.next_insert(DOWN)

    setup.deliver(sample_batch(rows), lambda: setup.store_earlier(without_offsets(rows, [1, 4])))

    assert setup.table.offsets() == [0, 1, 2, 3, 4, 5]  # a block over several days may be stored in part
    assert setup.events.inserted_rows == [2]
    assert setup.events.settled_in_secs == []


def test_a_batch_that_is_new_is_sent_without_a_look(setup: Setup) -> None:
    setup.deliver(sample_batch(sample_rows(3)))
    looks = setup.table.look_count

    setup.deliver(sample_batch(sample_rows(3, first_offset=3)))

    assert setup.table.look_count == looks


def test_rows_that_an_earlier_life_stored_are_left_out(setup: Setup) -> None:
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


def test_a_look_that_fails_is_repeated(setup: Setup) -> None:
    setup.store_earlier(sample_rows(3))
    setup.deliver(sample_batch(sample_rows(1, partition=1)))  # the time is known from now on
    setup.table.next_look(DOWN)
    setup.table.next_look(DOWN)

    setup.deliver(sample_batch(sample_rows(5), may_be_stored=True))

    assert setup.table.offsets() == [0, 1, 2, 3, 4]
    assert setup.events.retries == [("517", 1), ("517", 2)]


# Leases.


def test_the_lease_stands_in_kafka_for_every_partition_before_the_insert_is_sent(setup: Setup) -> None:
    seen: list[list[Mark | None]] = []
    setup.table.meanwhile = lambda: seen.append([setup.kafka.mark(number) for number in range(3)])
    now_ms = int(setup.clock.now * 1000)

    setup.deliver(sample_batch(sample_rows(3), sample_rows(2, partition=1, first_offset=40)))

    [token], deadline_ms = setup.table.tokens, now_ms + int(DEADLINE_SECS * 1000)
    assert setup.table.deadlines_ms == [deadline_ms]
    assert seen == [
        [
            Mark(0, Lease(token, deadline_ms, 3, LastRecord(2, 0))),
            Mark(0, Lease(token, deadline_ms, 42, LastRecord(41, 0))),
            Mark(0),
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


def test_a_lease_that_was_long_in_coming_has_its_whole_time_before_it(setup: Setup) -> None:
    setup.source.next_commit(NO_COORDINATOR)
    setup.source.next_commit(NO_COORDINATOR)

    setup.deliver(sample_batch(sample_rows(3)))

    assert setup.table.deadlines_ms == [int((setup.clock.now + DEADLINE_SECS) * 1000)]


def test_nothing_is_sent_when_the_partitions_change_hands(setup: Setup) -> None:
    setup.source.next_commit(NotOurs("the group has moved on"))

    with pytest.raises(NotOurs):
        setup.deliver(sample_batch(sample_rows(3)))

    assert setup.table.tokens == []


def test_nothing_is_sent_under_a_lease_of_which_nobody_knows_whether_kafka_took_it(setup: Setup) -> None:
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
    process = setup.process(setup.delivery.deliver(sample_batch(sample_rows(3))))
    while not setup.leases:
        process.turn()
        if not setup.leases:
            setup.thread.run()
    setup.source.commit_error = NO_COORDINATOR  # so that there is no second lease
    setup.thread.run()
    process.turn()
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


def test_a_lease_with_no_time_left_after_a_long_look_is_not_used(setup: Setup) -> None:
    def take_long() -> None:
        if setup.lease() is not None and setup.events.retries:
            setup.clock.turn(DEADLINE_SECS)

    setup.deliver(sample_batch(sample_rows(1, partition=1)))  # the time is known from now on
    setup.table.next_look(DOWN)
    setup.deliver(sample_batch(sample_rows(3), may_be_stored=True), meanwhile=take_long)

    assert setup.table.offsets() == [0, 1, 2]
    assert len(setup.leases) == 2
    assert setup.table.tokens[1:] == [setup.leases[1].token]


def test_a_look_that_takes_longer_than_a_lease_lasts_is_not_repeated(setup: Setup) -> None:
    looks: list[int] = []

    def look_long(rows: Rows) -> Rows:
        looks.append(rows.num_rows)
        assert len(looks) < 5, "it does nothing but look"
        setup.clock.turn(2 * DEADLINE_SECS)
        return missing(rows)

    missing, setup.table.missing = setup.table.missing, look_long  # type: ignore[method-assign]
    setup.store_earlier(sample_rows(2))
    setup.deliver(sample_batch(sample_rows(5), may_be_stored=True))

    assert setup.table.offsets() == [0, 1, 2, 3, 4]
    assert looks == [5]


def test_clickhouses_clock_is_not_asked_for_every_batch_but_now_and_then(setup: Setup) -> None:
    for offset in range(0, 130):
        setup.deliver(sample_batch(sample_rows(1, first_offset=offset)))
        setup.clock.turn(1.0)

    assert setup.table.look_count == 3


def test_the_deadline_is_by_clickhouses_clock_whatever_ours_says(setup: Setup) -> None:
    setup.table.clock_ahead_secs = -3600.0

    setup.deliver(sample_batch(sample_rows(1)))
    setup.clock.turn(5.0)
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


# Outcomes that nobody saw.


def test_rows_that_were_stored_without_an_answer_are_not_stored_twice(setup: Setup) -> None:
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


def test_the_table_is_asked_only_when_clickhouses_clock_is_past_the_deadline_and_the_margin(setup: Setup) -> None:
    setup.table.next_insert(UNKNOWN)
    sent_at = setup.clock.now

    setup.deliver(sample_batch(sample_rows(3)))

    assert setup.clock.now > sent_at + DEADLINE_SECS + MARGIN_SECS
    assert setup.clock.now < sent_at + DEADLINE_SECS + MARGIN_SECS + 2.0
    assert setup.events.settled_in_secs == [pytest.approx(DEADLINE_SECS + MARGIN_SECS, abs=1.0)]


@pytest.mark.parametrize("after_secs", [0.0, 1.0, 5.0, DEADLINE_SECS - 0.1, DEADLINE_SECS, DEADLINE_SECS + 10])
def test_an_insert_that_lands_after_it_was_given_up_does_not_double_its_rows(setup: Setup, after_secs: float) -> None:
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


def test_two_unknown_outcomes_on_end_do_not_double_rows(setup: Setup) -> None:
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


def test_the_wait_goes_on_until_clickhouse_says_what_time_it_is_and_what_runs(setup: Setup) -> None:
    setup.table.next_insert(UNKNOWN, stores=True)
    down_until = setup.clock.now + 100.0

    def be_down() -> None:
        if setup.clock.now < down_until:
            setup.table.next_look(DOWN)

    setup.deliver(sample_batch(sample_rows(3)), meanwhile=be_down)

    assert setup.clock.now > down_until
    assert setup.table.offsets() == [0, 1, 2]


# Recovering what others have left.


def position(lease: Lease | None = None, *, is_foreign: bool = False) -> Position:
    return Position("topic-1", 0, lease, is_foreign)


def others_lease(setup: Setup, *, secs: float = DEADLINE_SECS, end: int = 5) -> Lease:
    """A lease that another instance took just now."""
    return Lease("of another", int((setup.clock.now + secs) * 1000), end, LastRecord(end - 1, 0))


def test_a_partition_without_a_lease_is_looked_up_at_once(setup: Setup) -> None:
    setup.store_earlier(sample_rows(3, partition=1))
    began_at = setup.clock.now

    assert setup.recover(P1, position()) == 3
    assert setup.recover(P0, position()) == 0
    assert setup.clock.now == began_at


def test_the_last_offset_is_asked_for_until_there_is_an_answer(setup: Setup) -> None:
    setup.store_earlier(sample_rows(3))
    setup.table.next_look(DOWN)

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


def test_the_table_is_asked_after_the_wait_and_finds_what_landed_meanwhile(setup: Setup) -> None:
    lease = others_lease(setup)
    lands_at = setup.clock.now + DEADLINE_SECS - 0.5

    def land() -> None:
        if lands_at <= setup.clock.now and not setup.table.blocks:
            setup.store_earlier(sample_rows(9))

    assert setup.recover(P0, position(lease), meanwhile=land) == 9


def test_everything_before_the_end_of_a_lease_may_be_stored_whatever_the_table_says(setup: Setup) -> None:
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


def test_a_lease_of_which_nobody_knows_whether_kafka_took_it_is_not_waited_for_as_nothing_was_sent(
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
    process = setup.process(setup.delivery.deliver(sample_batch(sample_rows(3, first_offset=1))))
    while len(setup.table.tokens) < 2:
        process.turn()
        setup.thread.run()
    process.abandon()
    process.turn()
    began_at = setup.clock.now

    setup.recover(P0, position(setup.leases[-1]))

    assert setup.clock.now > began_at + DEADLINE_SECS + MARGIN_SECS


def test_an_insert_that_ends_after_it_was_abandoned_is_known_to_have_ended(setup: Setup) -> None:
    process = setup.process(setup.delivery.deliver(sample_batch(sample_rows(3))))
    while not setup.leases:
        process.turn()
        if not setup.leases:
            setup.thread.run()
    process.abandon()
    setup.thread.run()
    process.turn()
    began_at = setup.clock.now

    assert setup.recover(P0, position(setup.leases[-1])) == 3

    assert setup.clock.now == began_at


def test_where_others_have_set_the_offset_any_insert_may_be_on_its_way_and_is_waited_for(setup: Setup) -> None:
    began_at = setup.clock.now
    setup.table.busy_with = {"one that nobody knows"}
    starts_at, ends_at = began_at + DEADLINE_SECS - 1, began_at + 60.0

    def run() -> None:
        if setup.clock.now >= starts_at:
            setup.table.busy_with |= {"another one"}
        if setup.clock.now >= ends_at:
            setup.table.busy_with = {"one that began later"}

    setup.recover(P0, position(is_foreign=True), meanwhile=run)

    assert ends_at <= setup.clock.now < ends_at + 2.0


def test_where_others_have_set_the_offset_the_deadline_counts_from_now(setup: Setup) -> None:
    began_at = setup.clock.now

    setup.recover(P0, position(is_foreign=True))

    assert began_at + DEADLINE_SECS + MARGIN_SECS < setup.clock.now < began_at + DEADLINE_SECS + MARGIN_SECS + 2.0


# Refusals.


def test_a_refused_row_is_flagged_and_its_neighbours_are_stored_as_they_are(setup: Setup) -> None:
    setup.table.refuses = body_is("5")

    delivered = setup.deliver(sample_batch(sample_rows(8)))

    rows = sorted(setup.table.rows(), key=lambda row: row["_offset"])
    assert [row["Body"] for row in rows] == ["0", "1", "2", "3", "4", "", "6", "7"]
    assert [row["ParseError"] for row in rows if row["ParseError"]] == ["refused: ClickHouse error 27"]
    assert b'"Body": "5"' in rows[5]["_raw"]
    assert delivered == Delivered({P0: 8}, {})


def test_a_refused_batch_is_halved_and_not_sent_row_by_row(setup: Setup) -> None:
    setup.table.refuses = body_is("700")

    setup.deliver(sample_batch(sample_rows(1024)))

    assert setup.table.offsets() == list(range(1024))
    assert len(setup.table.tokens) == 1 + 2 * 10 + 1  # the whole, two halves ten times over, the flagged row


def test_several_refused_rows_are_each_flagged(setup: Setup) -> None:
    setup.table.refuses = body_is("0", "3", "4", "6")

    setup.deliver(sample_batch(sample_rows(7)))

    assert setup.table.offsets() == list(range(7))
    assert sum(row["ParseError"] != "" for row in setup.table.rows()) == 4


def test_the_halves_of_a_refused_batch_do_not_store_again_what_an_earlier_life_stored(setup: Setup) -> None:
    setup.store_earlier(sample_rows(4))
    setup.table.refuses = body_is("6")

    setup.deliver(sample_batch(sample_rows(8), may_be_stored=True))

    assert setup.table.offsets() == list(range(8))


def test_a_refusal_after_an_unknown_outcome_does_not_store_rows_twice(setup: Setup) -> None:
    rows = sample_rows(8)
    setup.table.next_insert(UNKNOWN)
    setup.table.refuses = body_is("6")

    def store_a_part() -> None:
        if not setup.table.blocks:
            setup.store_earlier(without_offsets(rows, [5, 6, 7]))

    setup.deliver(sample_batch(rows), meanwhile=store_a_part)

    assert setup.table.offsets() == list(range(8))


def test_what_a_refused_insert_has_stored_of_other_days_is_not_stored_again(setup: Setup) -> None:
    rows = sample_rows(8)
    setup.table.next_insert(Refused("a row is refused", code="27"))

    def store_one_day() -> None:
        if not setup.table.blocks:
            setup.table.blocks.append(without_offsets(rows, range(4)))

    setup.table.meanwhile = store_one_day

    setup.deliver(sample_batch(rows))

    assert setup.table.offsets() == list(range(8))


def test_a_flagged_row_that_was_stored_without_an_answer_is_not_stored_twice(setup: Setup) -> None:
    setup.table.refuses = lambda row: row["Body"] == "0"
    setup.table.next_insert(Refused("a row is refused", code="27"))
    setup.table.next_insert(UNKNOWN, stores=True)

    setup.deliver(sample_batch(sample_rows(1)))

    assert setup.table.offsets() == [0]


def test_a_row_that_is_refused_in_every_form_halts_its_partition_there(setup: Setup) -> None:
    setup.table.refuses = offset_is(3)

    delivered = setup.deliver(sample_batch(sample_rows(6), sample_rows(4, partition=1)))

    assert delivered.next_offsets == {P0: 3, P1: 4}
    assert "offset 3" in delivered.halted[P0]
    assert setup.table.offsets(0) == [0, 1, 2]
    assert setup.table.offsets(1) == [0, 1, 2, 3]


def test_two_partitions_can_halt_in_one_batch(setup: Setup) -> None:
    setup.table.refuses = lambda row: row["_offset"] == 1 and row["_partition"] < 2

    delivered = setup.deliver(sample_batch(*(sample_rows(4, partition=number) for number in range(3))))

    assert delivered.next_offsets == {P0: 1, P1: 1, Partition("logs", 2): 4}
    assert delivered.halted.keys() == {P0, P1}
    assert [setup.table.offsets(number) for number in range(3)] == [[0], [0], [0, 1, 2, 3]]


def test_rows_of_a_halted_partition_further_on_in_the_batch_are_not_stored(setup: Setup) -> None:
    setup.table.refuses = offset_is(1)
    parts = sample_rows(2), sample_rows(2, partition=1), sample_rows(2, first_offset=2)

    delivered = setup.deliver(sample_batch(*parts))

    assert delivered.next_offsets == {P0: 1, P1: 2}
    assert setup.table.offsets(0) == [0]
    assert setup.table.offsets(1) == [0, 1]


def test_a_refusal_that_may_be_the_servers_fault_is_first_tried_again(setup: Setup) -> None:
    setup.table.next_insert(DOUBTFUL)
    setup.table.next_insert(DOUBTFUL)

    setup.deliver(sample_batch(sample_rows(4)))

    assert [block.num_rows for block in setup.table.blocks] == [4]


def test_a_refusal_that_does_not_end_is_answered_by_smaller_inserts(setup: Setup) -> None:
    for _ in range(3):
        setup.table.next_insert(DOUBTFUL)

    setup.deliver(sample_batch(sample_rows(4)))

    assert [block.num_rows for block in setup.table.blocks] == [2, 2]


def test_other_failures_do_not_count_towards_a_refusal(setup: Setup) -> None:
    for error in (DOWN, DOWN, DOUBTFUL, DOWN, DOUBTFUL, DOUBTFUL):
        setup.table.next_insert(error)

    setup.deliver(sample_batch(sample_rows(4)))

    assert [block.num_rows for block in setup.table.blocks] == [4]


def test_a_row_is_not_flagged_for_what_may_be_the_servers_fault(setup: Setup) -> None:
    for _ in range(40):
        setup.table.next_insert(DOUBTFUL)

    delivered = setup.deliver(sample_batch(sample_rows(2)))

    assert [row["ParseError"] for row in setup.table.rows()] == ["", ""]
    assert setup.table.offsets() == [0, 1]
    assert delivered == Delivered({P0: 2}, {})


def test_inserts_that_come_too_late_again_and_again_flag_no_row(setup: Setup) -> None:
    for _ in range(30):
        setup.table.next_insert(TryAgainLater("the insert came too late", code="469", max_attempts=8))

    setup.deliver(sample_batch(sample_rows(4)))

    assert setup.table.offsets() == [0, 1, 2, 3]
    assert [row["ParseError"] for row in setup.table.rows()] == [""] * 4


# Giving up.


def test_a_batch_that_is_abandoned_between_two_attempts_is_not_sent_again(setup: Setup) -> None:
    setup.table.next_insert(DOWN)
    process = setup.process(setup.delivery.deliver(sample_batch(sample_rows(1))))

    with pytest.raises(Abandoned):
        setup.finish(process, meanwhile=process.abandon)

    assert len(setup.table.tokens) == 1


def test_a_batch_that_is_abandoned_while_it_is_being_halved_sends_no_further_half(setup: Setup) -> None:
    process = setup.process(setup.delivery.deliver(sample_batch(sample_rows(8))))

    def refuse_and_abandon(_row: dict[str, Any]) -> bool:
        process.abandon()
        return True

    setup.table.refuses = refuse_and_abandon

    with pytest.raises(Abandoned):
        setup.finish(process)

    assert len(setup.table.tokens) == 1


def test_a_recovery_is_abandoned_too(setup: Setup) -> None:
    setup.table.next_look(DOWN)
    process = setup.process(setup.delivery.recover(P0, position()))

    with pytest.raises(Abandoned):
        setup.finish(process, meanwhile=process.abandon)


def test_what_nobody_foresaw_is_not_swallowed(setup: Setup) -> None:
    setup.table.next_insert(ZeroDivisionError("a mistake of ours"))

    with pytest.raises(ZeroDivisionError):
        setup.deliver(sample_batch(sample_rows(1)))


def test_after_what_nobody_foresaw_the_insert_may_be_on_its_way(setup: Setup) -> None:
    setup.table.next_insert(ZeroDivisionError("a mistake of ours"))
    with pytest.raises(ZeroDivisionError):
        setup.deliver(sample_batch(sample_rows(1)))

    setup.progress.commit()

    assert setup.lease() == setup.leases[0]
