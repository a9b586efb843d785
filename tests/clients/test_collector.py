"""The OpenTelemetry Collector, with its exporter of OTLP over HTTP: what an SDK sends it, and lines of a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

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
