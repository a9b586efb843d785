"""Compresses responses for clients that accept it (RFC 9110, section 12.5.3): zstd or gzip, streams piece by piece."""

import zlib
from collections.abc import Callable, Iterator
from typing import Final, Protocol

import zstandard
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header

from app.http.pause import Pause

Headers = list[tuple[bytes, bytes]]

_COMPRESSIBLE: Final = (
    *(b"text/", b"application/json", b"application/x-ndjson", b"application/javascript"),
    *(b"application/openmetrics-text", b"image/svg+xml"),
)
_MIN_BYTES: Final = 1_000  # less does not get smaller by more than a packet
_WITHOUT_BODY: Final = (204, 206, 304)
_GZIP_LEVEL: Final = 5
_ZSTD_LEVEL: Final = 3


class _Encoder(Protocol):
    def add(self, piece: bytes) -> bytes:
        """What to send so that the client can read the piece now."""

    def end(self) -> bytes:
        """The rest."""


class _Gzip:
    def __init__(self) -> None:
        self._stream = zlib.compressobj(_GZIP_LEVEL, wbits=31)

    def add(self, piece: bytes) -> bytes:
        return self._stream.compress(piece) + self._stream.flush(zlib.Z_SYNC_FLUSH)

    def end(self) -> bytes:
        return self._stream.flush()


class _Zstd:
    def __init__(self) -> None:
        self._stream = zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compressobj()

    def add(self, piece: bytes) -> bytes:
        return self._stream.compress(piece) + self._stream.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)

    def end(self) -> bytes:
        return self._stream.flush(zstandard.COMPRESSOBJ_FLUSH_FINISH)


_ENCODERS: Final[dict[str, Callable[[], _Encoder]]] = {"zstd": _Zstd, "gzip": _Gzip}


def compressed(
    accepted: str, status: int, headers: Headers, body: bytes | Iterator[bytes]
) -> tuple[Headers, bytes | Iterator[bytes]]:
    """Headers and body as they are sent to a client whose Accept-Encoding is `accepted`.

    A whole body stays whole. Each piece of a stream can be read as soon as it arrives.
    """
    names = dict(headers)
    if not names.get(b"content-type", b"").startswith(_COMPRESSIBLE) or b"content-encoding" in names:
        return headers, body
    headers = [*headers, (b"vary", b"Accept-Encoding")]
    name = _best(accepted)
    is_small = isinstance(body, bytes) and len(body) < _MIN_BYTES
    if name is None or is_small or status in _WITHOUT_BODY:
        return headers, body
    encoder = _ENCODERS[name]()
    headers = [*_without_length(headers), (b"content-encoding", name.encode())]
    if isinstance(body, bytes):
        smaller = encoder.add(body) + encoder.end()
        return [*headers, (b"content-length", b"%d" % len(smaller))], smaller
    return headers, _stream(body, encoder)


def _best(accepted: str) -> str | None:
    return parse_accept_header(accepted, Accept).best_match(_ENCODERS)


def _without_length(headers: Headers) -> Iterator[tuple[bytes, bytes]]:
    for name, value in headers:
        if name == b"etag" and not value.startswith(b"W/"):
            yield name, b"W/" + value  # the same content, but not the same bytes
        elif name != b"content-length":
            yield name, value


def _stream(pieces: Iterator[bytes], encoder: _Encoder) -> Iterator[bytes]:
    for piece in pieces:
        yield piece if isinstance(piece, Pause) or not piece else encoder.add(piece)
    yield encoder.end()
