"""Level words as lines of text have them, and in what dress each of them is a level for sure. Tables."""

from typing import Final

from app.domain.severity import severity_of
from app.domain.times.words import words

SHORTENED: Final = {
    **dict.fromkeys(("trac", "trce", "trc", "verb", "vrb"), "TRACE"),
    **dict.fromkeys(("debu", "dbug"), "DEBUG"),
    **dict.fromkeys(("success", "inform", "noti"), "INFO"),
    **dict.fromkeys(("erro", "eror", "errs", "fail", "failure"), "ERROR"),
    **dict.fromkeys(("fata", "pani", "pnc", "disaster"), "FATAL"),
}
"""What loggers write besides the words of `severity`: logrus, .NET, zerolog, PostgreSQL and others."""

_LONG: Final = words(
    "trace debug info warn warning error fatal critical severe notice alert emerg emergency panic crit err fine finer "
    "finest verbose information informational dpanic inf wrn dbg ftl note"
)
_NUMBERED: Final = tuple(f"{word}{number}" for word in ("debug", "trace") for number in range(1, 9))


def level_of(word: str) -> str:
    """The severity of a word of two letters or more in any case, "" for any other text."""
    return ANY_CASE.get(word.lower(), "") if len(word) < 15 else ""


ANY_CASE: Final = {word: severity_of(word) for word in (*_LONG, *_NUMBERED) if severity_of(word)} | SHORTENED
"""By word in lower case: levels where a bracket, a colon or a column marks them."""

_PROSE: Final = ("success", "fail", "inform", "note")
"""Levels only of some programs; as bare words in capitals they are more often something else."""

IN_CAPITALS: Final = {word.upper(): level for word, level in ANY_CASE.items() if word not in _PROSE}
"""Levels that their capitals mark, in the header of a line."""

WITH_COLON: Final = IN_CAPITALS | {
    "LOG": "INFO",
    "CONFIG": "DEBUG",
    "SUCCESS": "INFO",
    "FAIL": "ERROR",
    "FAILURE": "ERROR",
}
"""Levels in capitals before a colon: LOG is PostgreSQL's, CONFIG that of java.util.logging."""

ALONE: Final = frozenset(
    (
        "TRACE",
        "DEBUG",
        "INFO",
        "WARN",
        "WARNING",
        "ERROR",
        "FATAL",
        "CRITICAL",
        "SEVERE",
        "ERR",
        "WRN",
        "INF",
        "DBG",
        "EROR",
    )
)
"""Of those, the ones that open a line without a time; the others are common in messages (ALERT)."""

IN_LOWER_CASE: Final = frozenset(("info", "debug", "warn", "err", "inf", "wrn", "dbg"))
"""Levels directly behind a time even in lower case and with one blank on either side: no other word is written so."""

OF_LETTER: Final = {
    **dict.fromkeys(("T", "V"), "TRACE"),
    **dict.fromkeys(("D",), "DEBUG"),
    **dict.fromkeys(("I", "N"), "INFO"),
    **dict.fromkeys(("W",), "WARN"),
    **dict.fromkeys(("E", "S"), "ERROR"),
    **dict.fromkeys(("F", "C", "A"), "FATAL"),
}
"""Levels of one letter, where a layout has them."""

LETTERS: Final = frozenset("DIWEF")
"""Those that brackets or bars mark; the others stand there for something else."""
