"""Content encodings of the HTTP protocol, in pieces: lz4, zstd, gzip and deflate."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Protocol

import lz4.frame
import zstandard

from local.engine.errors import CANNOT_DECOMPRESS, TOO_LARGE, UNSUPPORTED_METHOD, EngineError

_PIECE_BYTES = 1 << 20


class Compressor(Protocol):
    """Compresses a response in pieces."""

    def compress(self, data: bytes) -> bytes:
        """Add data; returns the compressed bytes that are complete."""

    def flush(self) -> bytes:
        """The remaining compressed bytes."""


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes) -> bytes: ...


class _Lz4Compressor:
    def __init__(self) -> None:
        self._inner = lz4.frame.LZ4FrameCompressor()
        self._begun = self._inner.begin()

    def compress(self, data: bytes) -> bytes:
        begun, self._begun = self._begun, b""
        return bytes(begun + self._inner.compress(data))

    def flush(self) -> bytes:
        return bytes(self._begun + self._inner.flush())


def compressor(accepted: str) -> tuple[str, Compressor | None]:
    """Name and compressor of the first supported encoding in an Accept-Encoding header."""
    for part in accepted.split(","):
        name = part.split(";")[0].strip().lower()
        if name == "lz4":
            return name, _Lz4Compressor()
        if name == "zstd":
            return name, zstandard.ZstdCompressor(level=1).compressobj()
        if name == "gzip":
            return name, zlib.compressobj(level=1, wbits=31)
        if name == "deflate":
            return name, zlib.compressobj(level=1)
    return "", None


def compressed(pieces: Iterable[bytes], encoder: Compressor | None) -> Iterator[bytes]:
    """The pieces compressed by `encoder`, or unchanged without one. Empty input stays empty."""
    if encoder is None:
        yield from pieces
        return
    has_begun = False
    for piece in pieces:
        has_begun = True
        yield encoder.compress(piece)
    if has_begun:
        yield encoder.flush()


def decompressed(pieces: Iterable[bytes], encoding: str, max_bytes: int) -> Iterator[bytes]:
    """The pieces without their content encoding.

    Raises:
        EngineError: unknown encoding, damaged data, data that ends too early, or more than `max_bytes`.
    """
    total_bytes = 0
    for piece in pieces if encoding in ("", "identity") else _decompressed(pieces, encoding):
        total_bytes += len(piece)
        if total_bytes > max_bytes:
            raise EngineError.refused(TOO_LARGE, f"The body holds more than {max_bytes} bytes.", "QUERY_IS_TOO_LARGE")
        yield piece


def _decompressed(pieces: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    inner = _decompressor(encoding)
    has_begun = False
    try:
        for piece in pieces:
            # In small pieces, because a hostile body can grow a thousandfold.
            for start in range(0, len(piece), _PIECE_BYTES):
                rest = piece[start : start + _PIECE_BYTES]
                while rest:
                    if inner.eof:  # frames may follow one another
                        inner = _decompressor(encoding)
                    has_begun = True
                    yield inner.decompress(rest)
                    rest = inner.unused_data if inner.eof else b""
    except (RuntimeError, zstandard.ZstdError, zlib.error, EOFError) as error:
        raise EngineError.refused(
            CANNOT_DECOMPRESS, f"The {encoding} body is damaged: {error}", "CANNOT_DECOMPRESS"
        ) from error
    if has_begun and not inner.eof:
        raise EngineError.refused(CANNOT_DECOMPRESS, f"The {encoding} body ends too early.", "CANNOT_DECOMPRESS")


def _decompressor(encoding: str) -> _Decompressor:
    if encoding == "lz4":
        return lz4.frame.LZ4FrameDecompressor()
    if encoding == "zstd":
        return zstandard.ZstdDecompressor().decompressobj()
    if encoding == "gzip":
        return zlib.decompressobj(wbits=31)
    if encoding == "deflate":
        return zlib.decompressobj()
    raise EngineError.refused(UNSUPPORTED_METHOD, f"Content-Encoding {encoding}", "NOT_IMPLEMENTED")
