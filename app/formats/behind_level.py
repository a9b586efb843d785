"""What stands behind the level in the header of a line: process, threads, logger and place in the code. Pure."""

import re
from typing import Final

from app.formats.bracketed import is_logger, read_bracketed
from app.formats.field_names import Fields

_NAME: Final = r"(?P<logger>(?!\d{1,3}(?:\.\d{1,3}){3}:)[\w.$/<>@+-]{1,120}+(?:::?[\w.$<>-]{1,80}+){0,8}+)"
# pid --- (Spring Boot), threads and loggers, a place in the code.
_ORIGIN: Final = re.compile(
    r"[\])>]?(?: ?[|:](?!:))? {0,40}"
    r"(?:(?P<number>\d{1,10})#(?P<other>\d{1,20}):? )?"
    r"(?:(?P<pid>\d{1,10}) --- )?"
    r"(?:[- |\t]{0,3}\[ *(?P<b1>[^\[\]]{0,200}(?:\[[^\[\]]{0,80}\][^\[\]]{0,120})?)\])?"
    r"(?: ?\[(?P<b2>[^\[\]]{0,200})\])?(?: ?\[(?P<b3>[^\[\]]{0,200})\])?"
    r"(?: ?\( {0,8}(?P<paren>[^()]{1,200})\)(?=[ :]))?"
    rf"(?:[ \t|:-]{{0,4}}(?:"
    rf"(?P<name>[\w.$<>]{{1,120}}+):(?P<function>[\w<>]{{1,80}}):(?P<fline>\d{{1,7}}) - "  # loguru
    r"|(?P<file>[\w./@+-]{1,200}\.[A-Za-z]{1,5}):(?P<line>\d{1,7})\b"
    rf"|{_NAME}(?: ?\[[^\]]{{0,80}}\])? {{0,40}}(?:[:-] |\]|(?P<tab>\t(?=[\w./@+-]{{1,200}}:\d))"
    r"|(?<=[.\w]) (?=\[)|: ?\Z)))?",
    re.ASCII,
)
_PARTS: Final = ("pid", "paren", "name", "function", "fline", "file", "line", "logger", "tab", "number", "other")
_ID: Final = re.compile(r"(?:\[[0-9A-Z-]{1,12}\]){1,2}")  # ERRO[0001], NOTICE[7][C-1]
_PYTHON: Final = re.compile(r":([\w.]{1,200}):(?!:)")
_PLACE: Final = re.compile(r"[ \t]([\w./@+-]{1,200}\.[A-Za-z]{1,5}):(\d{1,7})\b", re.ASCII)


def read_behind_level(line: str, start: int, fields: Fields, number_in_brackets: bool) -> int:
    """Add what stands behind a level that ends at `start` to the fields; where the message begins.

    `number_in_brackets` says that the process among the fields stood in brackets in front of the level.
    """
    following = line[start]
    if following == "[" and line[start - 1] not in "])" and (skipped := _ID.match(line, start)):
        start = skipped.end()
    elif following == ":" and (python := _PYTHON.match(line, start)):
        fields["logger"] = python[1]
        return python.end()
    match = _ORIGIN.match(line, start)
    if match is None or match.end() == start:
        return start
    pid, paren, name, function, row, file, file_row, logger, tab, number, other = match.group(*_PARTS)
    if pid:
        fields["pid"] = pid
    elif number:
        fields["pid"], fields["tid"] = number, other
    logger = logger or name
    end = match.end()
    if function:
        fields["function"], fields["line"] = function, row
    elif file:
        fields["file"], fields["line"] = file, file_row
    elif tab is not None and (place := _PLACE.match(line, end - 1)):
        fields["file"], fields["line"] = place.groups()
        end = place.end()
    _take_brackets(match, fields, pid is not None, logger)
    if paren:
        _take_paren(paren, fields)
    if logger and "logger" not in fields and (line[start] != ":" or line[match.start("logger") - 1] == ":"):
        fields["logger"] = logger
        if number_in_brackets and line.startswith(" - ", match.end() - 3):  # log4net's thread, not a process
            fields["thread"] = fields.pop("pid", None)
    return end


def _take_paren(text: str, fields: Fields) -> None:
    read = read_bracketed(text)
    for name, value in read.fields:
        fields.setdefault(name, value)
    if read.name:
        fields.setdefault("thread", read.name)


def _take_brackets(match: re.Match[str], fields: Fields, is_spring: bool, logger: str | None) -> None:
    """Brackets between the level and the logger: the service of Spring, a thread, a logger, a place."""
    first, second, third = match.group("b1", "b2", "b3")
    if first is None:
        return
    if is_spring and second is not None and logger:
        fields["service"] = first.strip()
        first = second
    for text in (first, second, third):
        for field, value in read_bracketed(text).fields if text else ():
            fields.setdefault(field, value)
    read = read_bracketed(first)
    if read.name:
        is_of_logger = is_logger(read.name) and not (logger and is_logger(logger))
        fields.setdefault("logger" if is_of_logger else "thread", read.name)
