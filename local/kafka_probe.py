"""Checks whether a broker is up, by a request in Kafka's own protocol.

A client library would do as well, but it takes seconds, logs errors and leaks sockets while the broker is not up, which
is the usual case here. The request is DescribeCluster, version 0, as in Kafka's message definitions:
https://kafka.apache.org/protocol (key 60).
"""

from __future__ import annotations

import socket
import struct

from local.ports import LOOPBACK

_KEY, _VERSION, _CORRELATION = 60, 0, 7
_CLIENT = b"local"
_TIMEOUT_SECS = 5.0


def has_brokers(port: int) -> bool:
    """Whether the broker at this port of the loopback address reports that its cluster has brokers."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=_TIMEOUT_SECS) as connection:
            connection.sendall(request())
            with connection.makefile("rb") as stream:
                (size,) = struct.unpack(">i", _at_least(stream.read(4), 4))
                return count_brokers(stream.read(size)) > 0
    except (OSError, EOFError):
        return False


def request() -> bytes:
    """The request, prefixed by its length."""
    head = struct.pack(f">hhih{len(_CLIENT)}s", _KEY, _VERSION, _CORRELATION, len(_CLIENT), _CLIENT)
    body = head + b"\0" + b"\0" + b"\0"  # no tagged fields; no operations wanted; no tagged fields
    return struct.pack(">i", len(body)) + body


def count_brokers(response: bytes) -> int:
    """The number of brokers in a response, 0 if it is an error.

    Raises:
        EOFError: the response is incomplete.
    """
    # Correlation id, tagged fields, throttle time, error code; then two texts, controller id, brokers.
    correlation, _, _, error_code = struct.unpack_from(">ibih", _at_least(response, 11))
    if correlation != _CORRELATION or error_code != 0:
        return 0
    position = 11
    for _ in ("error message", "cluster id"):
        length, position = _length(response, position)
        position += length
    length, _ = _length(response, position + 4)
    return length


def _length(response: bytes, position: int) -> tuple[int, int]:
    """Length of a compact text or array, 0 for null, and where it begins."""
    value = shift = 0
    while True:
        byte = _at_least(response, position + 1)[position]
        position += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return max(0, value - 1), position


def _at_least(data: bytes, size: int) -> bytes:
    if len(data) < size:
        raise EOFError
    return data
