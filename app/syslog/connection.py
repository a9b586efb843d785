"""A connection over which a client sends syslog."""

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, cast

from app.receive.syslog import Client, Framing
from app.syslog.events import SyslogEvents
from app.syslog.outbox import Outbox

_TLS_HELLO: Final = b"\x16\x03"
_HTTP: Final = re.compile(rb"(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) (?:\S* HTTP/\d\.\d\r?\n|[^\n]{500,}\Z)")
"""A request, also one whose first line is longer than a packet: a page chooses how long it is."""


class Connection(asyncio.Protocol):
    """Reads while there is room in the outbox; then the client waits, as TCP makes it.

    `on_end` is called once, when it is closed.
    """

    def __init__(
        self,
        client: Client,
        most_bytes: int,
        outbox: Outbox,
        events: SyslogEvents,
        on_end: Callable[["Connection"], None],
    ) -> None:
        self.client = client
        self._outbox = outbox
        self._events = events
        self._on_end = on_end
        self._framing = Framing(most_bytes, lambda name: events.problem(name, client.address))
        self._transport: asyncio.Transport | None = None
        self._is_first = True
        self._is_paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self._transport = cast("asyncio.Transport", transport)
        if certificate := _name_in(transport.get_extra_info("peercert")):
            self.client = self.client._replace(certificate=certificate)
        self.pause_if_full()

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        self._events.read(len(data))
        if self._is_first and (problem := self._other_protocol(data)):
            self._events.problem(problem, self.client.address)
            self.close()
            return
        self._is_first = False
        self._outbox.put(self.client, self._framing.feed(data))
        self.pause_if_full()

    def eof_received(self) -> None:
        """See `asyncio.Protocol`. The connection closes."""
        self._take_rest()

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._take_rest()
        self._on_end(self)

    def pause_if_full(self) -> None:
        """Read no more if there is no room."""
        if self._transport and not self._is_paused and not self._outbox.has_room(self.client):
            self._is_paused = True
            self._transport.pause_reading()

    def resume_if_room(self) -> None:
        """Undo `pause_if_full` if there is room again."""
        if self._transport and self._is_paused and self._outbox.has_room(self.client):
            self._is_paused = False
            self._transport.resume_reading()

    def say_goodbye(self) -> None:
        """Tell the client to send no more; what it has sent is still read."""
        if self._transport and self._transport.can_write_eof():
            with suppress(OSError, RuntimeError):  # it has gone already
                self._transport.write_eof()

    def close(self) -> None:
        """Close it; what was read is sent."""
        self._take_rest()
        if self._transport:
            self._transport.close()

    def _other_protocol(self, data: bytes) -> str:
        """The problem with a client that begins with another protocol; "" if it does not.

        A page of another site can make a browser on this machine POST here, and its lines would be events.
        """
        if data.startswith(_TLS_HELLO) and self.client.transport == "tcp":
            return "tls_on_tcp"
        return "http" if _HTTP.match(data) else ""

    def _take_rest(self) -> None:
        self._outbox.put(self.client, self._framing.end())


def _name_in(certificate: Any) -> str:
    """The common name in a certificate as `ssl.SSLSocket.getpeercert` gives it, or its first other name."""
    if not certificate:
        return ""
    names = {key: value for part in certificate.get("subject", ()) for key, value in part}
    others = [value for _, value in certificate.get("subjectAltName", ())]
    return str(names.get("commonName") or next(iter(others), ""))
