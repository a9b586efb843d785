"""The OpenTelemetry Collector, with its exporter of OTLP over HTTP: what an SDK sends it, lines of a file, and the logs
of the pods of a node."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from local.paths import ROOT
from local.ports import LOOPBACK, free_port
from local.process import ChildProcess
from tests.clients.installed import DIRECTORY, Clients
from tests.clients.stack import Stack
from tests.support.recipes import placed, snippet

pytestmark = pytest.mark.stack

_PROGRAM = DIRECTORY / "collector" / "otelcol"
_START_SECS = 30
_MANY = 2_000

_LINES = "2026-11-29 10:15:01,123 ERROR [main] shop.Orders - file line of the collector\n\tat shop.Orders.pay\n"
_SCRIPT = f"""
for number in range({_MANY}):
    logging.getLogger("orders").warning("sent %d", number, extra={{"by.collector": True}})
provider.shutdown()
"""


# As the runtime writes them: a whole line, and one that it has cut into pieces.
_PODS = {
    "shop_cart-5d4f8c7b9-x2x4z_6d8f2e0c-9a51-4f0e-8d3b-2f6b8d1c7a11/web/0.log": (
        '2026-11-30T09:15:01.123456789Z stderr F {"level":"error","msg":"pod: card declined","item":42}\n'
        "2026-11-30T09:15:02.000000000Z stdout P WARN pod: cut into \n"
        "2026-11-30T09:15:02.000000001Z stdout F pieces\n"
    )
}


@pytest.fixture
def otlp_port(stack: Stack, tmp_path: Path) -> Iterator[int]:
    """The port of a running collector that is configured as its recipe says, but for addresses and folders."""
    if not _PROGRAM.exists():
        pytest.skip("`make collector` compiles it")
    port = free_port()
    text = placed(snippet("OpenTelemetry Collector", "yaml"), {**stack.ports, 4318: port})
    text = text.replace("/var/log/shop", str(tmp_path)).replace("/var/lib/otelcol", str(tmp_path / "state"))
    text = text.replace("    include:", "    start_at: beginning\n    include:")
    (tmp_path / "shop.log").write_text(_LINES)
    (config := tmp_path / "collector.yaml").write_text(text + "  telemetry: {metrics: {level: none}}\n")
    program = ChildProcess("The collector", [_PROGRAM, "--config", config], tmp_path / "collector.txt")
    program.start()
    program.wait_until(lambda: "Everything is ready" in program.log_file.read_text(), _START_SECS)
    yield port
    program.stop(10)


def test_the_collector(stack: Stack, clients: Clients, otlp_port: int) -> None:
    script = snippet("OpenTelemetry in Python", "python").replace("localhost:8080", f"{LOOPBACK}:{otlp_port}")

    clients.python(script + _SCRIPT)

    rows = stack.rows("LogAttributes['by.collector'] = 'true'", _MANY)
    assert {row["Body"] for row in rows} == {f"sent {number}" for number in range(_MANY)}
    assert {(row["ServiceName"], row["SeverityText"], row["ParseError"]) for row in rows} == {("shop", "WARN", "")}
    assert {row["LogAttributes"]["otel.scope.name"] for row in rows} == {"orders"}
    [line] = stack.rows("Body LIKE '%file line of the collector%'", 1)
    assert "at shop.Orders.pay" in line["Body"] + str(line["LogAttributes"])
    assert (line["SeverityText"], line["LogAttributes"]["log.file.name"]) == ("ERROR", "shop.log")


def of_cluster(folder: Path, port: int) -> str:
    """The configuration of deploy/kubernetes with other places, and without what only a cluster has."""
    documents = yaml.safe_load_all((ROOT / "deploy/kubernetes/collector.yaml").read_text(encoding="utf-8"))
    [text] = [found["data"]["config.yaml"] for found in documents if found["kind"] == "ConfigMap"]
    text = text.replace("/var/log/pods", f"{folder}/pods").replace(
        "/var/lib/log-analytics-collector", f"{folder}/state"
    )
    config = yaml.safe_load(text.replace("${env:TOKEN}", "TOKEN"))
    config["exporters"]["otlp_http"]["endpoint"] = f"http://{LOOPBACK}:{port}"
    del config["processors"], config["service"]["pipelines"]["logs"]["processors"]
    del config["extensions"]["health_check"]
    config["service"]["extensions"].remove("health_check")
    return yaml.safe_dump(config)


def started(config: Path, text: str, log: Path, said: str) -> ChildProcess:
    """A collector with this configuration that has said something."""
    config.write_text(text)
    program = ChildProcess("The collector", [_PROGRAM, "--config", config], log)
    program.start()
    program.wait_until(lambda: said in log.read_text(), _START_SECS)
    return program


def test_the_collector_of_a_cluster_keeps_logs_while_the_service_is_away(stack: Stack, tmp_path: Path) -> None:
    """Its first run finds no service, and ends; the second sends what the first has queued on disk."""
    if not _PROGRAM.exists():
        pytest.skip("`make collector` compiles it")
    for path, text in _PODS.items():
        (file := tmp_path / "pods" / path).parent.mkdir(parents=True)
        file.write_text(text)
    config = tmp_path / "collector.yaml"
    first = started(config, of_cluster(tmp_path, free_port()), tmp_path / "first.txt", "Will retry")
    first.stop(10)
    for path in _PODS:
        (tmp_path / "pods" / path).unlink()
    program = started(config, of_cluster(tmp_path, stack.ports[8080]), tmp_path / "second.txt", "Everything is ready")

    declined, cut = stack.rows("Body LIKE 'pod: %' OR Body LIKE '%pod: cut%'", 2)
    program.stop(10)
    assert (declined["SeverityText"], declined["Body"], declined["LogAttributes"]["item"]) == (
        "ERROR",
        "pod: card declined",
        "42",
    )
    assert (cut["SeverityText"], cut["Body"]) == ("WARN", "WARN pod: cut into pieces")
    for row in (declined, cut):
        resource = row["ResourceAttributes"]
        assert (resource["k8s.namespace.name"], resource["k8s.pod.name"]) == ("shop", "cart-5d4f8c7b9-x2x4z")
        assert resource["k8s.container.name"] == "web"
        assert row["ParseError"] == ""
