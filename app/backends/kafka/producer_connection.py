"""The connection of a publisher: opened on first use, shared by all threads, replaced when no longer usable."""

import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from app.errors import KafkaCode, TryAgainLater

_RECONNECT_SECS = 1.0


class Closable(Protocol):
    """The part of a client that this module uses."""

    def close(self, *, is_flushed: bool) -> None:
        """Disconnect; records in flight fail."""


_Client = TypeVar("_Client", bound=Closable)


class ProducerConnection(Generic[_Client]):
    """At most one client at a time. Safe to share between threads."""

    def __init__(self, connect: Callable[[], _Client], clock: Callable[[], float]) -> None:
        """`connect` opens a client or raises TryAgainLater."""
        self._connect = connect
        self._clock = clock
        self._client: _Client | None = None
        self._retired_clients: list[_Client] = []
        self._connecting = threading.Lock()
        self._swapping = threading.Lock()
        self._closing = threading.Event()
        self._tried_at = float("-inf")
        self._failure: TryAgainLater | None = None

    def client(self, wait_secs: float | None = None) -> _Client:
        """The client. Connects if there is none, or waits up to `wait_secs` while another thread does.

        An attempt begins a second after the last one ended. Who waited while it failed fails with it.

        Raises:
            TryAgainLater: Kafka does not answer, or not in time, or the connection was closed.
        """
        client = self._client
        if client is not None:
            return client
        asked_at = self._clock()
        if not self._connecting.acquire(timeout=-1 if wait_secs is None else wait_secs):
            reason = f"Kafka has not answered within {wait_secs:g} s; another thread keeps trying"
            raise TryAgainLater(reason, code=KafkaCode.UNREACHABLE)
        try:
            client = self._connect_and_share(asked_at, wait_secs)
        finally:
            self._connecting.release()
        if client is None:
            raise TryAgainLater("the publisher is closed", code=KafkaCode.CLOSED)
        return client

    def retire(self, client: _Client) -> None:
        """Replace a client that would fail all records from now on; may be called on its own thread."""
        with self._swapping:
            if self._client is client:
                self._client = None
                self._retired_clients.append(client)

    def refuse(self) -> None:
        """Open no further connection."""
        self._closing.set()

    def close(self, *, is_flushed: bool) -> None:
        """Disconnect for good; records in flight fail."""
        self.refuse()
        with self._swapping:
            client, self._client = self._client, None
        if client is not None:
            client.close(is_flushed=is_flushed)
        self._close_retired_clients()

    def _connect_and_share(self, asked_at: float, wait_secs: float | None) -> _Client | None:
        """Connect, unless another thread has done so meanwhile; None once this connection is closed."""
        if self._closing.is_set():
            return None
        client = self._client or self._connect_anew(asked_at, wait_secs)
        with self._swapping:
            if not self._closing.is_set():
                self._client = client
                return client
        client.close(is_flushed=True)
        return None

    def _connect_anew(self, asked_at: float, wait_secs: float | None) -> _Client:
        pause_secs = max(0.0, self._tried_at + _RECONNECT_SECS - self._clock())
        failed_meanwhile = self._tried_at > asked_at
        has_no_time = wait_secs is not None and pause_secs > wait_secs - (self._clock() - asked_at)
        if self._failure is not None and (failed_meanwhile or has_no_time):
            raise TryAgainLater(str(self._failure), code=self._failure.code)
        self._closing.wait(pause_secs)
        self._close_retired_clients()
        try:
            client = self._connect()
        except TryAgainLater as error:
            self._failure = error
            raise
        finally:
            self._tried_at = self._clock()
        self._failure = None
        return client

    def _close_retired_clients(self) -> None:
        while self._retired_clients:
            self._retired_clients.pop().close(is_flushed=False)
