"""A connection of uvicorn: one of a limited number, with a deadline and a limit for the head of each request."""

import asyncio
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from app.http.connections import Connections
from app.http.limits import Limits
from app.http.refusal import refusal
from app.http.request_id import new_request_id


class TooManyAhead(Exception):
    """A client has sent too many requests without waiting for a response."""


class Connection(HttpToolsProtocol):
    """Closes connections that say nothing, or whose headers do not end: each would cost a file descriptor for ever.

    uvicorn itself has a deadline only for the time between two requests, keeps any number of requests that are sent
    before the response to an earlier one, and tells only the last of them that the client has gone.
    """

    def __init__(self, limits: Limits, connections: Connections, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._limits = limits
        self._all = connections
        self._address: str | None = None  # None if the connection was not admitted
        self._deadline: asyncio.TimerHandle | None = None
        self._head_bytes = 0
        self._unanswered: list[RequestResponseCycle] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        super().connection_made(transport)  # type: ignore[arg-type]  # uvicorn narrows it
        address = (transport.get_extra_info("peername") or ("",))[0]
        if self._all.admit(address):
            self._address = address
            self._await_head()
        else:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._end_head()
        if self._address is not None:
            self._all.leave(self._address)
        for request in self._unanswered:
            request.disconnected = True
            request.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        if self._deadline is not None:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._deadline is not None and self._head_bytes > self._limits.head_bytes:
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """Called for bytes that are no HTTP: the error in the form of all others."""
        if self.transport.is_closing():
            return
        headers, body = refusal(HTTPStatus.BAD_REQUEST, msg, new_request_id())
        head = b"".join(b"%s: %s\r\n" % header for header in headers)
        self.transport.write(b"HTTP/1.1 400 Bad Request\r\n" + head + b"\r\n" + body)
        self.transport.close()

    def on_message_begin(self) -> None:
        """Called by the parser at the first byte of a request."""
        super().on_message_begin()
        if self._deadline is None:
            self._await_head()

    def on_headers_complete(self) -> None:
        """Called by the parser.

        Raises:
            TooManyAhead: and breaks the connection. The parser has thousands of requests in one piece of data; only an
                exception keeps it from going through them all.
        """
        self._end_head()
        self._unanswered = [request for request in self._unanswered if not request.response_complete]
        if len(self._unanswered) > self._limits.requests_ahead:
            self.transport.abort()
            raise TooManyAhead
        super().on_headers_complete()
        self._unanswered.append(self.cycle)

    def _await_head(self) -> None:
        self._head_bytes = 0
        self._deadline = self.loop.call_later(self._limits.head_secs, self.transport.close)

    def _end_head(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
