"""Joins the lines of an event."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from sending.containers import Carried, carried
from sending.continuation import Rule
from sending.lines import Line

MAX_LINES = 1_000
MAX_BYTES = 256 * 1024
_MAX_AGE_LINES = 100
"""After as many lines of other streams, an event of several streams in one input is taken to be complete."""

CUT = f"events were longer than {MAX_LINES:,} lines or {MAX_BYTES // 1024} KiB: sent in several records"


class _Event:
    """An event that may go on."""

    def __init__(self, line: Line, found: Carried | None, text: bytes, rule: Rule) -> None:
        self.rule = rule
        self.last_number = line.number
        self.blank: list[tuple[Line, bytes]] = []
        self._first = line
        self._found = found
        self._texts = [text]
        self._value_bytes = len(line.value or b"")
        self._size_bytes = line.size_bytes
        self._lines = line.lines

    def has_room(self, line: Line, max_bytes: int) -> bool:
        """Whether the blank lines that wait, and this one, may become part of it."""
        more = [*(blank for blank, _ in self.blank), line]
        return self._lines + len(more) <= MAX_LINES and self._value_bytes + sum(map(_bytes_of, more)) <= max_bytes

    def add(self, line: Line, text: bytes) -> None:
        for one, its_text in (*self.blank, (line, text)):
            self._texts.append(its_text)
            self._value_bytes += _bytes_of(one)
            self._size_bytes += one.size_bytes
            self._lines += one.lines
        self.blank = []
        self.last_number = line.number

    def lines(self, note: str = "") -> Iterator[Line]:
        """The event in one line, and the blank ones behind it."""
        first, value = self._first, self._first.value
        if len(self._texts) > 1:
            text = b"\n".join(self._texts)
            value = self._found.around(text) if self._found else text
        yield Line(first.number, value, self._size_bytes, self._lines, note or first.note)
        yield from (line for line, _ in self.blank)


def _bytes_of(line: Line) -> int:
    """What a line adds to a record, at most: what surrounds it in a container's line is left out, but not escapes."""
    return len(line.value or b"") + 1


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
        stream, text = (found.stream, found.text) if found else (b"", line.value)
        yield from self._take(line, found, stream, text)
        if len(self._events) > 1:
            yield from self._outdated(line.number)

    def finish(self) -> Iterator[Line]:
        """All events that are held; nothing continues them."""
        events, self._events = self._events, {}
        for event in events.values():
            yield from event.lines()

    def _take(self, line: Line, found: Carried | None, stream: bytes, text: bytes) -> Iterator[Line]:
        event = self._events.get(stream)
        if event and not text.strip():
            event.blank.append((line, text))
            if len(event.blank) >= MAX_LINES:
                yield from self._end(stream)
        elif event and event.rule.continues(text):
            yield from self._continue(event, line, found, stream, text)
        else:
            yield from self._end(stream)
            yield from self._begin(line, found, stream, text)

    def _begin(self, line: Line, found: Carried | None, stream: bytes, text: bytes) -> Iterator[Line]:
        rule = self._new_rule()
        if text.strip() and rule.begin(text):
            self._events[stream] = _Event(line, found, text, rule)
        else:
            yield line

    def _continue(self, event: _Event, line: Line, found: Carried | None, stream: bytes, text: bytes) -> Iterator[Line]:
        if event.has_room(line, self._max_bytes):
            event.add(line, text)
            return
        yield from event.lines(CUT)
        self._events[stream] = _Event(line, found, text, event.rule)

    def _end(self, stream: bytes) -> Iterator[Line]:
        if event := self._events.pop(stream, None):
            yield from event.lines()

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
