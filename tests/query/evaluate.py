"""Evaluates queries in plain Python, independently of the SQL, for comparison with the engine."""

import math
import operator
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias

from app.domain.columns import Kind
from app.query.fields import Attribute, AttributeSource, Named
from app.query.tree import And, Bound, Equals, Everything, Exists, Node, Not, Or, Range, StartsWith, Words

Row: TypeAlias = Mapping[str, Any]

_SEVERITIES = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
_NONE = 0


def finds(node: Node, row: Row) -> bool:
    """Whether a query matches a row."""
    match node:
        case Everything():
            return True
        case And():
            return all(finds(part, row) for part in node.parts)
        case Or():
            return any(finds(part, row) for part in node.parts)
        case Not():
            return not finds(node.part, row)
        case Words():
            return _holds(row["Body"], node.text, node.is_open)
        case Equals():
            return bool(_value(node.field, row) == node.value)
        case StartsWith():
            return str(_value(node.field, row)).startswith(node.text)
        case Exists():
            return _value(node.field, row) not in ("", None)
        case Range():
            return _is_within(node, row)


def _holds(body: str, text: str, is_open: bool) -> bool:
    """Whether the characters of the text stand in the message, one beside the other, and cut no word in two."""
    all_of, wanted = _characters(body), _characters(text)
    if not wanted:
        return True
    starts = [at for at in range(len(all_of) - len(wanted) + 1) if all_of[at : at + len(wanted)] == wanted]
    return any(not _cuts(all_of, at) and (is_open or not _cuts(all_of, at + len(wanted))) for at in starts)


def _cuts(characters: Sequence[str], at: int) -> bool:
    """Whether a cut at this position would split a word."""
    return 0 < at < len(characters) and all(map(is_within_words, characters[at - 1 : at + 1]))


@cache  # of every message, for every query
def _characters(text: str) -> tuple[str, ...]:
    """The characters that can be searched for: in lowercase, and without what nobody sees."""
    text = unicodedata.normalize("NFC", _without_codes(text).lower().replace("\u03c2", "\u03c3"))
    found: list[str] = []
    was_hidden = False
    for character in text:
        if _is_hidden(character):
            was_hidden = True
            continue
        shown = " " if _is_blank(character) else character
        if was_hidden and found and is_within_words(found[-1]) and is_within_words(shown):
            found.append(" ")
        found.append(shown)
        was_hidden = False
    return tuple(found)


def _without_codes(text: str) -> str:
    """The text with a zero-width character for each colour of a terminal, and a blank for any other Escape."""
    found, at = "", 0
    while at < len(text):
        end = _end_of_code(text, at)
        found += "\u2060" if end else " " if text[at] == "\x1b" else text[at]
        at = end or at + 1
    return found


def _end_of_code(text: str, at: int) -> int:
    """Where the code ends that begins here, 0 if none does."""
    if text[at : at + 2] in ("\x1b(", "\x1b)"):
        return at + 3 if text[at + 2 : at + 3] in tuple("0123456789AB") else 0
    begin = "\x1b[" if text.startswith("\x1b[", at) else "\x9b"
    if not text.startswith(begin, at):
        return 0
    at += len(begin)
    for first, last in ("0?", " /"):
        while at < len(text) and first <= text[at] <= last:
            at += 1
    return at + 1 if at < len(text) and "@" <= text[at] <= "~" else 0


def _is_hidden(character: str) -> bool:
    return unicodedata.category(character) == "Cf" or "VARIATION SELECTOR-" in unicodedata.name(character, "")


def _is_blank(character: str) -> bool:
    return not character.isascii() and unicodedata.category(character) in ("Zs", "Zl", "Zp", "Cc")


def is_within_words(character: str) -> bool:
    """Whether it may be one of several characters of a word."""
    if character.isascii():
        return character.isalnum()
    is_sign = unicodedata.category(character)[0] in "PS" or unicodedata.category(character) == "Co"
    return not is_sign and not unicodedata.name(character, "").startswith(_WITHOUT_BLANKS)


_WITHOUT_BLANKS = (
    *("CJK ", "IDEOGRAPHIC ITERATION", "IDEOGRAPHIC CLOSING", "IDEOGRAPHIC NUMBER", "VERTICAL IDEOGRAPHIC", "KANGXI"),
    *("IDEOGRAPHIC LEVEL", "IDEOGRAPHIC RISING", "IDEOGRAPHIC DEPARTING", "IDEOGRAPHIC ENTERING"),
    *(
        "HIRAGANA",
        "HENTAIGANA",
        "KATAKANA",
        "HALFWIDTH KATAKANA",
        "COMBINING KATAKANA",
        "VERTICAL KANA",
        "MASU",
        "IDEOGRAPHIC ANNOTATION",
    ),
    *("HANGUL", "HALFWIDTH HANGUL", "BOPOMOFO", "HANGZHOU", "THAI ", "LAO ", "MYANMAR", "KHMER", "TAI ", "NEW TAI"),
)


def _lowered(text: str) -> str:
    return "".join(character.lower() if character.isascii() else character for character in text)


def _value(field: Named, row: Row) -> Any:
    if isinstance(field, Attribute):
        of_log, of_resource = (row[f"{name}Attributes"].get(field.key, "") for name in ("Log", "Resource"))
        return {
            AttributeSource.LOG: of_log,
            AttributeSource.RESOURCE: of_resource,
            AttributeSource.ANY: of_log or of_resource,
        }[field.source]
    value = row[field.column]
    return _lowered(value) if field.kind is Kind.LEVEL else value


def _is_within(node: Range, row: Row) -> bool:
    value = _orderable(node.field, row)
    if value is None:
        return False
    is_above = is_below = True
    if node.lower:
        is_above = (operator.ge if node.lower.is_included else operator.gt)(value, _end(node.lower))
    if node.upper:
        is_below = (operator.le if node.upper.is_included else operator.lt)(value, _end(node.upper))
    return is_above and is_below


def _orderable(field: Named, row: Row) -> Any:
    if field.kind is Kind.LEVEL:
        return _severity(row["SeverityNumber"])
    value = _value(field, row)
    return _number(value) if isinstance(value, str) else value


def _end(bound: Bound) -> float:
    return _SEVERITIES.index(bound.value) if isinstance(bound.value, str) else bound.value


def _severity(number: int) -> int | None:
    return None if number == _NONE else (number - 1) // 4


def _number(text: str) -> float | None:
    """Parse a number as ClickHouse does: no spaces, no underscores, no digits of other scripts."""
    if not text.isascii() or any(character.isspace() or character in "_\0" for character in text):
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return None if math.isnan(number) else number
