"""Text of any encoding becomes UTF-8."""

import codecs
import re
from collections.abc import Iterable, Iterator

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # begins with the one of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_REPLACEMENT = "\ufffd"
_CONTROL = re.compile(r"[\0-\x08\x0e-\x1a]")
_SAMPLE_BYTES = 1024
_LEAST_BYTES = 8


def is_encoding(name: str) -> bool:
    """Whether text can be read in this encoding, piece by piece."""
    try:
        codecs.getincrementaldecoder(name)
        b"a".decode(name)
    except UnicodeError:
        return True
    except LookupError:
        return False
    return True


def encoding_of(head: bytes) -> str:
    """The encoding that the first bytes of a text show; empty if they show none, as UTF-8 does not."""
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            return encoding
    return _utf16_without_bom(head[:_SAMPLE_BYTES])


def _utf16_without_bom(sample: bytes) -> str:
    """UTF-16 of mostly ASCII: every other byte is NUL, and hardly any else."""
    sample = sample[: len(sample) // 2 * 2]
    if len(sample) < _LEAST_BYTES:
        return ""
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    encoding = "utf-16-le" if odd > even else "utf-16-be"
    is_likely = max(even, odd) * 4 > len(sample) and min(even, odd) * 20 < len(sample)
    return encoding if is_likely and not _CONTROL.search(sample.decode(encoding, errors="replace")) else ""


class Utf8:
    """Turns chunks of text into UTF-8, without a byte order mark. Text that is UTF-8 already keeps all other bytes."""

    def __init__(self, encoding: str = "") -> None:
        self.encoding = "" if codecs.lookup(encoding or "utf-8").name == "utf-8" else encoding
        self.unreadable = 0
        """Characters that the encoding does not have; they are replaced."""

    def chunks(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Empty chunks stay empty, and others never become empty."""
        converted = self._decoded(chunks) if self.encoding else chunks
        yield from _without_bom(converted)

    def _decoded(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        decoder = codecs.getincrementaldecoder(self.encoding)(errors="replace")
        for chunk in chunks:
            if not chunk:
                yield b""
            elif text := decoder.decode(chunk):
                yield self._encoded(text)
        if text := decoder.decode(b"", final=True):
            yield self._encoded(text)

    def _encoded(self, text: str) -> bytes:
        self.unreadable += text.count(_REPLACEMENT)
        return text.encode(errors="replace")


def _without_bom(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Without the mark in front; what may be the beginning of one is held until more is there."""
    held: bytes | None = b""
    for chunk in chunks:
        if held is None or not chunk:
            yield chunk
            continue
        held += chunk
        if len(held) < len(codecs.BOM_UTF8) and codecs.BOM_UTF8.startswith(held):
            continue
        if text := held.removeprefix(codecs.BOM_UTF8):
            yield text
        held = None
    if held:
        yield held
