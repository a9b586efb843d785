"""The listeners of syslog as a component: an event loop on a thread of its own."""

import asyncio
import logging
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from app.component import CannotStart
from app.domain.networks import parse_address
from app.health import Health
from app.receive.syslog import Client
from app.syslog import datagrams
from app.syslog.connection import Connection
from app.syslog.datagrams import Datagrams
from app.syslog.events import Sends, SyslogEvents
from app.syslog.outbox import Outbox, Submit
from app.syslog.senders import Senders
from app.syslog.tls import ServerTls

_log: Final = logging.getLogger(__name__)

_MOST_HELD_BYTES: Final = 8 * 1024 * 1024  # of connections, and as many of datagrams
_MOST_HELD_OF_CLIENT_BYTES: Final = 2 * 1024 * 1024
_HANDSHAKE_SECS: Final = 10.0
_SHUTDOWN_SECS: Final = 2.0
_GOODBYE_SECS: Final = 1.0
_SEND_SECS: Final = 3.0
_LAST_READS: Final = 100
_BACKLOG: Final = 1024
_ACCEPT_AGAIN_SECS: Final = 1.0
# A client that has gone without a word is found after two to three minutes.
_KEEPALIVE: Final = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 20), ("TCP_KEEPCNT", 4))


class Address(NamedTuple):
    """Where to listen, and the settings that say so."""

    host: str
    port: int
    setting: str


class Listening(NamedTuple):
    """What to listen to; None for what is off."""

    tcp: Address | None = None
    tls: Address | None = None
    udp: Address | None = None
    certificate: Path | None = None
    key: Path | None = None
    client_authority: Path | None = None


class SyslogServer:
    """See `Component`."""

    def __init__(
        self,
        listening: Listening,
        senders: Senders,
        intake: Sends,
        events: SyslogEvents,
        submit: Submit,
        *,
        most_message_bytes: int,
    ) -> None:
        self.name = "syslog"
        self.health = Health()
        self._listening = listening
        self._senders = senders
        self._events = events
        self._most_bytes = most_message_bytes
        self._new_outbox = partial(
            Outbox,
            intake,
            events,
            submit,
            most_bytes=_MOST_HELD_BYTES,
            most_bytes_of_client=_MOST_HELD_OF_CLIENT_BYTES,
        )
        self._connections: set[Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listeners: list[tuple[socket.socket, str]] = []
        self._udp: socket.socket | None = None
        self._tls: ServerTls | None = None
        self._is_stopped = threading.Event()
        self._wake: Callable[[], object] = lambda: None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name=self.name, daemon=True)

    @property
    def ports(self) -> dict[str, int]:
        """The ports it listens on, by transport."""
        of_tcp = {transport: listener.getsockname()[1] for listener, transport in self._listeners}
        return {**of_tcp, **({"udp": self._udp.getsockname()[1]} if self._udp else {})}

    def start(self) -> None:
        """See `Component`."""
        asked = self._listening
        try:
            if asked.tls and asked.certificate and asked.key:
                self._tls = ServerTls(asked.certificate, asked.key, asked.client_authority)
        except OSError as error:
            raise CannotStart(
                f"Syslog over TLS: SYSLOG_TLS_CERT_FILE={asked.certificate}, SYSLOG_TLS_KEY_FILE={asked.key} or"
                f" SYSLOG_TLS_CLIENT_CA_FILE={asked.client_authority or ''} cannot be used: {error}. They must be"
                " readable and in PEM, and the key must have no passphrase."
            ) from error
        try:
            for address, transport in ((asked.tcp, "tcp"), (asked.tls, "tls")):
                if address:
                    self._listeners.append((_listening(address, _listen), transport))
            self._udp = _listening(asked.udp, datagrams.listen) if asked.udp else None
        except CannotStart:
            self._close_listeners()
            raise
        self._thread.start()
        ports = ", ".join(f"{transport} {port}" for transport, port in self.ports.items())
        _log.info("Listening for syslog: %s", ports)

    def stop(self) -> None:
        """See `Component`. Messages that were read are still sent."""
        self._is_stopped.set()
        self._wake()

    def join(self, timeout_secs: float) -> None:
        """See `Component`."""
        self._thread.join(timeout_secs)

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        stopping = asyncio.Event()
        self._wake = partial(_call_soon, loop, stopping.set)
        if self._is_stopped.is_set():  # before there was anything to wake
            stopping.set()
        of_connections = self._new_outbox(on_full=self._pause, on_room=self._resume)
        of_datagrams = self._new_outbox()
        accepting = [
            asyncio.create_task(self._accept(listener, transport, of_connections))
            for listener, transport in self._listeners
        ]
        reader = None
        if self._udp:
            reader = Datagrams(self._udp, self._most_bytes, self._senders, of_datagrams, self._events)
            loop.add_reader(self._udp, reader.read)
        await stopping.wait()
        for task in accepting:
            task.cancel()
        if self._udp and reader:
            loop.remove_reader(self._udp)
            for _ in range(_LAST_READS):
                if not reader.read():
                    break
        self._close_listeners()
        await self._say_goodbye()
        await asyncio.gather(of_connections.finish(_SEND_SECS), of_datagrams.finish(_SEND_SECS))

    async def _say_goodbye(self) -> None:
        """Clients learn that they must send elsewhere, and what they have sent until then is read."""
        for connection in list(self._connections):
            connection.say_goodbye()
        deadline = asyncio.get_running_loop().time() + _GOODBYE_SECS
        while self._connections and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(_GOODBYE_SECS / 20)
        for connection in list(self._connections):
            connection.close()
        for task in self._tasks:
            task.cancel()

    async def _accept(self, listener: socket.socket, transport: str, outbox: Outbox) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                accepted, peer = await loop.sock_accept(listener)
            except OSError as error:  # no file is left, or the client has gone
                _log.warning("Syslog: a connection cannot be accepted: %s", error)
                await asyncio.sleep(_ACCEPT_AGAIN_SECS)
                continue
            address = str(parse_address(peer[0]) or peer[0])
            if problem := self._senders.problem_with(address):
                accepted.close()
                self._events.problem(problem, address)
                continue
            self._events.connections(self._senders.open)
            task = asyncio.create_task(self._converse(accepted, Client(address, transport), outbox))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _converse(self, accepted: socket.socket, client: Client, outbox: Outbox) -> None:
        """Begin to read from a connection that was accepted."""
        connection = Connection(client, self._most_bytes, outbox, self._events, self._ended)
        self._connections.add(connection)
        context = self._tls.context() if self._tls and client.transport == "tls" else None
        secs = {"ssl_handshake_timeout": _HANDSHAKE_SECS, "ssl_shutdown_timeout": _SHUTDOWN_SECS} if context else {}
        try:
            _keep_alive(accepted)
            await asyncio.get_running_loop().connect_accepted_socket(lambda: connection, accepted, ssl=context, **secs)
        except OSError:  # of TLS too
            accepted.close()
            self._ended(connection)
            self._events.problem("tls" if context else "connection", client.address)

    def _ended(self, connection: Connection) -> None:
        if connection in self._connections:
            self._connections.discard(connection)
            self._senders.leave(connection.client.address)
            self._events.connections(self._senders.open)

    def _pause(self) -> None:
        for connection in self._connections:
            connection.pause_if_full()

    def _resume(self) -> None:
        for connection in list(self._connections):
            connection.resume_if_room()

    def _close_listeners(self) -> None:
        for listener, _ in self._listeners:
            listener.close()
        if self._udp:
            self._udp.close()


def _listening(address: Address, listen: Callable[[str, int], socket.socket]) -> socket.socket:
    try:
        return listen(address.host, address.port)
    except OSError as error:
        raise CannotStart(
            f"Cannot listen for syslog on {address.host}:{address.port}: {error.strerror}."
            f" Set {address.setting} to a free port, above 1023 unless the service may use lower ones."
        ) from error


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    listener.setblocking(False)
    return listener


def _keep_alive(connection: socket.socket) -> None:
    """Idle connections are no problem, but one whose client has gone must not stay for ever."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE:
        if hasattr(socket, name):  # not all of them on macOS
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _call_soon(loop: asyncio.AbstractEventLoop, call: Callable[[], object]) -> None:
    with suppress(RuntimeError):  # it has ended
        loop.call_soon_threadsafe(call)
