"""How librdkafka, the library behind confluent-kafka, connects and fetches: the same settings in its own words."""

import ssl
import time
from collections.abc import Callable
from typing import Any, Final

from app.backends.kafka.options import (
    FETCH_MIN_BYTES,
    FETCH_WAIT_SECS,
    RECONNECT_MAX_MS,
    REQUEST_SECS,
    token_provider,
)
from app.settings import KafkaSettings

# librdkafka unpacks a whole response as it arrives, beside what waits to be taken, and a record takes 300 bytes beside
# its own. So responses are small: short lines that pack 35 to one take 40 MB then, and with 1 MiB they took 180.
_FETCH_MAX_BYTES: Final = 256 * 1024
_QUEUE_MAX_KB: Final = 16 * 1024
_QUEUE_MIN_RECORDS: Final = 20_000  # from here on nothing is fetched until some are taken
_QUEUE_FULL_MS: Final = 20  # how long it then waits before it looks again; a second by itself
_RESPONSE_MAX_BYTES: Final = 2**31 - 1  # a record of any size is read
_TOKEN_SECS: Final = 60.0  # how long a token is used for new connections before it is asked for again

# Nothing is left to the library that the promise depends on: it is no member of the group, commits nothing, and stops
# at every offset that Kafka does not have.
_EXACT_FETCHING: Final = {
    "auto.offset.reset": "error",
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "isolation.level": "read_committed",
    "check.crcs": True,
    "allow.auto.create.topics": False,
    "enable.partition.eof": True,  # tells how far it has read where no record stands: markers of transactions
    "group.protocol": "classic",
}


def fetching_options(
    settings: KafkaSettings, metadata_secs: float, fetch_wait_secs: float = FETCH_WAIT_SECS
) -> dict[str, Any]:
    """The configuration of a `confluent_kafka.Consumer` that is assigned its partitions and is in no group."""
    return (
        _connection(settings)
        | _EXACT_FETCHING
        | {
            "group.id": settings.group_id,  # wanted even where it is not used: the one that we may read with
            "client.id": "log-ingest",
            "topic.metadata.refresh.interval.ms": int(metadata_secs * 1000),
            "socket.timeout.ms": int(REQUEST_SECS * 1000),
            "fetch.min.bytes": FETCH_MIN_BYTES,
            "fetch.wait.max.ms": int(fetch_wait_secs * 1000),
            "fetch.max.bytes": _FETCH_MAX_BYTES,
            "fetch.message.max.bytes": _FETCH_MAX_BYTES,
            "message.max.bytes": _FETCH_MAX_BYTES,  # or it would raise the first to this one
            "receive.message.max.bytes": _RESPONSE_MAX_BYTES,
            "queued.max.messages.kbytes": _QUEUE_MAX_KB,
            "queued.min.messages": _QUEUE_MIN_RECORDS,
            "fetch.queue.backoff.ms": _QUEUE_FULL_MS,
            "enable.metrics.push": False,
        }
    )


def _connection(settings: KafkaSettings) -> dict[str, Any]:
    options: dict[str, Any] = {
        "bootstrap.servers": settings.bootstrap_servers,
        "security.protocol": settings.security_protocol,
        "reconnect.backoff.max.ms": RECONNECT_MAX_MS,
    }
    if settings.security_protocol.endswith("SSL"):
        options |= _tls(settings)
    if settings.sasl_mechanism == "OAUTHBEARER":
        options |= {"sasl.mechanisms": "OAUTHBEARER", "oauth_cb": _tokens(settings)}
    elif settings.sasl_mechanism and settings.sasl_password:
        options |= {
            "sasl.mechanisms": settings.sasl_mechanism,
            "sasl.username": settings.sasl_username,
            "sasl.password": settings.sasl_password.get_secret_value(),
        }
    return options


def _tls(settings: KafkaSettings) -> dict[str, Any]:
    system = ssl.get_default_verify_paths()  # what kafka-python trusts; librdkafka has a list of its own
    password = settings.ssl_key_password
    given = {
        "ssl.ca.location": settings.ssl_ca_file or system.cafile or system.capath,
        "ssl.certificate.location": settings.ssl_cert_file,
        "ssl.key.location": settings.ssl_key_file,
        "ssl.key.password": password.get_secret_value() if password else None,
    }
    identification = "https" if settings.ssl_check_hostname else "none"
    return {name: str(value) for name, value in given.items() if value} | {
        "ssl.endpoint.identification.algorithm": identification
    }


def _tokens(settings: KafkaSettings) -> Callable[[str], tuple[str, float]]:
    provider = token_provider(settings)

    def token(_: str) -> tuple[str, float]:
        return provider.token(), time.time() + _TOKEN_SECS

    return token
