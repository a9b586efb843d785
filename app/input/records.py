"""The records of a file or of standard input, whatever they are packed in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from app.input.binary import binary_kind
from app.input.compression import compression_of, unpacked
from app.input.containers import whole_lines
from app.input.continuation import Rule
from app.input.encoding import Utf8, encoding_of
from app.input.json_values import Document, document_of, json_values
from app.input.lines import Line, lines_of, with_line_feeds
from app.input.multiline import joined
from app.input.source import HEAD_BYTES, RefusedInput, Source, UnreadableInput

_OVERHEAD_BYTES = 200  # what Kafka and headers may add to a record that was made of several lines


class Input:
    """Reads a source from its first byte to its last: unpacks, decodes and splits it, in bounded memory."""

    def __init__(
        self, source: Source, *, encoding: str = "", new_rule: Callable[[], Rule] | None = None, done: str = "sent"
    ) -> None:
        """`encoding`: if it is given, the input is text, whatever it looks like. No rule: a record for every line.

        `done` is what becomes of the records, as errors say it.
        """
        self._done = done
        self._source = source
        self._new_rule = new_rule
        self._said_encoding = encoding
        self._compression = ""
        self._utf8 = Utf8(encoding)
        self._document: Document = ""
        self._unpacked_bytes = 0
        self._broken: Exception | None = None
        self._text: Iterator[bytes] = iter(())
        self._is_open = False

    @property
    def name(self) -> str:
        return self._source.name

    @property
    def raw_bytes(self) -> int:
        """What has been read of the file itself."""
        return self._source.raw_bytes

    @property
    def unreadable(self) -> int:
        """Characters that were replaced, since the encoding does not have them."""
        return self._utf8.unreadable

    @property
    def expected_bytes(self) -> float:
        """About how many bytes all lines will have together; 0 if that is unknown."""
        raw_bytes = self._source.raw_bytes
        return self._source.known_bytes * self._unpacked_bytes / raw_bytes if raw_bytes else 0.0

    @property
    def kind(self) -> str:
        """What was recognised, such as `gzip, UTF-16-LE`; empty for lines of UTF-8."""
        document = {"": "", "array": "a JSON array", "objects": "JSON"}[self._document]
        return ", ".join(filter(None, (self._compression, self._utf8.encoding.upper(), document)))

    def open(self) -> None:
        """Look at the first bytes. Waits for them.

        Raises:
            RefusedInput: it is not text.
            OSError: it cannot be read.
        """
        if self._is_open:
            return
        self._compression = compression_of(self._source.head())
        head, rest = self._opened()
        if not self._said_encoding:
            self._utf8 = Utf8(encoding_of(head))
            if not self._utf8.encoding and (kind := binary_kind(head)):
                raise RefusedInput(f"{self.name} is not text but {kind}; nothing of it was {self._done}")
        self._text = with_line_feeds(self._counted(self._utf8.chunks(chain([head] if head else [], rest))))
        if self._new_rule:
            self._look_for_json()
        self._is_open = True

    def records(self, max_bytes: int) -> Iterator[Line]:
        """The records, in order.

        Raises:
            UnreadableInput: the input is not text, is damaged, or breaks off. All that precedes has been returned.
        """
        self.open()
        yield from self._split(max_bytes)
        if self._broken:
            raise UnreadableInput(f"{self.name} {self._broken}; what precedes was {self._done}") from self._broken

    def close(self) -> None:
        self._source.close()

    def _split(self, max_bytes: int) -> Iterator[Line]:
        if self._document:
            yield from filter(None, json_values(self._text, self._document, max_bytes))
        elif self._new_rule:
            most_bytes = max(1, max_bytes - _OVERHEAD_BYTES)
            yield from joined(whole_lines(lines_of(self._text, max_bytes), most_bytes), self._new_rule, most_bytes)
        else:
            yield from filter(None, lines_of(self._text, max_bytes))

    def _opened(self) -> tuple[bytes, Iterator[bytes]]:
        """The first bytes of the unpacked content, and the rest."""
        if not self._compression:
            head = self._source.head()
            return self._source.read(len(head)) if head else b"", self._until_it_breaks(self._source.chunks())
        return _with_head(self._until_it_breaks(unpacked(self._compression, self._source)))

    def _look_for_json(self) -> None:
        """Split into JSON values if the text begins as such."""
        text = next(self._text, b"")
        self._document = document_of(text)
        self._text = chain([text] if text else [], self._text)

    def _until_it_breaks(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """What can be read; a problem is kept for when it has been sent."""
        try:
            yield from chunks
        except UnreadableInput as error:
            self._broken = error
        except OSError as error:
            self._broken = UnreadableInput(f"cannot be read any further: {error.strerror or error}")

    def _counted(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self._unpacked_bytes += len(chunk)
            yield chunk


def _with_head(chunks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    held = b""
    for chunk in chunks:
        held += chunk
        if len(held) >= HEAD_BYTES:
            break
    return held, chunks
