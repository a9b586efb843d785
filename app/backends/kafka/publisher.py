"""LogPublisher on kafka-python's producer: idempotent, acknowledged by all in-sync replicas, bounded in memory."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from kafka.errors import (
    IllegalStateError,
    InvalidRecordError,
    InvalidTimestampError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    RequestTimedOutError,
)

from app.backends.kafka.errors import code_of
from app.backends.kafka.in_flight import InFlight
from app.backends.kafka.options import Compression, producer_options
from app.backends.kafka.producer_client import BATCH_BYTES, ProducerClient, open_producer
from app.backends.kafka.producer_connection import ProducerConnection
from app.errors import KafkaCode, Refused, TryAgainLater
from app.ports import LogPublisher, OnDelivery
from app.settings import KafkaSettings

_OVERHEAD_BYTES = 1024  # what the client holds for a record besides its bytes: futures, locks, callbacks

_ABOUT_THE_RECORD = (MessageSizeTooLargeError, RecordListTooLargeError, InvalidRecordError, InvalidTimestampError)


class KafkaPublisher:
    """See `ports.LogPublisher`.

    Connects at the first call that needs it. Records without a key fill the partitions in turn, a batch at a time.
    A record not acknowledged within `delivery_timeout_secs` has failed. `max_in_flight_bytes` bounds the memory.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        *,
        compression: Compression = "lz4",
        linger_secs: float = 0.02,
        delivery_timeout_secs: float = 120.0,
        max_in_flight_bytes: int = 32 * 1024 * 1024,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._delivery_timeout_secs = delivery_timeout_secs
        self._clock = clock
        self._in_flight = InFlight(max_in_flight_bytes)
        options = producer_options(settings, compression, linger_secs, delivery_timeout_secs)
        self._connection = ProducerConnection(lambda: open_producer(settings, options), clock)

    def connect(self, wait_secs: float | None = None) -> int:
        """See `ports.LogPublisher`."""
        return self._connection.client(wait_secs).max_record_bytes

    def publish(
        self,
        value: bytes,
        *,
        key: bytes | None = None,
        headers: Sequence[tuple[str, bytes]] = (),
        wait_secs: float,
        on_delivery: OnDelivery,
    ) -> None:
        """See `ports.LogPublisher`."""
        deadline = self._clock() + wait_secs
        client = self._connection.client(wait_secs)
        cost = _cost(value, key, headers)
        if not self._in_flight.enter(cost, max(0.0, deadline - self._clock())):
            raise TryAgainLater("too many records wait for Kafka to acknowledge them", code=KafkaCode.FULL)
        try:
            future = self._send(client, value, key, headers)
        except BaseException:
            self._in_flight.leave(cost)
            raise

        # Memory is released last, so that after a flush every record has had its callback.
        def succeeded(_: Any) -> None:
            try:
                on_delivery(None)
            finally:
                self._in_flight.leave(cost)

        def failed(error: Exception) -> None:
            try:
                self._retire_if_unusable(client, error)
                on_delivery(self._not_acknowledged(error, cost))
            finally:
                self._in_flight.leave(cost)

        future.add_callback(succeeded)
        future.add_errback(failed)

    def flush(self, timeout_secs: float) -> None:
        """See `ports.LogPublisher`."""
        if not self._in_flight.wait_until_empty(timeout_secs):
            raise TryAgainLater(
                f"Kafka has not acknowledged everything within {timeout_secs:g} s",
                code=KafkaCode.TIMEOUT,
                is_outcome_unknown=True,
            )

    def close(self, timeout_secs: float) -> None:
        """See `ports.LogPublisher`."""
        self._connection.refuse()
        is_flushed = self._in_flight.wait_until_empty(timeout_secs)
        self._connection.close(is_flushed=is_flushed)

    def _send(
        self, client: ProducerClient, value: bytes, key: bytes | None, headers: Sequence[tuple[str, bytes]]
    ) -> Any:
        try:
            return client.producer.send(self._settings.topic, value, key, list(headers))
        except MessageSizeTooLargeError as error:
            raise self._too_large(len(value), client.max_record_bytes) from error
        except KafkaError as error:
            raise self._not_sent(error) from error

    def _retire_if_unusable(self, client: ProducerClient, error: Exception) -> None:
        """Replace a producer that met an error that is not transient: it would fail all records from now on."""
        if not (isinstance(error, KafkaError) and error.retriable):
            self._connection.retire(client)

    def _too_large(self, record_bytes: int, max_bytes: int) -> Refused:
        return Refused(
            f"a record of {record_bytes} bytes is larger than topic {self._settings.topic} allows ({max_bytes} bytes)",
            code=KafkaCode.TOO_LARGE,
        )

    def _not_sent(self, error: Exception) -> TryAgainLater:
        return TryAgainLater(f"cannot publish to topic {self._settings.topic}: {error}", code=code_of(error))

    def _not_acknowledged(self, error: Exception, cost: int) -> TryAgainLater | Refused:
        code = code_of(error)
        # A smaller record shares its batch with others and may have failed because of one of them.
        if isinstance(error, _ABOUT_THE_RECORD) and cost > BATCH_BYTES + _OVERHEAD_BYTES:
            return Refused(f"topic {self._settings.topic} refused the record: {error}", code=code)
        if isinstance(error, (KafkaTimeoutError, RequestTimedOutError)):
            reason = f"not acknowledged within {self._delivery_timeout_secs:g} s"
        elif isinstance(error, IllegalStateError):
            reason, code = "not acknowledged before the publisher was closed", KafkaCode.CLOSED
        else:
            reason = f"not acknowledged: {error}"
        return TryAgainLater(reason, code=code, is_outcome_unknown=True)


def _cost(value: bytes, key: bytes | None, headers: Sequence[tuple[str, bytes]]) -> int:
    """The approximate memory, in bytes, of a record in flight."""
    return len(value) + len(key or b"") + sum(len(name) + len(data) for name, data in headers) + _OVERHEAD_BYTES


if TYPE_CHECKING:

    def _is_a_log_publisher(publisher: KafkaPublisher) -> LogPublisher:
        return publisher
