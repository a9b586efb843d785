"""LogPublisher on kafka-python's producer: idempotent, acknowledged by all in-sync replicas, bounded in memory."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from kafka import KafkaProducer
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
from kafka.partitioner import StickyPartitioner

from app.backends.kafka.errors import code_of
from app.backends.kafka.options import connection_options
from app.backends.kafka.topic import TopicAdmin
from app.backends.kafka.unreachable import explained_silence
from app.backends.kafka.workarounds import fail_what_is_in_flight
from app.errors import KafkaCode, Refused, TryAgainLater
from app.settings import KafkaSettings

if TYPE_CHECKING:
    from app.ports import LogPublisher

Compression = Literal["none", "gzip", "snappy", "lz4", "zstd"]
OnDone = Callable[[TryAgainLater | Refused | None], None]

_log = logging.getLogger(__name__)

_BATCH_BYTES = 256 * 1024
_OVERHEAD_BYTES = 1024  # what the client holds for a record besides its bytes: futures, locks, callbacks
_USUAL_MAX_RECORD_BYTES = 1_000_000  # used where the topic's own limit may not be read
_REQUEST_SECS = 30.0
_CONNECT_SECS = 10.0
_CLOSE_SECS = 5.0
_RECONNECT_SECS = 1.0

_ABOUT_THE_RECORD = (MessageSizeTooLargeError, RecordListTooLargeError, InvalidRecordError, InvalidTimestampError)


class KafkaPublisher:
    """Puts records on the topic. Safe to share between threads.

    Connects at the first call that needs it. Records without a key fill the partitions in turn, a batch at a time.
    What is not acknowledged within `delivery_timeout_secs` has failed. While `max_in_flight_bytes` wait for their
    acknowledgement, `publish` waits too, up to `room_timeout_secs`.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        *,
        compression: Compression = "lz4",
        linger_secs: float = 0.02,
        delivery_timeout_secs: float = 120.0,
        room_timeout_secs: float = 120.0,
        max_in_flight_bytes: int = 32 * 1024 * 1024,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._delivery_timeout_secs = delivery_timeout_secs
        self._room_timeout_secs = room_timeout_secs
        self._in_flight = InFlight(max_in_flight_bytes)
        self._clock = clock
        self._producer_options = {
            **connection_options(settings),
            "acks": "all",
            "enable_idempotence": True,
            "compression_type": None if compression == "none" else compression,
            "partitioner": StickyPartitioner(),
            "linger_ms": int(linger_secs * 1000),
            "delivery_timeout_ms": int(delivery_timeout_secs * 1000),
            "request_timeout_ms": int(min(_REQUEST_SECS, delivery_timeout_secs - linger_secs) * 1000),
            "max_block_ms": int(_CONNECT_SECS * 1000),
            "bootstrap_timeout_ms": int(_CONNECT_SECS * 1000),
            "allow_auto_create_topics": False,  # the service makes the topic, with the settings that it needs
            "metrics_enabled": False,
        }
        self._client: _Client | None = None
        self._spent_clients: list[_Client] = []
        self._connecting = threading.Lock()
        self._swapping = threading.Lock()
        self._closing = threading.Event()
        self._tried_at = float("-inf")
        self._failure: TryAgainLater | None = None

    def connect(self) -> int:
        """Reach Kafka and the topic, if that has not been done; returns how many bytes a record may have.

        Raises:
            TryAgainLater: Kafka does not answer (UNREACHABLE), or the topic does not exist (UNKNOWN_TOPIC).
        """
        return self._connected().max_record_bytes

    def publish(
        self,
        value: bytes,
        *,
        key: bytes | None = None,
        headers: Sequence[tuple[str, bytes]] = (),
        on_done: OnDone | None = None,
    ) -> "KafkaAcknowledgement":
        """Hand over one record; it is sent in the background.

        `on_done` is called once, on a thread that must not be held up: with None when all in-sync replicas have the
        record, with the error otherwise. It is not called when `publish` itself raises.

        Raises:
            Refused: the record is larger than the topic allows.
            TryAgainLater: there is no broker, no topic, or no room.
        """
        client = self._connected()
        cost = len(value) + len(key or b"") + _OVERHEAD_BYTES
        if not self._in_flight.enter(cost, self._room_timeout_secs):
            raise TryAgainLater("too many records wait for Kafka to acknowledge them", code=KafkaCode.FULL)
        try:
            future = client.producer.send(self._settings.topic, value, key, list(headers))
        except BaseException as error:
            self._in_flight.leave(cost)
            if isinstance(error, MessageSizeTooLargeError):
                raise self._too_large(len(value), client.max_record_bytes) from error
            if isinstance(error, KafkaError):
                raise self._not_sent(error) from error
            raise

        def succeeded(_: Any) -> None:
            self._in_flight.leave(cost)
            if on_done:
                on_done(None)

        def failed(error: Exception) -> None:
            self._in_flight.leave(cost)
            self._retire_if_spent(client, error)
            if on_done:
                on_done(self._not_acknowledged(error, cost))

        future.add_callback(succeeded)
        future.add_errback(failed)
        return KafkaAcknowledgement(future, lambda error: self._not_acknowledged(error, cost))

    def flush(self, timeout_secs: float) -> None:
        """Wait until nothing is in flight: every record handed over is acknowledged or has failed.

        Raises:
            TryAgainLater: that took longer.
        """
        if not self._in_flight.wait_until_empty(timeout_secs):
            raise TryAgainLater(
                f"Kafka has not acknowledged everything within {timeout_secs:g} s",
                code=KafkaCode.TIMEOUT,
                is_outcome_unknown=True,
            )

    def close(self, timeout_secs: float) -> None:
        """Wait for what is in flight, then disconnect. What remains after that time fails, its outcome unknown."""
        self._closing.set()
        is_settled = self._in_flight.wait_until_empty(timeout_secs)
        with self._swapping:
            client, self._client = self._client, None
        if client is not None:
            client.close(is_settled=is_settled)
        self._close_spent_clients()

    def _connected(self) -> "_Client":
        client = self._client
        if client is not None:
            return client
        with self._connecting:
            if self._closing.is_set():
                raise TryAgainLater("the publisher is closed", code=KafkaCode.CLOSED)
            client = self._client or self._connect()
            with self._swapping:
                if not self._closing.is_set():
                    self._client = client
                    return client
        client.close(is_settled=True)
        raise TryAgainLater("the publisher is closed", code=KafkaCode.CLOSED)

    def _connect(self) -> "_Client":
        wait_secs = self._tried_at + _RECONNECT_SECS - self._clock()
        if self._failure is not None and wait_secs > 0:  # found out while we waited for the lock
            raise TryAgainLater(str(self._failure), code=self._failure.code)
        self._closing.wait(max(wait_secs, 0))
        self._close_spent_clients()
        try:
            with explained_silence(self._settings.bootstrap_servers):
                max_record_bytes = self._max_record_bytes()
                client = _Client(self._producer_options, max_record_bytes)
        except TryAgainLater as error:
            self._failure = error
            raise
        finally:
            self._tried_at = self._clock()
        self._failure = None
        return client

    def _max_record_bytes(self) -> int:
        admin = TopicAdmin(self._settings)
        try:
            if admin.describe() is None:
                reason = f"topic {self._settings.topic} does not exist on {self._settings.bootstrap_servers}"
                raise TryAgainLater(reason, code=KafkaCode.UNKNOWN_TOPIC)
            return self._topic_limit(admin)
        finally:
            admin.close()

    def _topic_limit(self, admin: TopicAdmin) -> int:
        # Known here, because a record that the broker refuses is the end of an idempotent producer, which then
        # fails everything that is in flight.
        try:
            return int(admin.configs()["max.message.bytes"])
        except (TryAgainLater, KeyError) as error:
            _log.warning("limit of the topic is not known, %d bytes are assumed: %s", _USUAL_MAX_RECORD_BYTES, error)
            return _USUAL_MAX_RECORD_BYTES

    def _retire_if_spent(self, client: "_Client", error: Exception) -> None:
        """Replace a producer that met an error which is no passing one: it would fail all records from now on."""
        if isinstance(error, KafkaError) and error.retriable:
            return
        with self._swapping:
            if self._client is client:
                self._client = None
                self._spent_clients.append(client)

    def _close_spent_clients(self) -> None:
        while self._spent_clients:
            self._spent_clients.pop().close(is_settled=False)

    def _too_large(self, record_bytes: int, max_bytes: int) -> Refused:
        return Refused(
            f"a record of {record_bytes} bytes is larger than topic {self._settings.topic} allows ({max_bytes} bytes)",
            code=KafkaCode.TOO_LARGE,
        )

    def _not_sent(self, error: Exception) -> TryAgainLater:
        return TryAgainLater(f"cannot publish to topic {self._settings.topic}: {error}", code=code_of(error))

    def _not_acknowledged(self, error: Exception, cost: int) -> TryAgainLater | Refused:
        # A smaller record shares its batch with others and may have failed because of one of them.
        code = code_of(error)
        if isinstance(error, _ABOUT_THE_RECORD) and cost > _BATCH_BYTES + _OVERHEAD_BYTES:
            return Refused(f"topic {self._settings.topic} refused the record: {error}", code=code)
        if isinstance(error, (KafkaTimeoutError, RequestTimedOutError)):
            reason = f"not acknowledged within {self._delivery_timeout_secs:g} s"
        elif isinstance(error, IllegalStateError):
            reason, code = "not acknowledged before the publisher was closed", KafkaCode.CLOSED
        else:
            reason = f"not acknowledged: {error}"
        return TryAgainLater(reason, code=code, is_outcome_unknown=True)


class KafkaAcknowledgement:
    """Told when all in-sync replicas have a record, or that they may not have it."""

    __slots__ = ("_future", "_translated")

    def __init__(self, future: Any, translated: Callable[[Exception], TryAgainLater | Refused]) -> None:
        self._future = future
        self._translated = translated

    def result(self, timeout_secs: float) -> None:
        """Wait until the record is acknowledged.

        Raises:
            Refused: Kafka will not take this record.
            TryAgainLater: it is not acknowledged, or not yet.
        """
        try:
            self._future.get(timeout_secs)
        except KafkaError as error:
            raise self._translated(error) from error


class InFlight:
    """Bytes that were handed over and are not settled. Whoever brings more than there is room for waits."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._changed = threading.Condition()

    def enter(self, size: int, timeout_secs: float) -> bool:
        """Take room; False if there was none in time. A record larger than all room is let in alone."""
        with self._changed:
            has_room = self._fits(size) or self._changed.wait_for(lambda: self._fits(size), timeout_secs)
            if has_room:
                self._bytes += size
            return has_room

    def leave(self, size: int) -> None:
        """Give room back."""
        with self._changed:
            self._bytes -= size
            if self._bytes * 2 <= self._max_bytes:  # waking for every record would cost more than sending it
                self._changed.notify_all()

    def wait_until_empty(self, timeout_secs: float) -> bool:
        """Whether everything was settled in time."""
        with self._changed:
            return self._changed.wait_for(lambda: self._bytes == 0, timeout_secs)

    def _fits(self, size: int) -> bool:
        return self._bytes == 0 or self._bytes + size <= self._max_bytes


class _Client:
    """One producer of kafka-python, with the limit it was made for."""

    def __init__(self, options: dict[str, Any], max_record_bytes: int) -> None:
        self.max_record_bytes = max_record_bytes
        self.producer: Any = KafkaProducer(
            **options, batch_size=min(_BATCH_BYTES, max_record_bytes), max_request_size=max_record_bytes
        )

    def close(self, *, is_settled: bool) -> None:
        """Disconnect; what is not settled fails."""
        if not is_settled:
            fail_what_is_in_flight(self.producer, _CLOSE_SECS)
        self.producer.close(timeout=_CLOSE_SECS)


if TYPE_CHECKING:

    def _is_a_log_publisher(publisher: KafkaPublisher) -> LogPublisher:
        return publisher
