"""The form of a message in which its words are found: one for all scripts, for the table and for queries.

The text index of the table takes a run of ASCII letters, ASCII digits and characters beyond ASCII for a word. That is
right for ASCII. For other text this module writes a form of which it is right too; most messages are their own form.
"""

import functools
import re
from typing import Final
from unicodedata import category, normalize

import pyarrow as pa
import pyarrow.compute as pc

EDGE: Final = "\x1b"
"""Stands on both sides of a character that is a word of its own. It is not a part of any form otherwise."""

_HIDDEN: Final = "\u200b"
_LONG: Final = 40
_BEYOND_ASCII: Final = re.compile(r"[^\x00-\x7f]+")
_LOWER: Final = {ord(letter): letter.lower() for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
# Colours and other control sequences of a terminal, and the choice of a character set (`tput sgr0` writes one).
_COLOUR: Final = re.compile(r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b[()][0-9AB]")
# ASCII digits and small letters, and everything beyond ASCII but the hidden one. Named by what it is not: a set that
# reaches to the last character takes milliseconds to compile.
_OF_A_WORD: Final = r"[^\x00-/:-`{-\x7f\u200b]"
_HIDDEN_WITHIN_A_WORD: Final = re.compile(rf"(?<={_OF_A_WORD}){_HIDDEN}+(?={_OF_A_WORD})")
# Scripts that are written without blanks between words, and Hangul, where a blank comes only after the particles.
_WITHOUT_BLANKS: Final = re.compile(
    "["
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f\ua9e0-\ua9ff\uaa60-\uaa7f"  # Myanmar
    "\u1780-\u17ff\u19e0-\u19ff"  # Khmer
    "\u1950-\u19df\u1a20-\u1aaf\uaa80-\uaadf"  # Tai
    "\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff\uffa0-\uffdc"  # Hangul
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u303c\u3040-\u312f\u3190-\u319f\u31a0-\u31ff"  # Kana, Bopomofo, parts of Han
    "\u3400-\u9fff\uf900-\ufaff\uff66-\uff9f"  # Han
    "\U0001aff0-\U0001b16f\U0001f200-\U0001f2ff\U00020000-\U0003ffff"
    "]"
)


@functools.lru_cache(maxsize=1 << 15)
def _written(character: str) -> str:
    """How a character beyond ASCII is written."""
    kind = category(character)
    if kind == "Cf" or "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef":
        return _HIDDEN  # zero-width characters and variation selectors
    if kind[0] == "Z" or kind == "Cc":
        return " "
    if kind[0] in "PS" or kind == "Co" or _WITHOUT_BLANKS.match(character):
        return f"{EDGE}{character}{EDGE}"
    return character


@functools.lru_cache(maxsize=1 << 14)
def _written_together(characters: str) -> str:
    return "".join(map(_written, characters))


def _run(found: re.Match[str]) -> str:
    characters = found[0]
    # The same words come again and again; long texts without a blank do not, and would fill the memory.
    return _written_together(characters) if len(characters) < _LONG else "".join(map(_written, characters))


def lowered(text: str) -> str:
    """Lowercase like ClickHouse's `lower`: ASCII letters only, all others stay as they are."""
    return text.translate(_LOWER)


def searched_form(text: str) -> str:
    """The form of a text in which it is searched and found.

    Letters are lowercase and composed; other blanks are blanks. A sign beyond ASCII, and a letter of a script without
    blanks, is a word of its own. Colours and zero-width characters vanish; within a word, they separate it.
    """
    if EDGE in text or "\x9b" in text:
        text = _COLOUR.sub(_HIDDEN, text).replace(EDGE, " ")
    text = _BEYOND_ASCII.sub(_run, normalize("NFC", text.lower().replace("ς", "σ")))
    if _HIDDEN in text:
        text = _HIDDEN_WITHIN_A_WORD.sub(" ", text).replace(_HIDDEN, "")
    return text.replace(EDGE + EDGE, EDGE)


def searched_forms(messages: pa.StringArray) -> pa.StringArray:
    """The form of each message, "" if that is the lowercase message itself: so it is for all ASCII without colours."""
    data = messages.buffers()[2]
    if data is None or _is_plain(data.to_pybytes()):  # in compiled code: a hundredth of what storing a row takes
        return pa.repeat(pa.scalar(""), len(messages))
    is_plain = pc.and_(pc.string_is_ascii(messages), pc.invert(pc.match_substring(messages, EDGE)))
    others = pc.invert(is_plain)
    unusual = messages.filter(others)
    forms = pa.array([searched_form(message) or EDGE for message in unusual.to_pylist()], pa.string())
    forms = pc.if_else(pc.equal(forms, pc.ascii_lower(unusual)), "", forms)
    return pc.replace_with_mask(pa.repeat(pa.scalar(""), len(messages)), others, forms)


def _is_plain(data: bytes) -> bool:
    return data.isascii() and EDGE.encode() not in data
