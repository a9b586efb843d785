"""Logs as a stream of JSON objects or CSV lines."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from app.query.log_row import LogRow

MEDIA_TYPES: Final = {"ndjson": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}


def as_ndjson(pages: Iterable[Sequence[LogRow]]) -> Iterator[str]:
    """A piece of text for each page."""
    for rows in pages:
        yield "".join(json.dumps(row.as_object(), ensure_ascii=False) + "\n" for row in rows)


def as_csv(pages: Iterable[Sequence[LogRow]], names: Sequence[str]) -> Iterator[str]:
    """A piece of text for each page, after a line of names; maps of attributes are JSON."""
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(["id", *names])
    for rows in pages:
        lines.writerows([str(row.id), *(_cell(row.fields[name]) for name in names)] for row in rows)
        yield text.getvalue()
        text.seek(0)
        text.truncate()


def _cell(value: object) -> object:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value
