"""The local broker is a real one: durability and authentication."""

from __future__ import annotations

import base64
import gc
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.admin import NewTopic
from kafka.errors import KafkaError
from kafka.net.sasl.oauth import AbstractTokenProvider

from local.errors import LocalError
from local.kafka import KafkaServer
from local.kafka_security import KafkaSecurity
from local.ports import free_port
from tests.support.servers import RunningKafka

pytestmark = pytest.mark.stack


class _UnsecuredToken(AbstractTokenProvider):  # type: ignore[misc]  # kafka-python has no types
    """A token for the broker: unsigned claims."""

    def token(self) -> str:
        now = time.time()
        parts = ({"alg": "none"}, {"sub": "alice", "iat": now, "exp": now + 600})
        return (
            ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."
        )


def _create_topic(bootstrap_servers: str, name: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=bootstrap_servers)
    admin.create_topics([NewTopic(name, 1, 1)])
    admin.close()


def _send(topic: str, value: bytes, **options: Any) -> int:
    producer = KafkaProducer(acks="all", **options)
    try:
        return int(producer.send(topic, value).get(20).offset)
    finally:
        producer.close()


def _read(bootstrap_servers: str, topic: str, count: int) -> list[bytes]:
    consumer = KafkaConsumer(
        topic, bootstrap_servers=bootstrap_servers, auto_offset_reset="earliest", consumer_timeout_ms=20_000
    )
    try:
        return [next(consumer).value for _ in range(count)]
    finally:
        consumer.close()


def test_sent_records_are_read(kafka: RunningKafka) -> None:
    _create_topic(kafka.bootstrap_servers, "local-test")

    assert _send("local-test", b"one", bootstrap_servers=kafka.bootstrap_servers) == 0
    assert _read(kafka.bootstrap_servers, "local-test", 1) == [b"one"]


@pytest.fixture
def own_kafka(tmp_path: Path) -> Iterator[KafkaServer]:
    """A broker that a test may kill."""
    server = KafkaServer(tmp_path / "kafka", free_port())
    server.start()
    yield server
    server.kill()


def test_acknowledged_records_survive_a_stop_and_a_kill(own_kafka: KafkaServer) -> None:
    servers = own_kafka.bootstrap_servers
    _create_topic(servers, "t")

    _send("t", b"before the stop", bootstrap_servers=servers)
    own_kafka.stop()
    own_kafka.start()
    _send("t", b"before the kill", bootstrap_servers=servers)
    own_kafka.kill()
    own_kafka.start()

    assert _read(servers, "t", 2) == [b"before the stop", b"before the kill"]


def test_a_paused_broker_answers_when_it_is_resumed(own_kafka: KafkaServer) -> None:
    _create_topic(own_kafka.bootstrap_servers, "t")
    producer = KafkaProducer(bootstrap_servers=own_kafka.bootstrap_servers, acks="all")
    producer.send("t", b"one").get(20)

    own_kafka.pause()
    sent = producer.send("t", b"two")
    with pytest.raises(KafkaError):
        sent.get(1)
    own_kafka.resume()

    assert sent.get(20).offset == 1
    producer.close()


def test_a_setting_that_kafka_rejects_is_reported(tmp_path: Path) -> None:
    server = KafkaServer(tmp_path / "kafka", free_port(), properties={"num.partitions": "many"})

    with pytest.raises(LocalError, match=r"num\.partitions"):
        server.start()


def test_a_broker_with_zookeeper_serves_as_well(tmp_path: Path) -> None:
    server = KafkaServer(tmp_path / "kafka", free_port(), mode="zookeeper")
    try:
        server.start()
        _create_topic(server.bootstrap_servers, "t")
        _send("t", b"one", bootstrap_servers=server.bootstrap_servers)
        server.stop()
        server.start()
        _send("t", b"two", bootstrap_servers=server.bootstrap_servers)
        server.kill()
        server.start()

        assert _read(server.bootstrap_servers, "t", 2) == [b"one", b"two"]
    finally:
        server.kill()


@pytest.fixture(scope="module")
def guarded_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    """A broker with TLS and SASL and the user alice."""
    directory = tmp_path_factory.mktemp("guarded-kafka")
    security = KafkaSecurity.create(directory / "tls", {"alice": "secret"})
    server = KafkaServer(directory / "kafka", free_port(), security=security)
    server.start()
    _create_topic(server.bootstrap_servers, "t")
    yield server
    server.kill()


def _sasl(server: KafkaServer, mechanism: str, **options: Any) -> dict[str, Any]:
    assert server.security.certificates is not None
    return {
        "bootstrap_servers": server.security.sasl_ssl_bootstrap_servers,
        "security_protocol": "SASL_SSL",
        "ssl_cafile": str(server.security.certificates.ca_file),
        "sasl_mechanism": mechanism,
        **options,
    }


def test_a_client_connects_over_tls(guarded_kafka: KafkaServer) -> None:
    security = guarded_kafka.security
    assert security.certificates is not None

    offset = _send(
        "t",
        b"over TLS",
        bootstrap_servers=security.ssl_bootstrap_servers,
        security_protocol="SSL",
        ssl_cafile=str(security.certificates.ca_file),
    )

    assert offset >= 0


# kafka-python leaves its sockets to the garbage collector when a login fails.
@pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_a_user_is_authenticated_only_with_the_password(guarded_kafka: KafkaServer, mechanism: str) -> None:
    login = {"sasl_plain_username": "alice", "sasl_plain_password": "secret"}
    wrong = {**login, "sasl_plain_password": "wrong", "bootstrap_timeout_ms": 3000}

    assert _send("t", b"with a password", **_sasl(guarded_kafka, mechanism, **login)) >= 0
    with pytest.raises(KafkaError):
        _send("t", b"never", **_sasl(guarded_kafka, mechanism, **wrong))
    gc.collect()


def test_a_token_is_taken(guarded_kafka: KafkaServer) -> None:
    options = _sasl(guarded_kafka, "OAUTHBEARER", sasl_oauth_token_provider=_UnsecuredToken())

    assert _send("t", b"with a token", **options) >= 0


def test_a_taken_port_is_reported_in_one_sentence(guarded_kafka: KafkaServer, tmp_path: Path) -> None:
    with pytest.raises(LocalError, match=r"Port \d+ for Kafka cannot be used"):
        KafkaServer(tmp_path / "second", guarded_kafka.port).start()
