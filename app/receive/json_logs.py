"""Our own protocol, POST /api/v1/logs: a JSON object, an array of them, JSON lines, or lines of plain text."""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from app.receive.received import LINES, Piece, Posted, Problem, Received, Unreadable

TEXT: Final = "text/plain"
NDJSON: Final = ("application/x-ndjson", "application/jsonl", "application/json-lines", "application/stream+json")
JSON: Final = "application/json"

_array = msgspec.json.Decoder(list[msgspec.Raw]).decode
_value = msgspec.json.Decoder(msgspec.Raw).decode


def read(posted: Posted) -> Received:
    """The events of a body, one of each object or line. Blank lines are none.

    Lines that are not JSON, where JSON is meant, are stored as text and reported.

    Raises:
        Unreadable: there is no event, or JSON that is not complete.
    """
    body = posted.body.removeprefix(b"\xef\xbb\xbf")
    if not body.strip():
        raise Unreadable("The body is empty: send a JSON object, an array of objects, or lines.")
    if posted.media_type == TEXT:
        return Received(LINES, _pieces(_lines(body)))
    if body.lstrip()[:1] == b"[" and posted.media_type not in NDJSON:
        return _of_array(body)
    if posted.media_type not in NDJSON and _is_json(body):
        return Received(LINES, [Piece(0, _on_one_line(body))])
    pieces = _pieces(_lines(body))
    problems = [
        Problem(piece.event, "not valid JSON: stored as text", is_kept=True)
        for piece in pieces
        if not _is_json(piece.value)
    ]
    if posted.media_type == JSON and len(problems) == len(pieces):
        raise Unreadable("The body is not JSON. For lines of text, send it with Content-Type: text/plain.")
    return Received(LINES, pieces, problems)


def _of_array(body: bytes) -> Received:
    try:
        items = [bytes(item) for item in _array(body)]
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"The array is not valid JSON: {error}") from error
    return Received(LINES, _pieces(map(_on_one_line, items)))


def _is_json(text: bytes) -> bool:
    try:
        _value(text)
    except (ValueError, RecursionError):
        return False
    return True


def _on_one_line(text: bytes) -> bytes:
    """JSON that may have been written over several lines; within texts there are none."""
    return b" ".join(line.strip() for line in text.splitlines()) if b"\n" in text or b"\r" in text else text


def _lines(body: bytes) -> Iterator[bytes]:
    return (line.rstrip(b"\r") for line in body.split(b"\n") if line.strip())


def _pieces(values: Iterator[bytes]) -> Sequence[Piece]:
    return [Piece(number, value) for number, value in enumerate(values)]
