"""What both proxies are: a door on the loopback address, a thread per connection, and one fault at a time."""

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
    """What a fault was meant for did not come by."""


class Strike(Generic[_Thing, _Result]):
    """Treats the next thing of a kind that comes by in another way than all others, once."""

    def __init__(self, is_meant: Callable[[_Thing], bool], how: Callable[[_Thing], _Result]) -> None:
        self._is_meant = is_meant
        self._how = how
        self._is_taken = False
        self._fired = threading.Event()
        self._error: Exception | None = None

    def wait(self) -> None:
        """Wait until it has been treated.

        Raises:
            NotFired: nothing of the kind came by.
            Exception: what went wrong in the treatment; a peer that goes away is nothing that goes wrong.
        """
        if not self._fired.wait(_FIRE_SECS):
            raise NotFired(f"nothing that this was meant for came by within {_FIRE_SECS:.0f} s")
        if self._error is not None:
            raise self._error

    def treat(self, thing: _Thing) -> _Result:
        """Do it to the one that it takes."""
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
        """Whether this is the one. One thread at a time."""
        if self._is_taken or not self._is_meant(thing):
            return False
        self._is_taken = True
        return True


class Strikes(Generic[_Thing, _Result]):
    """The strikes that wait for what comes by a proxy. Any thread may ask."""

    def __init__(self) -> None:
        self._waiting: list[Strike[_Thing, _Result]] = []
        self._lock = threading.Lock()

    def strike(self, is_meant: Callable[[_Thing], bool], how: Callable[[_Thing], _Result]) -> None:
        """Treat the next thing of a kind so. Returns when that is done.

        Raises:
            NotFired: none came by.
        """
        with self.waiting(is_meant, how) as strike:
            strike.wait()

    @contextlib.contextmanager
    def waiting(
        self, is_meant: Callable[[_Thing], bool], how: Callable[[_Thing], _Result]
    ) -> Iterator[Strike[_Thing, _Result]]:
        """For as long as the block lasts: treat the next thing of a kind so."""
        strike = Strike(is_meant, how)
        with self._lock:
            self._waiting.append(strike)
        try:
            yield strike
        finally:
            with self._lock:
                self._waiting.remove(strike)

    def taking(self, thing: _Thing) -> Strike[_Thing, _Result] | None:
        """The strike that is meant for this one, if there is one."""
        with self._lock:
            return next((strike for strike in self._waiting if strike.takes(thing)), None)


class Door:
    """Accepts connections and hands each to `serve` on a thread of its own. Can be shut, and opened again."""

    def __init__(self, serve: Callable[[socket.socket], None]) -> None:
        self._serve = serve
        self._connections: set[socket.socket] = set()
        self._listener: socket.socket | None = None
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
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), name="proxy", daemon=True).start()

    def shut(self) -> None:
        """Refuse new connections and end those that there are."""
        listener, self._listener = self._listener, None
        if listener is not None:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # or the thread would go on waiting in accept
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
    """A connection to whoever listens there."""
    connection = socket.create_connection((LOOPBACK, port), timeout=_CONNECT_SECS)
    connection.settimeout(None)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def reset(connection: socket.socket) -> None:
    """End it as a crashed machine does: RST, and what is still in the buffers is thrown away."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RD)  # whoever is waiting for data from it wakes up
    connection.close()
