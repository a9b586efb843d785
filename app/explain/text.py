"""An explained row as lines for people. Pure: what others wrote is not escaped yet."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from app.domain.notes import Note
from app.explain.explained import Explained

_FIELDS: Final = (
    "timestamp",
    "level",
    "service",
    "host",
    "trace_id",
    "span_id",
    "user_id",
    "response_time_ms",
    "message",
)
_LONGEST: Final = 300
_WIDTH: Final = 18


def lines_of(one: Explained) -> Iterator[str]:
    """The row, field by field, each with what it was read from."""
    row = one.row
    for name in _FIELDS:
        value = row["resource"].get("host.name") if name == "host" else row.get(name)
        if value not in (None, ""):
            yield _line(name, value)
            note = one.sources.get(name)
            if note and (note.text or note.rule or name != "message"):
                yield f"{'':{_WIDTH}}  from {said(note)}"
    yield from _pairs("attributes", row["attributes"])
    yield from _pairs("resource", {name: value for name, value in row["resource"].items() if name != "host.name"})
    if row["parse_error"]:
        yield _line("parse_error", row["parse_error"])
    if row["_items"] > 1:
        yield _line("_item", f"{row['_item']}, of {row['_items']} rows of this record")
    for rule, count in one.masked.items():
        yield _line("masked", f"{rule}: {count:,} (by MASK or MASK_PATTERNS; what fields were read from is not shown)")
    for name, value in one.settings.items():
        yield _line("setting", f"{name}={value} counts: with another value this row would be another")


def said(note: Note) -> str:
    """A note as part of a sentence."""
    text = f": {_quoted(note.text)}" if note.text else ""
    return f"{note.source}{text}{f' ({note.rule})' if note.rule else ''}"


def in_one_line(value: Any) -> str:
    """A value in one line, cut."""
    text = " ".join(str(value).split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}... ({len(text):,} characters)"


def _quoted(text: str) -> str:
    return f'"{in_one_line(text)}"'


def _line(name: str, value: Any) -> str:
    return f"  {name:{_WIDTH - 2}}  {in_one_line(value)}"


def _pairs(name: str, pairs: Mapping[str, Any]) -> Iterator[str]:
    for number, (key, value) in enumerate(pairs.items()):
        yield _line("" if number else name, f"{key} = {value}")
