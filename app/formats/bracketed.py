"""What stands in brackets in the header of a line: a level, a process, a thread, a place in the code. Pure."""

import re
from functools import lru_cache
from typing import Final, NamedTuple

from app.formats.level_words import OF_LETTER, level_of


class Bracketed(NamedTuple):
    """What a text in brackets says."""

    level: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    name: str = ""  # of a thread or logger, which of them says what stands beside it


_NOTHING: Final = Bracketed()
_PID_TID: Final = re.compile(r"(?:pid|PID)[:=]? ?(\d{1,10})(?:[:,|] ?(?:tid[:=]? ?(\d{1,20}))?.*)?\Z", re.ASCII)
_ID: Final = re.compile(r"(?:id|tid|TID|thread)[:=] ?([\w-]{1,40})\Z", re.ASCII)
_CLIENT: Final = re.compile(r"(?:client|remote) (?=\S{0,254}[\d.:])(\S{1,255}?)(?::(\d{1,5}))?\Z", re.ASCII)
_PLACE: Final = re.compile(r"([\w./\\@+-]{1,200}\.[A-Za-z]{1,5})[:@](\d{1,7})\Z", re.ASCII)
_ZOOKEEPER: Final = re.compile(r"(.{1,200}):([\w.$]{1,80})@(\d{1,7})\Z", re.ASCII)
_BESIDE: Final = re.compile(
    r"([^\s:/#](?:[^:/#]{0,58}[^\s:/#])?)([:/#])([^\s:/#]{1,60})\Z"
)  # ssl:trace3, main/INFO, INFO/MainProcess, Warn:HAL.Sys, Info#yesod
_LAST: Final = re.compile(r"[^\s:]{1,60}(?::[^\s:]{1,60}){1,3}:([A-Za-z]{3,11})(?::\d{1,10})?\Z")  # host:logger:error
_FIRST: Final = re.compile(r"([A-Za-z]{1,11})\|[\w.:|-]{1,120}\Z", re.ASCII)  # INFO|trainer.py:7, I|app|a1b2c3
_TIMED: Final = re.compile(r"\d\d:\d\d:\d\d\S{0,10} ([A-Za-z]{3,11})\Z", re.ASCII)
_CLOCK: Final = re.compile(r"\d:\d\d")
_NAME: Final = re.compile(r"[A-Za-z_/]\S{0,119}(?: \S{1,60}){0,4}\Z")


@lru_cache(maxsize=4096)  # of threads, loggers and levels a program has few
def read_bracketed(text: str) -> Bracketed:
    """What the text between two brackets says."""
    is_padded = text[:1] == text[-1:] == " "
    text = text.strip()
    if level := _level(text):
        return Bracketed(level)
    if text.isdecimal() and text.isascii():
        return _of_number(text, "tid" if is_padded else "pid")
    for pattern, names in _SHAPES:
        if match := pattern.match(text):
            return Bracketed(fields=tuple((n, v) for n, v in zip(names, match.groups(), strict=True) if v))
    return _of_two(text) or _of_several(text) or _of_name(text)


def _of_number(text: str, name: str) -> Bracketed:
    """A number of a process or a thread; neither begins with a zero, and counters do."""
    longest = 10 if name == "tid" else 8
    return Bracketed(fields=((name, text),)) if len(text) <= longest and text[0] != "0" else _NOTHING


_SHAPES: Final = (
    (_PID_TID, ("pid", "tid")),
    (_CLIENT, ("client", "port")),
    (_PLACE, ("file", "line")),
    (_ZOOKEEPER, ("thread", "logger", "line")),
    (_ID, ("tid",)),
)


def _level(text: str) -> str:
    if level := level_of(text.removeprefix(":")):  # [:error], Apache's of a module that has no name
        return level
    if text in ("System", "SYSTEM"):  # MySQL's, above notes
        return "INFO"
    match = _TIMED.match(text)
    return level_of(match[1]) if match else ""


def _of_two(text: str) -> Bracketed | None:
    """Two words, of which one is a level."""
    match = _BESIDE.match(text)
    if match is None:
        return None
    first, mark, second = match.groups()
    if level := level_of(second):
        return Bracketed(level, (("logger" if mark == ":" else "thread", first),))
    if (level := level_of(first)) and (mark in "/#" or first[:1].isupper()):
        return Bracketed(level, (("thread" if mark == "/" else "logger", second),))
    return None


def _of_several(text: str) -> Bracketed | None:
    """Words between colons of which the last is a level, or between bars of which the first is one."""
    if match := _LAST.match(text):
        return Bracketed(level) if (level := level_of(match[1])) else None
    match = _FIRST.match(text)
    level = "" if match is None else OF_LETTER.get(match[1]) or level_of(match[1])
    return Bracketed(level) if level else None


def _of_name(text: str) -> Bracketed:
    if _NAME.match(text) is None or "=" in text or '"' in text or _CLOCK.search(text):
        return _NOTHING
    return Bracketed(name=text)


def is_logger(name: str) -> bool:
    """Whether a name has the form of a logger's: parts with dots or double colons between them."""
    return " " not in name and ("::" in name or ("." in name and not name[0].isdigit() and "/" not in name))
