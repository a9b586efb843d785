"""How Kafka's clients connect."""

from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer, KafkaProducer

from app.backends.kafka.options import FileTokenProvider, connection_options, consumer_options, producer_options
from app.environment import read_settings


def options(**environ: str) -> dict[str, Any]:
    return connection_options(read_settings(environ).kafka)


def test_plain_text_needs_addresses_only() -> None:
    assert options(KAFKA_BOOTSTRAP_SERVERS="a:9092, b:9092") == {
        "bootstrap_servers": ["a:9092", "b:9092"],
        "security_protocol": "PLAINTEXT",
        "reconnect_backoff_max_ms": 1_000,
    }


def test_tls_names_its_files(file: str) -> None:
    made = options(
        KAFKA_SECURITY_PROTOCOL="SSL",
        KAFKA_SSL_CA_FILE=file,
        KAFKA_SSL_CERT_FILE=file,
        KAFKA_SSL_KEY_FILE=file,
        KAFKA_SSL_KEY_PASSWORD="geheim",
        KAFKA_SSL_CHECK_HOSTNAME="false",
    )

    assert {name: value for name, value in made.items() if name.startswith("ssl_")} == {
        "ssl_cafile": file,
        "ssl_certfile": file,
        "ssl_keyfile": file,
        "ssl_password": "geheim",
        "ssl_check_hostname": False,
    }


def test_tls_without_files_trusts_the_system_and_checks_the_host() -> None:
    made = options(KAFKA_SECURITY_PROTOCOL="SSL")

    assert (made["ssl_cafile"], made["ssl_certfile"], made["ssl_check_hostname"]) == (None, None, True)


@pytest.mark.parametrize("protocol", ["SASL_SSL", "SASL_PLAINTEXT"])
@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_a_password_is_passed_unchanged(protocol: str, mechanism: str) -> None:
    made = options(
        KAFKA_SECURITY_PROTOCOL=protocol,
        KAFKA_SASL_MECHANISM=mechanism,
        KAFKA_SASL_USERNAME="u",
        KAFKA_SASL_PASSWORD="p ",
    )

    assert made["security_protocol"] == protocol
    assert (made["sasl_mechanism"], made["sasl_plain_username"], made["sasl_plain_password"]) == (mechanism, "u", "p ")
    assert ("ssl_cafile" in made) == (protocol == "SASL_SSL")


def test_a_token_is_read_anew_each_time(file: str) -> None:
    made = options(
        KAFKA_SECURITY_PROTOCOL="SASL_SSL", KAFKA_SASL_MECHANISM="OAUTHBEARER", KAFKA_SASL_OAUTH_TOKEN_FILE=file
    )

    provider = made["sasl_oauth_token_provider"]
    assert isinstance(provider, FileTokenProvider)
    assert provider.token() == "token-1"
    Path(file).write_text("token-2", encoding="utf-8")
    assert provider.token() == "token-2"
    assert "sasl_plain_password" not in made


def test_the_client_knows_every_option(file: str) -> None:
    made = options(
        KAFKA_SECURITY_PROTOCOL="SASL_SSL", KAFKA_SASL_MECHANISM="OAUTHBEARER", KAFKA_SASL_OAUTH_TOKEN_FILE=file
    )
    plain = options(
        KAFKA_SECURITY_PROTOCOL="SASL_SSL",
        KAFKA_SASL_MECHANISM="PLAIN",
        KAFKA_SASL_USERNAME="u",
        KAFKA_SASL_PASSWORD="p",
    )

    reading = consumer_options(read_settings({}).kafka)

    sending = producer_options(read_settings({}).kafka, "lz4", linger_secs=0.02, delivery_timeout_secs=120.0)

    assert made.keys() | plain.keys() | sending.keys() <= KafkaProducer.DEFAULT_CONFIG.keys()
    assert made.keys() | plain.keys() | reading.keys() <= KafkaConsumer.DEFAULT_CONFIG.keys()


def test_a_poll_returns_no_more_than_its_reader_wants() -> None:
    assert consumer_options(read_settings({}).kafka)["max_poll_records"] == 5_000
    assert consumer_options(read_settings({}).kafka, max_poll_records=7)["max_poll_records"] == 7


def test_a_record_waits_for_the_topics_partitions_no_longer_than_for_its_delivery() -> None:
    sending = producer_options(read_settings({}).kafka, "lz4", linger_secs=0.005, delivery_timeout_secs=2.0)

    assert sending["max_block_ms"] == 2_000
