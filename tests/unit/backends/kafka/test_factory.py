"""Which client fetches."""

import logging
from pathlib import Path
from typing import Any

import pytest

from app.backends.kafka.compiled_fetcher import Fetcher
from app.backends.kafka.confluent_client import ConfluentClient
from app.backends.kafka.factory import confluent_client, require_client
from app.environment import read_settings
from app.errors import BadSettings
from app.settings import KafkaSettings


def settings(**environ: str) -> KafkaSettings:
    return read_settings({"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1", **environ}).kafka


@pytest.fixture
def unusable(tmp_path: Path) -> dict[str, str]:
    """Settings with which librdkafka makes no client."""
    file = tmp_path / "ca.pem"
    file.write_text("not a certificate", encoding="utf-8")
    return {"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_SSL_CA_FILE": str(file)}


def test_a_client_that_is_wanted_and_not_installed_stops_the_start() -> None:
    with pytest.raises(BadSettings, match=r"KAFKA_CLIENT=confluent needs the package confluent-kafka"):
        require_client(settings(KAFKA_CLIENT="confluent"), is_installed=lambda: False)


@pytest.mark.parametrize("client", ["auto", "kafka-python"])
def test_no_other_client_has_to_be_installed(client: str) -> None:
    require_client(settings(KAFKA_CLIENT=client), is_installed=lambda: False)


def test_a_client_that_is_wanted_and_cannot_do_it_stops_the_start(unusable: dict[str, str]) -> None:
    with pytest.raises(BadSettings, match=r"KAFKA_CLIENT=confluent cannot be used .*ssl\.ca\.location"):
        require_client(settings(KAFKA_CLIENT="confluent", **unusable))


def test_if_it_is_left_to_us_kafka_python_takes_over_and_the_log_says_why(
    unusable: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert confluent_client(settings(**unusable), metadata_secs=1.0) is None

    assert "ssl.ca.location" in caplog.text


def test_if_compiled_code_does_not_know_the_library_records_are_taken_without_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def new_fetcher(*_: Any, **__: Any) -> Fetcher:
        raise OSError("the library has no rd_kafka_version")

    with caplog.at_level(logging.WARNING):
        client = confluent_client(settings(), metadata_secs=1.0, new_fetcher=new_fetcher)

    assert isinstance(client, ConfluentClient)
    client.close()
    assert "one by one, which needs more CPU: the library has no rd_kafka_version" in caplog.text


def test_left_to_us_it_is_the_one_that_needs_less() -> None:
    client = confluent_client(settings(), metadata_secs=1.0)
    assert client is not None
    client.close()
    assert confluent_client(settings(KAFKA_CLIENT="kafka-python"), metadata_secs=1.0) is None
