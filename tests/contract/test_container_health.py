"""The health check of Kafka's container, against a real broker."""

from __future__ import annotations

import subprocess
from urllib.parse import urlsplit

import pytest

from local.ports import free_port
from tests.support.compose import KRAFT, ZOOKEEPER, services
from tests.support.servers import RunningKafka


def check(files: tuple[str, ...], host: str, port: int) -> int:
    """The exit code of the check, sent to another address."""
    kind, *command = services(files)["kafka"]["healthcheck"]["test"]
    assert kind == "CMD"
    # Compose shows `$` as it would have to be written in its files.
    command = [word.replace("127.0.0.1/19092", f"{host}/{port}").replace("$$", "$") for word in command]
    return subprocess.run(command, capture_output=True, timeout=10, check=False).returncode


@pytest.mark.stack
@pytest.mark.parametrize("files", [KRAFT, ZOOKEEPER], ids=["kraft", "zookeeper"])
def test_a_broker_that_responds_is_healthy(kafka: RunningKafka, files: tuple[str, ...]) -> None:
    address = urlsplit(f"//{kafka.bootstrap_servers}")

    assert check(files, str(address.hostname), address.port or 0) == 0


def test_without_a_broker_it_is_not() -> None:
    assert check(KRAFT, "127.0.0.1", free_port()) != 0
