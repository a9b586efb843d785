"""The body of an HTTP request, in pieces: complete, or an error."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import Message
from io import BytesIO
from typing import BinaryIO

from werkzeug.formparser import FormDataParser

from local.engine.errors import TOO_LARGE, EngineError

_READ_BYTES = 1 << 20
_MAX_LINE_BYTES = 1 << 16
_LINE_ENDS = (b"\r\n", b"\n")


class BodyCut(Exception):
    """The client disconnected, or broke the protocol, before its body was complete. No response is needed."""


def has_body(headers: Message) -> bool:
    """Whether a body follows these headers.

    Raises:
        BodyCut: they contradict the protocol.
    """
    return _is_chunked(headers) or _content_length(headers) > 0


def body_pieces(headers: Message, stream: BinaryIO, max_bytes: int) -> Iterator[bytes]:
    """The body as it was sent, with its content encoding.

    Raises:
        BodyCut: it ended too early.
        EngineError: it is larger than `max_bytes`; the rest of it is not read.
    """
    if _is_chunked(headers):
        yield from _chunks(stream, max_bytes)
        return
    remaining = _content_length(headers)
    _refuse_large(remaining, max_bytes)
    while remaining:
        piece = stream.read(min(remaining, _READ_BYTES))
        if not piece:
            raise BodyCut
        remaining -= len(piece)
        yield piece


def form_fields(headers: Message, body: bytes) -> dict[str, str]:
    """The fields of a form, without its files."""
    form = FormDataParser(max_form_parts=None)
    options = {"boundary": headers.get_boundary("")}
    _, fields, _ = form.parse(BytesIO(body), "multipart/form-data", len(body), options)
    return dict(fields.items())


def _chunks(stream: BinaryIO, max_bytes: int) -> Iterator[bytes]:
    total_bytes = 0
    while size := _chunk_size(stream):
        total_bytes += size
        _refuse_large(total_bytes, max_bytes)
        piece = stream.read(size)
        if len(piece) != size or stream.readline(3) not in _LINE_ENDS:
            raise BodyCut
        yield piece
    while (line := stream.readline(_MAX_LINE_BYTES)) not in _LINE_ENDS:  # trailers
        if not line:
            raise BodyCut


def _chunk_size(stream: BinaryIO) -> int:
    digits = stream.readline(_MAX_LINE_BYTES).partition(b";")[0].strip()
    if not digits or digits.strip(b"0123456789abcdefABCDEF"):
        raise BodyCut
    return int(digits, 16)


def _is_chunked(headers: Message) -> bool:
    return "chunked" in headers.get("Transfer-Encoding", "").lower()


def _content_length(headers: Message) -> int:
    text = headers.get("Content-Length", "0").strip()
    if not (text.isascii() and text.isdecimal()):
        raise BodyCut
    return int(text)


def _refuse_large(size_bytes: int, max_bytes: int) -> None:
    if size_bytes > max_bytes:
        raise EngineError.refused(TOO_LARGE, f"The body holds more than {max_bytes} bytes.", "QUERY_IS_TOO_LARGE")
