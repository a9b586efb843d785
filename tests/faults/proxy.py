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

_CONNECT_SECS = 5.0


class NotFired(Exception):
    """What a fault was meant for did not come by."""


class Strike(Generic[_Thing]):
    """Treats the next thing of a kind that comes by in another way than all others, once."""

    def __init__(self, is_meant: Callable[[_Thing], bool]) -> None:
        self._is_meant = is_meant
        self._is_taken = False
        self._lock = threading.Lock()
        self._fired = threading.Event()
        self._error: Exception | None = None

    def wait(self, timeout_secs: float) -> None:
        """Wait until it has been treated.

        Raises:
            NotFired: nothing of the kind came by.
            Exception: what went wrong in the treatment; a peer that goes away is nothing that goes wrong.
        """
        if not self._fired.wait(timeout_secs):
            raise NotFired(f"nothing that this was meant for came by within {timeout_secs:.0f} s")
        if self._error is not None:
            raise self._error

    @contextlib.contextmanager
    def treating(self) -> Iterator[None]:
        """The treatment is under way; when the block ends it has been treated."""
        try:
            yield
        except (OSError, EOFError):
            raise
        except Exception as error:
            self._error = error
            raise
        finally:
            self._fired.set()

    def takes(self, thing: _Thing) -> bool:
        """Whether this is the one."""
        with self._lock:
            if self._is_taken or not self._is_meant(thing):
                return False
            self._is_taken = True
            return True


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
