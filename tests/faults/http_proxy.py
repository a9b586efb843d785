"""A proxy between the service and ClickHouse: knows requests and replies, and what can happen to them on the way."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from typing import BinaryIO

from tests.faults.proxy import Door, Strikes, reach, reset

_NOW = b"toUnixTimestamp64Milli(now64(3))"


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
        """ClickHouse's error number in a reply, 0 if it is none."""
        return int(header(self.head, b"x-clickhouse-exception-code") or 0)


@dataclass
class Exchange:
    """A request that is here, and not sent on yet."""

    request: Message
    client: socket.socket
    upstream_port: int
    replies: list[Message] = field(default_factory=list)

    @property
    def is_insert(self) -> bool:
        """Whether it brings rows."""
        return b"INSERT" in self.request.head.upper().partition(b"\r\n")[0] or self.request.body.startswith(b"INSERT")

    @property
    def asks_for_last_offset(self) -> bool:
        """Whether somebody is taking a partition over."""
        return b"max(_offset)" in self.request.body or b"max%28_offset%29" in self.request.head

    def deliver(self) -> Message:
        """Let ClickHouse have it; its reply, which is not passed on yet."""
        with closing(reach(self.upstream_port)) as upstream:
            upstream.sendall(self.request.whole)
            self.replies.append(read_message(upstream.makefile("rb")))
        return self.replies[-1]

    def deliver_part(self, share: float) -> socket.socket:
        """Let ClickHouse have the head and so much of the body. The connection is open."""
        upstream = reach(self.upstream_port)
        upstream.sendall(self.request.head + self.request.body[: int(len(self.request.body) * share)])
        return upstream

    def deliver_rest(self, upstream: socket.socket, share: float) -> Message:
        """The other part, after `deliver_part`."""
        with closing(upstream):
            upstream.sendall(self.request.body[int(len(self.request.body) * share) :])
            self.replies.append(read_message(upstream.makefile("rb")))
        return self.replies[-1]

    def answer(self, reply: bytes) -> None:
        """Answer the service."""
        self.client.sendall(reply)

    def relay(self) -> None:
        """As if nobody were in between."""
        self.answer(self.deliver().whole)

    def hang_up(self) -> None:
        """The service gets a RST instead of a reply."""
        reset(self.client)


Treatment = Callable[[Exchange], None]


def is_insert(exchange: Exchange) -> bool:
    """For `HttpProxy.strike`."""
    return exchange.is_insert


def asks_for_last_offset(exchange: Exchange) -> bool:
    """For `HttpProxy.strike`."""
    return exchange.asks_for_last_offset


class HttpProxy:
    """Relays, but for what a fault asks to be treated otherwise: one request, or all of them for a while."""

    def __init__(self, upstream_port: int) -> None:
        self._upstream_port = upstream_port
        self._strikes = Strikes[Exchange, None]()
        self.treat_all: Treatment | None = None
        self.clock_offset_secs = 0
        """How far ClickHouse's clock is from ours, by its answers."""
        self.clock_answers = 0
        self.treated = 0
        self.door = Door(self._serve)

    def strike(self, how: Treatment, *, meant: Callable[[Exchange], bool] = is_insert) -> None:
        """Treat the next request of a kind so. See `Strikes.strike`."""
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
        """A question for the time becomes one for another time."""
        if _NOW not in request.body or b"POST" not in request.head:
            return request
        self.clock_answers += 1
        body = request.body.replace(
            _NOW, b"toUnixTimestamp64Milli(now64(3) + toIntervalSecond(%d))" % self.clock_offset_secs
        )
        lines = [line for line in request.head.split(b"\r\n") if not line.lower().startswith(b"content-length")]
        lines[1:1] = [b"Content-Length: %d" % len(body)]
        return Message(b"\r\n".join(lines), body)


def read_message(stream: BinaryIO) -> Message:
    """The next request or reply.

    Raises:
        EOFError: there is none.
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


# What can happen to a request on the way.


def lose_the_reply(exchange: Exchange) -> None:
    """ClickHouse has done it; the service does not hear of it."""
    exchange.deliver()
    exchange.hang_up()


def cut_at(share: float) -> Treatment:
    """Of the body only the beginning gets to ClickHouse."""

    def cut(exchange: Exchange) -> None:
        exchange.deliver_part(share).close()
        exchange.hang_up()

    return cut


def hold(secs: float) -> Treatment:
    """The network keeps it for so long, and then delivers it; who sent it may have gone."""

    def deliver_late(exchange: Exchange) -> None:
        time.sleep(secs)  # the fault itself, not a wait for something
        exchange.answer(exchange.deliver().whole)

    return deliver_late


def duplicate(after_secs: float) -> Treatment:
    """The network delivers it twice, at the same time or later."""

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
    """The service gets ClickHouse's error of this number, whether or not the request was carried out."""

    def fail(exchange: Exchange) -> None:
        if is_carried_out:
            exchange.deliver()
        text = f"Code: {code}. DB::Exception: made up. (MADE_UP) (version 26.9.2.1)\n".encode()
        exchange.answer(_reply(b"500 Internal Server Error", text, b"X-ClickHouse-Exception-Code: %d\r\n" % code))

    return fail


def deny_alter(code: int) -> Treatment:
    """The user may do everything but alter a table: the local engine knows no rights."""
    deny = answer_error(code, is_carried_out=False)

    def treat(exchange: Exchange) -> None:
        (deny if b"ALTER TABLE" in exchange.request.body else Exchange.relay)(exchange)

    return treat


def answer_exception_after_200(exchange: Exchange) -> None:
    """The status was sent before the error happened, so that the error stands at the end of the body."""
    tag = b"0123456789abcdef"
    text = b"Code: 241. DB::Exception: made up. (MEMORY_LIMIT_EXCEEDED)\n"
    body = b"\r\n__exception__\r\n%s\r\n%s%d %s\r\n__exception__\r\n" % (tag, text, len(text), tag)
    exchange.answer(_reply(b"200 OK", body, b"X-ClickHouse-Exception-Tag: %s\r\n" % tag))


def answer_503(exchange: Exchange) -> None:
    """As a load balancer answers that has nobody to give it to."""
    exchange.answer(_reply(b"503 Service Unavailable", b"no healthy upstream"))


def hang_up(exchange: Exchange) -> None:
    """RST without having done anything."""
    exchange.hang_up()


def trickle(exchange: Exchange) -> None:
    """A byte a second goes on, until the service has had enough."""
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
    """Nothing happens, until the service has had enough."""
    exchange.client.settimeout(None)
    exchange.client.recv(1, socket.MSG_PEEK)
    exchange.hang_up()


def _reply(status: bytes, body: bytes, headers: bytes = b"") -> bytes:
    return b"HTTP/1.1 %s\r\n%sContent-Length: %d\r\n\r\n%s" % (status, headers, len(body), body)
