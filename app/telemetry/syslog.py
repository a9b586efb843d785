"""Reports what happens to syslog."""

import logging
import time
from collections.abc import Callable
from typing import Final

from app.metrics import Metrics
from app.telemetry.receive import ReceiveTelemetry
from app.telemetry.reports import RateLimit

_log: Final = logging.getLogger(__name__)

_RECEIVER: Final = "syslog"
_LINE_EVERY_SECS: Final = 60.0
_SENTENCES: Final = {
    "split": "%s sends messages longer than SYSLOG_MAX_MESSAGE_BYTES: they are split into several events",
    "framing": "%s sends messages whose counted length is wrong: what was between them became an event",
    "cut_off": "the connection of %s ended within a message: what had arrived of it was kept",
    "not_allowed": "%s is in none of SYSLOG_ALLOWED_NETWORKS, and was refused",
    "too_many_connections": "%s was refused: SYSLOG_MAX_CONNECTIONS or SYSLOG_MAX_CONNECTIONS_PER_ADDRESS are open",
    "tls": "%s did not complete the handshake of TLS",
    "tls_on_tcp": "%s speaks TLS on SYSLOG_PORT, and was refused: SYSLOG_TLS_PORT is the port for it",
    "http": "%s speaks HTTP where syslog is taken, and was refused: HTTP_PORT is the port for it",
    "connection": "the connection of %s broke at once",
}


class SyslogTelemetry:
    """See `syslog.events.SyslogEvents`. Used by one thread. A line of each kind a minute."""

    def __init__(
        self, metrics: Metrics, receive: ReceiveTelemetry, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._metrics = metrics
        self._receive = receive
        self._clock = clock
        self._limits: dict[str, RateLimit] = {}
        self._unreported = 0
        metrics.received_events.labels(_RECEIVER, "dropped")  # from zero on, or the first drop would be no increase

    def read(self, size: int) -> None:
        """So many bytes were read."""
        self._receive.received(_RECEIVER, size)

    def ended(self, outcome: str, count: int) -> None:
        """Messages that were `stored`, `refused`, `dropped` or `failed`."""
        self._receive.ended(_RECEIVER, outcome, count)
        if outcome == "failed":
            _log.error("Syslog: %d messages that were read may be lost: Kafka has not acknowledged them", count)

    def waiting(self, error: Exception) -> None:
        """Kafka has not taken messages, which are kept and sent again."""
        self._warn("waiting", "Kafka does not take messages; they are sent again: %s", error)

    def refused(self, address: str, reason: str) -> None:
        """A message of a client can never be stored."""
        self._warn("refused", "a message of %s cannot be stored: %s", address, reason)

    def dropped(self, count: int) -> None:
        """Datagrams were lost: there was no room for them."""
        self._receive.ended(_RECEIVER, "dropped", count)
        self._unreported += count
        if self._warn("dropped", "%d datagrams were lost: Kafka does not take them fast enough", self._unreported):
            self._unreported = 0

    def problem(self, name: str, address: str) -> None:
        """Something was wrong with what a client sent, or with its connection."""
        self._metrics.syslog_problems.labels(name).inc()
        self._warn(name, _SENTENCES[name], address)

    def connections(self, count: int) -> None:
        """So many connections are open."""
        self._metrics.syslog_connections.set(count)

    def _warn(self, kind: str, sentence: str, *values: object) -> bool:
        limit = self._limits.setdefault(kind, RateLimit(_LINE_EVERY_SECS, self._clock))
        if not limit.lets_through():
            return False
        _log.warning("Syslog: " + sentence, *values)
        return True
