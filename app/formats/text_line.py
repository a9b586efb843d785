"""A line of text, or a stack trace, as an event: time, severity and origin, as far as its header gives them. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from app.domain.event import Event
from app.domain.event_time import Nanoseconds
from app.domain.severity import severity_of
from app.formats.text_layouts import ATTRIBUTE_OF, LAYOUTS, Fields, Layout, level_is_known
from app.formats.text_time import unix_ns

_HEAD_CHARS: Final = 1000  # any header fits in here, so that a record of megabytes costs no more than a short one
_WORD_CHARS: Final = 100  # further in, a level word is more likely to be part of the message
_HOST: Final = "host.name"


@dataclass(frozen=True, slots=True)
class TextLine:
    """What was found in a text record. `body` is always the whole text, unchanged."""

    timestamp_ns: int | None  # unix epoch, None where the text has no time that can be trusted
    severity: str  # "", "TRACE", "DEBUG", "INFO", "WARN", "ERROR" or "FATAL"
    service: str  # the program that wrote it, "" if the text does not name it
    attributes: dict[str, str]  # the rest of the header, under OpenTelemetry's names where they exist
    body: str


@dataclass(frozen=True, slots=True)
class _Reader:
    """A layout with its patterns compiled."""

    layout: Layout
    opening: re.Pattern[str]
    rests: tuple[re.Pattern[str], ...]

    def read(self, line: str) -> tuple[Fields, int] | None:
        """The fields of the line's header and where the header ends, None where the layout does not fit."""
        if self.layout.holds not in line or (opening := self.opening.match(line)) is None:
            return None
        fields, end = self.layout.fields(opening), opening.end()
        for pattern in self.rests:
            rest = pattern.match(line, end)
            if rest is not None and level_is_known(found := rest.groupdict()):
                return fields | found, rest.end()
        if self.layout.needs_rest or not level_is_known(fields):
            return None
        return fields, end


def _readers_by_start() -> dict[str, tuple[_Reader, ...]]:
    readers = [
        _Reader(
            layout,
            re.compile("(?a)" + layout.opening),
            tuple(re.compile("(?a)" + rest) for rest in layout.rests),
        )
        for layout in LAYOUTS
    ]
    starts = {start for layout in LAYOUTS for start in layout.starts}
    return {start: tuple(reader for reader in readers if start in reader.layout.starts) for start in starts}


_READERS: Final = _readers_by_start()


def read_text(value: bytes, record_time_ms: int) -> Event:
    """The event of a text record; the whole text is its message. Never fails.

    Bytes that are not UTF-8 are replaced, and kept as they are in `raw`.
    """
    text = value.decode(errors="replace")
    line = read_text_line(text, record_time_ms)
    host = line.attributes.pop(_HOST, "")
    event = Event(
        {"message": text, "level": line.severity, "service": line.service, "host": host},
        list(line.attributes.items()),
    )
    if line.timestamp_ns is not None:
        event.fields["timestamp"] = Nanoseconds(line.timestamp_ns)
    if not value:
        event.problems.append("empty: record has no content")
    elif text.encode() != value:
        event.problems.append("utf-8: invalid bytes")
        event.raw = value
    return event


def read_text_line(text: str, record_time_ms: int) -> TextLine:
    """Read the first line of a text record: its header, or the severity from a level word in the text.

    A time without a zone is UTC. A time without a year gets the one that puts it nearest to `record_time_ms`
    (unix epoch) and at most a day after it. Never raises.
    """
    line = _first_line(text)
    fields, end = _header(line)
    return TextLine(
        timestamp_ns=unix_ns(fields, record_time_ms),
        severity=_severity(fields) or _severity_from_words(line, end),
        service=_unless_nil(fields.get("service")),
        attributes={
            ATTRIBUTE_OF[field]: value
            for field, value in fields.items()
            if value and value != "-" and field in ATTRIBUTE_OF
        },
        body=text,
    )


_COLOUR: Final = re.compile(r"\x1b\[[\d;]{0,20}m")
_BLANK: Final = " \t\r\n\v\f\0\ufeff"


def _first_line(text: str) -> str:
    """The first line that is not empty, without colours; ends in a newline unless `_HEAD_CHARS` cut it."""
    head = text[:_HEAD_CHARS]
    if "\x1b" in head:
        head = _COLOUR.sub("", head)
    line, newline, _ = head.lstrip(_BLANK).partition("\n")
    return line.rstrip("\r") + "\n" if newline or len(text) <= _HEAD_CHARS else line


def _header(line: str) -> tuple[Fields, int]:
    """The fields of the header of the first layout that fits, and where it ends."""
    for reader in _READERS.get(line[:1], ()):
        if found := reader.read(line):
            return found
    return {}, 0


def _unless_nil(value: str | None) -> str:
    return "" if value is None or value == "-" else value


# Severity

_PRI_SEVERITY: Final = ("FATAL", "FATAL", "FATAL", "ERROR", "WARN", "INFO", "INFO", "DEBUG")
_FIRST_WORD: Final = re.compile(
    r"(?ai)[\s\])|-]{0,8}(error|warning|warn|fatal|panic|critical|debug\d?|info|notice|alert|emerg|severe):(?=\s)"
)
# Other words in capitals are common in messages (ALERT): they count before a colon or in brackets only.
_BARE_WORDS: Final = ("TRACE", "DEBUG", "INFO", "WARN", "WARNING", "ERROR", "FATAL", "CRITICAL", "SEVERE")
_MARKED_WORD: Final = re.compile(  # every alternative opens with a plain letter, which makes the search quick
    "|".join(
        [rf"{word}(?=[\s:\])>|])" for word in _BARE_WORDS]
        + [rf"{word}:(?=\s)" for word in ("NOTICE", "ALERT", "EMERG", "PANIC", "CRIT", "ERR", "FINE")]
        + [r"\[\s{0,4}([A-Za-z]{3,13}\d?)\s{0,4}\]"]
    ),
    re.ASCII,
)


def _severity(fields: Fields) -> str:
    """The severity that the header states."""
    if level := fields.get("level"):
        return severity_of(level)
    if pri := fields.get("pri"):
        return _PRI_SEVERITY[int(pri) % 8]
    if status := fields.get("status"):
        return {"5": "ERROR", "4": "WARN"}.get(status[0], "INFO")
    return ""


def _severity_from_words(line: str, start: int) -> str:
    """The severity of a level word near `start` that stands apart from prose: "[error]", "ERROR:", "WARN"."""
    if first := _FIRST_WORD.match(line, start):
        return severity_of(first[1])
    return next(filter(None, _marked_severities(line, start)), "")


def _marked_severities(line: str, start: int) -> Iterator[str]:
    for match in _MARKED_WORD.finditer(line, start, start + _WORD_CHARS):
        before = line[max(0, match.start() - 1) : match.start()]
        if match[1]:
            yield severity_of(match[1])
        elif before in _WORD_EDGES and line[max(0, match.start() - 3) : match.start()].lower() != "no ":
            yield severity_of(match[0].rstrip(":"))


_WORD_EDGES: Final = frozenset(["", " ", "\t", "[", "(", "<", "|", ":"])
