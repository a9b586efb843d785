"""Single words of a header: which are levels by what stands beside them, and which are names. Pure."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from app.domain.times.words import words
from app.formats.level_words import ALONE, ANY_CASE, IN_CAPITALS, LETTERS, OF_LETTER, WITH_COLON, level_of

LETTER_LEVEL: Final = re.compile(
    r" \|"  # I | etcdserver:
    r"| {1,2}(?P<component>[A-Z][A-Z_]{2,20}|-)(?= {1,12}\[)"  # I NETWORK  [listener]
    r"|(?= \[(?:MSGID: \d{1,10}|[\w.-]{1,100}\.[ch]:\d{1,7}:\w{1,100})\])"  # GlusterFS: W [MSGID: 101095]
    r"| (?P<tag>[^\s:][^:\n]{0,120}?) ?: "  # 1234  5678 E ActivityManager:
    r"|(?= [\w./-]{1,200}\.\w{1,4}:\d{1,7}\])"  # W tensorflow/stream.cc:7]
    r"|(?= \[\d{1,10}[:/]\S)"  # I [7:8 oven.rb:7]
    r"| {1,4}(?P<code>[A-Z][A-Z0-9]{3,7}[A-Z]?: |[A-Za-z]\S)",  # 0000000a SystemOut     E CNTR0020E:
)
_PHP: Final = re.compile(r"PHP ((?:[A-Z][a-z]{1,12} ?){1,2}(?:fatal )?[a-z]{0,12}) ?:")
_OF_PHP: Final = {
    "Fatal error": "FATAL",
    "Parse error": "FATAL",
    "Core error": "FATAL",
    "Compile error": "FATAL",
    "Recoverable fatal error": "ERROR",
    "Catchable fatal error": "ERROR",
    "Warning": "WARN",
    "Core Warning": "WARN",
    "Notice": "INFO",
    "Deprecated": "INFO",
    "Strict Standards": "INFO",
}
_BEHIND_LOWER: Final = re.compile(
    r"\t|  |: ?|[:,]?\Z| {1,8}:(?=\s)|\]|/(?=[A-Z])| ?\||, {0,2}(?=\[)| (?=[\w./-]{1,64}\[\d)| (?=\[)| --? "
)


def level_of_marked_word(line: str, match: re.Match[str], is_next_to_time: bool) -> str:
    """The severity of a level word in any case that something else than blanks sets apart: `Info:`, `warning/Name:`."""
    word, end = match[match.lastindex or 0], match.end()
    following = line[end : end + 2]
    if following[:1] == ":":
        if following == "::" or (following[1:] not in ("", " ", "\t", "\n", "[") and not word.isupper()):
            return ""
        return WITH_COLON.get(word) or _in_any_case(word)
    level = _in_any_case(word)
    if level and is_next_to_time and _BEHIND_LOWER.match(line, end):
        return level
    if level and "|" in match["sep"] and line[end:].lstrip(" ")[:1] == "|":
        return level
    if word in LETTERS and "|" in match["sep"] and line[end : end + 1] == "|":
        return OF_LETTER[word]
    if level and match["sep"] == "\t" == line[end : end + 1]:
        return level
    return ""


def level_of_php(line: str, at: int) -> tuple[str, int]:
    """The severity of `PHP Fatal error:` and where it ends; "" where none of PHP's words stands."""
    match = _PHP.match(line, at)
    return (_OF_PHP.get(match[1].strip(), ""), match.end()) if match else ("", at)


def _in_any_case(word: str) -> str:
    return ANY_CASE.get(word.lower(), "") if len(word) < 15 else ""


_DOTTED: Final = re.compile(r"([\w-]{1,60}(?:\.[\w-]{1,60}){0,4})\.([A-Z]{3,9})\Z", re.ASCII)
_SLASHED: Final = re.compile(r"([A-Za-z]{3,13}\d?)/(\w[\w.-]{0,80})\Z", re.ASCII)
_LOGCAT: Final = re.compile(r"([VDIWEFA])/([\w.:@-]{1,80}) {0,12}\Z", re.ASCII)


def level_with_name(line: str, match: re.Match[str]) -> tuple[str, str, str] | None:
    """Level, field and name of a word of both: `local.ERROR:`, `warning/PluginUtility:`, `E/Tag(`."""
    word, following = match[match.lastindex or 0], line[match.end() : match.end() + 2].strip(" ")[:1]
    return _level_with_name(word, following == "(") if following in ":](" and following else None


@lru_cache(maxsize=4096)  # words of headers come again and again
def _level_with_name(word: str, is_called: bool) -> tuple[str, str, str] | None:
    if (found := _DOTTED.match(word)) and (level := IN_CAPITALS.get(found[2])):
        return None if is_called else (level, "logger", found[1])
    if found := _LOGCAT.match(word):
        return OF_LETTER[found[1]], "logger", found[2]
    if (found := _SLASHED.match(word)) and (level := level_of(found[1])):
        return level, "logger" if found[1].islower() else "thread", found[2]
    return None


_WEBSPHERE_THREAD: Final = re.compile(r"[0-9a-f]{8}\Z")
_OF_WEBSPHERE: Final = OF_LETTER | {"A": "INFO", "C": "DEBUG", "O": "INFO", "R": "ERROR"}


def level_of_websphere(columns: Sequence[str], letter: str) -> str:
    """The severity of a letter behind a thread and a column that is cut to 13 characters; "" behind anything else."""
    is_behind = len(columns) == 2 and _WEBSPHERE_THREAD.match(columns[0]) is not None
    return _OF_WEBSPHERE.get(letter, "") if is_behind else ""


# Words in front of a level word in capitals that make prose of it: HTTP TRACE, FROM INFO, got ERROR.
_PROSE: Final = words(
    "a an and any are as at be been but by can did do does each every for found from get gets got had has have if in "
    "into is it its last level log many more new next no not of old on one only or other over per post put read see "
    "select sent set show some state status that the then this to too type under update use was were when where which "
    "while will with without write http https sql table head delete options connect method request user zero two"
)


_NEXT: Final = re.compile(r" ([a-z]{1,12})(?![\w.:$/-])")


_HEAD: Final = re.compile(r"[ ,/|]{1,20}([A-Z]{3,9})(?!\w)")


def is_head_of_table(line: str, end: int) -> bool:
    """Whether another level follows upon a level word in capitals: INFO WARN ERROR."""
    following = _HEAD.match(line, end)
    return following is not None and following[1] in IN_CAPITALS


def is_count(number: str, line: str, end: int) -> bool:
    """Whether a number in front of a level word counts: 0 ERROR and 3 WARN, and is not that of a process."""
    following = _NEXT.match(line, end)
    return number == "0" or (following is not None and (following[1] in _PROSE or following[1].endswith("s")))


def are_names(names: Sequence[tuple[str, str]], level: str, has_time: bool) -> bool:
    """Whether words in front of a level word in capitals are columns of a header and not prose."""
    plain = 0
    if level not in ALONE and any(word.isupper() for word, _ in names):
        return False
    for word, following in names:
        if _is_set_apart(following) or _is_name(word):
            continue
        if not has_time or not _may_be_a_name(word):
            return False
        plain += 1
    return plain <= (1 if plain and names[0][0].islower() else 3)


def _is_set_apart(following: str) -> bool:
    return following[:1] in "\t|[(" or following[:2] in ("  ", " |", " [", " (", ": ") or following == " - "


@lru_cache(maxsize=4096)
def _is_name(word: str) -> bool:
    """Whether a word has the form of a name and not of prose: a dot, a digit, a capital within it."""
    if word.lower() in _PROSE or word[-1] in ".!?'":
        return False
    return not word.isalpha() or (word != word.lower() and not word.isupper() and not word.istitle())


@lru_cache(maxsize=4096)
def _may_be_a_name(word: str) -> bool:
    return word.lower() not in _PROSE and not (word.islower() and word.endswith(("ed", "ing", "ly", "s")))
