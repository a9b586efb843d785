"""Shared by the proxies: a listener on the loopback address, a thread per connection, and one fault at a time."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from local.ports import LOOPBACK

_Thing = TypeVar("_Thing")
_Result = TypeVar("_Result")

_CONNECT_SECS = 5.0
_FIRE_SECS = 60.0


class NotFired(Exception):
    """Nothing matched a fault in time."""


class Strike(Generic[_Thing, _Result]):
    """Applies a treatment once, to the next matching message."""

    def __init__(self, is_meant: Callable[[_Thing], bool], how: Callable[[_Thing], _Result]) -> None:
        self._is_meant = is_meant
        self._how = how
        self._is_taken = False
        self._fired = threading.Event()
        self._error: Exception | None = None

    def wait(self) -> None:
        """Wait until the treatment was applied.

        Raises:
            NotFired: nothing matched in time.
            Exception: the treatment failed; a peer that disconnects is no failure.
        """
        if not self._fired.wait(_FIRE_SECS):
            raise NotFired(f"nothing matched this fault within {_FIRE_SECS:.0f} s")
        if self._error is not None:
            raise self._error

    def treat(self, thing: _Thing) -> _Result:
        """Apply the treatment."""
        try:
            return self._how(thing)
        except (OSError, EOFError):
            raise
        except Exception as error:
            self._error = error
            raise
        finally:
            self._fired.set()

    def takes(self, thing: _Thing) -> bool:
        """Whether this message is to be treated. Not thread-safe."""
        if self._is_taken or not self._is_meant(thing):
            return False
        self._is_taken = True
        return True


class Strikes(Generic[_Thing, _Result]):
    """The pending strikes of a proxy. Thread-safe."""

    def __init__(self) -> None:
        self._waiting: list[Strike[_Thing, _Result]] = []
        self._lock = threading.Lock()

    def strike(self, is_meant: Callable[[_Thing], bool], how: Callable[[_Thing], _Result]) -> None:
        """Apply a treatment to the next matching message. Returns when that is done.

        Raises:
            NotFired: nothing matched in time.
        """
        with self.waiting(is_meant, how) as strike:
            strike.wait()

    @contextlib.contextmanager
    def waiting(
        self, is_meant: Callable[[_Thing], bool], how: Callable[[_Thing], _Result]
    ) -> Iterator[Strike[_Thing, _Result]]:
        """While the block lasts, apply a treatment to the next matching message."""
        strike = Strike(is_meant, how)
        with self._lock:
            self._waiting.append(strike)
        try:
            yield strike
        finally:
            with self._lock:
                self._waiting.remove(strike)

    def taking(self, thing: _Thing) -> Strike[_Thing, _Result] | None:
        """The strike for this message, if there is one."""
        with self._lock:
            return next((strike for strike in self._waiting if strike.takes(thing)), None)


class Listener:
    """Accepts connections and passes each to `serve` on its own thread. Can be shut and opened again."""

    def __init__(self, serve: Callable[[socket.socket], None]) -> None:
        self._serve = serve
        self._connections: set[socket.socket] = set()
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self.port = 0
        self.open()

    def open(self) -> None:
        """Listen, always on the same port."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, self.port))
        listener.listen(64)
        self.port = listener.getsockname()[1]
        self._socket = listener
        threading.Thread(target=self._accept, args=(listener,), name="proxy", daemon=True).start()

    def shut(self) -> None:
        """Refuse new connections and close existing ones."""
        listener, self._socket = self._socket, None
        if listener is not None:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # otherwise the thread would keep waiting in accept
            listener.close()
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            reset(connection)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._connections.add(connection)
            threading.Thread(target=self._converse, args=(connection,), name="proxy", daemon=True).start()

    def _converse(self, connection: socket.socket) -> None:
        try:
            with contextlib.suppress(OSError, EOFError), connection:
                self._serve(connection)
        finally:
            with self._lock:
                self._connections.discard(connection)


def reach(port: int) -> socket.socket:
    """Connect to a local port."""
    connection = socket.create_connection((LOOPBACK, port), timeout=_CONNECT_SECS)
    connection.settimeout(None)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def reset(connection: socket.socket) -> None:
    """Close a connection like a crashed machine: with RST, discarding the buffers."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RD)  # wakes up threads that wait for its data
    connection.close()
