"""Lines of container runtimes and of Compose."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.input.containers import carried, whole_lines
from app.input.lines import Line

MAX_BYTES = 1_000_000
PIECE = 16 * 1024
CRI = b"2026-11-29T10:15:01.123456789Z stdout "
CRI_ERRORS = b"2026-11-29T10:15:01.223456789+01:00 stderr "


def docker(log: str, stream: str = "stdout") -> bytes:
    entry = {"log": log, "stream": stream, "time": "2026-11-29T10:15:01.123456789Z"}
    return json.dumps(entry, separators=(",", ":")).encode()


def whole(lines: Sequence[bytes], max_bytes: int = MAX_BYTES) -> list[Line]:
    given = [Line(number, line, len(line) + 1) for number, line in enumerate(lines, 1)]
    return [line for line in whole_lines(given, max_bytes) if line]


def whole_values(*lines: bytes) -> list[bytes | None]:
    return [line.value for line in whole(lines)]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (CRI + b"F some text", b"some text"),
        (CRI + b"F   indented", b"  indented"),
        (CRI + b"F ", b""),
        (CRI + b"F", b""),
        (CRI + b"P:tag some text", b"some text"),
        (docker("some text\n"), b"some text"),
        (docker("größer\n"), "größer".encode()),
        (b"web-1  | some text", b"some text"),
        (b"my_project_web_1 |   indented", b"  indented"),
    ],
)
def test_what_a_line_carries_is_found(line: bytes, text: bytes) -> None:
    found = carried(line)

    assert found is not None
    assert found.text == text


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"2026-11-29T10:15:01Z INFO stdout F x",
        b"2026-11-29 | INFO | x",
        b"INFO | x",
        b'{"log":"x"}',
        b'{"log":"x","stream":',
        b'{"log":"' + b"[" * 50_000,
        b'{"log":{"a":1},"stream":"stdout"}',
    ],
)
def test_other_lines_carry_nothing(line: bytes) -> None:
    assert carried(line) is None


def test_the_pieces_of_a_line_become_one() -> None:
    [line] = whole([CRI + b"P one ", CRI + b"P two ", CRI + b"F three"])

    assert line == Line(1, CRI + b"F one two three", 3 * len(CRI) + len(b"P one P two F three") + 3, 3)


def test_tags_stay() -> None:
    assert whole_values(CRI + b"P:a one ", CRI + b"F:b two") == [CRI + b"F:a one two"]


def test_pieces_of_two_streams_do_not_mix() -> None:
    lines = [CRI + b"P out ", CRI_ERRORS + b"P err ", CRI + b"F put", CRI_ERRORS + b"F or"]

    assert whole_values(*lines) == [CRI + b"F out put", CRI_ERRORS + b"F err or"]


def test_pieces_of_docker_become_one_line_with_everything_else_it_says() -> None:
    pieces = ["a" * PIECE, "ö" * (PIECE // 2), "end\n"]

    [value] = whole_values(*map(docker, pieces))

    assert json.loads(value or b"") == json.loads(docker("".join(pieces)))


def test_short_lines_of_docker_without_an_end_are_lines() -> None:
    lines = [docker("one"), docker("two"), docker("three\n")]

    assert whole_values(*lines) == lines


def test_a_half_of_a_surrogate_pair_is_no_problem() -> None:
    lines = [b'{"log":"' + b"a" * PIECE + b'\\ud83d","stream":"stdout"}', b'{"log":"b\\n","stream":"stdout"}']

    [value] = whole_values(*lines)

    assert json.loads(value or b"")["log"] == "a" * PIECE + "\ud83db\n"


def test_a_line_whose_end_is_missing_is_returned_at_the_end() -> None:
    assert whole_values(CRI + b"P one ", b"text") == [b"text", CRI + b"F one "]


def test_pieces_that_are_too_long_together_become_several_lines() -> None:
    lines = whole([*[CRI + b"P " + b"x" * 400] * 5, CRI + b"F end"], max_bytes=1_000)

    assert [len(line.value or b"") > 1_000 for line in lines] == [False] * len(lines)
    assert b"".join((line.value or b"").removeprefix(CRI + b"F ") for line in lines) == b"x" * 2_000 + b"end"
    assert lines[0].note


def test_a_pause_is_passed_on_and_ends_nothing() -> None:
    lines = [Line(1, CRI + b"P one ", 1), None, Line(2, CRI + b"F two", 1)]

    assert list(whole_lines(lines, MAX_BYTES)) == [None, Line(1, CRI + b"F one two", 2, 2)]


@given(st.lists(st.tuples(st.sampled_from([CRI, CRI_ERRORS]), st.binary(max_size=9), st.booleans())))
def test_nothing_of_a_stream_is_lost_or_moved(pieces: list[tuple[bytes, bytes, bool]]) -> None:
    pieces = [(head, text.replace(b"\n", b""), is_last) for head, text, is_last in pieces]
    lines = whole([head + (b"F " if is_last else b"P ") + text for head, text, is_last in pieces])

    for stream in (CRI, CRI_ERRORS):
        sent = b"".join(text for head, text, _ in pieces if head == stream)
        values = [line.value or b"" for line in lines]
        assert b"".join(value.removeprefix(stream + b"F ") for value in values if value.startswith(stream)) == sent
    assert sum(line.lines for line in lines) == len(pieces)
