"""Clients that all want something of the service at once: slow ones, silent ones, and too many of them.

They run in a process of their own and end by themselves.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from itertools import cycle, islice
from typing import Final
from urllib.parse import quote

from local.ports import LOOPBACK

KINDS: Final[Mapping[str, int]] = {"tails": 50, "exports": 8, "pages": 14, "queries": 100}
"""How many clients of each kind there are, in the order in which they come."""

NICE: Final = 10
"""How much the clients give way to the service, broker and engine, which share the machine with them."""

_SLOW_BYTES: Final = 2048
_SLOW_EVERY_SECS: Final = 0.5
_SLOW_BUFFER_BYTES: Final = 4096  # of the client's socket, so that the system takes little off the service
_HEAD_BYTES: Final = 16_384
_FAST_BYTES: Final = 65_536
_AGAIN_SECS: Final = 1.0
_TOGETHER_SECS: Final = 10.0
_LOOK_SECS: Final = 0.05
_PROBE_SECS: Final = 10.0
_BUSY: Final = frozenset({429, 503})


@dataclass(slots=True)
class Tally:
    """What the clients got, each by kind of client."""

    statuses: Counter[str] = field(default_factory=Counter)
    """Responses by "kind status"; "kind broken" where the connection failed."""
    received: Counter[str] = field(default_factory=Counter)
    """Bytes of bodies."""
    open: Counter[str] = field(default_factory=Counter)
    """Responses that have begun and not ended."""
    most_open: Counter[str] = field(default_factory=Counter)

    def refused(self, status: int) -> int:
        """How many requests got this status."""
        return sum(count for name, count in self.statuses.items() if name.endswith(f" {status}"))


Read = Callable[[asyncio.StreamReader, Callable[[int], None]], Awaitable[None]]
"""Reads a body in its own way; the call counts bytes."""


def crowd(port: int, kinds: Sequence[str], end: str, tail_query: str, secs: float) -> Tally:
    """Run the clients of these kinds for a while, in a process that gives way to others: it stands for many machines.

    Pages and exports begin with the newest logs before `end`; `tail_query` is what the live tails follow.
    """
    os.nice(NICE)
    return asyncio.run(_crowd(port, kinds, end, tail_query, secs))


def probe(port: int, path: str, every_secs: float, secs: float) -> list[float | None]:
    """Milliseconds that each of the probes took, each over a connection of its own; None for one that failed."""
    found: list[float | None] = []
    until = time.monotonic() + secs
    while (began := time.monotonic()) < until:
        found.append(_probed_ms(port, path))
        time.sleep(max(0.0, began + every_secs - time.monotonic()))
    return found


def _probed_ms(port: int, path: str) -> float | None:
    connection = HTTPConnection(LOOPBACK, port, timeout=_PROBE_SECS)
    began = time.perf_counter()
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()
    return (time.perf_counter() - began) * 1000 if response.status == 200 else None


async def _crowd(port: int, kinds: Sequence[str], end: str, tail_query: str, secs: float) -> Tally:
    tally = Tally()
    try:
        async with asyncio.timeout(secs), asyncio.TaskGroup() as clients:
            for kind in (kind for kind in KINDS if kind in kinds):
                for path in islice(cycle(_paths(kind, end, tail_query)), KINDS[kind]):
                    clients.create_task(_client(port, kind, path, tally))
                await _until_open(kind, tally)
    except TimeoutError:
        pass  # their time is over
    return tally


async def _until_open(kind: str, tally: Tally) -> None:
    """Wait until all of a kind have a response that lasts, or long enough: each needs a slot for a query to begin."""
    until = time.monotonic() + _TOGETHER_SECS
    while tally.open[kind] < KINDS[kind] and time.monotonic() < until:
        await asyncio.sleep(_LOOK_SECS)


def _paths(kind: str, end: str, tail_query: str) -> Iterator[str]:
    until = f"start=now-30d&end={quote(end)}"
    match kind:
        case "pages":
            yield f"/api/v1/logs?{until}&limit=10000"
        case "exports":
            yield f"/api/v1/logs?{until}&format=ndjson"
            yield f"/api/v1/logs?{until}&format=csv"
        case "tails":
            yield f"/api/v1/logs/tail?query={quote(tail_query)}"
        case _:
            yield "/api/v1/logs?start=now-1h&query=timeout"
            yield "/api/v1/histogram?start=now-1h&query=level:error"


async def _client(port: int, kind: str, path: str, tally: Tally) -> None:
    """Send a request again and again: after the end of its response, or a second after a refusal."""
    read = {"pages": _not_at_all, "exports": _slowly}.get(kind, _at_once)
    while True:
        try:
            await asyncio.sleep(await _request(port, kind, path, tally, read))
        except (OSError, asyncio.IncompleteReadError):
            tally.statuses[f"{kind} broken"] += 1
            await asyncio.sleep(_AGAIN_SECS)


async def _request(port: int, kind: str, path: str, tally: Tally, read: Read) -> float:
    """One request and its response. Returns after how many seconds to send the next."""
    reader, writer = await _connected(port, is_slow=read is not _at_once)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n".encode())
        status, retry_secs = _status(await reader.readuntil(b"\r\n\r\n"))
        tally.statuses[f"{kind} {status}"] += 1
        if status in _BUSY:
            return min(retry_secs, _AGAIN_SECS)
        tally.open[kind] += 1
        tally.most_open[kind] = max(tally.most_open[kind], tally.open[kind])
        try:
            await read(reader, lambda count: tally.received.update({kind: count}))
        finally:
            tally.open[kind] -= 1
        return 0.0 if status == 200 else _AGAIN_SECS
    finally:
        writer.close()


async def _connected(port: int, *, is_slow: bool) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    client = socket.socket()
    if is_slow:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SLOW_BUFFER_BYTES)
    client.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(client, (LOOPBACK, port))
        return await asyncio.open_connection(sock=client, limit=_HEAD_BYTES)
    except BaseException:
        client.close()
        raise


def _status(head: bytes) -> tuple[int, float]:
    """The status, and the seconds of Retry-After, in the head of a response."""
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return int(first.split()[1]), float(headers.get("retry-after", _AGAIN_SECS))


async def _not_at_all(_reader: asyncio.StreamReader, _count: Callable[[int], None]) -> None:
    await asyncio.Event().wait()


async def _slowly(reader: asyncio.StreamReader, count: Callable[[int], None]) -> None:
    while piece := await reader.read(_SLOW_BYTES):
        count(len(piece))
        await asyncio.sleep(_SLOW_EVERY_SECS)


async def _at_once(reader: asyncio.StreamReader, count: Callable[[int], None]) -> None:
    while piece := await reader.read(_FAST_BYTES):
        count(len(piece))
