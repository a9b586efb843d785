"""The machine's Kafka as deploy/gcp configures it: `make vm-trials`.

The environment is that of the compose files; the image's own program makes server.properties of it; the certificates
are those of certificates.sh, the user that of kafka-init, and the client's settings those of the smoke test. Several
Java processes and a broker take a minute, so that the test is left out unless VM_TRIALS is set.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.environment import read_settings
from app.errors import TryAgainLater
from app.settings import KafkaSettings
from local.kafka import KRAFT_VERSION
from local.kafka_jars import DEFAULT_CACHE, java, kafka_class_path, warm_up_options
from local.kafka_probe import has_brokers
from local.paths import ROOT
from local.ports import LOOPBACK, free_port
from local.process import ChildProcess
from tests.contract.test_container_health import check
from tests.contract.test_security import values_sent_and_read
from tests.support.compose import KRAFT, services
from tests.support.programs import run

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif("VM_TRIALS" not in os.environ, reason="costs a minute: make vm-trials"),
]

VM = (*KRAFT, "deploy/gcp/docker-compose.vm.yml")
NAMES = ("CLICKHOUSE", "CLICKHOUSE_READER", "GRAFANA_CLICKHOUSE", "GRAFANA_ADMIN")
# Start quickly, and compute little.
OPTIONS = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", *warm_up_options(KRAFT_VERSION, DEFAULT_CACHE)]
TOOL = """#!/bin/sh
case "$0" in
*kafka-topics.sh) exit 0 ;;  # not among the jars that the tests have; the client below makes the topic
esac
exec {java} {options} -cp '{class_path}' kafka.admin.ConfigCommand "$@"
"""


@dataclass(frozen=True)
class Machine:
    """The folder that stands for the machine, and the ports of Kafka's listeners on it."""

    folder: Path
    external: int
    internal: int
    controller: int

    def compose(self, known: str = "first") -> dict[str, Any]:
        """The services of the machine, where `known` is the password of Kafka's user."""
        given = {f"{name}_PASSWORD": "another" for name in NAMES}
        at = {"VM_ADDRESS": LOOPBACK, "KAFKA_EXTERNAL_HOST": LOOPBACK, "KAFKA_PORT": str(self.external)}
        return services(VM, KAFKA_PASSWORD=known, **given, **at)

    def outside(self, text: str) -> str:
        """A text of a container as it has to be outside one: other ports, folders and names."""
        changes = {
            "$$": "$",
            "EXTERNAL://:9092": f"EXTERNAL://{LOOPBACK}:{self.external}",
            "INTERNAL://:19092": f"INTERNAL://{LOOPBACK}:{self.internal}",
            "CONTROLLER://:9093": f"CONTROLLER://{LOOPBACK}:{self.controller}",
            "kafka:19092": f"{LOOPBACK}:{self.internal}",
            "1@kafka:9093": f"1@{LOOPBACK}:{self.controller}",
            "/etc/kafka/secrets": f"{self.folder}/tls/kafka",
            "/var/lib/kafka/data": f"{self.folder}/kafka",
            "/opt/kafka/bin": f"{self.folder}/bin",
        }
        for inside, outside in changes.items():
            text = text.replace(inside, outside)
        return text

    def init(self, known: str = "first") -> None:
        """Run kafka-init."""
        service = self.compose(known)["kafka-init"]
        command = [self.outside(word) for word in service["entrypoint"]]
        run(command, environment={**os.environ, "KAFKA_PASSWORD": known})

    def settings(self, known: str = "first") -> KafkaSettings:
        """Those of a service on another machine."""
        environment = self.compose(known)["app"]["environment"]
        ca = {"KAFKA_SSL_CA_FILE": str(self.folder / "tls/ca/ca.pem")}
        kafka = {name: value for name, value in environment.items() if name.startswith("KAFKA_")}
        return read_settings(kafka | ca).kafka


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    folder = tmp_path_factory.mktemp("machine")
    machine = Machine(folder, free_port(), free_port(), free_port())
    run(["bash", str(ROOT / "deploy/gcp/machine/certificates.sh"), str(folder / "tls"), LOOPBACK])
    class_path = kafka_class_path(KRAFT_VERSION, DEFAULT_CACHE)
    (folder / "bin").mkdir()
    for name in ("kafka-topics.sh", "kafka-configs.sh"):
        (folder / "bin" / name).write_text(TOOL.format(java=java(), options=" ".join(OPTIONS), class_path=class_path))
        (folder / "bin" / name).chmod(0o755)
    environment = {name: machine.outside(value) for name, value in machine.compose()["kafka"]["environment"].items()}
    wrapper = [str(java()), *OPTIONS, "-cp", class_path, "kafka.docker.KafkaDockerWrapper", "setup"]
    for name in ("default", "mounted", "final"):
        (folder / name).mkdir()
        wrapper.append(f"--{name}-configs-dir={folder / name}")
    run(wrapper, environment=environment)
    command = [str(java()), "-Xmx384m", *OPTIONS, "-cp", class_path, "kafka.Kafka"]
    command.append(str(folder / "final/server.properties"))
    broker = ChildProcess("Kafka", command, folder / "kafka.log", directory=folder)
    broker.start()
    try:
        broker.wait_until(lambda: has_brokers(machine.internal), 120)
        yield machine
    finally:
        broker.stop(20)


def test_the_user_of_the_service_sends_and_reads_over_tls(machine: Machine) -> None:
    assert check(KRAFT, LOOPBACK, machine.internal) == 0
    machine.init()
    machine.init()  # as each `up` does

    assert values_sent_and_read(machine.settings()) == [b"a log"]


def test_another_password_counts_without_a_restart(machine: Machine) -> None:
    machine.init("second")

    with pytest.raises(TryAgainLater, match="uthentication"):
        values_sent_and_read(machine.settings("first"))
    assert values_sent_and_read(machine.settings("second"))[:1] == [b"a log"]


def test_nobody_is_let_in_without_tls_or_by_another_authority(machine: Machine, tmp_path: Path) -> None:
    assert not has_brokers(machine.external)

    run(["bash", str(ROOT / "deploy/gcp/machine/certificates.sh"), str(tmp_path), LOOPBACK])
    address = ["-connect", f"{LOOPBACK}:{machine.external}", "-verify_return_error", "-verify_ip", LOOPBACK]
    for folder, code in ((machine.folder / "tls", 0), (tmp_path, 1)):
        client = ["openssl", "s_client", *address, "-CAfile", str(folder / "ca/ca.pem")]
        done = subprocess.run(client, input=b"", capture_output=True, timeout=20, check=False)
        assert done.returncode == code, done.stderr.decode()
