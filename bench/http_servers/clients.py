"""Clients as they are met on the network: many, slow, silent, and those that ask for the time of day meanwhile."""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from bench.latency import quantile
from local.ports import LOOPBACK

LIVE: Final = b"GET /live HTTP/1.1\r\nHost: bench\r\n\r\n"
_LIVE_ONCE: Final = b"GET /live HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n"
ANSWER_SECS: Final = 2.0
"""How long a probe waits; longer counts as this long, and as no answer."""
_PAUSE_SECS: Final = 0.02
_GIVE_UP: Final = 3


@dataclass(frozen=True, slots=True)
class Probes:
    """Seconds that each probe waited, and how many had no answer."""

    secs: list[float]
    unanswered: int

    def quantile_ms(self, share: float) -> float:
        """Milliseconds that this share of the probes waited at most."""
        return round(quantile(sorted(self.secs), share) * 1000, 1)


def probe_live(port: int, for_secs: float) -> Probes:
    """Ask /live again and again, each time on a new connection as a probe does; gives up when nobody answers."""
    secs, unanswered, until = [], 0, time.monotonic() + for_secs
    while time.monotonic() < until and unanswered < _GIVE_UP:
        began = time.monotonic()
        answered = _ask_live(port)
        unanswered += not answered
        secs.append(time.monotonic() - began if answered else ANSWER_SECS)
        time.sleep(_PAUSE_SECS)
    return Probes(secs, unanswered)


def _ask_live(port: int) -> bool:
    with suppress(OSError), socket.create_connection((LOOPBACK, port), ANSWER_SECS) as probe:
        probe.settimeout(ANSWER_SECS)
        probe.sendall(_LIVE_ONCE)
        return probe.recv(4096).startswith(b"HTTP/1.1 200")
    return False


@contextmanager
def crowd(
    port: int, count: int, first: bytes, *, drip: bytes = b"", receive_buffer: int | None = None
) -> Iterator[list[socket.socket]]:
    """`count` clients that send `first` and then, each once a second, `drip`; they read nothing."""
    clients = _connected(port, count, receive_buffer)
    for client in clients:
        with suppress(OSError):
            client.send(first)
    leaving = threading.Event()
    dripping = threading.Thread(target=_drip, args=(clients, drip, leaving))
    if drip:
        dripping.start()
    try:
        yield clients
    finally:
        leaving.set()
        if drip:
            dripping.join()
        for client in clients:
            client.close()


def _connected(port: int, count: int, receive_buffer: int | None) -> list[socket.socket]:
    clients = []
    for _ in range(count):
        client = socket.socket()
        if receive_buffer:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        client.setblocking(False)
        client.connect_ex((LOOPBACK, port))
        clients.append(client)
    with selectors.DefaultSelector() as waiting:
        for client in clients:
            waiting.register(client, selectors.EVENT_WRITE)
        until = time.monotonic() + 3
        while waiting.get_map() and time.monotonic() < until:
            for key, _ in waiting.select(0.1):
                waiting.unregister(key.fileobj)
    return clients


def _drip(clients: list[socket.socket], drip: bytes, leaving: threading.Event) -> None:
    tenths = [clients[number::10] for number in range(10)]
    at = 0
    while not leaving.wait(0.1):
        for client in tenths[at % 10]:
            with suppress(OSError):
                client.send(drip)
        at += 1


class Patience(threading.Thread):
    """Opens a connection and notes after how many seconds the server closes it; None within `most_secs`."""

    def __init__(self, port: int, first: bytes, drip: bytes, most_secs: float) -> None:
        super().__init__(daemon=True)
        self._port, self._first, self._drip, self._most_secs = port, first, drip, most_secs
        self.closed_after: float | None = None

    def run(self) -> None:
        """See the class."""
        began = time.monotonic()
        with socket.create_connection((LOOPBACK, self._port)) as client:
            client.settimeout(1)
            with suppress(OSError):
                client.sendall(self._first)
            while time.monotonic() - began < self._most_secs:
                try:
                    if not client.recv(4096):
                        self.closed_after = round(time.monotonic() - began, 1)
                        return
                except TimeoutError:
                    pass
                except OSError:
                    self.closed_after = round(time.monotonic() - began, 1)
                    return
                with suppress(OSError):
                    client.sendall(self._drip)


def busy_clients(port: int, path: str, count: int, for_secs: float) -> list[float]:
    """Seconds of each request of `count` keep-alive connections that ask at once when they were answered."""
    request = f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode()
    secs: list[float] = []
    with selectors.DefaultSelector() as answers:
        for _ in range(count):
            client = socket.create_connection((LOOPBACK, port), 5)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            answers.register(client, selectors.EVENT_READ, _Exchange(client, request))
        until = time.monotonic() + for_secs
        while time.monotonic() < until:
            for key, _ in answers.select(1):
                exchange: _Exchange = key.data
                if exchange.goes_on():
                    secs.append(time.monotonic() - exchange.began)
                    exchange.ask()
        for key in list(answers.get_map().values()):
            key.data.client.close()
    return secs


class _Exchange:
    """Requests on one connection, one after another."""

    def __init__(self, client: socket.socket, request: bytes) -> None:
        self.client, self._request = client, request
        self._got = bytearray()
        self.began = 0.0
        self.ask()

    def ask(self) -> None:
        """Send the request."""
        self._got.clear()
        self.began = time.monotonic()
        self.client.sendall(self._request)

    def goes_on(self) -> bool:
        """Take what has come; whether the answer is whole.

        Raises:
            ConnectionError: the server hung up.
        """
        data = self.client.recv(65536)
        if not data:
            raise ConnectionError("The server closed a connection in use.")
        self._got += data
        head, found, body = self._got.partition(b"\r\n\r\n")
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        return bool(found and lengths and len(body) >= int(lengths[0].partition(b":")[2]))


def read_until(client: socket.socket, is_enough: Callable[[bytes], bool], most_secs: float) -> bytes:
    """What the server sent up to then, or until it hung up or the time was over."""
    got = bytearray()
    client.settimeout(most_secs)
    with suppress(OSError):
        while not is_enough(bytes(got)):
            data = client.recv(65536)
            if not data:
                break
            got += data
    return bytes(got)
