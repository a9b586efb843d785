"""Clients that post the same requests all the time, on connections that stay open, as cheaply as Python can."""

from __future__ import annotations

import os
import re
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count

from bench.errors import BenchError
from local.ports import LOOPBACK

_RESPONSE_SECS = 30.0
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(slots=True)
class _Posted:
    """What the clients have had acknowledged."""

    requests: int = 0
    error: str = ""
    is_over: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)


def request_of(path: str, media_type: str, body: bytes) -> bytes:
    """The bytes of a request."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {media_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def post_for(port: int, requests: Sequence[bytes], clients: int, secs: float, cpus: Sequence[int]) -> tuple[int, float]:
    """Post these requests in turn for a while, on these processors alone; runs in a process of its own.

    Returns how many were acknowledged, and in how many seconds.

    Raises:
        BenchError: a response is no success.
    """
    os.sched_setaffinity(0, cpus)
    posted = _Posted()
    threads = [
        threading.Thread(target=_post, args=(port, [*requests[first:], *requests[:first]], posted), daemon=True)
        for first in (number * len(requests) // clients for number in range(clients))
    ]
    for thread in threads:
        thread.start()
    began = time.monotonic()
    posted.is_over.wait(secs)
    elapsed = time.monotonic() - began
    acknowledged = posted.requests
    posted.is_over.set()
    for thread in threads:
        thread.join()
    if posted.error:
        raise BenchError(posted.error)
    return acknowledged, elapsed


def _post(port: int, requests: Sequence[bytes], posted: _Posted) -> None:
    with socket.create_connection((LOOPBACK, port), _RESPONSE_SECS) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for number in count():
            if posted.is_over.is_set():
                return
            connection.sendall(requests[number % len(requests)])
            response = _response(connection)
            if response[9:10] != b"2":
                posted.error = f"a request was not acknowledged: {response[:500].decode(errors='replace')}"
                posted.is_over.set()
                return
            with posted.lock:
                posted.requests += 1


def _response(connection: socket.socket) -> bytes:
    """A response with its body."""
    data = b""
    while (end := data.find(b"\r\n\r\n")) < 0:
        data += _more(connection)
    found = _LENGTH.search(data[: end + 2])
    if found is None and b"chunked" in data[:end].lower():
        while not data.endswith(b"\r\n0\r\n\r\n"):
            data += _more(connection)
        return data
    size = end + 4 + (int(found[1]) if found else 0)
    while len(data) < size:
        data += _more(connection)
    return data


def _more(connection: socket.socket) -> bytes:
    data = connection.recv(1 << 16)
    if not data:
        raise BenchError("the server closed the connection")
    return data
