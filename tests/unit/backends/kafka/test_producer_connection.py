"""The connection of a publisher, with clients that only record how they were closed."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from app.backends.kafka.producer_connection import ProducerConnection
from app.errors import KafkaCode, TryAgainLater
from tests.fakes import Clock

PATIENCE_SECS = 30.0


class Client:
    def __init__(self) -> None:
        self.was_flushed: bool | None = None

    def close(self, *, is_flushed: bool) -> None:
        self.was_flushed = is_flushed


class Kafka:
    """Opens clients, or raises a scripted error."""

    def __init__(self) -> None:
        self.opened: list[Client] = []
        self.attempts = 0
        self.failure: TryAgainLater | None = None
        self.meanwhile: Callable[[], object] = lambda: None

    def connect(self) -> Client:
        self.attempts += 1
        self.meanwhile()
        if self.failure:
            raise self.failure
        self.opened.append(Client())
        return self.opened[-1]


@pytest.fixture
def kafka() -> Kafka:
    return Kafka()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def connection(kafka: Kafka, clock: Clock) -> ProducerConnection[Client]:
    return ProducerConnection(kafka.connect, clock)


def test_one_client_is_for_all(connection: ProducerConnection[Client], kafka: Kafka) -> None:
    assert connection.client() is connection.client()
    assert len(kafka.opened) == 1


@contextmanager
def held_up(kafka: Kafka, *calls: Callable[[], object]) -> Iterator[None]:
    """Run the calls on separate threads; while the block lasts, one is about to connect and the others wait."""
    is_connecting, may_go_on = threading.Event(), threading.Event()

    def hold_up() -> None:
        is_connecting.set()
        assert may_go_on.wait(PATIENCE_SECS)

    kafka.meanwhile = hold_up
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    assert is_connecting.wait(PATIENCE_SECS)
    try:
        yield
    finally:
        may_go_on.set()
        for thread in threads:
            thread.join(PATIENCE_SECS)


def test_threads_that_wait_while_one_connects_get_its_client(
    connection: ProducerConnection[Client], kafka: Kafka
) -> None:
    found: list[Client] = []

    with held_up(kafka, *[lambda: found.append(connection.client())] * 3):
        assert found == []

    assert found == kafka.opened * 3


def test_waiting_for_a_connecting_thread_ends_at_the_timeout(
    connection: ProducerConnection[Client], kafka: Kafka
) -> None:
    found: list[Client] = []
    with (
        held_up(kafka, lambda: found.append(connection.client())),
        pytest.raises(TryAgainLater, match=r"not answered within 0\.01 s") as raised,
    ):
        connection.client(wait_secs=0.01)

    assert raised.value.code == KafkaCode.UNREACHABLE
    assert found == kafka.opened


def test_a_spent_client_is_replaced_and_what_it_holds_fails(
    connection: ProducerConnection[Client], kafka: Kafka, clock: Clock
) -> None:
    spent = connection.client()

    connection.retire(spent)
    connection.retire(spent)
    clock.advance(2)
    fresh = connection.client()
    connection.retire(spent)  # its last records fail after the next client exists

    assert kafka.opened == [spent, fresh]
    assert (spent.was_flushed, fresh.was_flushed) == (False, None)
    assert connection.client() is fresh


def test_threads_that_wait_while_one_fails_fail_with_it(kafka: Kafka, clock: Clock) -> None:
    failures: list[str] = []
    kafka.failure = TryAgainLater("away", code=KafkaCode.UNREACHABLE)
    have_asked = threading.Barrier(4)
    askers: set[int] = set()

    def time_of_asking() -> float:
        time = clock()
        if threading.get_ident() not in askers:
            askers.add(threading.get_ident())
            have_asked.wait(PATIENCE_SECS)
        return time

    connection = ProducerConnection(kafka.connect, time_of_asking)

    def ask() -> None:
        with pytest.raises(TryAgainLater, match="away") as raised:
            connection.client()
        failures.append(raised.value.code)

    kafka.meanwhile = lambda: clock.advance(0.1)
    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    have_asked.wait(PATIENCE_SECS)
    for thread in threads:
        thread.join(PATIENCE_SECS)

    assert failures == [KafkaCode.UNREACHABLE] * 3
    assert kafka.attempts == 1


def test_after_a_failure_the_next_caller_waits_for_the_next_attempt(
    connection: ProducerConnection[Client], kafka: Kafka, clock: Clock
) -> None:
    kafka.failure = TryAgainLater("no topic", code=KafkaCode.UNKNOWN_TOPIC)
    with pytest.raises(TryAgainLater):
        connection.client()
    kafka.failure = None

    clock.advance(0.9)

    assert [connection.client(wait_secs=5)] == kafka.opened


def test_who_has_no_time_for_the_next_attempt_gets_the_last_failure(
    connection: ProducerConnection[Client], kafka: Kafka, clock: Clock
) -> None:
    kafka.failure = TryAgainLater("no topic", code=KafkaCode.UNKNOWN_TOPIC)
    with pytest.raises(TryAgainLater):
        connection.client()
    kafka.failure = None

    clock.advance(0.5)
    with pytest.raises(TryAgainLater, match="no topic") as raised:
        connection.client(wait_secs=0.4)

    assert raised.value.code == KafkaCode.UNKNOWN_TOPIC
    assert kafka.attempts == 1


@pytest.mark.parametrize("is_flushed", [True, False])
def test_after_the_end_no_client_connects(
    connection: ProducerConnection[Client], kafka: Kafka, *, is_flushed: bool
) -> None:
    client = connection.client()

    connection.close(is_flushed=is_flushed)
    connection.close(is_flushed=is_flushed)

    assert client.was_flushed is is_flushed
    with pytest.raises(TryAgainLater, match="closed") as raised:
        connection.client()
    assert raised.value.code == KafkaCode.CLOSED
    assert len(kafka.opened) == 1


def test_a_client_that_comes_after_the_end_is_closed(connection: ProducerConnection[Client], kafka: Kafka) -> None:
    kafka.meanwhile = connection.refuse

    with pytest.raises(TryAgainLater, match="closed"):
        connection.client()

    assert [client.was_flushed for client in kafka.opened] == [True]
