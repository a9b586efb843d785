"""RecordReader on Kafka: reads one record at a time, in no group; commits nothing."""

import threading
import time
import uuid
from collections.abc import Callable
from contextlib import closing, contextmanager
from typing import Any, Final

from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError, OffsetOutOfRangeError, UnknownTopicIdError, for_code

from app.backends.kafka.errors import try_again
from app.backends.kafka.options import connection_options, groupless_consumer_options
from app.backends.kafka.workarounds import open_client
from app.domain.records import OneRecord
from app.errors import KafkaCode, TryAgainLater
from app.settings import KafkaSettings

_REQUEST_MS: Final = 2_000  # somebody waits for it in a browser
_READ_SECS: Final = 3.0
_WAIT_SECS: Final = 5.0
_MANY_REQUEST_MS: Final = 20_000  # a command may wait longer


class KafkaRecords:
    """Reads records of the topics. See `ports.RecordReader`. Connects for each: it is rare that somebody asks."""

    def __init__(self, settings: KafkaSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._alone = threading.Lock()

    def read(self, topic_id: str, partition: int, offset: int) -> OneRecord | None:
        """See `ports.RecordReader`."""
        doing = f"read offset {offset} of partition {partition} of the topic with the id {topic_id}"
        if not self._alone.acquire(timeout=_WAIT_SECS):  # many askers must not become many connections
            raise TryAgainLater(f"cannot {doing}: other records are being read", code=KafkaCode.TIMEOUT)
        try:
            topic = _name_of(self._settings, topic_id, _REQUEST_MS)
            return self._read(TopicPartition(topic, partition), offset) if topic is not None else None
        except OffsetOutOfRangeError:
            return None
        except (KafkaError, OSError) as error:
            raise try_again(error, doing) from error
        finally:
            self._alone.release()

    def _read(self, wanted: TopicPartition, offset: int) -> OneRecord | None:
        with _left_group(_consumer(self._settings, _REQUEST_MS)) as consumer:
            consumer.assign([wanted])
            return _record_at(consumer, wanted, offset, self._clock, _READ_SECS)


class KafkaRecordReading:
    """Reads many records, one by one, with one connection. See `ports.RecordReader`. One thread at a time."""

    def __init__(self, settings: KafkaSettings, clock: Callable[[], float] = time.monotonic) -> None:
        """Does not connect yet; the first call does."""
        self._settings = settings
        self._clock = clock
        self._names: dict[str, str | None] = {}
        self._consumer: KafkaConsumer | None = None

    def read(self, topic_id: str, partition: int, offset: int) -> OneRecord | None:
        """See `ports.RecordReader`."""
        try:
            if topic_id not in self._names:
                self._names[topic_id] = _name_of(self._settings, topic_id, _MANY_REQUEST_MS)
            topic = self._names[topic_id]
            return None if topic is None else self._read(TopicPartition(topic, partition), offset)
        except OffsetOutOfRangeError:
            return None
        except (KafkaError, OSError) as error:
            doing = f"read offset {offset} of partition {partition} of the topic with the id {topic_id}"
            raise try_again(error, doing) from error

    def _read(self, wanted: TopicPartition, offset: int) -> OneRecord | None:
        if self._consumer is None:
            self._consumer = _consumer(self._settings, _MANY_REQUEST_MS)
        if wanted not in self._consumer.assignment():
            self._consumer.assign([wanted])
        return _record_at(self._consumer, wanted, offset, self._clock, _MANY_REQUEST_MS / 1000)

    def close(self) -> None:
        """End the connection."""
        if self._consumer is not None:
            self._consumer.close(autocommit=False)


def _name_of(settings: KafkaSettings, topic_id: str, request_ms: int) -> str | None:
    """The name of the topic with this id, whether it is read still or not; None if it is no longer there."""
    try:
        wanted = uuid.UUID(topic_id)
    except ValueError:  # of no Kafka
        return None
    patience = {"request_timeout_ms": request_ms, "bootstrap_timeout_ms": request_ms}
    with closing(open_client(KafkaAdminClient, connection_options(settings) | patience)) as admin:
        [topic] = admin.describe_topics([wanted])
    if topic["error_code"] == UnknownTopicIdError.errno:
        return None
    if topic["error_code"]:
        raise for_code(topic["error_code"])(f"topic with the id {topic_id}")
    return str(topic["name"])


def _consumer(settings: KafkaSettings, request_ms: int) -> KafkaConsumer:
    options = groupless_consumer_options(settings, "log-explain", request_ms=request_ms, max_poll_records=1)
    return open_client(KafkaConsumer, options)


def _record_at(
    consumer: KafkaConsumer, wanted: TopicPartition, offset: int, clock: Callable[[], float], patience_secs: float
) -> OneRecord | None:
    consumer.seek(wanted, offset)
    deadline = clock() + patience_secs
    while clock() < deadline:
        for found in consumer.poll(timeout_ms=200).get(wanted, ()):
            is_wanted = found.offset == offset  # of a compacted topic it may be a later one
            return OneRecord(found.timestamp, found.value, found.headers, found.key) if is_wanted else None
    raise TryAgainLater(f"Kafka returns nothing at offset {offset} of {wanted}", code=KafkaCode.TIMEOUT)


@contextmanager
def _left_group(consumer: KafkaConsumer) -> Any:
    try:
        yield consumer
    finally:
        consumer.close(autocommit=False)
