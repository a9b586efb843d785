"""Splits text into words exactly as the table's text index does with `lower(Body)` (tokenizer splitByNonAlpha)."""

import re
from typing import Final

# ASCII letters and digits, and everything beyond ASCII: the tokenizer treats every byte from 128 on as a letter.
_WORD: Final = re.compile(r"[0-9A-Za-z\x80-\U0010ffff]+")
_PLAIN: Final = re.compile(r"(?!(?:AND|OR|NOT|TO)$)\w[\w./@-]*")
_LOWER: Final = {ord(letter): letter.lower() for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


def lowered(text: str) -> str:
    """Lowercase like ClickHouse's `lower`: ASCII letters only, all others stay as they are."""
    return text.translate(_LOWER)


def quoted(text: str) -> str:
    """The text in quotes, as a query writes it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def as_value(text: str) -> str:
    """The text as the value of a field, in quotes if it needs them."""
    return text if _PLAIN.fullmatch(text) else quoted(text)


def words_of(text: str) -> list[str]:
    """The words of a text, in order."""
    return _WORD.findall(text)


def begins_with_word(text: str) -> bool:
    """Whether the first character of a text belongs to a word."""
    return bool(_WORD.match(text))


def ends_with_word(text: str) -> bool:
    """Whether the last character of a text belongs to a word."""
    return bool(_WORD.match(text[-1:]))
