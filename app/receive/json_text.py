"""JSON that clients send, checked and passed on as it was written. Pure."""

from contextlib import suppress
from typing import Final

import msgspec

from app.formats.json_text import parsed_leniently, without_lone_surrogates

_LENIENT_BYTES: Final = 256 * 1024
"""Up to this size the slow parser is tried: its values take many times the memory of the text."""

_BLANKS: Final = bytes.maketrans(b"\r\n", b"  ")

_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def is_object(text: bytes) -> bool:
    """Whether a text is a JSON object, as far as the consumer reads one: with NaN and halves of surrogates too."""
    with suppress(ValueError, RecursionError):
        _object(text)
        return True
    if len(text) <= _LENIENT_BYTES:
        with suppress(ValueError):
            return isinstance(parsed_leniently(text)[0], dict)
    return False


def repaired(text: bytes) -> bytes:
    """The text as UTF-8, without halves of surrogates, of which a strict parser refuses the whole text."""
    return without_lone_surrogates(text.decode(errors="replace")).encode()


def on_one_line(text: bytes) -> bytes:
    """Valid JSON that may have been written over several lines: within its strings there are no ends of lines."""
    return text.translate(_BLANKS)
