"""JSON that clients send, checked and passed on as it was written. Pure."""

from collections.abc import Callable
from contextlib import suppress
from typing import Final

import msgspec

from app.formats.json_text import parsed_leniently, without_lone_surrogates

_LENIENT_BYTES: Final = 256 * 1024
"""Up to this size the slow parser is tried: its values take many times the memory of the text."""

_BLANKS: Final = bytes.maketrans(b"\r\n", b"  ")

_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_value = msgspec.json.Decoder(msgspec.Raw).decode


def is_object(text: bytes) -> bool:
    """Whether a text is a JSON object, as far as the consumer reads one: with NaN and halves of surrogates too."""
    if is_strict_json(text, _object):
        return True
    if len(text) <= _LENIENT_BYTES:
        with suppress(ValueError):
            return isinstance(parsed_leniently(text)[0], dict)
    return False


def object_on_one_line(text: bytes) -> bytes | None:
    """A JSON object that may be written over several lines; None if the text is none.

    With line breaks it must be strictly valid: then there are none within its strings.
    """
    line = on_one_line(text)
    is_valid = is_object(text) if line == text else is_strict_json(text, _object)
    return line if is_valid else None


def is_strict_json(text: bytes, decode: Callable[[bytes], object] = _value) -> bool:
    """Whether a text is valid JSON; with another decoder, JSON of its type."""
    try:
        decode(text)
    except (ValueError, RecursionError):
        return False
    return True


def repaired(text: bytes) -> bytes:
    """The text as UTF-8, without halves of surrogates, of which a strict parser refuses the whole text."""
    return without_lone_surrogates(text.decode(errors="replace")).encode()


def on_one_line(text: bytes) -> bytes:
    """Valid JSON that may have been written over several lines: within its strings there are no ends of lines."""
    return text.translate(_BLANKS)
