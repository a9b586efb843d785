"""Lines of the input, and the keys found in them."""

import io

import pytest

from sending.lines import key_from_field, read_lines

MAX_BYTES = 100


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
    assert [line.value for line in read_lines(io.BytesIO(content), MAX_BYTES)] == values


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
def test_a_line_as_long_as_a_record_may_be_is_read_whole(end: bytes) -> None:
    [line] = read_lines(io.BytesIO(b"x" * MAX_BYTES + end), MAX_BYTES)

    assert line.value == b"x" * MAX_BYTES


def test_a_line_that_is_too_long_is_not_held_and_its_neighbours_are_untouched() -> None:
    lines = list(read_lines(io.BytesIO(b"before\n" + b"x" * 1_000_000 + b"\nafter\n"), MAX_BYTES))

    assert [(line.number, line.value) for line in lines] == [(1, b"before"), (2, None), (3, b"after")]
    assert lines[1].size_bytes == 1_000_001


@pytest.mark.parametrize(
    ("record", "key"),
    [
        (b'{"service":"auth","n":1}', b"auth"),
        ('{"service":"größe"}'.encode(), "größe".encode()),
        (b'{"service":7}', b"7"),
        (b'{"service":null}', None),
        (b'{"other":"x"}', None),
        (b"plain text", None),
        (b"\xff\xfe", None),
        (b"[1]", None),
        (b"[" * 100_000, None),
        (b'{"service":"\\ud800"}', b"?"),
    ],
)
def test_the_key_is_the_value_of_a_json_field(record: bytes, key: bytes | None) -> None:
    assert key_from_field("service")(record) == key
