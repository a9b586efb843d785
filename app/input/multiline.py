"""Joins the lines of an event."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from app.input.containers import Carried, carried
from app.input.continuation import Answer, Rule
from app.input.lines import Line

MAX_LINES = 1_000
MAX_BYTES = 256 * 1024
_MAX_AGE_LINES = 100
"""After as many lines of other streams, an event of several streams in one input is taken to be complete."""

CUT = f"events were longer than {MAX_LINES:,} lines or {MAX_BYTES // 1024} KiB: sent in several records"


class _Read(NamedTuple):
    """A line, what it carries, and who wrote it."""

    line: Line
    stream: bytes
    text: bytes
    found: Carried | None

    @property
    def is_blank(self) -> bool:
        return not self.text.strip()

    @property
    def most_bytes(self) -> int:
        """What it adds to a record, at most: what a container puts around it is left out, but not what it escapes."""
        return len(self.line.value or b"") + 1


class _Event:
    """An event that may go on."""

    def __init__(self, read: _Read, rule: Rule) -> None:
        self.rule = rule
        self.waiting: list[_Read] = []
        """Blank lines, and others that belong to it only if more of it follows."""
        self.last_number = read.line.number
        self._first = read
        self._texts = [read.text]
        self._value_bytes = read.most_bytes - 1
        self._size_bytes = read.line.size_bytes
        self._lines = read.line.lines

    def has_room(self, read: _Read, max_bytes: int) -> bool:
        return self._lines < MAX_LINES and self._value_bytes + read.most_bytes <= max_bytes

    def add(self, read: _Read) -> None:
        self._texts.append(read.text)
        self._value_bytes += read.most_bytes
        self._size_bytes += read.line.size_bytes
        self._lines += read.line.lines
        self.last_number = read.line.number

    def line(self, note: str = "") -> Line:
        """The event as one line, without what waits."""
        first, found = self._first.line, self._first.found
        value = first.value
        if len(self._texts) > 1:
            text = b"\n".join(self._texts)
            value = found.around(text) if found else text
        return Line(first.number, value, self._size_bytes, self._lines, note or first.note)


class _Joiner:
    """Holds the last event of each stream until the next one begins."""

    def __init__(self, new_rule: Callable[[], Rule], max_bytes: int) -> None:
        self._new_rule = new_rule
        self._max_bytes = max_bytes
        self._events: dict[bytes, _Event] = {}

    def take(self, line: Line) -> Iterator[Line]:
        if line.value is None:
            yield from self.finish()
            yield line
            return
        found = carried(line.value)
        read = _Read(line, found.stream, found.text, found) if found else _Read(line, b"", line.value, None)
        yield from self._take(read)
        if len(self._events) > 1:
            yield from self._outdated(line.number)

    def finish(self) -> Iterator[Line]:
        """All events that are held; nothing continues them."""
        while self._events:
            for stream in list(self._events):
                yield from self._end(stream)

    def _take(self, read: _Read) -> Iterator[Line]:
        event = self._events.get(read.stream)
        if not event:
            yield from self._begin(read)
            return
        answer = Answer.DEPENDS if read.is_blank else event.rule.answer(read.text)
        if answer is Answer.CONTINUES:
            yield from self._continue(event, read)
        elif answer is Answer.DEPENDS and len(event.waiting) < MAX_LINES:
            event.waiting.append(read)
        else:
            yield from self._end(read.stream)
            yield from self._take(read)

    def _begin(self, read: _Read) -> Iterator[Line]:
        rule = self._new_rule()
        if not read.is_blank and rule.begin(read.text):
            self._events[read.stream] = _Event(read, rule)
        else:
            yield read.line

    def _continue(self, event: _Event, read: _Read) -> Iterator[Line]:
        more, event.waiting = [*event.waiting, read], []
        for one in more:
            if not event.has_room(one, self._max_bytes):
                yield event.line(CUT)
                event = self._events[one.stream] = _Event(one, event.rule)
            else:
                event.add(one)

    def _end(self, stream: bytes) -> Iterator[Line]:
        if event := self._events.pop(stream, None):
            yield event.line()
            for read in event.waiting:
                yield from self._take(read)

    def _outdated(self, number: int) -> Iterator[Line]:
        old = [stream for stream, event in self._events.items() if number - event.last_number > _MAX_AGE_LINES]
        for stream in old:
            yield from self._end(stream)


def joined(lines: Iterable[Line | None], new_rule: Callable[[], Rule], max_bytes: int) -> Iterator[Line]:
    """Lines that continue an event become part of it, within bounds. Blank lines in an event stay in it.

    Where nothing has come for a while (None), the event is complete.
    """
    joiner = _Joiner(new_rule, min(max_bytes, MAX_BYTES))
    for line in lines:
        yield from joiner.take(line) if line else joiner.finish()
    yield from joiner.finish()
