"""A listener of syslog with a publisher in memory, and the rows of what it sent."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from prometheus_client import CollectorRegistry

from app.environment import read_settings
from app.health import Health
from app.metrics import Metrics
from app.receive.intake import Intake
from app.service import submit_to_thread
from app.syslog.senders import Senders
from app.syslog.server import Address, Listening, SyslogServer
from app.telemetry.receive import ReceiveTelemetry
from app.telemetry.syslog import SyslogTelemetry
from tests.fakes import MemoryPublisher
from tests.support.receivers import KEY, rows_of

HOST: Final = "127.0.0.1"
WAIT_SECS: Final = 30.0


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    """Fail if a condition does not hold in time."""
    deadline = time.monotonic() + WAIT_SECS
    while not is_so():
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(0.01)


def new_server(
    listening: Listening,
    publisher: MemoryPublisher,
    metrics: Metrics,
    senders: Senders | None = None,
    most_message_bytes: int = 64 * 1024,
) -> SyslogServer:
    """A server that is not started."""
    return SyslogServer(
        listening,
        senders or Senders("", 0, 0),
        Intake(publisher, key=KEY.encode(), timeout_secs=0.5),
        SyslogTelemetry(metrics, ReceiveTelemetry(metrics, Health())),
        submit_to_thread,
        most_message_bytes=most_message_bytes,
    )


class Listener:
    """Listens on free ports of this machine."""

    def __init__(
        self,
        *,
        certificate: Path | None = None,
        key: Path | None = None,
        client_authority: Path | None = None,
        most_message_bytes: int = 64 * 1024,
        most_connections: int = 0,
        publisher: MemoryPublisher | None = None,
    ) -> None:
        self.publisher = publisher or MemoryPublisher()
        self.metrics = Metrics(CollectorRegistry(), version="0")
        free = Address(HOST, 0, "SYSLOG_PORT")
        listening = Listening(free, free if certificate else None, free, certificate, key, client_authority)
        self.server = new_server(
            listening, self.publisher, self.metrics, Senders("", most_connections, 0), most_message_bytes
        )
        self.server.start()

    def connect(self, transport: str = "tcp") -> socket.socket:
        """A connection of a client."""
        return socket.create_connection((HOST, self.server.ports[transport]), timeout=WAIT_SECS)

    def send(self, data: bytes) -> None:
        """Send over a connection of its own."""
        with self.connect() as client:
            client.sendall(data)

    def datagram(self, data: bytes) -> None:
        """Send over UDP."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.sendto(data, (HOST, self.server.ports["udp"]))

    def rows(self, count: int) -> list[dict[str, Any]]:
        """The rows, once so many messages are stored."""
        wait_until(lambda: self.count("stored") >= count, f"{count} stored, and not {self.count('stored')}")
        return rows_of(self.publisher, read_settings({"RECEIVE_KEY": KEY}))

    def count(self, outcome: str) -> int:
        """How many messages had this outcome."""
        return int(self._value("log_receive_events_total", receiver="syslog", outcome=outcome))

    def problems(self, name: str) -> int:
        """How often something was wrong."""
        return int(self._value("log_receive_syslog_problems_total", problem=name))

    @property
    def read_bytes(self) -> int:
        """How much it has read."""
        return int(self._value("log_receive_bytes_total", receiver="syslog"))

    @property
    def connections(self) -> int:
        """How many connections it counts."""
        return int(self._value("log_receive_syslog_connections"))

    def stop(self) -> None:
        """Stop it as the service does."""
        self.server.stop()
        self.server.join(WAIT_SECS)

    def _value(self, series: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(series, labels) or 0.0
