"""Level words in a message that stand apart from its prose for sure: "[error]", "ERROR:", "(WARN)". Pure."""

import re
from collections.abc import Iterator
from typing import Final

from app.formats.level_words import level_of

_WORD_CHARS: Final = 100  # further in, a level word is more likely to be part of the message
_FIRST_WORD: Final = re.compile(
    r"(?ai)[\s\])|>-]{0,8}(error|warning|warn|fatal|panic|critical|crit|debug\d?|info|notice|alert|emerg|severe):(?=\s|\Z)"
)
_BEHIND_COLON: Final = re.compile(
    r"(?a)(?:\S{1,200}[^\s:]: ){1,2}(fatal error|(?:fatal|error|warning|info|notice|debug)): "
)
_DOVECOT: Final = re.compile(  # imap(bob)<77><session>: Error:
    r" ?[a-z-]{2,20}\([^()\s]{1,255}\)<[^<>\s]{0,40}><[^<>\s]{0,80}>: (Fatal|Panic|Error|Warning|Info|Debug): "
)
_GLIB: Final = re.compile(r"(?:^|[ -])(ERROR|CRITICAL|WARNING|INFO|DEBUG) \*\*:")
_NPM: Final = re.compile(r"npm (ERR|WARN|error|warn|notice|info)!? ")
_BARE: Final = ("TRACE", "DEBUG", "INFO", "WARNING", "WARN", "ERROR", "FATAL", "CRITICAL", "SEVERE")
_MARKED_WORD: Final = re.compile(  # every alternative opens with a plain letter, which makes the search quick
    "|".join(
        [rf"{word}(?=:(?:\s|\Z)|[\])>|])" for word in _BARE]
        + [rf"{word}:(?=\s)" for word in ("NOTICE", "ALERT", "EMERG", "PANIC", "CRIT", "ERR", "FINE")]
        + [r"\[\s{0,4}([A-Za-z]{3,13}\d?)\s{0,4}\]"]
    ),
    re.ASCII,
)
_EDGES: Final = frozenset(["", " ", "\t", "[", "(", "<", "|", ":"])
_NUMBER_BEFORE: Final = re.compile(r"(?<!\w)(?:\d{1,9}|no) {0,2}\Z", re.ASCII | re.IGNORECASE)
_WORD_BEFORE: Final = re.compile(r"[A-Za-z] \Z", re.ASCII)
_SELDOM: Final = frozenset(("NOTICE:", "ALERT:", "EMERG:", "PANIC:", "CRIT:", "FINE:"))  # SERVICE ALERT: is Nagios's
_KEY: Final = re.compile(r"\bLEVEL: ([A-Za-z]{3,11})\b")  # Db2


def level_of_first_word(line: str, start: int) -> str:
    """The severity of `error:` at `start`."""
    first = _FIRST_WORD.match(line, start)
    return level_of(first[1]) if first else ""


def level_in_message(line: str, start: int) -> str:
    """The severity of a level word near `start`, where the message begins, that something marks; "" without one."""
    if level := level_of_first_word(line, start):
        return level
    if found := _NPM.match(line, start):
        return level_of(found[1])
    if found := _BEHIND_COLON.match(line, start):
        return level_of(found[1].removeprefix("fatal ") if found[1] != "fatal error" else "error")
    if ">: " in line and (found := _DOVECOT.match(line, start)):
        return level_of(found[1])
    if " **:" in line and (found := _GLIB.search(line, start, start + _WORD_CHARS)):
        return level_of(found[1])
    if level := next(filter(None, _marked(line, start)), ""):
        return level
    key = _KEY.search(line, start, start + 2 * _WORD_CHARS) if "LEVEL: " in line else None
    return level_of(key[1]) if key else ""


def _marked(line: str, start: int) -> Iterator[str]:
    for match in _MARKED_WORD.finditer(line, start, start + _WORD_CHARS):
        at = match.start()
        if match[1]:
            yield level_of(match[1])
        elif match[0] in _SELDOM and _WORD_BEFORE.search(line, max(0, at - 2), at):
            continue
        elif line[at - 1 : at] == "(" and _WORD_BEFORE.search(line, max(0, at - 3), at - 1):
            continue  # an error (FATAL) of prose
        elif line[max(0, at - 1) : at] in _EDGES and not _NUMBER_BEFORE.search(line, max(0, at - 11), at):
            yield level_of(match[0].rstrip(":"))
