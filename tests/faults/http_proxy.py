"""A proxy between the service and ClickHouse that parses requests and replies, and injects network faults."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from typing import BinaryIO

from app.backends.clickhouse.writer import SERVER_NOW_MS
from tests.faults.proxy import Listener, Strikes, reach, reset

_NOW = SERVER_NOW_MS.encode()


@dataclass
class Message:
    """A request or a reply as it was sent, byte for byte."""

    head: bytes
    body: bytes

    @property
    def whole(self) -> bytes:
        """Head and body."""
        return self.head + self.body

    @property
    def status(self) -> int:
        """Of a reply."""
        return int(self.head.split(b" ", 2)[1])

    @property
    def error_code(self) -> int:
        """ClickHouse's error number in a reply, or 0."""
        return int(header(self.head, b"x-clickhouse-exception-code") or 0)


@dataclass
class Exchange:
    """A request that has arrived and is not forwarded yet."""

    request: Message
    client: socket.socket
    upstream_port: int
    replies: list[Message] = field(default_factory=list)

    @property
    def is_insert(self) -> bool:
        """Whether it brings rows."""
        return b"INSERT" in self.request.head.upper().partition(b"\r\n")[0] or self.request.body.startswith(b"INSERT")

    @property
    def reads_last_offset(self) -> bool:
        """Whether the request is part of a recovery."""
        return b"max(_offset)" in self.request.body or b"max%28_offset%29" in self.request.head

    def deliver(self) -> Message:
        """Forward the request; returns the reply, which is not passed on yet."""
        with closing(reach(self.upstream_port)) as upstream:
            upstream.sendall(self.request.whole)
            self.replies.append(read_message(upstream.makefile("rb")))
        return self.replies[-1]

    def deliver_part(self, share: float) -> socket.socket:
        """Forward the head and this share of the body; returns the open connection."""
        upstream = reach(self.upstream_port)
        upstream.sendall(self.request.head + self.request.body[: int(len(self.request.body) * share)])
        return upstream

    def deliver_rest(self, upstream: socket.socket, share: float) -> Message:
        """Forward the rest, after `deliver_part`."""
        with closing(upstream):
            upstream.sendall(self.request.body[int(len(self.request.body) * share) :])
            self.replies.append(read_message(upstream.makefile("rb")))
        return self.replies[-1]

    def answer(self, reply: bytes) -> None:
        """Answer the service."""
        self.client.sendall(reply)

    def relay(self) -> None:
        """Forward request and reply unchanged."""
        self.answer(self.deliver().whole)

    def hang_up(self) -> None:
        """Send the service a RST instead of a reply."""
        reset(self.client)


Treatment = Callable[[Exchange], None]


def is_insert(exchange: Exchange) -> bool:
    """For `HttpProxy.strike`."""
    return exchange.is_insert


def reads_last_offset(exchange: Exchange) -> bool:
    """For `HttpProxy.strike`."""
    return exchange.reads_last_offset


class HttpProxy:
    """Relays requests, except those that a fault treats differently: a single one, or all for a while."""

    def __init__(self, upstream_port: int) -> None:
        self._upstream_port = upstream_port
        self._strikes = Strikes[Exchange, None]()
        self.treat_all: Treatment | None = None
        self.clock_offset_secs = 0
        """Offset of ClickHouse's clock from ours in its responses."""
        self.clock_answers = 0
        self.treated = 0
        self.listener = Listener(self._serve)

    def strike(self, how: Treatment, *, meant: Callable[[Exchange], bool] = is_insert) -> None:
        """Apply a treatment to the next matching request. See `Strikes.strike`."""
        self._strikes.strike(meant, how)

    def _serve(self, client: socket.socket) -> None:
        stream = client.makefile("rb")
        while True:
            exchange = Exchange(self._with_clock(read_message(stream)), client, self._upstream_port)
            strike = self._strikes.taking(exchange)
            how = strike.treat if strike is not None else self.treat_all
            self.treated += how is not None
            (how or Exchange.relay)(exchange)

    def _with_clock(self, request: Message) -> Message:
        """Change a query for the time into one for another time."""
        if _NOW not in request.body or b"POST" not in request.head:
            return request
        self.clock_answers += 1
        body = request.body.replace(_NOW, b"%s + %d" % (_NOW, 1000 * self.clock_offset_secs))
        lines = [line for line in request.head.split(b"\r\n") if not line.lower().startswith(b"content-length")]
        lines[1:1] = [b"Content-Length: %d" % len(body)]
        return Message(b"\r\n".join(lines), body)


def read_message(stream: BinaryIO) -> Message:
    """Read the next request or reply.

    Raises:
        EOFError: the stream has ended.
    """
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = stream.readline(65536)
        if not line:
            raise EOFError
        head += line
    if b"chunked" in (header(head, b"transfer-encoding") or b"").lower():
        return Message(head, b"".join(_chunks(stream)))
    return Message(head, _exactly(stream, int(header(head, b"content-length") or 0)))


def header(head: bytes, name: bytes) -> bytes | None:
    """A header's value; `name` in lower case."""
    for line in head.split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.strip().lower() == name:
            return value.strip()
    return None


def _chunks(stream: BinaryIO) -> list[bytes]:
    pieces = []
    while True:
        line = stream.readline(65536)
        size = int(line.partition(b";")[0], 16)
        pieces += [line, _exactly(stream, size + 2)]
        if size == 0:
            return pieces


def _exactly(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) != size:
        raise EOFError
    return data


# Network faults of a request.


def lose_the_reply(exchange: Exchange) -> None:
    """ClickHouse carries out the request; the reply is lost."""
    exchange.deliver()
    exchange.hang_up()


def cut_at(share: float) -> Treatment:
    """Only the beginning of the body reaches ClickHouse."""

    def cut(exchange: Exchange) -> None:
        exchange.deliver_part(share).close()
        exchange.hang_up()

    return cut


def hold(secs: float) -> Treatment:
    """The network delays the request; its sender may have gone."""

    def deliver_late(exchange: Exchange) -> None:
        time.sleep(secs)  # the fault itself, not a wait for something
        exchange.answer(exchange.deliver().whole)

    return deliver_late


def duplicate(after_secs: float) -> Treatment:
    """The network delivers the request twice, at once or later."""

    def deliver_twice(exchange: Exchange) -> None:
        again = Exchange(exchange.request, exchange.client, exchange.upstream_port)
        late = threading.Timer(after_secs, again.deliver)
        late.start()
        reply = exchange.deliver()
        exchange.answer(reply.whole)
        late.join()
        exchange.replies += again.replies

    return deliver_twice


def answer_error(code: int, *, is_carried_out: bool) -> Treatment:
    """The service gets ClickHouse's error of this number, and the request is carried out or not."""

    def fail(exchange: Exchange) -> None:
        if is_carried_out:
            exchange.deliver()
        text = f"Code: {code}. DB::Exception: made up. (MADE_UP) (version 26.9.2.1)\n".encode()
        exchange.answer(_reply(b"500 Internal Server Error", text, b"X-ClickHouse-Exception-Code: %d\r\n" % code))

    return fail


def deny_alter(code: int) -> Treatment:
    """Deny ALTER TABLE with an error; the local engine has no permissions."""
    deny = answer_error(code, is_carried_out=False)

    def treat(exchange: Exchange) -> None:
        (deny if b"ALTER TABLE" in exchange.request.body else Exchange.relay)(exchange)

    return treat


def answer_exception_after_200(exchange: Exchange) -> None:
    """The error happens after the status was sent, so that it is at the end of the body."""
    tag = b"0123456789abcdef"
    text = b"Code: 241. DB::Exception: made up. (MEMORY_LIMIT_EXCEEDED)\n"
    body = b"\r\n__exception__\r\n%s\r\n%s%d %s\r\n__exception__\r\n" % (tag, text, len(text), tag)
    exchange.answer(_reply(b"200 OK", body, b"X-ClickHouse-Exception-Tag: %s\r\n" % tag))


def answer_503(exchange: Exchange) -> None:
    """Respond like a load balancer without a backend."""
    exchange.answer(_reply(b"503 Service Unavailable", b"no healthy upstream"))


def hang_up(exchange: Exchange) -> None:
    """Send a RST without forwarding the request."""
    exchange.hang_up()


def trickle(exchange: Exchange) -> None:
    """Forward one byte per second until the service gives up."""
    upstream = reach(exchange.upstream_port)
    with closing(upstream):
        for position in range(len(exchange.request.whole)):
            upstream.sendall(exchange.request.whole[position : position + 1])
            exchange.client.settimeout(1.0)
            try:
                if not exchange.client.recv(1, socket.MSG_PEEK):
                    break
            except TimeoutError:
                continue
    exchange.hang_up()


def swallow(exchange: Exchange) -> None:
    """Do nothing until the service gives up."""
    exchange.client.settimeout(None)
    exchange.client.recv(1, socket.MSG_PEEK)
    exchange.hang_up()


def _reply(status: bytes, body: bytes, headers: bytes = b"") -> bytes:
    return b"HTTP/1.1 %s\r\n%sContent-Length: %d\r\n\r\n%s" % (status, headers, len(body), body)
