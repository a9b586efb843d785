"""Files, and pipes that are still being written."""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.input.source import HEAD_BYTES, Source, open_source

IDLE_SECS = 0.02


class Pipe:
    """A pipe, and a source that reads from it."""

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()
        self.source = Source(self._reading, "pipe", IDLE_SECS)

    def write(self, content: bytes) -> None:
        os.write(self._writing, content)

    def end(self) -> None:
        os.close(self._writing)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    made = Pipe()
    with closing(made.source):
        yield made


def test_the_head_is_read_again_with_everything_behind_it(tmp_path: Path) -> None:
    content = os.urandom(3 * HEAD_BYTES + 5)
    (tmp_path / "file").write_bytes(content)

    with closing(open_source(str(tmp_path / "file"))) as source:
        assert source.is_file
        assert source.known_bytes == len(content)
        assert source.head() == content[:HEAD_BYTES]
        assert source.read(10) == content[:10]
        assert b"".join(source.chunks()) == content[10:]
        assert source.raw_bytes == len(content)


def test_what_comes_in_pieces_is_gathered_for_the_head(pipe: Pipe) -> None:
    pipe.write(b"one ")
    pipe.write(b"two")
    pipe.end()

    assert pipe.source.head() == b"one two"
    assert list(pipe.source.chunks()) == [b"one two"]


def test_a_head_that_nothing_follows_is_not_waited_for_longer(pipe: Pipe) -> None:
    pipe.write(b"one")

    assert pipe.source.head() == b"one"
    assert not pipe.source.is_file
    assert pipe.source.known_bytes == 0
    pipe.end()


def test_a_pause_is_an_empty_chunk(pipe: Pipe) -> None:
    pipe.write(b"one")
    chunks = pipe.source.chunks()

    assert next(chunks) == b"one"
    assert next(chunks) == b""
    pipe.write(b"two")
    assert next(chunk for chunk in chunks if chunk) == b"two"
    pipe.end()
    assert [chunk for chunk in chunks if chunk] == []


def test_a_directory_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        open_source(str(tmp_path))
