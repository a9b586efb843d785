"""Files and pipes, from their bytes to the records."""

import bz2
import codecs
import gzip
import json
import lzma
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import zstandard

from app.input.continuation import TraceRule
from app.input.lines import Line
from app.input.records import Input
from app.input.source import RefusedInput, Source, UnreadableInput, open_source
from tests.unit.input.test_binary import ELF, PNG

MAX_BYTES = 1_000_000
IDLE_SECS = 0.02
TEXT = "2026-11-29 ERROR größer\n\tat a.B.c(B.java:1)\n2026-11-29 INFO second\n"
VALUES = ["2026-11-29 ERROR größer\n\tat a.B.c(B.java:1)".encode(), b"2026-11-29 INFO second"]

Write = Callable[[bytes], str]


@pytest.fixture
def file(tmp_path: Path) -> Write:
    def write(content: bytes) -> str:
        path = tmp_path / "app.log"
        path.write_bytes(content)
        return str(path)

    return write


@contextmanager
def opened(path: str, *, encoding: str = "", is_joined: bool = True) -> Iterator[Input]:
    with closing(open_source(path)) as source:
        yield Input(source, encoding=encoding, new_rule=TraceRule if is_joined else None)


@contextmanager
def piped() -> Iterator[tuple[Input, Callable[[bytes], int], Callable[[], None]]]:
    """An input that reads from a pipe, and how to write to it and to end it."""
    reading, writing = os.pipe()
    with closing(Source(reading, "standard input", IDLE_SECS)) as source:
        yield Input(source, new_rule=TraceRule), lambda text: os.write(writing, text), lambda: os.close(writing)


def records(path: str, *, encoding: str = "", is_joined: bool = True, max_bytes: int = MAX_BYTES) -> list[Line]:
    with opened(path, encoding=encoding, is_joined=is_joined) as source:
        return list(source.records(max_bytes))


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (TEXT.encode(), ""),
        (TEXT.replace("\n", "\r\n").encode(), ""),
        (TEXT.replace("\n", "\r").encode(), ""),
        (codecs.BOM_UTF8 + TEXT.encode(), ""),
        (TEXT.encode("utf-16"), "UTF-16-LE"),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "UTF-16-BE"),
        (gzip.compress(TEXT.encode(), mtime=0), "gzip"),
        (bz2.compress(TEXT.encode()), "bzip2"),
        (lzma.compress(TEXT.encode()), "xz"),
        (zstandard.ZstdCompressor().compress(TEXT.encode()), "zstd"),
        (gzip.compress(TEXT[:7].encode(), mtime=0) + gzip.compress(TEXT[7:].encode(), mtime=0), "gzip"),
        (gzip.compress(TEXT.encode("utf-16"), mtime=0), "gzip, UTF-16-LE"),
    ],
)
def test_a_file_is_read_as_it_is_packed(content: bytes, kind: str, file: Write) -> None:
    with opened(file(content)) as source:
        assert [line.value for line in source.records(MAX_BYTES)] == VALUES
        assert source.kind == kind
        assert source.raw_bytes == len(content)
        assert source.expected_bytes == pytest.approx(len(TEXT.encode()), abs=3)


def test_an_encoding_that_is_said_is_read(file: Write) -> None:
    assert [line.value for line in records(file(TEXT.encode("cp1252")), encoding="cp1252")] == VALUES


def test_each_line_is_a_record_where_nothing_is_to_be_joined(file: Write) -> None:
    lines = [b"[{", b'  "a": 1', b"}]", b"2026-11-29T10:15:01.123456789Z stdout P x", b"\tat a.b(c)"]

    assert [line.value for line in records(file(b"\n".join(lines)), is_joined=False)] == lines


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("content", [PNG, ELF, ELF + b"\n" * 100_000])
def test_what_is_no_text_is_refused_with_its_name(content: bytes, pack: Callable[[bytes], bytes], file: Write) -> None:
    path = file(pack(content))

    with (
        opened(path) as source,
        pytest.raises(RefusedInput, match=f"{path} is not text but .*; nothing of it was sent"),
    ):
        source.open()


def test_text_is_sent_whatever_it_looks_like_if_an_encoding_is_said(file: Write) -> None:
    assert [line.value for line in records(file(bytes(20) + b"\nx"), encoding="utf-8")] == [bytes(20), b"x"]


def test_of_a_file_that_was_cut_off_everything_before_is_sent(file: Write) -> None:
    path = file(gzip.compress(TEXT.encode() * 20_000)[:-200])
    sent: list[Line] = []

    with opened(path) as source:
        found = source.records(MAX_BYTES)
        with pytest.raises(UnreadableInput, match=r"ends in the middle of its gzip data: .*; what precedes was sent"):
            sent.extend(found)

    assert len(sent) > 10_000
    assert [line.value for line in sent[:2]] == VALUES


def test_a_huge_array_is_read_event_by_event_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "events.json.gz"
    event = json.dumps({"message": "x" * 1_000}, indent=1).encode()
    with gzip.open(path, "wb", compresslevel=1) as packed:
        packed.write(b"[\n" + b",\n".join([event] * 30_000) + b"\n]\n")

    with opened(str(path)) as source:
        assert sum(line.value == event for line in source.records(MAX_BYTES)) == 30_000
        assert source.kind == "gzip, a JSON array"


@pytest.mark.parametrize("content", [b"", gzip.compress(b"", mtime=0), b"\n\n", codecs.BOM_UTF16_LE])
def test_an_empty_file_has_no_records(content: bytes, file: Write) -> None:
    assert [line for line in records(file(content)) if line.value] == []


def test_the_last_event_of_a_pipe_is_sent_when_nothing_comes_for_a_while() -> None:
    with piped() as (source, write, end):
        found = source.records(MAX_BYTES)
        write(TEXT.encode())
        assert [next(found).value, next(found).value] == VALUES
        write(b"2026-11-29 ERROR third\n\tat a.B.c(B.java:1)\n")
        assert next(found).value == b"2026-11-29 ERROR third\n\tat a.B.c(B.java:1)"
        write(b"not comp")
        end()
        assert [line.value for line in found] == [b"not comp"]


def test_a_packed_pipe_is_unpacked() -> None:
    with piped() as (source, write, end):
        write(gzip.compress(TEXT.encode()))
        end()
        assert [line.value for line in source.records(MAX_BYTES)] == VALUES


def test_a_pipe_that_is_no_text_is_refused() -> None:
    with piped() as (source, write, end):
        write(PNG)
        end()
        with pytest.raises(RefusedInput, match="standard input is not text but a PNG image"):
            next(source.records(MAX_BYTES))
