"""Programs that speak syslog, and rsyslog's ways to Kafka and to bulk requests."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.clients.installed import Clients
from tests.clients.stack import Stack
from tests.e2e.pipeline import wait_until
from tests.support.programs import find_program, run

pytestmark = pytest.mark.stack

_RSYSLOG = shutil.which("rsyslogd", path="/usr/sbin:/usr/local/sbin:/usr/bin")
_LOGGER = find_program("logger")
_MODULES = Path("/usr/lib/x86_64-linux-gnu/rsyslog"), Path("/usr/lib/aarch64-linux-gnu/rsyslog")

needs_logger = pytest.mark.skipif(not _LOGGER, reason="logger is not installed (Debian: bsdutils)")


@contextmanager
def running_rsyslog(snippet: str, directory: Path) -> Iterator[Path]:
    """The socket of an rsyslog that has a snippet in its configuration, which takes what `logger` writes."""
    if not _RSYSLOG:
        pytest.skip("rsyslog is not installed")
    socket, configuration = directory / "log", directory / "rsyslog.conf"
    configuration.write_text(
        f'global(workDirectory="{directory}" parser.escapeControlCharactersOnReceive="off")\n'
        f'module(load="imuxsock" SysSock.Use="off")\ninput(type="imuxsock" Socket="{socket}")\n{snippet}',
        encoding="utf-8",
    )
    process = subprocess.Popen([_RSYSLOG, "-n", "-f", str(configuration), "-i", str(directory / "pid")])
    try:
        wait_until(socket.exists, "rsyslog listens")
        yield socket
    finally:
        process.terminate()
        process.wait(30)


def send(socket: Path, message: str) -> None:
    run([str(_LOGGER), "-u", str(socket), "-t", "shop", "-p", "user.warning", "--socket-errors=on", message])


def needs_module(name: str) -> pytest.MarkDecorator:
    is_there = any((folder / f"{name}.so").exists() for folder in _MODULES)
    return pytest.mark.skipif(not is_there, reason=f"rsyslog's {name} is not installed")


@needs_logger
def test_rsyslog_forwards_over_tcp(stack: Stack, tmp_path: Path) -> None:
    with running_rsyslog(stack.recipe("rsyslog", "rsyslog"), tmp_path) as socket:
        send(socket, "forwarded\n\tover two lines")
        [row] = stack.rows("Body LIKE '%forwarded%'", 1)

    assert (row["ServiceName"], row["SeverityText"]) == ("shop", "WARN")
    assert row["Body"].endswith("forwarded\n\tover two lines")
    assert row["LogAttributes"]["log.receiver.name"] == "syslog"
    assert row["LogAttributes"]["log.receiver.transport"] == "tcp"
    assert row["ResourceAttributes"]["host.name"]


@needs_logger
@needs_module("lmnsd_gtls")
def test_rsyslog_forwards_over_tls(stack: Stack, tmp_path: Path) -> None:
    snippet = stack.recipe("rsyslog over TLS", "rsyslog").replace("/etc/rsyslog.d/ca.crt", str(stack.authority))
    snippet = snippet.replace('PermittedPeers="127.0.0.1"', 'PermittedPeers="localhost"')  # a name, no address
    with running_rsyslog(snippet, tmp_path) as socket:
        send(socket, "encrypted")
        [row] = stack.rows("Body LIKE '%encrypted'", 1)

    assert (row["ServiceName"], row["SeverityText"]) == ("shop", "WARN")
    assert row["LogAttributes"]["log.receiver.transport"] == "tls"


@needs_logger
@needs_module("omkafka")
def test_rsyslog_writes_to_kafka(stack: Stack, tmp_path: Path) -> None:
    with running_rsyslog(stack.recipe_of_kafka("rsyslog to Kafka", "rsyslog"), tmp_path) as socket:
        send(socket, "straight to Kafka")
        [row] = stack.rows("Body LIKE '%straight to Kafka%'", 1)

    assert (row["ServiceName"], row["SeverityText"]) == ("shop", "WARN")
    assert row["Body"].endswith("straight to Kafka")
    assert "log.receiver.name" not in row["LogAttributes"], row


@needs_logger
@needs_module("omelasticsearch")
def test_rsyslog_sends_bulk_requests(stack: Stack, tmp_path: Path) -> None:
    with running_rsyslog(stack.recipe("rsyslog over HTTP", "rsyslog"), tmp_path) as socket:
        send(socket, 'in "bulk"\nof two lines')
        [row] = stack.rows("Body LIKE '%of two lines'", 1)

    assert (row["ServiceName"], row["SeverityText"]) == ("shop", "WARN")
    assert row["Body"].strip() == 'in "bulk"\nof two lines'
    assert row["LogAttributes"]["log.receiver.name"] == "elasticsearch"
    assert row["ResourceAttributes"]["host.name"]


@needs_logger
def test_logger(stack: Stack) -> None:
    over_tcp = stack.recipe("logger", "sh")
    for command in (
        over_tcp,
        over_tcp.replace("--tcp --octet-count", "--tcp"),
        over_tcp.replace("--tcp --octet-count", "--udp"),
        over_tcp.replace("--tcp --octet-count", "--tcp --rfc3164").replace("--msgid disk ", ""),
    ):
        run(["sh", "-c", command])

    rows = stack.rows("Body LIKE '%3 \\% are free'", 4)
    assert {(row["ServiceName"], row["SeverityText"]) for row in rows} == {("backup", "WARN")}
    assert sorted(row["LogAttributes"].get("log.syslog.msgid", "") for row in rows) == ["", "disk", "disk", "disk"]
    assert sorted(row["LogAttributes"]["log.receiver.transport"] for row in rows) == ["tcp", "tcp", "tcp", "udp"]
    assert all(row["ResourceAttributes"]["host.name"] for row in rows)


def test_syslog_handler_of_python(stack: Stack, clients: Clients) -> None:
    clients.python(stack.recipe("Python: SysLogHandler", "python"))

    low, no_file = stack.rows("LogAttributes['log.receiver.transport'] = 'udp' AND ServiceName = 'shop'", 2)
    assert low["Body"].endswith("stock is low")
    assert (low["SeverityText"], low["ResourceAttributes"]["host.name"]) == ("WARN", "web1")
    assert no_file["SeverityText"] == "ERROR"
    assert "no file\nTraceback (most recent call last):\n" in no_file["Body"]
