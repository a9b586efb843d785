"""The only module that chooses which Kafka client reads."""

import logging
import time
from collections.abc import Callable, Mapping
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

from kafka import KafkaConsumer

from app.backends.kafka.compiled_fetcher import NewFetcher
from app.backends.kafka.fetching import Fetching, OwnFetching
from app.backends.kafka.options import (
    FETCH_WAIT_SECS,
    MAX_POLL_RECORDS,
    METADATA_SECS,
    consumer_options,
    member_options,
)
from app.backends.kafka.source import KafkaSource
from app.backends.kafka.topics import KafkaTopics, TopicWatch
from app.domain.records import Partition
from app.errors import BadSettings
from app.pipeline.task import Submit
from app.ports import RecordSource
from app.settings import KafkaSettings

if TYPE_CHECKING:  # it imports confluent-kafka, which may be missing
    from app.backends.kafka.fetching_client import FetchingClient

_log = logging.getLogger(__name__)


def open_source(
    settings: KafkaSettings,
    *,
    on_lost: Callable[[Partition, int, int], None],
    on_halted: Callable[[Partition, str], None],
    on_unread: Callable[[Mapping[str, str]], None],
    submit: Submit,
    metadata_secs: float = METADATA_SECS,
    max_poll_records: int = MAX_POLL_RECORDS,
    has_keys: bool = False,
    fetch_wait_secs: float = FETCH_WAIT_SECS,
    new_fetcher: NewFetcher | None = None,
) -> RecordSource:
    """Connect to Kafka as a member of the group. Belongs to the thread that polls.

    `on_lost(partition, first, next)` is called for offsets that Kafka deleted before they were read,
    `on_halted(partition, reason)` for a partition that must not be read any further, and `on_unread` with all topics
    of KAFKA_TOPIC and KAFKA_TOPICS that cannot be read, by name, with the reason, whenever these change: all from
    within `poll`, the last one here too. New topics and partitions, and a recreated topic, are noticed within
    `metadata_secs`; `submit` runs the calls that look for topics. A poll returns `max_poll_records` at most; with
    `has_keys` chunks hold the keys of records. Kafka holds back a few records for `fetch_wait_secs` to gather more.
    `new_fetcher` makes what takes records from librdkafka by compiled code, where that is installed.

    Raises:
        BadSettings: KAFKA_CLIENT names a client that cannot be used.
        TryAgainLater: Kafka does not answer.
    """
    watch = None
    if not settings.topic_choice.is_only_main:
        watch = TopicWatch(
            KafkaTopics(settings), on_unread=on_unread, every_secs=metadata_secs, clock=time.monotonic, submit=submit
        )
    way = _way_to_fetch(settings, metadata_secs, max_poll_records, has_keys, fetch_wait_secs, new_fetcher)
    try:
        return KafkaSource(
            settings,
            topics=KafkaTopics(settings),
            watch=watch,
            on_lost=on_lost,
            on_halted=on_halted,
            options=way.options,
            fetch_by=way.fetch_by,
        )
    except BaseException:
        way.discard()
        raise


def is_confluent_installed() -> bool:
    """Whether confluent-kafka can be imported."""
    return find_spec("confluent_kafka") is not None


def require_client(settings: KafkaSettings, is_installed: Callable[[], bool] = is_confluent_installed) -> None:
    """Check at the start that the client of KAFKA_CLIENT is there and can do what the other settings need.

    Raises:
        BadSettings: it is not, or cannot.
    """
    if settings.client != "confluent":
        return
    if not is_installed():
        raise BadSettings(
            [
                "KAFKA_CLIENT=confluent needs the package confluent-kafka, which is not installed: install it, or use"
                " `auto` or `kafka-python`"
            ]
        )
    if settings.sasl_mechanism != "OAUTHBEARER":  # a client with tokens asks for one at once
        client = confluent_client(settings, METADATA_SECS)
        if client is not None:
            client.close()


class _Way(NamedTuple):
    """A way to fetch: options of the consumer, what fetches for it, and how to get rid of that if it is not used."""

    options: Mapping[str, Any]
    fetch_by: Callable[[KafkaConsumer], Fetching]
    discard: Callable[[], None] = lambda: None


def _way_to_fetch(
    settings: KafkaSettings,
    metadata_secs: float,
    max_poll_records: int,
    has_keys: bool,
    fetch_wait_secs: float,
    new_fetcher: NewFetcher | None,
) -> _Way:
    client = confluent_client(settings, metadata_secs, fetch_wait_secs, has_keys=has_keys, new_fetcher=new_fetcher)
    if client is None:
        options = consumer_options(settings, metadata_secs, max_poll_records, fetch_wait_secs)
        return _Way(options, partial(OwnFetching, has_keys=has_keys))
    from app.backends.kafka.confluent_fetching import ConfluentFetching

    fetch_by = partial(ConfluentFetching, client=client, max_poll_records=max_poll_records)
    return _Way(member_options(settings, metadata_secs), fetch_by, client.close)


def confluent_client(
    settings: KafkaSettings,
    metadata_secs: float,
    fetch_wait_secs: float = FETCH_WAIT_SECS,
    *,
    has_keys: bool = False,
    new_fetcher: NewFetcher | None = None,
) -> "FetchingClient | None":
    """A client that fetches; None if it is not to be used, or cannot be where that is left to us.

    Raises:
        BadSettings: it cannot be used, and the settings want it.
    """
    if settings.client == "kafka-python" or not is_confluent_installed():
        return None
    from app.backends.kafka.confluent_client import ConfluentClient
    from app.backends.kafka.confluent_options import fetching_options
    from app.backends.kafka.fetching_client import UnsupportedOption
    from app.backends.kafka.packed_client import PackedClient

    options = fetching_options(settings, metadata_secs, fetch_wait_secs)
    try:
        if new_fetcher is not None:
            try:
                return PackedClient(new_fetcher, options, has_keys=has_keys)
            except OSError as error:
                _log.warning("Records are taken from confluent-kafka one by one, which needs more CPU: %s", error)
        return ConfluentClient(options, has_keys=has_keys)
    except UnsupportedOption as error:
        if settings.client == "confluent":
            raise BadSettings([f"KAFKA_CLIENT=confluent cannot be used with the other settings: {error}"]) from error
        _log.warning("Reading with kafka-python, which needs more CPU, since confluent-kafka cannot be used: %s", error)
        return None
