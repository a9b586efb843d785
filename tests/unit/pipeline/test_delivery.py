"""Getting a batch into the table once, whatever the table answers."""

from collections.abc import Callable
from typing import Any

import pytest

from app.errors import Abandoned, Refused, TryAgainLater
from app.model import Partition
from app.pipeline.backoff import Backoff
from app.pipeline.batch import Batch
from app.pipeline.delivery import Delivered, Delivery, Patience
from app.pipeline.rows import Rows
from tests.fakes import Clock, MemoryTable, QuickPatience
from tests.sample_rows import sample_batch, sample_rows, without_offsets

P0, P1 = Partition("logs", 0), Partition("logs", 1)

DOWN = TryAgainLater("ClickHouse does not answer", code="unreachable")
UNKNOWN = TryAgainLater("the answer got lost", code="unreachable", is_outcome_unknown=True)
DOUBTFUL = TryAgainLater("too many parts", code="252", max_attempts=3)


class Events:
    """DeliveryEvents, kept in lists."""

    def __init__(self) -> None:
        self.inserted_rows: list[int] = []
        self.insert_secs: list[float] = []
        self.failures: list[str] = []
        self.already_stored_rows: list[int] = []
        self.retries: list[tuple[str, int]] = []
        self.answers = 0

    def inserted(self, rows: Rows, seconds: float) -> None:
        self.inserted_rows.append(rows.num_rows)
        self.insert_secs.append(seconds)

    def failed(self, result: str) -> None:
        self.failures.append(result)

    def already_stored(self, row_count: int) -> None:
        self.already_stored_rows.append(row_count)

    def retrying(self, error: TryAgainLater, attempt: int) -> None:
        self.retries.append((error.code, attempt))

    def answered(self) -> None:
        self.answers += 1


class Setup:
    """A delivery into a table in memory."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.table = MemoryTable()
        self.events = Events()
        self.delivery = Delivery(self.table, self.events, clock=self.clock, backoff=Backoff(1.0, 8.0))

    def store(self, batch: Batch, meanwhile: Callable[[], None] = lambda: None) -> Delivered:
        return self.delivery.store(batch, QuickPatience(self.clock, meanwhile))


@pytest.fixture
def setup() -> Setup:
    return Setup()


def body_is(*bodies: str) -> Callable[[dict[str, Any]], bool]:
    return lambda row: row["Body"] in bodies


def offset_is(*offsets: int, partition: int = 0) -> Callable[[dict[str, Any]], bool]:
    return lambda row: row["_partition"] == partition and row["_offset"] in offsets


def test_a_batch_is_one_insert(setup: Setup) -> None:
    delivered = setup.store(sample_batch(sample_rows(3), sample_rows(2, partition=1)))

    assert [block.num_rows for block in setup.table.blocks] == [5]
    assert delivered == Delivered({P0: 3, P1: 2}, {})
    assert setup.events.inserted_rows == [5]


def test_two_batches_have_different_tokens(setup: Setup) -> None:
    setup.store(sample_batch(sample_rows(1)))
    setup.store(sample_batch(sample_rows(1, first_offset=1)))

    assert setup.table.offsets() == [0, 1]


def test_what_fails_is_tried_again_until_it_is_stored(setup: Setup) -> None:
    for _ in range(12):
        setup.table.next_insert(DOWN)

    setup.store(sample_batch(sample_rows(3)))

    assert setup.table.offsets() == [0, 1, 2]
    assert setup.events.retries == [("unreachable", attempt) for attempt in range(1, 13)]
    assert setup.events.failures == ["failed"] * 12


def test_the_wait_between_attempts_grows_to_a_limit(setup: Setup) -> None:
    times: list[float] = []
    for _ in range(6):
        setup.table.next_insert(DOWN)

    setup.store(sample_batch(sample_rows(1)), meanwhile=lambda: times.append(setup.clock.now))

    waits = [after - before for before, after in zip(times, [*times[1:], setup.clock.now], strict=True)]
    assert all(full / 2 <= wait <= full for wait, full in zip(waits, [1, 2, 4, 8, 8, 8], strict=True))


def test_the_time_of_an_insert_is_that_of_the_attempt_that_stored_it(setup: Setup) -> None:
    setup.table.next_insert(DOWN)

    setup.store(sample_batch(sample_rows(1)))

    assert setup.events.insert_secs == [0.0]


def test_what_certainly_failed_is_sent_again_without_a_look(setup: Setup) -> None:
    setup.table.next_insert(DOWN)
    setup.table.next_look(AssertionError("nobody needs to look"))

    setup.store(sample_batch(sample_rows(3)))

    assert setup.table.offsets() == [0, 1, 2]


def test_rows_that_were_stored_without_an_answer_are_not_stored_twice(setup: Setup) -> None:
    setup.table.next_insert(UNKNOWN, stores=True)

    delivered = setup.store(sample_batch(sample_rows(3)))

    assert setup.table.offsets() == [0, 1, 2]
    assert delivered.next_offsets == {P0: 3}


def test_after_an_unknown_outcome_only_what_is_missing_is_sent(setup: Setup) -> None:
    rows = sample_rows(6)
    setup.table.next_insert(UNKNOWN)

    setup.store(sample_batch(rows), meanwhile=lambda: setup.table.insert(without_offsets(rows, [1, 4]), "half"))

    assert setup.table.offsets() == [0, 1, 2, 3, 4, 5]
    assert setup.events.inserted_rows == [2]
    assert setup.events.already_stored_rows == [4]


def test_an_insert_that_lands_after_it_was_given_up_does_not_double_its_rows(setup: Setup) -> None:
    setup.table.next_insert(UNKNOWN, lands_later=True)

    setup.store(sample_batch(sample_rows(3)))
    setup.table.land()

    assert setup.table.offsets() == [0, 1, 2]


def test_an_insert_that_lands_during_the_second_attempt_does_not_double_its_rows(setup: Setup) -> None:
    setup.table.next_insert(UNKNOWN, lands_later=True)
    setup.table.next_insert(UNKNOWN, lands_later=True)

    setup.store(sample_batch(sample_rows(3)))
    setup.table.land()

    assert setup.table.offsets() == [0, 1, 2]


def test_rows_are_stored_though_the_server_remembers_their_token_and_not_them(setup: Setup) -> None:
    setup.table.next_insert(UNKNOWN, keeps_token_only=True)

    setup.store(sample_batch(sample_rows(3)))

    assert setup.table.offsets() == [0, 1, 2]
    assert setup.events.already_stored_rows == []


def test_a_token_is_never_used_for_other_rows(setup: Setup) -> None:
    rows = sample_rows(4)
    setup.table.next_insert(UNKNOWN)

    setup.store(sample_batch(rows), meanwhile=lambda: setup.table.insert(without_offsets(rows, [3]), "part"))

    assert len(set(setup.table.tokens)) == 3


def test_rows_that_an_earlier_life_stored_are_left_out(setup: Setup) -> None:
    setup.table.insert(sample_rows(3), "earlier")

    delivered = setup.store(sample_batch(sample_rows(5), may_be_stored=True))

    assert setup.table.offsets() == [0, 1, 2, 3, 4]
    assert setup.events.already_stored_rows == [3]
    assert delivered.next_offsets == {P0: 5}


def test_a_batch_that_is_stored_whole_needs_no_insert(setup: Setup) -> None:
    setup.table.insert(sample_rows(3), "earlier")

    delivered = setup.store(sample_batch(sample_rows(3), may_be_stored=True))

    assert setup.table.tokens == ["earlier"]
    assert delivered == Delivered({P0: 3}, {})


def test_a_look_that_fails_is_repeated(setup: Setup) -> None:
    setup.table.insert(sample_rows(3), "earlier")
    setup.table.next_look(DOWN)
    setup.table.next_look(DOWN)

    setup.store(sample_batch(sample_rows(5), may_be_stored=True))

    assert setup.table.offsets() == [0, 1, 2, 3, 4]
    assert setup.events.retries == [("unreachable", 1), ("unreachable", 2)]


def test_the_last_offset_is_asked_for_until_there_is_an_answer(setup: Setup) -> None:
    setup.table.insert(sample_rows(3, partition=1), "earlier")
    setup.table.next_look(DOWN)

    assert setup.delivery.last_offset("topic-1", 1, QuickPatience(setup.clock)) == 2
    assert setup.delivery.last_offset("topic-1", 0, QuickPatience(setup.clock)) is None


# Refusals.


def test_a_refused_row_is_flagged_and_its_neighbours_are_stored_as_they_are(setup: Setup) -> None:
    setup.table.refuses = body_is("5")

    delivered = setup.store(sample_batch(sample_rows(8)))

    rows = sorted(setup.table.rows(), key=lambda row: row["_offset"])
    assert [row["Body"] for row in rows] == ["0", "1", "2", "3", "4", "", "6", "7"]
    assert [row["ParseError"] for row in rows if row["ParseError"]] == ["refused: ClickHouse error 27"]
    assert b'"Body": "5"' in rows[5]["_raw"]
    assert delivered == Delivered({P0: 8}, {})


def test_a_refused_batch_is_halved_and_not_sent_row_by_row(setup: Setup) -> None:
    setup.table.refuses = body_is("700")

    setup.store(sample_batch(sample_rows(1024)))

    assert setup.table.offsets() == list(range(1024))
    assert len(setup.table.tokens) == 1 + 2 * 10 + 1  # the whole, two halves ten times over, the flagged row


def test_several_refused_rows_are_each_flagged(setup: Setup) -> None:
    setup.table.refuses = body_is("0", "3", "4", "6")

    setup.store(sample_batch(sample_rows(7)))

    assert setup.table.offsets() == list(range(7))
    assert sum(row["ParseError"] != "" for row in setup.table.rows()) == 4


def test_the_halves_of_a_refused_batch_do_not_store_again_what_an_earlier_life_stored(setup: Setup) -> None:
    setup.table.insert(sample_rows(4), "earlier")
    setup.table.refuses = body_is("6")

    setup.store(sample_batch(sample_rows(8), may_be_stored=True))

    assert setup.table.offsets() == list(range(8))


def test_a_refusal_after_an_unknown_outcome_does_not_store_rows_twice(setup: Setup) -> None:
    rows = sample_rows(8)
    setup.table.next_insert(UNKNOWN)
    setup.table.refuses = body_is("6")

    setup.store(sample_batch(rows), meanwhile=lambda: setup.table.insert(without_offsets(rows, [5, 6, 7]), "part"))

    assert setup.table.offsets() == list(range(8))


def test_a_flagged_row_that_was_stored_without_an_answer_is_not_stored_twice(setup: Setup) -> None:
    setup.table.refuses = lambda row: row["Body"] == "0"
    setup.table.next_insert(Refused("a row is refused", code="27"))
    setup.table.next_insert(UNKNOWN, stores=True)

    setup.store(sample_batch(sample_rows(1)))

    assert setup.table.offsets() == [0]


def test_a_row_that_is_refused_in_every_form_halts_its_partition_there(setup: Setup) -> None:
    setup.table.refuses = offset_is(3)

    delivered = setup.store(sample_batch(sample_rows(6), sample_rows(4, partition=1)))

    assert delivered.next_offsets == {P0: 3, P1: 4}
    assert "offset 3" in delivered.halted[P0]
    assert setup.table.offsets(0) == [0, 1, 2]
    assert setup.table.offsets(1) == [0, 1, 2, 3]


def test_two_partitions_can_halt_in_one_batch(setup: Setup) -> None:
    setup.table.refuses = lambda row: row["_offset"] == 1 and row["_partition"] < 2

    delivered = setup.store(sample_batch(*(sample_rows(4, partition=number) for number in range(3))))

    assert delivered.next_offsets == {P0: 1, P1: 1, Partition("logs", 2): 4}
    assert delivered.halted.keys() == {P0, P1}
    assert [setup.table.offsets(number) for number in range(3)] == [[0], [0], [0, 1, 2, 3]]


def test_rows_of_a_halted_partition_further_on_in_the_batch_are_not_stored(setup: Setup) -> None:
    setup.table.refuses = offset_is(1)
    parts = sample_rows(2), sample_rows(2, partition=1), sample_rows(2, first_offset=2)

    delivered = setup.store(sample_batch(*parts))

    assert delivered.next_offsets == {P0: 1, P1: 2}
    assert setup.table.offsets(0) == [0]
    assert setup.table.offsets(1) == [0, 1]


def test_a_refusal_that_may_be_the_servers_fault_is_first_tried_again(setup: Setup) -> None:
    setup.table.next_insert(DOUBTFUL)
    setup.table.next_insert(DOUBTFUL)

    setup.store(sample_batch(sample_rows(4)))

    assert [block.num_rows for block in setup.table.blocks] == [4]


def test_a_refusal_that_does_not_end_is_answered_by_smaller_inserts(setup: Setup) -> None:
    for _ in range(3):
        setup.table.next_insert(DOUBTFUL)

    setup.store(sample_batch(sample_rows(4)))

    assert [block.num_rows for block in setup.table.blocks] == [2, 2]


def test_other_failures_do_not_count_towards_a_refusal(setup: Setup) -> None:
    for error in (DOWN, DOWN, DOUBTFUL, DOWN, DOUBTFUL, DOUBTFUL):
        setup.table.next_insert(error)

    setup.store(sample_batch(sample_rows(4)))

    assert [block.num_rows for block in setup.table.blocks] == [4]


def test_a_row_is_not_flagged_for_what_may_be_the_servers_fault(setup: Setup) -> None:
    for _ in range(40):
        setup.table.next_insert(DOUBTFUL)

    delivered = setup.store(sample_batch(sample_rows(2)))

    assert [row["ParseError"] for row in setup.table.rows()] == ["", ""]
    assert setup.table.offsets() == [0, 1]
    assert delivered == Delivered({P0: 2}, {})


# Giving up.


def test_patience_that_ends_while_waiting_ends_the_attempts(setup: Setup) -> None:
    patience = QuickPatience(setup.clock, meanwhile=lambda: patience.give_up())
    setup.table.next_insert(DOWN)

    with pytest.raises(Abandoned):
        setup.delivery.store(sample_batch(sample_rows(1)), patience)

    assert setup.table.offsets() == []
    assert len(setup.table.tokens) == 1


def test_patience_that_ended_sends_nothing_more(setup: Setup) -> None:
    patience = QuickPatience(setup.clock)
    patience.give_up()

    with pytest.raises(Abandoned):
        setup.delivery.store(sample_batch(sample_rows(1)), patience)

    assert setup.table.tokens == []


def test_patience_that_ends_while_a_batch_is_being_halved_sends_no_further_half(setup: Setup) -> None:
    patience = QuickPatience(setup.clock)

    def refuse_and_end(_row: dict[str, Any]) -> bool:
        patience.give_up()
        return True

    setup.table.refuses = refuse_and_end

    with pytest.raises(Abandoned):
        setup.delivery.store(sample_batch(sample_rows(8)), patience)

    assert len(setup.table.tokens) == 1


def test_a_look_is_abandoned_too(setup: Setup) -> None:
    patience = QuickPatience(setup.clock, meanwhile=lambda: patience.give_up())
    setup.table.next_look(DOWN)

    with pytest.raises(Abandoned):
        setup.delivery.last_offset("topic-1", 0, patience)


def test_real_patience_waits_for_real_and_ends_at_once() -> None:
    patience = Patience()

    patience.wait(0.001)
    patience.give_up()

    with pytest.raises(Abandoned):
        patience.wait(3600)


def test_what_nobody_foresaw_is_not_swallowed(setup: Setup) -> None:
    setup.table.next_insert(ZeroDivisionError("a mistake of ours"))

    with pytest.raises(ZeroDivisionError):
        setup.store(sample_batch(sample_rows(1)))
