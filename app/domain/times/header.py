"""Whether what stands before a time is the header of a line or already its message."""

import re
from functools import lru_cache
from typing import Final

from app.domain.severity import severity_of
from app.domain.times.names import WEEKDAYS
from app.domain.times.words import words

_MOST_WORDS: Final = 2
"""Plain words that a header may have in front of its time: names of hosts, programs and threads."""

_CLOSED: Final = re.compile(r"\[[^\[\]]*\]|\([^()]*\)|<[^<>]*>|\{[^{}]*\}|\"[^\"]*\"")
# Words as prose has them: letters only, and neither a label (word:), a key (word=) nor in capitals as levels are.
_PLAIN: Final = re.compile(r"(?:(?<=[\s\"'(\[{<|;,])|^)[^\W\d_]{2,}(?=[\s,;!?]|\.(?!\w)|\Z)")
# What leads from a message to a time that is not the event's own.
_LEADS: Final = words(
    "a about after an and at before between by due ends ended expires for from in is last new next old "
    "previous restart of on or scheduled since than the this till to until valid was will with within bis ab am "
    "seit vom von zum into values where"
)
_OF_SQL: Final = words("INTO VALUES WHERE FROM BETWEEN")  # prose even in capitals
_OPENINGS: Final = re.compile(
    r'Started [A-Z]+ "[^"]*" for \S+ at \Z'  # Rails
    r"|Log file created at: \Z"  # glog
    r"|Cloud-init v\. \S+ (?:running '[^']*'|finished) at \Z"
)
_LISTING: Final = re.compile(r"[dl-](?:[r-][w-][xsStT-]){3}")  # of ls
_KEY: Final = re.compile(r"([A-Za-z_@][\w.@-]{0,40})(?:=|\"\s?[:=]\s?)[\"'\[({<]?\Z")
_LABEL: Final = re.compile(r"(?:^|\s)([A-Za-z][\w-]{2,40}): \Z")
_KEYS: Final = words("t ts dt at when rt created asctime start clock now stamp time date")
_TIME_KEY: Final = re.compile(
    r"(?:time|date|stamp|_ts|time_?local|time_?iso8601|datetime_?\w{0,5}|time_?(?:stamp)?_?(?:utc|ms|us|ns))\Z"
)
_OTHER_KEY: Final = re.compile(
    r"expir|valid|until|modif|birth|boot|up_?time|deadline|(?:^|[_.-])(?:end|last|next|due|not_?(?:before|after))"
)


@lru_cache(maxsize=4096)  # lines of one program open alike
def is_in_header(before: str) -> bool:
    """Whether a time behind this text is that of the line's header, and not one that its message tells of."""
    key = key_before(before)
    label = _LABEL.search(before) if before.endswith(": ") else None  # Expires: is a header of HTTP
    return (
        (not key or key_is_of_a_time(key))
        and (label is None or not _OTHER_KEY.search(label[1].lower()))
        and is_header(before)
    )


def is_header(before: str) -> bool:
    """Whether a text has no more words in it than headers have."""
    if len(before) < 3:
        return True
    if _OPENINGS.match(before):
        return True
    if before[0] in "-dl" and _LISTING.match(before):
        return False
    plain = _plain_words(before)
    return len(plain) <= _MOST_WORDS and not any(word in _LEADS or word.endswith("ed") for word in plain)


def has_plain_words(before: str) -> bool:
    """Whether there is any word of prose in a text."""
    return bool(_plain_words(before))


def key_before(before: str) -> str:
    """The key of the value that follows upon this text (`time=`, `"time": "`), "" if none does."""
    match = _KEY.search(before, max(0, len(before) - 48))
    return match[1] if match else ""


def key_is_of_a_time(key: str) -> bool:
    """Whether the value of a key is the time of the event."""
    name = key.lower().strip("_@")
    return not _OTHER_KEY.search(name) and (name in _KEYS or _TIME_KEY.search(name) is not None)


def _plain_words(before: str) -> list[str]:
    return [word.lower() for word in _PLAIN.findall(_CLOSED.sub(" ", before)) if _is_plain(word)]


def _is_plain(word: str) -> bool:
    return word in _OF_SQL or not (word.isupper() or word.lower() in WEEKDAYS or severity_of(word))
