"""Errors and hints of the API as lines for people."""

import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any, Final

from app.client.api import ApiError
from app.console import printable

_OPTIONS: Final = {"start": "--since", "end": "--to", "id": "the id", "name": "the field"}
_ADVICE: Final = {
    401: "Put a token in LOG_ANALYTICS_TOKEN, or the name of its file in LOG_ANALYTICS_TOKEN_FILE.",
    403: "Put a token that may do this in LOG_ANALYTICS_TOKEN, or the name of its file in LOG_ANALYTICS_TOKEN_FILE.",
    429: "Try again in a few seconds.",
    503: "Try again later.",
    504: "Query a shorter time range (--since), or raise --timeout-ms.",
}


def problem_lines(error: ApiError, query: str) -> Iterator[str]:
    """The error, below the line of the query with a mark under its position."""
    position = error.details.get("position")
    if error.details.get("parameter") == "query" and isinstance(position, int) and 0 <= position <= len(query):
        begin = query.rfind("\n", 0, position) + 1
        line = query[begin:].partition("\n")[0]
        before = printable(query[begin:position], keep="")
        yield printable(line, keep="")
        yield f"{' ' * _width(before)}^"
    parameter = _OPTIONS.get(str(error.details.get("parameter")), "")
    yield f"{parameter}: {error}" if parameter else str(error)
    if error.status in _ADVICE:
        yield _ADVICE[error.status]


def hint_lines(hint: Mapping[str, Any]) -> Iterator[str]:
    """A hint, and the query that it recommends, if any."""
    yield f"Hint: {hint.get('message', '')}"
    if query := hint.get("query"):
        yield f"      {query}"


def _width(text: str) -> int:
    """Columns of a terminal that the text takes."""
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(bool(unicodedata.combining(char)) for char in text)
