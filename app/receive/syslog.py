"""Syslog: finds the messages in what a connection or a datagram brought. What they say is read by the consumer. Pure.

RFC 6587 knows two framings for TCP, and senders use both: the number of a message's bytes in front of it ("octet
counting", demanded for TLS by RFC 5425), and a line feed or a zero behind it. They are told apart message by message.
A datagram is one message (RFC 5426).
"""

import codecs
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from app.receive.received import LINES, Piece, Received

NAME: Final = "syslog"

_COUNT: Final = re.compile(rb"([1-9]\d{0,6}) (?=<\d{1,3}>)")
_BEGINS_A_COUNT: Final = re.compile(rb"[1-9]\d{0,6}(?: (?:<\d{0,3})?)?\Z")
_MOST_COUNT_BYTES: Final = 13
_FILL: Final = re.compile(rb"[\r\n\0]*")
_END: Final = re.compile(rb"[\n\0]")
_END_OR_COUNT: Final = re.compile(rb"[\n\0]|(?=(?<!\d)[1-9]\d{0,6} <\d{1,3}>)")
_CONTINUES: Final = 0b1000_0000  # of a byte of UTF-8, with the mask below
_CONTINUES_MASK: Final = 0b1100_0000

OnProblem = Callable[[str], None]
"""Takes the name of what was wrong: `split`, `framing` or `cut_off`; see `metrics.py`."""


class Client(NamedTuple):
    """Who sent a message."""

    address: str
    transport: str
    """udp, tcp or tls."""
    certificate: str = ""
    """The name in its certificate, if it was checked."""


class Framing:
    """Finds the messages in the bytes of a connection. It holds back less than a message of `most_bytes`.

    Longer messages are split. Nothing is left out but what separates messages, and messages without content.
    """

    def __init__(self, most_bytes: int, on_problem: OnProblem) -> None:
        self._most_bytes = most_bytes
        self._on_problem = on_problem
        self._buffer = bytearray()
        self._at = 0
        self._searched = 0  # up to here there is no end of the message
        self._left = 0  # bytes of a counted message that is longer than a message may be
        self._is_counting = False  # whether the last message was counted
        self._is_inside = False  # whether a part of a message was taken whose end is to come

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that are complete with these bytes."""
        self._buffer += data
        found = [message for part in self._parts() if (message := _content(part))]
        del self._buffer[: self._at]
        self._searched = max(0, self._searched - self._at)
        self._at = 0
        return found

    def end(self) -> list[bytes]:
        """The last message, if it has no end: the connection has ended."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        counted = None if self._left or self._is_inside else _COUNT.match(rest)
        if self._left or counted:
            self._on_problem("cut_off")
        self._left = 0
        message = _content(rest[counted.end() :] if counted else rest)
        return [message] if message else []

    def _parts(self) -> Iterator[bytes]:
        while (part := self._next()) is not None:
            yield part

    def _next(self) -> bytes | None:
        """The next message or part of one; None if its end has not come."""
        if self._left:
            return self._of_long()
        if not self._is_inside:
            found = _FILL.match(self._buffer, self._at)
            self._at = found.end() if found else self._at
            if counted := _COUNT.match(self._buffer, self._at):
                return self._counted(int(counted[1]), counted.end())
            if _BEGINS_A_COUNT.match(self._buffer, self._at, self._at + _MOST_COUNT_BYTES):
                return None
        return self._delimited()

    def _counted(self, size: int, start: int) -> bytes | None:
        if size > self._most_bytes:
            self._on_problem("split")
            self._at, self._left, self._is_counting = start, size, True
            return self._of_long()
        if len(self._buffer) < start + size:
            return None
        self._is_counting = True
        self._at = start
        return self._take(start + size)

    def _of_long(self) -> bytes | None:
        size = min(self._left, self._most_bytes)
        # Of a part that is not the last, the byte behind it says whether it cuts a character.
        if len(self._buffer) - self._at < min(self._left, size + 1):
            return None
        end = self._at + size if size == self._left else self._whole(self._at + size)
        self._left -= end - self._at
        return self._take(end)

    def _delimited(self) -> bytes | None:
        """A message that ends with a line feed or a zero, or what a wrong count has left: up to the next count."""
        is_astray = self._is_counting and not self._is_inside and self._buffer[self._at : self._at + 1] not in b"<"
        pattern = _END_OR_COUNT if is_astray else _END
        found = pattern.search(self._buffer, max(self._at, self._searched))
        end = found.start() if found else len(self._buffer)
        if end - self._at > self._most_bytes:
            if not self._is_inside:
                self._on_problem("split")
            self._is_inside = not is_astray
            return self._take(self._whole(self._at + self._most_bytes))
        if found is None:
            self._searched = max(self._at, end - _MOST_COUNT_BYTES if is_astray else end)
            return None
        if is_astray:
            self._on_problem("framing")
        self._is_inside = False
        return self._take(end)

    def _take(self, end: int) -> bytes:
        part = bytes(self._buffer[self._at : end])
        self._at = self._searched = end
        return part

    def _whole(self, end: int) -> int:
        """Where a part ends that should end here, so that no character of UTF-8 is cut."""
        return _before_character(self._buffer, end)


def messages_of(datagram: bytes, most_bytes: int, on_problem: OnProblem) -> list[bytes]:
    """The message of a datagram; several if it is longer than a message may be; none if it is empty."""
    if len(datagram) > most_bytes:
        on_problem("split")
    parts = []
    at = 0
    while at < len(datagram):
        end = at + most_bytes
        end = _before_character(datagram, end) if end < len(datagram) else len(datagram)
        parts.append(datagram[at:end])
        at = end
    return [message for part in parts if (message := _content(part))]


def received_of(messages: Iterable[bytes], client: Client, host: str) -> Received:
    """The messages of a client as events; `host` is the host of those that name none."""
    pieces = [Piece(number, _line(message)) for number, message in enumerate(messages)]
    said = {"transport": client.transport, "client.certificate": client.certificate}
    given = {"host.name": host} if host else {}
    return Received(LINES, pieces, (), {name: text for name, text in said.items() if text}, given)


def _content(part: bytes) -> bytes:
    """A message without padding, line ends and byte order mark around it; empty if it is blank."""
    message = part.strip(b"\r\n\0").removeprefix(codecs.BOM_UTF8)
    return b"" if message.isspace() else message


def _line(message: bytes) -> bytes:
    """A message on one line: one of several as a JSON text, in which bytes that are no UTF-8 stay what they are."""
    if b"\n" not in message:
        return message
    text = json.dumps(message.decode(errors="surrogateescape"), ensure_ascii=False)
    return text.encode(errors="surrogateescape")


def _before_character(data: bytes | bytearray, end: int) -> int:
    for at in range(end, max(0, end - 4), -1):
        if data[at] & _CONTINUES_MASK != _CONTINUES:
            return at
    return end


def size_of(messages: Sequence[bytes]) -> int:
    """About the memory that messages take."""
    return sum(map(len, messages)) + _OVERHEAD_BYTES * len(messages)


_OVERHEAD_BYTES: Final = 200
