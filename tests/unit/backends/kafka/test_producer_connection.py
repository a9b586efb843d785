"""The connection of a publisher, with clients that only note how they were closed."""

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
        self.was_settled: bool | None = None

    def close(self, *, is_settled: bool) -> None:
        self.was_settled = is_settled


class Kafka:
    """Opens clients, or fails as it is told to."""

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
    """Run the calls on threads of their own; while this lasts one of them is about to connect, the others wait."""
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


def test_whoever_waits_while_another_thread_connects_waits_no_longer_than_it_may(
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
    clock.turn(2)
    fresh = connection.client()
    connection.retire(spent)  # its last records fail later than the next client is there

    assert kafka.opened == [spent, fresh]
    assert (spent.was_settled, fresh.was_settled) == (False, None)
    assert connection.client() is fresh


def test_a_failure_counts_for_a_second_for_everybody_who_asks(
    connection: ProducerConnection[Client], kafka: Kafka, clock: Clock
) -> None:
    kafka.failure = TryAgainLater("no topic", code=KafkaCode.UNKNOWN_TOPIC)
    with pytest.raises(TryAgainLater):
        connection.client()
    kafka.failure = None

    clock.turn(0.9)
    with pytest.raises(TryAgainLater, match="no topic") as raised:
        connection.client()
    clock.turn(0.2)

    assert raised.value.code == KafkaCode.UNKNOWN_TOPIC
    assert [connection.client()] == kafka.opened


@pytest.mark.parametrize("is_settled", [True, False])
def test_after_the_end_nobody_connects(
    connection: ProducerConnection[Client], kafka: Kafka, *, is_settled: bool
) -> None:
    client = connection.client()

    connection.close(is_settled=is_settled)
    connection.close(is_settled=is_settled)

    assert client.was_settled is is_settled
    with pytest.raises(TryAgainLater, match="closed") as raised:
        connection.client()
    assert raised.value.code == KafkaCode.CLOSED
    assert len(kafka.opened) == 1


def test_a_client_that_comes_after_the_end_is_closed(connection: ProducerConnection[Client], kafka: Kafka) -> None:
    kafka.meanwhile = connection.refuse

    with pytest.raises(TryAgainLater, match="closed"):
        connection.client()

    assert [client.was_settled for client in kafka.opened] == [True]
