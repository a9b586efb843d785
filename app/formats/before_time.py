"""What stands in front of the time of a line: a level, a process, a file. Pure."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from app.formats.bracketed import is_logger, read_bracketed
from app.formats.level_words import ANY_CASE, IN_CAPITALS, OF_LETTER

PRI_SEVERITY: Final = ("FATAL", "FATAL", "FATAL", "ERROR", "WARN", "INFO", "INFO", "DEBUG")
"""The severity of each of syslog's eight."""

_PRI: Final = re.compile(r"(?:\d{1,6} )?<(\d|[1-9]\d|1[0-8]\d|19[01])>", re.ASCII)
_LETTER: Final = re.compile(r"[\[(]? ?(?:([A-Z])(?:, ?\[|[ |]{0,2}\[?|\d{0,2})|([DIWEF])(?:\. |[\])] ?))\Z", re.ASCII)
_REDIS: Final = re.compile(r"(\d{1,10}):(?:\d{1,10}:)?[A-Z] \Z", re.ASCII)
_REDIS_2: Final = re.compile(r"\[(\d{1,10})\] \Z", re.ASCII)
_PRIORITY: Final = re.compile(r"[\w-]{1,40} {0,4}:([a-z]{3,9}) {0,4}[: ] {0,4}\[?\Z", re.ASCII)  # kern  :err   : [
_NEST: Final = re.compile(r"\[Nest\] (\d{1,10}) +- +\Z", re.ASCII)
_NUMBER: Final = re.compile(r"(\d{1,7}) {1,4}\Z", re.ASCII)
_LOG_FILE: Final = re.compile(r"([\w./-]{0,200}\.log[\w.:-]{0,100}?)[ :]\Z", re.ASCII)
_TOKEN: Final = re.compile(
    r"\[([^\[\]]{0,120})\]|\(([^()]{0,120})\)|<([^<>]{0,80})>|([A-Za-z]{3,13}\d?)(?![\w.])|([\w.$-]+)"
)


NO_SIGNS: Final[Mapping[str, str]] = {}
_SIGNS: Final = {"#": "WARN", "*": "INFO", "-": "TRACE", ".": "DEBUG"}
_OPENINGS: Final[tuple[tuple[re.Pattern[str], str, Mapping[str, str]], ...]] = (
    (_REDIS, "pid", _SIGNS),
    (_REDIS_2, "pid", {sign: _SIGNS[sign] for sign in "#*"}),
    (_NEST, "pid", NO_SIGNS),
    (_NUMBER, "pid", NO_SIGNS),
    (_LOG_FILE, "log_file", NO_SIGNS),
)


class Before(NamedTuple):
    """What stands in front of a time."""

    level: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    has_pri: bool = False
    signs: Mapping[str, str] = NO_SIGNS  # levels of Redis that may stand behind the time
    is_number: bool = False  # a bare number, which may be that of a process


NOTHING: Final = Before()


@lru_cache(maxsize=4096)  # lines of one program open alike
def read_before(before: str) -> Before:
    """What the text in front of a time says about the line."""
    if pri := _PRI.match(before):
        inner = read_before(before[pri.end() :])
        return Before(inner.level or PRI_SEVERITY[int(pri[1]) % 8], inner.fields, has_pri=True)
    if letter := _LETTER.match(before):
        return Before(OF_LETTER.get(letter[1] or letter[2], ""))
    if (priority := _PRIORITY.match(before)) and (level := ANY_CASE.get(priority[1])):
        return Before(level)
    for pattern, name, signs in _OPENINGS:
        if match := pattern.match(before):
            return Before("", ((name, match[1]),), signs=signs, is_number=pattern is _NUMBER)
    return _of_tokens(before)


def _of_tokens(before: str) -> Before:
    level, fields = "", dict[str, str]()
    for bracket, paren, angle, word, _ in _TOKEN.findall(before):
        closed = bracket or paren or angle
        if closed:
            read = read_bracketed(closed)
            level = level or read.level
            for name, value in read.fields:
                fields.setdefault(name, value)
            if read.name and bracket:
                fields.setdefault("logger" if is_logger(read.name) else "thread", read.name)
        elif word and not level:
            level = IN_CAPITALS.get(word) or (ANY_CASE.get(word.lower(), "") if word != word.lower() else "")
            level = level or (ANY_CASE.get(word, "") if before.lstrip(" [").startswith(word) else "")
            level = level or (ANY_CASE.get(word, "") if before.endswith((f":{word},", f":{word}:")) else "")
    return Before(level, tuple(fields.items()))
