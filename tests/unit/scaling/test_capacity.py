"""The capacity of an instance is measured while it has a backlog."""

from app.domain.records import Partition
from app.scaling.capacity import MeasuredCapacity

ONE, TWO = Partition("logs", 1), Partition("logs", 2)


def test_it_is_what_was_stored_while_more_was_waiting() -> None:
    capacity = MeasuredCapacity()
    for number in range(4):
        capacity.add({ONE: 1000 * number, TWO: 500 * number}, {ONE: 9000, TWO: 0}, 5.0 * number)

    assert capacity.per_sec == 300


def test_an_instance_that_keeps_up_has_none() -> None:
    capacity = MeasuredCapacity()
    for number in range(4):
        capacity.add({ONE: 1000 * number}, {ONE: 300}, 5.0 * number)

    assert capacity.per_sec is None


def test_it_stays_known_when_the_backlog_is_gone() -> None:
    capacity = MeasuredCapacity()
    capacity.add({ONE: 0}, {ONE: 5000}, 0)
    capacity.add({ONE: 1500}, {ONE: 5000}, 5)
    capacity.add({ONE: 1600}, {ONE: 10}, 10)

    assert capacity.per_sec == 300


def test_an_interval_in_which_partitions_changed_does_not_count() -> None:
    capacity = MeasuredCapacity()
    capacity.add({ONE: 0}, {ONE: 5000}, 0)
    capacity.add({ONE: 10, TWO: 10}, {ONE: 5000}, 5)
    capacity.interrupt()
    capacity.add({ONE: 20, TWO: 20}, {ONE: 5000}, 10)

    assert capacity.per_sec is None


def test_an_interval_in_which_nothing_was_stored_does_not_count() -> None:
    capacity = MeasuredCapacity()
    capacity.add({ONE: 7}, {ONE: 5000}, 0)
    capacity.add({ONE: 7}, {ONE: 5000}, 5)

    assert capacity.per_sec is None


def test_only_the_last_minute_counts() -> None:
    capacity = MeasuredCapacity()
    stored = 0
    for number in range(30):
        stored += 5000 if number < 15 else 500
        capacity.add({ONE: stored}, {ONE: 10**6}, 5.0 * number)

    assert capacity.per_sec == 100
