"""What a word is: what the text index of the table makes of `lower(Body)` with its tokenizer splitByNonAlpha."""

import re
from typing import Final

# ASCII letters and digits, and everything beyond ASCII: the tokenizer takes every byte from 128 on for a letter.
_WORD: Final = re.compile(r"[0-9A-Za-z\x80-\U0010ffff]+")
_LOWER: Final = {ord(letter): letter.lower() for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


def lowered(text: str) -> str:
    """As ClickHouse's `lower` writes it: ASCII letters only, all others stay as they are."""
    return text.translate(_LOWER)


def words_of(text: str) -> list[str]:
    """Its words, in order."""
    return _WORD.findall(text)


def begins_with_word(text: str) -> bool:
    """Whether its first character belongs to a word."""
    return bool(_WORD.match(text))


def ends_with_word(text: str) -> bool:
    """Whether its last character belongs to a word."""
    return bool(_WORD.match(text[-1:]))
