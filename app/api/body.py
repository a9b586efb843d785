"""The body of a request: the media types, encodings and size that an endpoint accepts."""

import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import IO, Final

import zstandard
from msgspec import Struct, field
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType

from app.api.content import Content
from app.api.memory import BodyMemory
from app.api.request_head import RequestHead

Decoder = Callable[[Iterator[bytes]], Iterable[bytes]]
"""Decodes a Content-Encoding, piece by piece. No returned piece may be longer than a few MiB."""

_PIECE_BYTES: Final = 64 * 1024
_GZIP, _ZLIB = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS
_ZSTD_WINDOW_BYTES: Final = 8 * 1024 * 1024
"""What RFC 9659 allows in HTTP: the memory of a decoder, which the sender chooses."""
_ZSTD_PIECE_BYTES: Final = 128
"""Four bytes can hold 128 KiB, so this much gives at most 4 MiB at a time."""


def _inflate(pieces: Iterator[bytes], *, wbits: int) -> Iterator[bytes]:
    inflater = zlib.decompressobj(wbits)
    others = _others()
    try:
        for piece in pieces:
            while piece:
                if inflater.eof:  # a gzip file may have several members
                    next(others)
                    inflater = zlib.decompressobj(wbits)
                yield inflater.decompress(piece, _PIECE_BYTES)
                piece = inflater.unconsumed_tail or inflater.unused_data
    except zlib.error as error:
        raise BadRequest(_DAMAGED) from error
    if not inflater.eof:
        raise BadRequest(_TRUNCATED)


def _unpack_zstd(pieces: Iterator[bytes]) -> Iterator[bytes]:
    frames = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES)
    frame = frames.decompressobj()
    others = _others()
    try:
        for piece in pieces:
            for start in range(0, len(piece), _ZSTD_PIECE_BYTES):
                rest = piece[start : start + _ZSTD_PIECE_BYTES]
                while rest:
                    if frame.eof:  # there may be several frames
                        next(others)
                        frame = frames.decompressobj()
                    yield frame.decompress(rest)
                    rest = frame.unused_data if frame.eof else b""
    except zstandard.ZstdError as error:
        raise BadRequest(_DAMAGED) from error
    if not frame.eof:
        raise BadRequest(_TRUNCATED)


def _others() -> Iterator[int]:
    """Counts the members or frames of a body behind the first: empty ones cost time, and millions fit into a body."""
    yield from range(1, _MAX_MEMBERS)
    raise BadRequest(f"The compressed body has more than {_MAX_MEMBERS:,} members or frames.")


_MAX_MEMBERS: Final = 10_000
_DAMAGED: Final = "The body does not match its Content-Encoding."
_TRUNCATED: Final = "The compressed body is truncated."

DECODERS: Final[Mapping[str, Decoder]] = {
    "identity": iter,
    "gzip": partial(_inflate, wbits=_GZIP),
    "deflate": partial(_inflate, wbits=_ZLIB),
    "zstd": _unpack_zstd,
}


class Body(Struct, frozen=True):
    """The request body that an endpoint accepts. `max_bytes` applies to it both as sent and as decompressed.

    A request without a media type is assumed to have one of those in `content`.
    """

    content: Content
    max_bytes: int
    also: Collection[str] = ()
    """Further media types, which the OpenAPI document leaves out."""
    decoders: Mapping[str, Decoder] = field(default_factory=lambda: DECODERS)
    unpack: Callable[[RequestHead, bytes, int], bytes] | None = None
    """Decompresses what the protocol compresses itself, without a Content-Encoding, to at most so many bytes."""
    memory: BodyMemory | None = None
    """Where the memory comes from that the body takes until its request has ended; None: it is not limited."""

    @contextmanager
    def held(self, head: RequestHead, stream: IO[bytes]) -> Iterator[bytes]:
        """The body, as `read` does, within the memory for bodies.

        Raises:
            TooBusy: there is not enough memory.
        """
        if self.memory is None:
            yield self.read(head, stream)
            return
        is_packed = "Content-Encoding" in head.headers or self.unpack is not None
        declared = None if is_packed else head.headers.get("Content-Length", type=int)
        with self.memory.claim(self.max_bytes if declared is None else min(max(declared, 0), self.max_bytes)) as claim:
            body = self.read(head, stream)
            claim.shrink_to(len(body))
            yield body

    def read(self, head: RequestHead, stream: IO[bytes]) -> bytes:
        """The body, decompressed. Never holds more than `max_bytes` of it, whatever its Content-Length says.

        Raises:
            UnsupportedMediaType: its media type or encoding is not accepted.
            RequestEntityTooLarge: it is longer than `max_bytes`.
            BadRequest: it cannot be decompressed.
            Exception: what `unpack` raises.
        """
        if head.media_type and not {head.media_type, "*/*"} & {*self.content, *self.also}:
            types = _any_of((*self.content, *self.also))
            raise UnsupportedMediaType(f"Content-Type is {head.media_type}; it may be {types}.")
        encoding = head.headers.get("Content-Encoding", "identity").lower()
        if encoding not in self.decoders:
            raise UnsupportedMediaType(f"Content-Encoding is {encoding}; it may be {_any_of(self.decoders)}.")
        if head.headers.get("Content-Length", 0, type=int) > self.max_bytes:
            raise self._too_large()
        sent = self._bounded(iter(partial(stream.read, _PIECE_BYTES), b""))
        body = b"".join(self._bounded(self.decoders[encoding](sent)))
        return self.unpack(head, body, self.max_bytes) if self.unpack else body

    def _bounded(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        total_bytes = 0
        for piece in pieces:
            total_bytes += len(piece)
            if total_bytes > self.max_bytes:
                raise self._too_large()
            yield piece

    def _too_large(self) -> RequestEntityTooLarge:
        return RequestEntityTooLarge(f"The body may have at most {self.max_bytes:,} bytes, also after decompression.")


def _any_of(names: Iterable[str]) -> str:
    return " or ".join(names)
