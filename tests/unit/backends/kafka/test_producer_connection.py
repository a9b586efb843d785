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
        self.failure: TryAgainLater | None = None
        self.meanwhile: Callable[[], object] = lambda: None

    def connect(self) -> Client:
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


def test_a_failure_is_cached_for_a_second_for_all_callers(
    connection: ProducerConnection[Client], kafka: Kafka, clock: Clock
) -> None:
    kafka.failure = TryAgainLater("no topic", code=KafkaCode.UNKNOWN_TOPIC)
    with pytest.raises(TryAgainLater):
        connection.client()
    kafka.failure = None

    clock.advance(0.9)
    with pytest.raises(TryAgainLater, match="no topic") as raised:
        connection.client()
    clock.advance(0.2)

    assert raised.value.code == KafkaCode.UNKNOWN_TOPIC
    assert [connection.client()] == kafka.opened


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
