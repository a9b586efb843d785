"""The body of a request, or why there is none."""

from email.message import Message
from io import BytesIO

import pytest

from local.engine.body import BodyCut, body_pieces, has_body
from local.engine.errors import EngineError

_CHUNKED = b"3\r\nabc\r\nA;name=value\r\ndefghijklm\r\n0\r\nX-Trailer: 1\r\n\r\n"


def _headers(**values: str) -> Message:
    headers = Message()
    for name, value in values.items():
        headers[name.replace("_", "-")] = value
    return headers


def _read(headers: Message, sent: bytes, max_bytes: int = 1000) -> bytes:
    return b"".join(body_pieces(headers, BytesIO(sent), max_bytes))


def test_a_body_ends_where_its_length_says() -> None:
    assert _read(_headers(Content_Length="3"), b"abcGET /") == b"abc"


def test_chunks_are_joined_and_trailers_read() -> None:
    stream = BytesIO(_CHUNKED + b"GET /")

    assert b"".join(body_pieces(_headers(Transfer_Encoding="chunked"), stream, 1000)) == b"abcdefghijklm"
    assert stream.read() == b"GET /"


def test_a_body_cut_short_is_no_body() -> None:
    with pytest.raises(BodyCut):
        _read(_headers(Content_Length="4"), b"abc")


@pytest.mark.parametrize("length", range(len(_CHUNKED)))
def test_chunks_cut_anywhere_are_no_body(length: int) -> None:
    with pytest.raises(BodyCut):
        _read(_headers(Transfer_Encoding="chunked"), _CHUNKED[:length])


@pytest.mark.parametrize("size", [b"-1", b"0x3", b"", b"+3", b"1_0", b" "])
def test_a_chunk_without_a_proper_size_ends_the_connection(size: bytes) -> None:
    with pytest.raises(BodyCut):
        _read(_headers(Transfer_Encoding="chunked"), size + b"\r\nabc\r\n0\r\n\r\n")


@pytest.mark.parametrize("length", ["-1", "x", "1e3", "٣"])
def test_a_length_that_is_no_number_ends_the_connection(length: str) -> None:
    with pytest.raises(BodyCut):
        has_body(_headers(Content_Length=length))


@pytest.mark.parametrize(
    ("headers", "sent"),
    [(_headers(Content_Length="11"), b"x" * 11), (_headers(Transfer_Encoding="chunked"), b"b\r\n" + b"x" * 11)],
)
def test_a_large_body_is_refused_before_it_is_read(headers: Message, sent: bytes) -> None:
    with pytest.raises(EngineError) as caught:
        _read(headers, sent, max_bytes=10)

    assert caught.value.status == 413


def test_whether_there_is_a_body_is_in_the_headers() -> None:
    assert has_body(_headers(Content_Length="1"))
    assert has_body(_headers(Transfer_Encoding="Chunked"))
    assert not has_body(_headers(Content_Length="0"))
    assert not has_body(_headers())
