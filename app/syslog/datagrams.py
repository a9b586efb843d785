"""Syslog over UDP (RFC 5426): a datagram is a message. What there is no room for is lost, and counted."""

import socket
import sys
from contextlib import suppress
from typing import Final

from app.domain.networks import parse_address
from app.receive.syslog import Client, messages_of
from app.syslog.events import SyslogEvents
from app.syslog.outbox import Outbox
from app.syslog.senders import Senders

_MOST_BYTES: Final = 65_535
_AT_A_TIME: Final = 200
_BUFFER_BYTES: Final = 4 * 1024 * 1024
_SO_RXQ_OVFL: Final = 40  # Linux: each datagram says how many the socket has lost so far
_COUNTER_BYTES: Final = 4


def listen(host: str, port: int) -> socket.socket:
    """A socket of UDP, with a large buffer if the system grants one.

    Raises:
        OSError: the address cannot be used.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        if listener.family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)  # as those of TCP
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        if sys.platform == "linux":
            with suppress(OSError):
                listener.setsockopt(socket.SOL_SOCKET, _SO_RXQ_OVFL, 1)
        listener.setblocking(False)
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


class Datagrams:
    """Reads a socket, by the event loop alone."""

    def __init__(
        self, listener: socket.socket, most_bytes: int, senders: Senders, outbox: Outbox, events: SyslogEvents
    ) -> None:
        self._socket = listener
        self._most_bytes = most_bytes
        self._senders = senders
        self._outbox = outbox
        self._events = events
        self._lost = 0

    def read(self) -> bool:
        """Read what is there, but not for long; returns whether there may be more."""
        by_client: dict[Client, list[bytes]] = {}
        is_more = True
        for _ in range(_AT_A_TIME):
            try:
                datagram, control, _, peer = self._socket.recvmsg(_MOST_BYTES, socket.CMSG_SPACE(_COUNTER_BYTES))
            except BlockingIOError:
                is_more = False
                break
            except OSError:  # of an earlier datagram, such as that nobody listens there
                continue
            self._count_lost(control)
            self._take(datagram, str(parse_address(peer[0]) or peer[0]), by_client)
        for client, messages in by_client.items():
            self._outbox.put(client, messages)
        return is_more

    def _take(self, datagram: bytes, address: str, by_client: dict[Client, list[bytes]]) -> None:
        self._events.read(len(datagram))
        if not self._senders.is_allowed(address):
            self._events.problem("not_allowed", address)
            return
        client = Client(address, "udp")
        messages = messages_of(datagram, self._most_bytes, lambda name: self._events.problem(name, address))
        if messages and not self._outbox.has_room(client):
            self._events.dropped(len(messages))
        elif messages:
            by_client.setdefault(client, []).extend(messages)

    def _count_lost(self, control: list[tuple[int, int, bytes]]) -> None:
        for _, kind, data in control:
            if kind == _SO_RXQ_OVFL:
                lost = int.from_bytes(data[:_COUNTER_BYTES], sys.byteorder)
                if new := (lost - self._lost) % (1 << 8 * _COUNTER_BYTES):
                    self._events.dropped(new)
                self._lost = lost
