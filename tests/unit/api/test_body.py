"""Bodies of requests: their types, their encodings, and above all their length."""

from __future__ import annotations

import gzip
import io
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
import zstandard
from msgspec.structs import replace
from werkzeug.datastructures import Headers
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType

from app.api.body import Body
from app.api.request_head import RequestHead

MAX_BYTES = 200_000
BODY = Body({"application/x-protobuf": None, "application/json": None}, max_bytes=MAX_BYTES)
ENCODINGS: dict[str, Callable[[bytes], bytes]] = {
    "identity": bytes,
    "gzip": lambda text: gzip.compress(text, 1),
    "deflate": lambda text: zlib.compress(text, 1),
    "zstd": lambda text: zstandard.compress(text, 1),
}


class Trickle(io.RawIOBase):
    """A stream that returns less than requested."""

    def __init__(self, content: bytes) -> None:
        self._left = content

    def read(self, size: int = -1) -> bytes:
        given, self._left = self._left[: min(size, 1000)], self._left[min(size, 1000) :]
        return given


def head(**headers: str) -> RequestHead:
    return RequestHead("POST", "/", Headers({name.replace("_", "-"): text for name, text in headers.items()}), "")


def read(content: bytes, **headers: str) -> bytes:
    return BODY.read(head(**headers), io.BytesIO(content))


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("text", [b"", b"x", bytes(range(256)) * 700, b"0" * MAX_BYTES], ids=["0", "1", "odd", "most"])
def test_a_body_is_decompressed(encoding: str, text: bytes) -> None:
    assert read(ENCODINGS[encoding](text), Content_Encoding=encoding) == text
    assert BODY.read(head(Content_Encoding=encoding.upper()), Trickle(ENCODINGS[encoding](text))) == text  # type: ignore[arg-type]


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_it_may_consist_of_several_members(encoding: str) -> None:
    pack = ENCODINGS[encoding]

    assert read(pack(b"a" * 100_000) + pack(b"b"), Content_Encoding=encoding) == b"a" * 100_000 + b"b"


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_it_may_not_consist_of_ten_thousand_members_that_are_empty(encoding: str) -> None:
    sent = ENCODINGS[encoding](b"") * 10_000 + ENCODINGS[encoding](b"x")

    with pytest.raises(BadRequest, match="more than 10,000 members"):
        replace(BODY, max_bytes=len(sent)).read(head(Content_Encoding=encoding), io.BytesIO(sent))


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_body_may_not_be_longer_than_described_when_it_is_decompressed(encoding: str) -> None:
    with pytest.raises(RequestEntityTooLarge, match="200,000 bytes"):
        read(ENCODINGS[encoding](b"0" * (MAX_BYTES + 1)), Content_Encoding=encoding)


def test_a_body_may_not_be_longer_than_described_as_it_is_sent() -> None:
    members = gzip.compress(b"") * (MAX_BYTES // 20)  # empty, once decompressed

    with pytest.raises(RequestEntityTooLarge):
        read(members + gzip.compress(b"x"), Content_Encoding="gzip")


def test_a_length_that_is_too_large_is_refused_before_anything_is_read() -> None:
    class Unread(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            raise AssertionError("the body was read")

    with pytest.raises(RequestEntityTooLarge):
        BODY.read(head(Content_Length=str(MAX_BYTES + 1)), Unread())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("encoding", "pack", "most_bytes"), [("gzip", gzip.compress, 1_000_000), ("zstd", zstandard.compress, 15_000_000)]
)
def test_a_body_that_inflates_a_thousandfold_takes_no_memory(
    encoding: str, pack: Callable[[bytes], bytes], most_bytes: int
) -> None:
    bomb = pack(b"0" * 100_000_000)
    assert len(bomb) < MAX_BYTES
    tracemalloc.start()
    try:
        with pytest.raises(RequestEntityTooLarge):
            read(bomb, Content_Encoding=encoding)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak_bytes < most_bytes


def test_a_sender_cannot_choose_a_window_that_takes_much_memory() -> None:
    window = zstandard.ZstdCompressionParameters(window_log=27)
    packer = zstandard.ZstdCompressor(compression_params=window).compressobj()

    with pytest.raises(BadRequest):
        read(packer.compress(b"x" * 1000) + packer.flush(), Content_Encoding="zstd")


@pytest.mark.parametrize("media_type", ["application/x-protobuf", "Application/JSON; charset=utf-8"])
def test_a_media_type_that_is_described_is_taken(media_type: str) -> None:
    assert read(b"{}", Content_Type=media_type) == b"{}"


def test_a_body_without_a_media_type_is_taken() -> None:
    assert read(b"{}") == b"{}"


def test_another_media_type_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UnsupportedMediaType, match="text/html; it may be application/x-protobuf or application/json"):
        read(b"{}", Content_Type="text/html")


def test_an_endpoint_may_take_every_media_type() -> None:
    body = Body({"application/json": None, "*/*": None}, max_bytes=10)

    assert body.read(head(Content_Type="application/x-www-form-urlencoded"), io.BytesIO(b"x")) == b"x"


def test_another_encoding_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UnsupportedMediaType, match="is br; it may be identity or gzip or deflate"):
        read(b"{}", Content_Encoding="br")


def test_a_protocol_may_bring_an_encoding_of_its_own() -> None:
    body = Body({"*/*": None}, max_bytes=10, decoders={"reversed": lambda pieces: (piece[::-1] for piece in pieces)})

    assert body.read(head(Content_Encoding="reversed"), io.BytesIO(b"abc")) == b"cba"


@pytest.mark.parametrize(
    ("content", "encoding", "words"),
    [
        (b"no gzip", "gzip", "does not match its Content-Encoding"),
        (gzip.compress(b"x") + b"rest", "gzip", "does not match its Content-Encoding"),
        (gzip.compress(b"x" * 1000)[:-1], "gzip", "is truncated"),
        (b"", "deflate", "is truncated"),
        (b"no zstd", "zstd", "does not match its Content-Encoding"),
        (zstandard.compress(b"x" * 1000)[:-1], "zstd", "is truncated"),
        (b"", "zstd", "is truncated"),
    ],
    ids=["other", "rest", "cut off", "empty", "other zstd", "cut off zstd", "empty zstd"],
)
def test_a_body_that_cannot_be_decompressed_is_refused(content: bytes, encoding: str, words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        read(content, Content_Encoding=encoding)
