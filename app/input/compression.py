"""Compressed input, recognised by its first bytes."""

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar

import zstandard

from app.input.source import CHUNK_BYTES, UnreadableInput

# A frame of zstd may declare to need much memory for its window; 2 GiB is what `zstd --long=31` needs.
_ZSTD_WINDOW_BYTES = 2**31
# A few bytes can hold 128 KiB: what is unpacked at a time stays below 32 MiB.
_ZSTD_PIECE_BYTES = 1024
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_ZSTD_SKIPPABLE_MAGIC = b"\x2a\x4d\x18"

_ERRORS = (OSError, zlib.error, lzma.LZMAError, zstandard.ZstdError)


class Readable(Protocol):
    """Compressed bytes."""

    def read(self, size: int = -1, /) -> bytes: ...


class _Member(Protocol):
    """One of the parts that a file may consist of, each compressed by itself."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...


_M = TypeVar("_M", bound=_Member)


def compression_of(head: bytes) -> str:
    """The name of the compression of data that begin like this; empty if there is none."""
    if head.startswith(b"\x1f\x8b\x08"):
        return "gzip"
    if head.startswith(b"BZh") and head[4:10] in (b"\x31\x41\x59\x26\x53\x59", b"\x17\x72\x45\x38\x50\x90"):
        return "bzip2"
    if head.startswith(b"\xfd7zXZ\x00"):
        return "xz"
    return "zstd" if _begins_zstd(head) else ""


def unpacked(compression: str, packed: Readable) -> Iterator[bytes]:
    """The content of every member, one after the other, in bounded pieces; what precedes damage is returned.

    Raises:
        UnreadableInput: the data are damaged, or end in the middle.
    """
    try:
        yield from _UNPACK[compression](packed)
    except EOFError as error:
        raise UnreadableInput(f"ends in the middle of its {compression} data: it was cut off") from error
    except _ERRORS as error:
        raise UnreadableInput(f"has damaged {compression} data ({error})") from error


# The files of the standard library are not used: those of bz2 and lzma end without an error where a member is damaged.
def _members(
    packed: Readable, new: Callable[[], _M], feed: Callable[[_M, bytes], Iterator[bytes]], size: int = CHUNK_BYTES
) -> Iterator[bytes]:
    member: _M | None = None
    while rest := packed.read(size):
        while rest := rest if member else rest.lstrip(b"\0"):  # members may be padded
            member = member or new()
            yield from filter(None, feed(member, rest))
            rest = member.unused_data if member.eof else b""
            member = None if member.eof else member
    if member:
        raise EOFError


def _gzip(packed: Readable) -> Iterator[bytes]:
    return _members(packed, lambda: zlib.decompressobj(wbits=31), _feed_zlib)


def _bzip2(packed: Readable) -> Iterator[bytes]:
    return _members(packed, bz2.BZ2Decompressor, _feed)


def _xz(packed: Readable) -> Iterator[bytes]:
    return _members(packed, lzma.LZMADecompressor, _feed)


def _zstd(packed: Readable) -> Iterator[bytes]:
    frames = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES)
    return _members(packed, frames.decompressobj, _feed_zstd, _ZSTD_PIECE_BYTES)


def _feed_zlib(member: "zlib._Decompress", data: bytes) -> Iterator[bytes]:
    while True:
        piece = member.decompress(data, CHUNK_BYTES)
        yield piece
        if len(piece) < CHUNK_BYTES:
            return
        data = member.unconsumed_tail


def _feed(member: bz2.BZ2Decompressor | lzma.LZMADecompressor, data: bytes) -> Iterator[bytes]:
    yield member.decompress(data, CHUNK_BYTES)
    while not member.eof and not member.needs_input:
        yield member.decompress(b"", CHUNK_BYTES)


def _feed_zstd(member: "zstandard.ZstdDecompressionObj", data: bytes) -> Iterator[bytes]:
    yield member.decompress(data)


def _begins_zstd(head: bytes) -> bool:
    # pzstd begins with a frame to be skipped, whose first byte is any of sixteen.
    return head.startswith(_ZSTD_MAGIC) or (head[1:4] == _ZSTD_SKIPPABLE_MAGIC and head[0] & 0xF0 == 0x50)


_UNPACK: dict[str, Callable[[Readable], Iterator[bytes]]] = {
    "gzip": _gzip,
    "bzip2": _bzip2,
    "xz": _xz,
    "zstd": _zstd,
}
