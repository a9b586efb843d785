"""Content encodings, in pieces."""

import zlib
from collections.abc import Iterator

import pytest

from local.engine.codecs import compressed, compressor, decompressed
from local.engine.errors import EngineError

_TEXT = b"the quick brown fox " * 100_000
_ENCODINGS = ["lz4", "zstd", "gzip", "deflate"]


def _packed(encoding: str, text: bytes = _TEXT) -> bytes:
    _, encoder = compressor(encoding)
    return b"".join(compressed([text[:1000], text[1000:]], encoder))


def _in_pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


@pytest.mark.parametrize("encoding", _ENCODINGS)
@pytest.mark.parametrize("size", [7, 1 << 20])
def test_compressed_data_is_decompressed(encoding: str, size: int) -> None:
    body = _packed(encoding)

    assert len(body) < len(_TEXT) / 10
    assert b"".join(decompressed(_in_pieces(body, size), encoding, len(_TEXT))) == _TEXT


@pytest.mark.parametrize("encoding", _ENCODINGS)
def test_frames_may_follow_one_another(encoding: str) -> None:
    body = _packed(encoding, b"one") + _packed(encoding, b"two")

    assert b"".join(decompressed([body], encoding, 100)) == b"onetwo"


@pytest.mark.parametrize("encoding", _ENCODINGS)
def test_a_body_cut_short_is_refused(encoding: str) -> None:
    body = _packed(encoding)

    for length in range(1, len(body), max(1, len(body) // 10)):
        with pytest.raises(EngineError, match="ends too early"):
            list(decompressed([body[:length]], encoding, len(_TEXT)))


@pytest.mark.parametrize("encoding", _ENCODINGS)
def test_a_damaged_body_is_refused(encoding: str) -> None:
    with pytest.raises(EngineError) as caught:
        list(decompressed([b"this is not compressed at all"], encoding, 100))

    assert caught.value.code == 271


@pytest.mark.parametrize("encoding", ["", *_ENCODINGS])
def test_a_body_is_refused_when_it_grows_too_large(encoding: str) -> None:
    body = _packed(encoding) if encoding else _TEXT

    with pytest.raises(EngineError) as caught:
        list(decompressed([body], encoding, len(_TEXT) - 1))

    assert (caught.value.code, caught.value.status) == (55, 413)


def test_an_unknown_encoding_is_refused() -> None:
    with pytest.raises(EngineError) as caught:
        list(decompressed([b"x"], "br", 100))

    assert caught.value.status == 501


def test_the_first_known_encoding_is_taken() -> None:
    name, encoder = compressor("br, gzip;q=0.5, lz4")

    assert name == "gzip"
    assert zlib.decompress(b"".join(compressed([b"x"], encoder)), wbits=31) == b"x"


@pytest.mark.parametrize("encoding", ["", *_ENCODINGS])
def test_nothing_stays_nothing(encoding: str) -> None:
    assert b"".join(compressed([], compressor(encoding)[1])) == b""
    assert b"".join(decompressed([], encoding, 100)) == b""
