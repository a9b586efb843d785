"""A proxy between the service and the broker: parses the frames of Kafka's protocol and matches replies to requests.

The numbers of requests and their layout: https://kafka.apache.org/protocol
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import BinaryIO, Final

from tests.faults.proxy import Listener, Strikes, reach, reset

PRODUCE: Final = 0
OFFSET_COMMIT: Final = 8
JOIN_GROUP: Final = 11
SYNC_GROUP: Final = 14

_COMMIT_VERSION = 8
_NO_GENERATION = struct.pack(">i", 0x7FFFFFFF)


@dataclass(frozen=True, slots=True)
class Frame:
    """A request, or the reply to one: `data` is the frame without its length, `request` that of the request."""

    api: int
    is_reply: bool
    data: bytes
    request: bytes

    @property
    def holds_lease(self) -> bool:
        """Whether it is about a commit that opens a lease."""
        return self.api == OFFSET_COMMIT and b'"lease"' in self.request


Treatment = Callable[[Frame], "bytes | None"]
"""Returns the frame to pass on, or None to close the connection. Later frames of the connection wait meanwhile."""


class KafkaProxy:
    """Relays frames, except those that a fault treats differently."""

    def __init__(self, upstream_port: int) -> None:
        self._upstream_port = upstream_port
        self._strikes = Strikes[Frame, bytes | None]()
        self.listener = Listener(self._serve)

    def strike(self, meant: Callable[[Frame], bool], how: Treatment) -> None:
        """Apply a treatment to the next matching frame. See `Strikes.strike`."""
        self._strikes.strike(meant, how)

    def strike_both(self, meant: Callable[[Frame], bool], of_request: Treatment, of_reply: Treatment) -> None:
        """Apply treatments to the next matching request and to its reply. Returns when both are done.

        Raises:
            NotFired: see `Strikes.strike`.
        """
        taken: list[bytes] = []

        def treat(frame: Frame) -> bytes | None:
            taken.append(frame.request)
            return of_request(frame)

        with self._strikes.waiting(lambda frame: frame.is_reply and frame.request in taken, of_reply) as reply:
            self.strike(lambda frame: not frame.is_reply and meant(frame), treat)
            reply.wait()

    def _serve(self, client: socket.socket) -> None:
        requests: dict[int, bytes] = {}
        with closing(reach(self._upstream_port)) as upstream:
            backward = threading.Thread(target=self._pass_replies, args=(upstream, client, requests), daemon=True)
            backward.start()
            try:
                for data in _frames(client.makefile("rb")):
                    requests[_correlation(data, 4)] = data
                    self._pass(Frame(_api(data), False, data, data), upstream)
            finally:
                with suppress(OSError):
                    upstream.shutdown(socket.SHUT_RDWR)
                backward.join()

    def _pass_replies(self, upstream: socket.socket, client: socket.socket, requests: dict[int, bytes]) -> None:
        with suppress(OSError):
            for data in _frames(upstream.makefile("rb")):
                request = requests.pop(_correlation(data, 0))
                self._pass(Frame(_api(request), True, data, request), client)
        reset(client)

    def _pass(self, frame: Frame, to: socket.socket) -> None:
        strike = self._strikes.taking(frame)
        data = strike.treat(frame) if strike is not None else frame.data
        if data is None:
            raise ConnectionResetError
        to.sendall(struct.pack(">i", len(data)) + data)


def _frames(stream: BinaryIO) -> Iterator[bytes]:
    while len(head := stream.read(4)) == 4:
        [size] = struct.unpack(">i", head)
        data = stream.read(size)
        if len(data) != size:
            return
        yield data


def _api(request: bytes) -> int:
    return int(struct.unpack_from(">h", request)[0])


def _correlation(data: bytes, position: int) -> int:
    return int(struct.unpack_from(">i", data, position)[0])


def with_wrong_generation(commit: bytes) -> bytes:
    """A commit (version 8) changed so that the broker refuses it for every partition."""
    _require_version(commit)
    position = 8
    [client_id_size] = struct.unpack_from(">h", commit, position)
    position += 2 + max(client_id_size, 0) + 1  # and no tagged fields
    group_size, position = _compact_length(commit, position)
    position += group_size
    return commit[:position] + _NO_GENERATION + commit[position + 4 :]


def with_errors(frame: Frame, code: int) -> bytes:
    """The reply to a commit (version 8) with this error for every partition."""
    _require_version(frame.request)
    reply = frame.data
    changed = bytearray(reply)
    position = 4 + 1 + 4  # correlation, no tagged fields, throttle time
    topics, position = _compact_length(reply, position)
    for _ in range(topics):
        name_size, position = _compact_length(reply, position)
        partitions, position = _compact_length(reply, position + name_size)
        for _ in range(partitions):
            struct.pack_into(">h", changed, position + 4, code)
            position += 4 + 2 + 1
        position += 1
    assert topics
    return bytes(changed)


def _require_version(commit: bytes) -> None:
    [version] = struct.unpack_from(">h", commit, 2)
    assert version == _COMMIT_VERSION, f"a commit of version {version}, whose layout is unknown"


def _compact_length(data: bytes, position: int) -> tuple[int, int]:
    """A length in the encoding of flexible versions (length plus one), and the position after it."""
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return max(0, value - 1), position
