"""How every Kafka client of the service connects (addresses, TLS, SASL), reads and sends."""

from pathlib import Path
from typing import Any, Literal

from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from kafka.net.sasl.oauth import AbstractTokenProvider
from kafka.partitioner import StickyPartitioner

from app.backends.kafka.sharing import EvenAssignor
from app.settings import KafkaSettings

Compression = Literal["none", "gzip", "snappy", "lz4", "zstd"]

RECONNECT_MAX_MS = 1_000  # with the client's own 30 s, a recovered Kafka would go unnoticed that long
REQUEST_SECS = 10.0
_PRODUCE_SECS = 30.0

# One poll is one chunk per partition: large enough to make work per chunk negligible, small enough to keep a turn of
# the loop well under a second.
MAX_POLL_RECORDS = 5_000
# Kafka responds to a fetch when it has this many bytes, or after this time. Without that, every few records would be a
# fetch, a poll and a chunk of their own: most of the cost of a steady low load, as fetches are that of an idle service.
FETCH_MIN_BYTES = 128 * 1024
FETCH_WAIT_SECS = 0.1  # unless the reader says how long its records may wait
_FETCH_MAX_BYTES = 8 * 1024 * 1024
_PARTITION_FETCH_MAX_BYTES = 1 * 1024 * 1024
METADATA_SECS = 10.0  # added partitions and a recreated topic are noticed within this time


def connection_options(settings: KafkaSettings) -> dict[str, Any]:
    """Keyword arguments that a consumer, a producer and an admin client share."""
    options: dict[str, Any] = {
        "bootstrap_servers": [server.strip() for server in settings.bootstrap_servers.split(",")],
        "security_protocol": settings.security_protocol,
        "reconnect_backoff_max_ms": RECONNECT_MAX_MS,
    }
    if settings.security_protocol.endswith("SSL"):
        options |= _tls_options(settings)
    if settings.sasl_mechanism == "OAUTHBEARER":
        options |= {"sasl_mechanism": "OAUTHBEARER", "sasl_oauth_token_provider": token_provider(settings)}
    elif settings.sasl_mechanism and settings.sasl_password:
        options |= {
            "sasl_mechanism": settings.sasl_mechanism,
            "sasl_plain_username": settings.sasl_username,
            "sasl_plain_password": settings.sasl_password.get_secret_value(),
        }
    return options


# The library's defaults would skip records of a new group, commit unstored records, and return records of aborted
# transactions.
_EXACT_READING = {
    "auto_offset_reset": "none",
    "enable_auto_commit": False,
    "isolation_level": "read_committed",
    "allow_auto_create_topics": False,
}


def consumer_options(
    settings: KafkaSettings,
    metadata_secs: float = METADATA_SECS,
    max_poll_records: int = MAX_POLL_RECORDS,
    fetch_wait_secs: float = FETCH_WAIT_SECS,
) -> dict[str, Any]:
    """Keyword arguments of the consumer that reads records to store them."""
    return connection_options(settings) | {
        "group_id": settings.group_id,
        "client_id": "log-ingest",
        **_EXACT_READING,
        "session_timeout_ms": int(settings.session_timeout_secs * 1000),
        "heartbeat_interval_ms": int(settings.session_timeout_secs * 1000 / 5),
        "max_poll_interval_ms": int(settings.max_poll_interval_secs * 1000),
        "request_timeout_ms": int(REQUEST_SECS * 1000),
        "bootstrap_timeout_ms": int(REQUEST_SECS * 1000),
        "metadata_max_age_ms": int(metadata_secs * 1000),
        "partition_assignment_strategy": _assignors(settings),
        "max_poll_records": max_poll_records,
        "fetch_min_bytes": FETCH_MIN_BYTES,
        "fetch_max_wait_ms": int(fetch_wait_secs * 1000),
        "fetch_max_bytes": _FETCH_MAX_BYTES,
        "max_partition_fetch_bytes": _PARTITION_FETCH_MAX_BYTES,
        "metrics_enabled": False,
    }


def member_options(settings: KafkaSettings, metadata_secs: float) -> dict[str, Any]:
    """Keyword arguments of a consumer that is a member of the group while another client fetches its records."""
    # It fetches before it can be told not to, when it is assigned partitions: one batch then, which is thrown away.
    return consumer_options(settings, metadata_secs) | {"fetch_max_bytes": 1, "max_partition_fetch_bytes": 1}


def _assignors(settings: KafkaSettings) -> tuple[type, ...]:
    """The ways to share partitions, the preferred one first; one that all members of a group know counts."""
    ways = (RangePartitionAssignor, RoundRobinPartitionAssignor)  # the client's own, for groups of one topic
    return ways if settings.topic_choice.is_only_main else (EvenAssignor, RangePartitionAssignor)


def groupless_consumer_options(
    settings: KafkaSettings, client_id: str, *, request_ms: int, max_poll_records: int
) -> dict[str, Any]:
    """Keyword arguments of a consumer that is in no group and reads the records that the service reads."""
    own = {
        "group_id": None,
        "client_id": client_id,
        "request_timeout_ms": request_ms,
        "bootstrap_timeout_ms": request_ms,
        "max_poll_records": max_poll_records,
        "metrics_enabled": False,
    }
    return connection_options(settings) | _EXACT_READING | own


def producer_options(
    settings: KafkaSettings, compression: Compression, linger_secs: float, delivery_timeout_secs: float
) -> dict[str, Any]:
    """Keyword arguments of an idempotent producer, which neither loses nor duplicates records; without size limits."""
    return connection_options(settings) | {
        "acks": "all",
        "enable_idempotence": True,
        "compression_type": None if compression == "none" else compression,
        "partitioner": StickyPartitioner(),
        "linger_ms": int(linger_secs * 1000),
        "delivery_timeout_ms": int(delivery_timeout_secs * 1000),
        "request_timeout_ms": int(min(_PRODUCE_SECS, delivery_timeout_secs - linger_secs) * 1000),
        "max_block_ms": int(min(REQUEST_SECS, delivery_timeout_secs) * 1000),
        "bootstrap_timeout_ms": int(REQUEST_SECS * 1000),
        "allow_auto_create_topics": False,  # the service creates the topic, with the settings that it needs
        "metrics_enabled": False,
    }


def _tls_options(settings: KafkaSettings) -> dict[str, Any]:
    def text(path: Path | None) -> str | None:
        return str(path) if path else None

    password = settings.ssl_key_password
    return {
        "ssl_cafile": text(settings.ssl_ca_file),
        "ssl_certfile": text(settings.ssl_cert_file),
        "ssl_keyfile": text(settings.ssl_key_file),
        "ssl_password": password.get_secret_value() if password else None,
        "ssl_check_hostname": settings.ssl_check_hostname,
    }


def token_provider(settings: KafkaSettings) -> AbstractTokenProvider:
    if settings.sasl_oauth_provider == "google":
        from app.backends.kafka.google_token import GoogleTokenProvider  # imported only if google-auth is needed

        return GoogleTokenProvider()
    assert settings.sasl_oauth_token_file is not None  # settings refuse to start without it
    return FileTokenProvider(settings.sasl_oauth_token_file)


class FileTokenProvider(AbstractTokenProvider):  # type: ignore[misc]
    """A bearer token that another program keeps fresh in a file, as Kubernetes does for projected tokens."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def token(self) -> str:
        return self._path.read_text(encoding="utf-8").strip()
