"""The usual headers, remembered by their text, which is several times quicker; and lines without a level.

What they say is what the reader of headers says about the same text; a test holds both to the same results.
"""

import re
from functools import lru_cache
from typing import Final, NamedTuple

from app.formats.field_names import Fields
from app.formats.header import Header
from app.formats.level_words import IN_CAPITALS
from app.formats.syslog_header import read_origin

# Behind a time: a level in capitals, perhaps a name in brackets, and a message that begins with two plain words;
# thread, process or logger, a level, threads and the logger with its colon or dash; what nginx, klog, PostgreSQL,
# MySQL, env_logger and zap write.
_HEADER: Final = re.compile(
    r"[\])]?(?: {1,2}\[?[A-Z]{4,8}\]? {1,5}(?:\[[^\[\]\n]{1,80}\] )?(?=[A-Za-z]\w{0,60} [A-Za-z0-9])"
    r"| {1,2}(?:- )?(?:\[[^\[\]\n]{1,80}\] |\d{1,7} |[\w.$-]{1,80} - )?\[?[A-Z]{4,8}\]? {1,5}"
    r"(?:\d{1,7} --- )?(?:- )?(?:\[[^\[\]\n]{1,80}\] ?){0,3}(?:[\w$][\w.$-]{0,99} {0,40}[:-] )"
    r"| - [\w.$-]{1,80} - [A-Z]{4,8} - "
    r"| \[[a-z]{4,6}\] \d{1,7}#\d{1,7}: "
    r"| {1,7}\d{1,7} [\w./-]{1,80}:\d{1,6}\] "
    r"| \[\d{1,7}\] [A-Z]{3,9}: {1,3}"
    r"| \d{1,7} \[[A-Z][a-z]{3,8}\] \[[A-Z]{2}-\d{6}\] \[[A-Za-z]{1,20}\] "
    r"| [A-Z]{4,5} {1,2}[\w:]{1,100}\] "
    r"|\t[a-z]{4,6}\t(?:[\w.-]{1,80}\t)?[\w./@-]{1,120}:\d{1,6}\t)",
    re.ASCII,
)
_KAFKA: Final = re.compile(r"\] {1,2}([A-Z]{4,8}) ", re.ASCII)
_TAG: Final = re.compile(r" {1,2}[A-Za-z0-9][\w.-]{0,80} [A-Za-z][\w./()-]{0,63}(?:\[\d{1,7}\])?:(?= )", re.ASCII)


class Quick(NamedTuple):
    """What a header says."""

    level: str
    fields: tuple[tuple[str, str | None], ...]
    level_at: tuple[int, int]  # where the level begins and ends, from the beginning of the header
    is_open: bool  # whether it has no level or ends with it, so that more of a header may follow


def quick_header(line: str, end: int) -> Quick | None:
    """What a usual header behind a time says, None for any other."""
    match = _HEADER.match(line, end)
    quick = None if match is None else _read(match[0])
    if match is None or quick is None or (quick.is_open and _GOES_ON.match(line, match.end())):
        return None
    return quick


_GOES_ON: Final = re.compile(r"[^A-Za-z\"]|\S{1,200}:\d")
_SIGNS: Final = " \t-:|]"


@lru_cache(maxsize=8192)  # levels, threads and loggers of a program come again and again
def _read(text: str) -> Quick | None:
    header = Header(text + "x\n", 0, has_time=True)
    header.read()
    if text[header.end :].strip(_SIGNS):
        return None
    is_open = not header.level or not text[header.level_end :].strip(_SIGNS)
    return Quick(header.level, tuple(header.fields.items()), (header.level_start, header.level_end), is_open)


_SOLARIS_WITHIN: Final = 40  # characters behind a tag, in which the header of Solaris would begin


def quick_kafka(line: str, end: int, logger: str) -> Quick | None:
    """The level behind a time in brackets, with the logger that stands at the end of the line, as Kafka writes them."""
    match = _KAFKA.match(line, end)
    level = "" if match is None else IN_CAPITALS.get(match[1], "")
    if match is None or not level:
        return None
    return Quick(level, (("logger", logger),), (match.start(1) - end, match.end(1) - end), is_open=False)


def quick_origin(line: str, end: int) -> tuple[Fields, int] | None:
    """The fields of host and tag behind a time that is certainly syslog's, and where they end."""
    match = _TAG.match(line, end)
    fields = None if match is None else _origin(match[0])
    if match is None or fields is None or line.find("[ID ", match.end(), match.end() + _SOLARIS_WITHIN) >= 0:
        return None
    return fields, match.end()


@lru_cache(maxsize=8192)
def _origin(text: str) -> Fields | None:
    time = "Nov 29 10:15:01"
    line = f"{time}{text} x\n"
    origin = read_origin(line, len(time), is_certain=True)
    return origin.fields if origin is not None and origin.end == len(line) - 3 and not origin.level else None


_WINDOW: Final = 260


def may_hold_level(line: str, start: int) -> bool:
    """Whether any level word may stand near `start`; most lines of text have none, and need not be read further."""
    text = line[start : start + _WINDOW].lower()
    return (
        ("err" in text or "warn" in text or "inf" in text or "debu" in text or "fata" in text or "note" in text)
        or ("crit" in text or "trac" in text or "aler" in text or "emer" in text or "pani" in text or "seve" in text)
        or ("notic" in text or "fail" in text or "dbg" in text or "dbug" in text or "wrn" in text or "trc" in text)
        or ("ftl" in text or "vrb" in text or "verb" in text or "pnc" in text or "%" in text or "fine" in text)
        or ("succ" in text or "log:" in text or "level" in text or "lvl" in text or "php" in text or "eror" in text)
        or ("config" in text or "system" in text or "noti" in text)
        or ("]" in text and ("[i]" in text or "[w]" in text or "[e]" in text or "[d]" in text or "[f]" in text))
        or ("|" in text and ("|e|" in text or "|w|" in text or "|i|" in text or "|d|" in text or "|f|" in text))
    )


def may_hold_letter(line: str, start: int) -> bool:
    """Whether a level of one letter may stand behind a time, or in front of a tag of logcat."""
    return _LETTER.match(line, start) is not None


_LETTER: Final = re.compile(
    r"(?:.\S{1,60} )?[VDIWEFA]/[\w.]| [EWID]! |: [DIWEF] |[\])]?[ ]{1,3}(?:\S{1,40} {1,12}){0,2}[A-Z] ", re.ASCII
)
_OPENS_NO_FIELD: Final = re.compile(
    r"[\])]?[ :,|-]{1,3}[A-Za-z][\w.,;'-]{0,40}+ [A-Za-z0-9][\w.,;'-]{0,40}+(?![\w\[(:=/#])", re.ASCII
)


def is_prose(line: str, end: int) -> bool:
    """Whether plain words without a level follow upon a time."""
    return _OPENS_NO_FIELD.match(line, end) is not None and not (
        may_hold_level(line, end) or may_hold_letter(line, end)
    )
