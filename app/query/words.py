"""The words of text that was typed, as the text indexes of the table have them (see `domain.words`)."""

import re
from typing import Final

from app.domain.words import EDGE, lowered, searched_form

__all__ = [
    "EDGE",
    "as_value",
    "begins_with_word",
    "ends_with_word",
    "lowered",
    "quoted",
    "searched_form",
    "tokens_of",
    "words_of",
]

# ASCII letters and digits, and everything beyond ASCII: splitByNonAlpha treats every byte from 128 on as a letter.
# Named by what it is not: a set that reaches to the last character takes milliseconds to compile.
_TOKEN: Final = re.compile(r"[^\x00-/:-@\[-`{-\x7f]+")
_PLAIN: Final = re.compile(r"(?!(?:AND|OR|NOT|TO)$)\w[\w./@-]*")


def quoted(text: str) -> str:
    """The text in quotes, as a query writes it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def as_value(text: str) -> str:
    """The text as the value of a field, in quotes if it needs them."""
    return text if _PLAIN.fullmatch(text) else quoted(text)


def words_of(text: str) -> list[str]:
    """The words of a text, in order."""
    return tokens_of(searched_form(text))


def tokens_of(form: str) -> list[str]:
    """The tokens of a text in the index, in order; of a searched form these are its words."""
    return _TOKEN.findall(form)


def begins_with_word(form: str) -> bool:
    """Whether the first character of a text belongs to a token."""
    return bool(_TOKEN.match(form))


def ends_with_word(form: str) -> bool:
    """Whether the last character of a text belongs to a token."""
    return bool(_TOKEN.match(form[-1:]))
