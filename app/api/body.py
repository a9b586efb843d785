"""The body of a request: which media types and encodings an endpoint takes, and how much of it."""

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import IO, Final

from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType

from app.api.content import Content
from app.api.request_head import RequestHead

Decoder = Callable[[Iterator[bytes]], Iterable[bytes]]
"""Undoes a Content-Encoding, piece by piece. No piece that it returns may be much longer than 64 KiB."""

_PIECE_BYTES: Final = 64 * 1024
_GZIP, _ZLIB = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS


def _inflate(pieces: Iterator[bytes], *, wbits: int) -> Iterator[bytes]:
    inflater = zlib.decompressobj(wbits)
    try:
        for piece in pieces:
            while piece:
                if inflater.eof:  # a gzip file may have several members
                    inflater = zlib.decompressobj(wbits)
                yield inflater.decompress(piece, _PIECE_BYTES)
                piece = inflater.unconsumed_tail or inflater.unused_data
    except zlib.error as error:
        raise BadRequest("The body is not what its Content-Encoding says.") from error
    if not inflater.eof:
        raise BadRequest("The compressed body ends too early.")


DECODERS: Final[Mapping[str, Decoder]] = {
    "identity": iter,
    "gzip": partial(_inflate, wbits=_GZIP),
    "deflate": partial(_inflate, wbits=_ZLIB),
}


@dataclass(frozen=True, slots=True)
class Body:
    """What an endpoint takes as the body of a request. `max_bytes` holds for it as sent and as decompressed.

    A request that names no media type is taken to have one of those in `content`.
    """

    content: Content
    max_bytes: int
    decoders: Mapping[str, Decoder] = field(default_factory=lambda: DECODERS)

    def read(self, head: RequestHead, stream: IO[bytes]) -> bytes:
        """The body, decompressed. Never holds more than `max_bytes` of it, whatever the request says of its length.

        Raises:
            UnsupportedMediaType: its type or its encoding is another one.
            RequestEntityTooLarge: it is longer.
            BadRequest: it cannot be decompressed.
        """
        if head.media_type and not {head.media_type, "*/*"} & self.content.keys():
            raise UnsupportedMediaType(f"Content-Type is {head.media_type}; it may be {_any_of(self.content)}.")
        encoding = head.headers.get("Content-Encoding", "identity").lower()
        if encoding not in self.decoders:
            raise UnsupportedMediaType(f"Content-Encoding is {encoding}; it may be {_any_of(self.decoders)}.")
        if head.headers.get("Content-Length", 0, type=int) > self.max_bytes:
            raise self._too_large()
        sent = self._bounded(iter(partial(stream.read, _PIECE_BYTES), b""))
        return b"".join(self._bounded(self.decoders[encoding](sent)))

    def _bounded(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        total_bytes = 0
        for piece in pieces:
            total_bytes += len(piece)
            if total_bytes > self.max_bytes:
                raise self._too_large()
            yield piece

    def _too_large(self) -> RequestEntityTooLarge:
        return RequestEntityTooLarge(f"The body may have {self.max_bytes:,} bytes, also when it is decompressed.")


def _any_of(names: Iterable[str]) -> str:
    return " or ".join(names)
