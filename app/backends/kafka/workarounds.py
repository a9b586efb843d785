"""Workarounds for faults of kafka-python 3.0.12: the only file that reaches into the client.

Each function names the fault. Review them when the version changes (`requirements.in`); delete one whose fault is
fixed. The contract tests show whether it is.
"""

import gc
from collections.abc import Callable, Generator, Iterable, Mapping
from typing import Any, TypeVar

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.future import Future
from kafka.net.compat import KafkaNetClient
from kafka.net.manager import KafkaConnectionManager
from kafka.net.selector import NetworkSelector
from kafka.producer.transaction_manager import TransactionState

_Client = TypeVar("_Client")

_FREE_EVERY_BYTES = 64 * 1024 * 1024


# Clients that cannot connect.


def open_client(make: Callable[..., _Client], options: Mapping[str, Any]) -> _Client:
    """Make a consumer or admin client of kafka-python; one that cannot connect leaks nothing.

    The constructor connects. When that fails, the client's I/O thread and sockets would never be released: one more of
    each at every attempt to connect to an unavailable Kafka.
    """
    opened: list[tuple[KafkaNetClient, NetworkSelector]] = []

    def network(**configs: Any) -> KafkaNetClient:
        selector = NetworkSelector(**configs)
        client = KafkaNetClient(selector, _Connections(selector, **configs), **configs)
        opened.append((client, selector))
        return client

    try:
        return make(**options, kafka_client=network)
    except BaseException:
        for client, selector in opened:
            client.close()
            selector.close()
        opened.clear()
        gc.collect()  # sockets of cancelled attempts hang in cycles
        raise


class _Connections(KafkaConnectionManager):  # type: ignore[misc]  # kafka-python has no types
    """Connections that receive the reason why a login fails."""

    async def _build_transport(self, node: Any, timeout_at: float | None = None) -> Any:
        transport = await super()._build_transport(node, timeout_at)
        receive = transport._sock_recv

        def receive_to_the_end() -> tuple[bytes, Exception | None]:
            # A broker sends the reason why it refuses a login, and disconnects. kafka-python 3.0.12 drops data that it
            # reads together with the end of the stream; the end is still there when it reads again.
            data, error = receive()
            return data, None if data else error

        transport._sock_recv = receive_to_the_end
        return transport


# Consumers.


def resume_parked_records(consumer: KafkaConsumer) -> None:
    """Make the client resume the records that it parked when a partition was paused in the middle of a fetch.

    kafka-python 3.0.12 does so only while it holds no other fetch, and it counts a fetch that was read to its end as
    one that it holds: while another partition is read, the resumed one would never continue.
    """
    fetcher = consumer._fetcher
    if not fetcher._next_partition_records:
        fetcher._next_partition_records = None


def keep_joining(consumer: KafkaConsumer) -> None:
    """Make the client keep joining its group until it has joined, over as many polls as that takes.

    kafka-python 3.0.12 joins again when it learns of the topic's partitions, forgets the reason as soon as it has
    assigned them, and does not take its own when a poll ends at that moment: it would never get any.
    """
    consumer._coordinator.request_rejoin()


def topic_id_seen_by(consumer: KafkaConsumer, topic: str) -> object:
    """Id of the topic in the consumer's own metadata, None if it has none; the client has no public call for this."""
    return consumer._cluster.topic_id(topic)


def fresh_topic_ids(consumer: KafkaConsumer, topics: Iterable[str], timeout_secs: float) -> dict[str, object]:
    """Make the consumer ask Kafka now for the ids of its topics, and return those of some: see `topic_id_seen_by`.

    The client has no public call for this: `request_update` of kafka-python 3.0.12 is also answered by a request that
    is on its way already, which may show what was before, and waits between two requests.

    Raises:
        KafkaError: Kafka does not answer in time.
    """

    async def ask() -> dict[str, object]:
        await consumer._cluster._do_refresh_metadata(None)
        return {topic: topic_id_seen_by(consumer, topic) for topic in topics}

    async def ask_in_time() -> Any:
        answer = consumer._net.call_soon_with_future(ask)
        return await consumer._manager.wait_for(answer, int(timeout_secs * 1000))

    return dict(consumer._net.run(ask_in_time))


def forget_lost_position(consumer: KafkaConsumer, partition: TopicPartition) -> None:
    """Keep the client from raising, at every poll, an error about a position whose records Kafka has lost.

    It also checks the positions of paused partitions, such as one that was halted for that reason.
    """
    consumer.seek(partition, 0)


class FetchCycles:
    """Runs the garbage collector by the number of bytes read, and not only by the number of objects.

    A poll of kafka-python 3.0.12 that ends before its fetch leaves a reference cycle (the error of its timeout and that
    error's traceback), which keeps the fetched data alive: few objects, but any number of bytes.
    """

    def __init__(self) -> None:
        self._bytes = 0

    def read(self, values: Iterable[bytes | None]) -> None:
        """Count the values of records that were read; every `_FREE_EVERY_BYTES`, free the cycles."""
        self._bytes += sum(len(value) for value in values if value)
        if self._bytes >= _FREE_EVERY_BYTES:
            self._bytes = 0
            gc.collect()


# Producers.


def fail_in_flight(producer: KafkaProducer, timeout_secs: float) -> None:
    """End the producer's thread. Call it before `close` when there are records in flight.

    The public `close()` waits for the records in flight and then raises with its thread still running.
    """
    producer._sender.force_close()
    producer._sender.join(timeout_secs)


def ask_again_for_lost_ids(producer: KafkaProducer) -> None:
    """Make an idempotent producer get a new id after it has given up its own.

    kafka-python 3.0.12 gives it up when a batch that was sent and is to be sent again reaches its delivery timeout, as
    after an outage of Kafka that takes longer. It then asks for an id only in the state of a new producer, which it is
    not in: it would never send, fail or time out anything again. What was sent under the old id is sent again under
    the old id alone, so that nothing is stored twice.
    """
    manager = producer._transaction_manager
    give_up = manager.reset_producer_id

    def give_up_and_ask() -> None:
        give_up()
        if manager._current_state == TransactionState.READY:  # otherwise it is about to get one
            manager._current_state = TransactionState.UNINITIALIZED

    manager.reset_producer_id = give_up_and_ask


def keep_join_result(consumer: KafkaConsumer) -> None:
    """Make the next poll take the result of the join that is running. Call it while no poll is running.

    kafka-python 3.0.12 continues to join between polls. If the join ends then, the next poll does not see it, joins
    once more and makes all members of the group rejoin. Members that poll by turns, or do much between their polls,
    could repeat that for ever, each discarding the join that the other has waited for.
    """
    coordinator = consumer._coordinator
    if isinstance(coordinator._join_task, Future):
        coordinator._join_task = _LastingJoin(coordinator._join_task)


class _LastingJoin:
    """A join as the client waits for it; it looks unfinished until the client has taken its result."""

    is_done = False

    def __init__(self, join: Future) -> None:
        self._join = join

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._join.__await__()

    def add_callback(self, callback: Callable[[Any], None]) -> None:
        self._join.add_callback(callback)

    def add_errback(self, errback: Callable[[BaseException], None]) -> None:
        self._join.add_errback(errback)
