"""Compressed input."""

import bz2
import gzip
import io
import lzma
import random
from collections.abc import Callable

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from app.input.compression import compression_of, unpacked
from app.input.source import UnreadableInput

Pack = Callable[[bytes], bytes]

PACK: dict[str, Pack] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": lambda text: zstandard.ZstdCompressor().compress(text),
}
LINES = b"".join(b"%d %d\n" % (n, random.Random(n).getrandbits(60)) for n in range(30_000))
# What pzstd puts in front: a frame to be skipped, with the size of the next one.
SKIPPABLE = b"\x50\x2a\x4d\x18\x04\x00\x00\x00\x01\x02\x03\x04"

every = pytest.mark.parametrize("name", PACK)


class Trickle:
    """Gives less than it is asked for."""

    def __init__(self, content: bytes, most_bytes: int) -> None:
        self._content = io.BytesIO(content)
        self._most_bytes = most_bytes

    def read(self, size: int = -1, /) -> bytes:
        return self._content.read(self._most_bytes if size < 0 else min(size, self._most_bytes))


def content(name: str, packed: bytes, most_bytes: int = 1 << 20) -> bytes:
    return b"".join(unpacked(name, Trickle(packed, most_bytes)))


def until_it_breaks(name: str, packed: bytes) -> tuple[bytes, str]:
    """What can be unpacked, and the problem."""
    got = b""
    try:
        for piece in unpacked(name, io.BytesIO(packed)):
            got += piece
    except UnreadableInput as error:
        return got, str(error)
    return got, ""


@every
def test_it_is_recognised_by_its_first_bytes_and_unpacked(name: str) -> None:
    packed = PACK[name](LINES)

    assert compression_of(packed[:64]) == name
    assert content(name, packed) == LINES


@every
def test_an_empty_file_is_recognised_too(name: str) -> None:
    packed = PACK[name](b"")

    assert compression_of(packed) == name
    assert content(name, packed) == b""


@every
def test_members_behind_each_other_are_one_content(name: str) -> None:
    assert content(name, PACK[name](b"one\ntw") + PACK[name](b"o\n") + PACK[name](LINES)) == b"one\ntwo\n" + LINES


@every
@pytest.mark.parametrize("kept", [0.3, 0.9, 0.999])
def test_of_a_file_that_was_cut_off_everything_before_is_unpacked(name: str, kept: float) -> None:
    packed = PACK[name](LINES)

    got, problem = until_it_breaks(name, packed[: int(len(packed) * kept)])

    assert f"ends in the middle of its {name} data" in problem
    assert LINES.startswith(got)
    # bzip2 and zstd have blocks of 900 and of 128 kB, which can be read only as a whole.
    assert len(got) > len(LINES) * kept - 900_000


@every
def test_damage_behind_a_member_is_reported_after_its_content(name: str) -> None:
    packed = PACK[name](LINES)
    damaged = packed[: len(packed) // 2] + b"\xff" * 3000 + packed[len(packed) // 2 :]

    got, problem = until_it_breaks(name, PACK[name](b"whole\n") + damaged)

    assert f"has damaged {name} data" in problem
    assert (b"whole\n" + LINES).startswith(got[:6])


@every
def test_what_is_no_member_behind_a_member_is_reported(name: str) -> None:
    got, problem = until_it_breaks(name, PACK[name](b"whole\n") + b"something else")

    assert (got, f"has damaged {name} data" in problem) == (b"whole\n", True)


@every
def test_members_may_be_padded(name: str) -> None:
    assert content(name, PACK[name](b"one") + bytes(12) + PACK[name](b"two") + bytes(512)) == b"onetwo"


def test_frames_that_pzstd_writes_are_skipped() -> None:
    packed = SKIPPABLE + PACK["zstd"](b"one ") + SKIPPABLE + PACK["zstd"](b"two")

    assert compression_of(packed) == "zstd"
    assert content("zstd", packed) == b"one two"


@every
def test_a_small_file_with_a_large_content_is_unpacked_in_pieces(name: str) -> None:
    packed = PACK[name](bytes(50_000_000))

    sizes = [len(piece) for piece in unpacked(name, io.BytesIO(packed))]

    assert sum(sizes) == 50_000_000
    assert max(sizes) < 40_000_000


@given(st.sampled_from(sorted(PACK)), st.lists(st.binary(max_size=50), max_size=4), st.integers(1, 40))
def test_bytes_may_come_in_any_pieces(name: str, contents: list[bytes], most_bytes: int) -> None:
    assert content(name, b"".join(map(PACK[name], contents)), most_bytes) == b"".join(contents)


@pytest.mark.parametrize("head", [b"", b"B", b"BZh is a word", b"\x1f\x8b", b"2026-11-29 INFO", b"{}", b"\x5a\x2a"])
def test_other_files_are_not_compressed(head: bytes) -> None:
    assert compression_of(head) == ""
