"""The limit of bytes in flight. The rest of the publisher is tested on a real broker."""

import threading

from app.backends.kafka.in_flight import InFlight


def test_records_enter_while_there_is_capacity() -> None:
    in_flight = InFlight(max_bytes=100)

    assert [in_flight.enter(40, timeout_secs=0) for _ in range(3)] == [True, True, False]


def test_released_capacity_can_be_used() -> None:
    in_flight = InFlight(max_bytes=100)
    in_flight.enter(80, timeout_secs=0)
    assert not in_flight.enter(80, timeout_secs=0)

    in_flight.leave(80)

    assert in_flight.enter(80, timeout_secs=0)


def test_a_record_larger_than_the_capacity_enters_alone() -> None:
    in_flight = InFlight(max_bytes=100)

    assert in_flight.enter(500, timeout_secs=0)
    assert not in_flight.enter(1, timeout_secs=0)
    in_flight.leave(500)
    assert in_flight.enter(1, timeout_secs=0)


def test_a_waiting_caller_enters_when_half_of_the_capacity_is_free() -> None:
    in_flight = InFlight(max_bytes=100)
    for _ in range(10):
        in_flight.enter(10, timeout_secs=0)
    entered: list[bool] = []
    waiting = threading.Thread(target=lambda: entered.append(in_flight.enter(10, timeout_secs=30)))
    waiting.start()

    for _ in range(5):
        in_flight.leave(10)
    waiting.join(30)

    assert entered == [True]


def test_it_is_empty_when_everything_has_left() -> None:
    in_flight = InFlight(max_bytes=100)
    in_flight.enter(10, timeout_secs=0)

    assert not in_flight.wait_until_empty(timeout_secs=0)
    in_flight.leave(10)
    assert in_flight.wait_until_empty(timeout_secs=0)
