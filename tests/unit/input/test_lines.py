"""Lines of the input."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.input.lines import Line, lines_of, with_line_feeds
from tests.unit.input.chunks import cut, peak_bytes

MAX_BYTES = 100


def lines(*chunks: bytes, max_bytes: int = MAX_BYTES) -> Sequence[Line]:
    return [line for line in lines_of(chunks, max_bytes) if line]


@pytest.mark.parametrize(
    ("content", "values"),
    [
        (b"", []),
        (b"a\nb\n", [b"a", b"b"]),
        (b"a\r\nb\r\n", [b"a", b"b"]),
        (b"no end", [b"no end"]),
        (b"a\n\n\nb", [b"a", b"", b"", b"b"]),
        (b"\xff\xfe\x00\n\x80", [b"\xff\xfe\x00", b"\x80"]),
        (b"cr\rinside\r\r\n", [b"cr\rinside\r"]),
        (b"only cr\r", [b"only cr\r"]),
        (b"vertical\x0btab\x0cfeed\xc2\x85next\n", [b"vertical\x0btab\x0cfeed\xc2\x85next"]),
    ],
)
def test_lines_keep_their_bytes_and_lose_their_ends(content: bytes, values: list[bytes]) -> None:
    assert [line.value for line in lines(content)] == values


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
def test_a_line_as_long_as_a_record_may_be_is_read_whole(end: bytes) -> None:
    [line] = lines(b"x" * MAX_BYTES + end)

    assert line.value == b"x" * MAX_BYTES


def test_a_line_that_is_too_long_is_not_held_and_its_neighbours_are_untouched() -> None:
    found = lines(b"before\n" + b"x" * 500_000, b"x" * 500_000 + b"\nafter\n")

    assert [(line.number, line.value) for line in found] == [(1, b"before"), (2, None), (3, b"after")]
    assert found[1].size_bytes == 1_000_001


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
def test_a_line_longer_than_a_record_may_be_has_no_value(end: bytes) -> None:
    [line] = lines(b"x" * (MAX_BYTES + 1) + end)

    assert (line.value, line.size_bytes) == (None, MAX_BYTES + 1 + len(end))


def test_a_line_is_there_as_soon_as_its_end_is_and_a_pause_is_passed_on() -> None:
    found = lines_of(iter([b"one\ntw", b"", b"o\n"]), MAX_BYTES)

    assert next(found) == Line(1, b"one", 4)
    assert next(found) is None
    assert next(found) == Line(2, b"two", 4)


def test_a_line_without_an_end_takes_no_more_memory_than_a_record() -> None:
    assert peak_bytes(lines_of((b"x" * 10_000 for _ in range(1_000)), MAX_BYTES)) < 500_000


@given(st.lists(st.sampled_from([b"a", b"\n", b"\r", b"\r\n", b"x" * 7, b"\x00", b"\xff"])), st.lists(st.integers(0)))
def test_chunks_may_end_anywhere(pieces: list[bytes], places: list[int]) -> None:
    text = b"".join(pieces)

    assert lines(*cut(text, places), max_bytes=10) == lines(text, max_bytes=10)
    assert sum(line.size_bytes for line in lines(text, max_bytes=10)) == len(text)
    assert b"\n".join(line.value or b"" for line in lines(text)) == text.replace(b"\r\n", b"\n").removesuffix(b"\n")


@pytest.mark.parametrize(
    ("chunks", "text"),
    [
        ([b"a\rb", b"\rc"], b"a\nb\nc"),
        ([b"", b"a\r\rb\r"], b"a\n\nb\n"),
        ([b"a\r", b"\nb\r\n"], b"a\r\nb\r\n"),
        ([b"10%\r20%\rdone\n", b"x\ry"], b"10%\r20%\rdone\nx\ry"),
    ],
)
def test_carriage_returns_are_line_ends_where_there_are_no_others(chunks: list[bytes], text: bytes) -> None:
    assert b"".join(with_line_feeds(chunks)) == text
