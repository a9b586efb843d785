"""The level words of logs, and the six severities that they stand for."""

import re
from typing import Final

SEVERITY_NUMBER: Final[dict[str, int]] = {
    "": 0,
    "TRACE": 1,
    "DEBUG": 5,
    "INFO": 9,
    "WARN": 13,
    "ERROR": 17,
    "FATAL": 21,
}
"""OpenTelemetry's SeverityNumber of each severity: the lowest of the four numbers in its range."""

_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "TRACE": ("trace", "finer", "finest", "verbose", "trc", "trce", "vrb", "t", *(f"trace{n}" for n in range(1, 9))),
    "DEBUG": ("debug", "fine", "dbg", "dbug", "debu", "d", *(f"debug{n}" for n in range(1, 6))),
    "INFO": ("info", "information", "informational", "notice", "note", "inf", "i", "info2", "info3", "info4"),
    "WARN": ("warn", "warning", "wrn", "w", "warn2", "warn3", "warn4"),
    "ERROR": ("error", "err", "erro", "severe", "e", "error2", "error3", "error4"),
    "FATAL": (
        *("fatal", "critical", "crit", "alert", "emergency", "emerg", "panic", "dpanic", "ftl", "fata", "pnc", "f"),
        *("fatal2", "fatal3", "fatal4"),
    ),
}
_SEVERITY_OF: Final = {word: severity for severity, words in _WORDS.items() for word in words}
# As the value of a key for levels these are levels; in a line of text they are words like any other.
_AS_A_VALUE: Final = {
    **dict.fromkeys(("silly", "trac", "all", "v"), "TRACE"),
    **dict.fromkeys(("config", "http", "detail", "d1", "d2", "d3", "d4", "d5"), "DEBUG"),
    **dict.fromkeys(("log", "success", "system", "ok"), "INFO"),
    **dict.fromkeys(("caution", "deprecation"), "WARN"),
    **dict.fromkeys(("fail", "failure", "exception", "eror"), "ERROR"),
    **dict.fromkeys(("pani", "disaster"), "FATAL"),
}


def severity_of(word: str) -> str:
    """The severity that a level word in any case stands for, "" for an unknown word."""
    return _SEVERITY_OF.get(word.strip().lower(), "")


_COLOUR: Final = re.compile(r"\x1b\[[\d;]{0,20}m")
_DECORATED: Final = re.compile(  # local.ERROR, [error], ERROR:, <warn>, ERROR+4, Warn., ERROR[0001]
    r"[^\w+-]{0,8}(?:\w{1,40}\.)?(?P<word>[a-z]{1,13}\d?)(?:[+-]\d{1,3})?(?:\[\d{1,10}\])?[^\w+-]{0,8}", re.ASCII
)
_LONGEST: Final = 80  # characters; a longer text is no level


def severity_of_level(text: str) -> str:
    """The severity of the value of a key for levels, with colours, brackets and offsets; "" for an unknown one."""
    if severity := severity_of(text):
        return severity
    if len(text) > _LONGEST:
        return ""
    found = _DECORATED.fullmatch(_COLOUR.sub("", text).strip().lower())
    return (_SEVERITY_OF.get(found["word"]) or _AS_A_VALUE.get(found["word"], "")) if found else ""


def severity_of_number(number: int) -> str:
    """The severity that one of OpenTelemetry's numbers stands for, "" for 0 and any other number."""
    if not 1 <= number <= 24:
        return ""
    return next(name for name, lowest in reversed(SEVERITY_NUMBER.items()) if name and number >= lowest)
