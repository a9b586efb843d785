"""Logs as a stream of JSON objects or CSV lines."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from app.csv_cells import inert
from app.query.log_row import LogRow

MEDIA_TYPES: Final = {"ndjson": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}

_PIECE_CHARS: Final = 65_536  # a client may take long for each: a page is not in memory a second time, as text

Pages = Iterable[tuple[Sequence[LogRow], str]]
"""The rows of each page, and where the next one begins if a limit ended the stream there; else empty."""


def as_ndjson(pages: Pages) -> Iterator[str]:
    """Pieces of some lines. The last line of a stream that was cut is an object with the next cursor alone."""
    for rows, next_cursor in pages:
        lines, chars = list[str](), 0
        for row in rows:
            lines.append(json.dumps(row.as_object(), ensure_ascii=False) + "\n")
            chars += len(lines[-1])
            if chars >= _PIECE_CHARS:
                yield "".join(lines)
                lines, chars = [], 0
        yield "".join(lines)
        if next_cursor:
            yield json.dumps({"_next_cursor": next_cursor}) + "\n"


def as_csv(pages: Pages, names: Sequence[str], *, escape_formulas: bool) -> Iterator[str]:
    """Pieces of some lines, after a line of names; maps of attributes are JSON.

    The last line of a stream that was cut has the next cursor instead of an id.
    """
    cell = _safe_cell if escape_formulas else _cell
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(["id", *names])
    for rows, next_cursor in pages:
        for row in rows:
            lines.writerow([str(row.id), *(cell(row.fields[name]) for name in names)])
            if text.tell() >= _PIECE_CHARS:
                yield _taken(text)
        if next_cursor:
            lines.writerow([f"next_cursor={next_cursor}"])
        yield _taken(text)


def _taken(text: io.StringIO) -> str:
    """What was written since the last call."""
    taken = text.getvalue()
    text.seek(0)
    text.truncate()
    return taken


def _safe_cell(value: object) -> object:
    cell = _cell(value)
    return inert(cell) if isinstance(cell, str) else cell


def _cell(value: object) -> object:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value
