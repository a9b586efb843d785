"""Clients that misbehave, each on a connection of its own, by name.

A client ends when the server has closed its connection, when it has done its harm, or when it is cancelled.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Final

_PAUSE_SECS: Final = 0.01
_PATIENCE_SECS: Final = 30.0
_RESET: Final = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends a RST
_PAGE, _EXPORT = "/api/v1/logs?limit=250", "/api/v1/logs.ndjson?limit=20000"
_AHEAD: Final = b"GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n" * 20_000


class Wire:
    """A connection to the server."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self._loop = asyncio.get_running_loop()
        self._socket = socket.socket()
        self._socket.setblocking(False)

    async def __aenter__(self) -> Wire:
        await self._loop.sock_connect(self._socket, self._address)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._socket.close()

    async def send(self, *lines: str, body: bytes = b"") -> None:
        """Send the head of a request, and some of its body."""
        head = "".join(f"{line}\r\n" for line in (*lines, "Host: localhost", ""))
        await self._loop.sock_sendall(self._socket, head.encode() + body)

    async def send_slowly(self, piece: bytes) -> None:
        """Send this again and again, until the server closes the connection."""
        while not await self._is_closed():
            await self._loop.sock_sendall(self._socket, piece)

    async def until_closed(self) -> None:
        """Read on until the server closes the connection."""
        while await self._loop.sock_recv(self._socket, 65_536):
            pass

    async def read_once(self) -> None:
        """Read what is there, or comes next."""
        await self._loop.sock_recv(self._socket, 1_000)

    def end_of_sending(self) -> None:
        """Close the half of the connection that sends."""
        self._socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Break the connection off."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._socket.close()

    async def _is_closed(self) -> bool:
        with suppress(TimeoutError):
            # Not wait_for: Python 3.11's loses a cancellation that comes together with the result.
            async with asyncio.timeout(_PAUSE_SECS):
                return await self._loop.sock_recv(self._socket, 1_000) == b""
        return False


async def _says_nothing(wire: Wire) -> None:
    await wire.until_closed()


async def _sends_a_head_slowly(wire: Wire) -> None:
    await wire.send_slowly(b"G")


async def _sends_a_body_slowly(wire: Wire) -> None:
    await wire.send("POST /api/v1/stats HTTP/1.1", "Content-Length: 100000")
    await wire.send_slowly(b"x")


async def _sends_chunks_without_end(wire: Wire) -> None:
    await wire.send("POST /api/v1/stats HTTP/1.1", "Transfer-Encoding: chunked")
    await wire.send_slowly(b"1\r\nx\r\n")


async def _asks_to_continue_and_does_not(wire: Wire) -> None:
    await wire.send("POST /api/v1/stats HTTP/1.1", "Content-Length: 100000", "Expect: 100-continue")
    await wire.until_closed()


async def _closes_its_half_within_a_body(wire: Wire) -> None:
    await wire.send("POST /api/v1/stats HTTP/1.1", "Content-Length: 100000", body=b"x" * 50_000)
    wire.end_of_sending()
    await wire.until_closed()


async def _closes_its_half_after_a_request(wire: Wire) -> None:
    await wire.send(f"GET {_PAGE} HTTP/1.1")
    wire.end_of_sending()
    await wire.until_closed()


async def _breaks_off_within_a_body(wire: Wire) -> None:
    await wire.send("POST /api/v1/stats HTTP/1.1", "Content-Length: 100000", body=b"x" * 50_000)
    await asyncio.sleep(_PAUSE_SECS)
    wire.reset()


async def _breaks_off_within_a_response(wire: Wire) -> None:
    await wire.send(f"GET {_PAGE} HTTP/1.1")
    await wire.read_once()
    wire.reset()


async def _reads_no_page(wire: Wire) -> None:
    await wire.send(f"GET {_PAGE} HTTP/1.1")
    await asyncio.Event().wait()


async def _reads_no_export(wire: Wire) -> None:
    await wire.send(f"GET {_EXPORT} HTTP/1.1")
    await asyncio.Event().wait()


async def _reads_no_small_responses(wire: Wire) -> None:
    while True:
        await wire.send("GET /live HTTP/1.1")
        await asyncio.sleep(_PAUSE_SECS)


async def _sends_thousands_of_requests_ahead(wire: Wire) -> None:
    await wire.send("GET /live HTTP/1.1", body=_AHEAD)
    await wire.until_closed()


Client = Callable[[Wire], Awaitable[None]]

CLOSED_BY_THE_SERVER: Final[Mapping[str, Client]] = {
    "says nothing": _says_nothing,
    "sends a head slowly": _sends_a_head_slowly,
    "sends a body slowly": _sends_a_body_slowly,
    "sends chunks without end": _sends_chunks_without_end,
    "asks to continue and does not": _asks_to_continue_and_does_not,
    "closes its half within a body": _closes_its_half_within_a_body,
    "closes its half after a request": _closes_its_half_after_a_request,
    "sends thousands of requests ahead": _sends_thousands_of_requests_ahead,
}
OTHERS: Final[Mapping[str, Client]] = {
    "breaks off within a body": _breaks_off_within_a_body,
    "breaks off within a response": _breaks_off_within_a_response,
    "reads no page": _reads_no_page,
    "reads no export": _reads_no_export,
    "reads no small responses": _reads_no_small_responses,
}


async def misbehave(address: tuple[str, int], secs: float, of_each: int) -> Counter[str]:
    """So many clients of each kind at a time, one after another, for so long, and until the server has closed some of
    each kind that it must close; on a busy machine that takes longer.

    Returns how many of each kind have come to their end.
    """
    ended: Counter[str] = Counter()
    kinds = {**CLOSED_BY_THE_SERVER, **OTHERS}

    async def one_after_another(name: str) -> None:
        while True:
            with suppress(ConnectionError):
                async with Wire(address) as wire:
                    await kinds[name](wire)
            ended[name] += 1
            await asyncio.sleep(_PAUSE_SECS)

    clients = [asyncio.create_task(one_after_another(name)) for name in kinds for _ in range(of_each)]
    await asyncio.sleep(secs)
    with suppress(TimeoutError):
        async with asyncio.timeout(_PATIENCE_SECS):
            while not all(ended[name] for name in CLOSED_BY_THE_SERVER):
                await asyncio.sleep(_PAUSE_SECS)
    for client in clients:
        client.cancel()
    results = await asyncio.gather(*clients, return_exceptions=True)
    assert all(isinstance(result, asyncio.CancelledError) for result in results), results
    return ended
