"""The body of a request, collected before a thread is taken: a slow upload must not hold one."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

from app.http.limits import Limits

Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]


class ClientGone(Exception):
    """The client closed the connection before the request was complete. No response is possible."""


class BodyRefused(Exception):
    """The body is too large or too slow. The response has this status and this text."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


class Bodies:
    """Collects bodies in memory, within limits. Used by the event loop alone."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._buffered_bytes = 0

    async def read(self, headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
        """The body of one request.

        Raises:
            ClientGone: there will be no more of it.
            BodyRefused: it is over a limit; what is left of it is not read.
        """
        declared = headers.get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > self._limits.body_bytes:
            raise self._too_large()
        body = bytearray()
        try:
            async with asyncio.timeout(self._limits.body_secs):
                await self._collect(receive, body)
        except TimeoutError:
            raise BodyRefused(
                HTTPStatus.REQUEST_TIMEOUT, f"The body took more than {self._limits.body_secs:g} s."
            ) from None
        finally:
            self._buffered_bytes -= len(body)
        return bytes(body)

    async def _collect(self, receive: Receive, body: bytearray) -> None:
        while True:
            message = await receive()
            if message["type"] != "http.request":
                raise ClientGone
            piece = message.get("body", b"")
            if len(body) + len(piece) > self._limits.body_bytes:
                raise self._too_large()
            if self._buffered_bytes + len(piece) > self._limits.buffered_bytes:
                raise BodyRefused(HTTPStatus.SERVICE_UNAVAILABLE, "Too many bodies are being received; retry later.")
            body += piece
            self._buffered_bytes += len(piece)
            if not message.get("more_body", False):
                return

    def _too_large(self) -> BodyRefused:
        message = f"The body may have at most {self._limits.body_bytes:,} bytes."
        return BodyRefused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message)
