"""The body of a request, collected before a thread is taken: a slow upload must not hold one."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import Any

from app.http.limits import Limits

Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]


class ClientGone(Exception):
    """The client closed the connection before the request was complete. No response is possible."""


class BodyRefused(Exception):
    """The body is too large or too slow. The response has this status and this text."""

    def __init__(self, status: HTTPStatus, message: str, retry_after_secs: int = 0) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after_secs = retry_after_secs

    @property
    def is_slow(self) -> bool:
        """Whether it took too long, so that its end is not worth waiting for."""
        return self.status == HTTPStatus.REQUEST_TIMEOUT


class Bodies:
    """Collects bodies in memory, within limits. Used by the event loop alone."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._buffered: Counter[str] = Counter()

    @asynccontextmanager
    async def read(self, headers: Mapping[bytes, bytes], receive: Receive, address: str = "") -> AsyncIterator[bytes]:
        """The body of one request of an address. It counts as memory in use until the context ends.

        Raises:
            ClientGone: there will be no more of it.
            BodyRefused: it is over a limit; what is left of it is not read.
        """
        declared = headers.get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > self._limits.body_bytes:
            raise self._too_large()
        body = bytearray()
        try:
            try:
                async with asyncio.timeout(self._limits.body_secs):
                    await self._collect(receive, body, address)
            except TimeoutError:
                raise BodyRefused(
                    HTTPStatus.REQUEST_TIMEOUT, f"The body took more than {self._limits.body_secs:g} s."
                ) from None
            yield bytes(body)
        finally:
            self._buffered[address] -= len(body)
            if not self._buffered[address]:
                del self._buffered[address]

    async def forget(self, receive: Receive) -> None:
        """Read the rest of a body without keeping it, for a while."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._limits.linger_secs):
                while (message := await receive())["type"] == "http.request" and message.get("more_body", False):
                    pass

    async def _collect(self, receive: Receive, body: bytearray, address: str) -> None:
        while True:
            message = await receive()
            if message["type"] != "http.request":
                raise ClientGone
            piece = message.get("body", b"")
            if len(body) + len(piece) > self._limits.body_bytes:
                raise self._too_large()
            self._reserve(len(piece), address)
            body += piece
            if not message.get("more_body", False):
                return

    def _reserve(self, size: int, address: str) -> None:
        limits = self._limits
        is_full = self._buffered.total() + size > limits.buffered_bytes
        if is_full or self._buffered[address] + size > limits.buffered_bytes_of_one:
            whose = "" if is_full else " from this address"
            raise BodyRefused(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"Too many bodies{whose} are in memory: retry in {limits.retry_secs} s.",
                limits.retry_secs,
            )
        self._buffered[address] += size

    def _too_large(self) -> BodyRefused:
        message = f"The body may have at most {self._limits.body_bytes:,} bytes."
        return BodyRefused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message)
