"""Cloud Run's contract: the image, with the settings of deploy/cloudrun, against real Kafka and the real engine.

TLS with a private CA, passwords, PORT, requests as Google's front end sends them, one CPU, 512 MiB, a spell without
CPU, and SIGTERM right behind a stream. It takes minutes, so it runs only as `make cloud-run-contract`.
https://cloud.google.com/run/docs/container-contract
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app.backends.clickhouse.client import connect
from app.settings import ClickHouseSettings
from local.certificates import Certificates
from local.engine.server import EngineServer
from local.kafka import KafkaServer
from local.kafka_security import KafkaSecurity
from local.ports import free_port
from tests.image.builder import Image, why_impossible
from tests.image.running import Service, running
from tests.support.cloudrun import Rehearsal, environment_of, rehearse

pytestmark = [
    pytest.mark.image,
    pytest.mark.skipif(why_impossible() is not None, reason=str(why_impossible())),
    pytest.mark.skipif("CLOUD_RUN_CONTRACT" not in os.environ, reason="takes minutes: make cloud-run-contract"),
]

PASSWORD = "secret" * 6  # as `environment_of` says
ONE_CPU = ("taskset", "-c", "0")
MEMORY_MIB = 512
FROZEN_SECS = 20.0  # longer than Kafka's session, so that the group goes on without the instance
PATIENCE_SECS = 120.0
SHAPES = [("service.yaml",), ("ingest.yaml", "front.yaml")]


@dataclass(frozen=True)
class Servers:
    """Kafka and the engine, with TLS and passwords."""

    kafka: KafkaServer
    engine: EngineServer
    certificates: Certificates

    def rows(self) -> tuple[int, int]:
        """Rows in the table, and different texts of them."""
        settings = ClickHouseSettings.model_validate(
            {"url": self.engine.url, "user": "ingest", "password": PASSWORD, "ca_file": self.certificates.ca_file}
        )
        client = connect(settings, timeout_secs=30)
        try:
            [row] = client.query("SELECT count(), uniqExact(Body) FROM logs.logs").result_rows
        finally:
            client.close()
        return row[0], row[1]


@dataclass
class FrontEnd:
    """Sends requests as Google's front end does: HTTP/1.1 on a kept connection, TLS ended before it."""

    service: Service
    token: str
    accepted: list[str] = field(default_factory=list)

    def request(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.service.port, timeout=60)
        headers = {
            "Host": "log-analytics-abc123-ew.a.run.app",
            "Authorization": f"Bearer {self.token}",
            "X-Serverless-Authorization": "Bearer e30.e30.SIGNATURE_REMOVED_BY_GOOGLE",
            "X-Forwarded-For": "203.0.113.9",
            "X-Forwarded-Proto": "https",
        }
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def send(self, count: int) -> None:
        """Send logs of different texts; those that are accepted are remembered."""
        for _ in range(count):
            text = f"log {len(self.accepted)} at {time.monotonic_ns()}"
            status, answer = self.request("POST", "/api/v1/logs", json.dumps({"message": text}).encode())
            assert status // 100 == 2, answer
            self.accepted.append(text)


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Rehearsal:
    return rehearse(tmp_path_factory.mktemp("pages"))


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    certificates = Certificates.create(tmp_path / "tls")
    security = KafkaSecurity(certificates, free_port(), free_port(), {"log-analytics": PASSWORD})
    kafka = KafkaServer(tmp_path / "kafka", free_port(), security=security)
    engine = EngineServer(tmp_path / "engine", free_port(), user="ingest", password=PASSWORD, certificates=certificates)
    kafka.start()
    engine.start()
    yield Servers(kafka, engine, certificates)
    kafka.stop()
    engine.stop()


@pytest.mark.parametrize("shape", SHAPES, ids="+".join)
def test_no_acknowledged_log_is_lost_or_doubled(
    image: Image, servers: Servers, rehearsal: Rehearsal, shape: Sequence[str], tmp_path: Path
) -> None:
    token, hashes = _token(rehearsal)

    def start(file: str) -> AbstractContextManager[Service]:
        environment = _environment(rehearsal, file, servers, hashes, tmp_path)
        ca = {"/run/log-analytics/ca.pem": servers.certificates.ca_file.read_bytes()}
        return running(image, environment, tmp_path / f"{file}.log", files=ca, limits=ONE_CPU)

    with ExitStack() as stack:
        services = [stack.enter_context(start(file)) for file in shape]
        front = FrontEnd(services[-1], token)
        _wait(lambda: all(service.status("/ready") == 200 for service in services), "all are ready")
        front.send(200)
        _wait(lambda: servers.rows()[0] >= 200, "the first logs are stored")

        _freeze(services)
        front.send(200)
        _wait(lambda: servers.rows()[0] >= 400, "the logs after the freeze are stored")
        assert front.request("GET", "/api/v1/logs?limit=1")[0] == 403  # the token of a shipper reads nothing

        memory = [round(service.most_memory_mib) for service in services]
        front.send(100)
        assert [service.terminate() for service in services] == [0] * len(services)
        assert [service.written() for service in services] == [[]] * len(services)
    with start(shape[0]):
        _wait(lambda: servers.rows()[0] >= len(front.accepted), "what the stop left in Kafka is stored")
    assert servers.rows() == (len(front.accepted), len(front.accepted))
    assert max(memory) < MEMORY_MIB, memory


def _freeze(services: Sequence[Service]) -> None:
    """No CPU for a while, as between the requests of a service whose CPU is not always allocated."""
    for service in services:
        os.kill(service.pid, signal.SIGSTOP)
    time.sleep(FROZEN_SECS)
    for service in services:
        os.kill(service.pid, signal.SIGCONT)


def _environment(rehearsal: Rehearsal, file: str, servers: Servers, tokens: str, folder: Path) -> dict[str, str]:
    """The variables of a file of deploy/cloudrun, but for addresses. The engine of the tests has one user only."""
    variables = rehearsal.resources[file].container["env"]
    files = {entry["name"]: entry["value"] for entry in variables if entry["name"].endswith("_FILE")}
    environment = environment_of(variables, folder) | files
    environment |= {
        "KAFKA_BOOTSTRAP_SERVERS": servers.kafka.security.sasl_ssl_bootstrap_servers,
        "CLICKHOUSE_URL": servers.engine.url,
        "K_SERVICE": "log-analytics",
    }
    if "AUTH_TOKENS" in environment:
        environment |= {"AUTH_TOKENS": tokens, "CLICKHOUSE_READER_USER": "ingest"}
    return environment


def _token(rehearsal: Rehearsal) -> tuple[str, str]:
    """The token to send logs that the pages make, and the lines of all tokens."""
    [file] = [call[1] for call in rehearsal.gcloud("secrets", "create") if call[0] == "log-analytics-tokens"]
    [call] = [call for call in rehearsal.calls if call[0] == "curl" and "-d" in call]
    [token] = [word.removeprefix("Authorization: Bearer ") for word in call if word.startswith("Authorization: ")]
    return token, Path(file.removeprefix("--data-file=")).read_text()


def _wait(is_so: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECS
    while not is_so():
        assert time.monotonic() < deadline, f"not within {PATIENCE_SECS:.0f} s: {what}"
        time.sleep(0.2)
