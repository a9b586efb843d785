"""The time in the header of a line of text. What counts as one, and which of several, is said in docs/times.md."""

import re
from collections.abc import Iterator
from typing import Final

from app.domain.times.clock import clock_at
from app.domain.times.dates import BRIEF, DATE, Match, date_at, date_end, form_of
from app.domain.times.header import is_header, key_before, key_is_of_a_time
from app.domain.times.numbered import find_number
from app.domain.times.quick import quick_access_time, quick_time
from app.domain.times.reading import FoundTime, TimeReading
from app.domain.times.whole import JOINT, time_at, time_behind, with_weekday

HEAD_CHARS: Final = 320
"""Any header has its time within so many characters, so that a line of megabytes costs no more than a short one."""

_MOST_ANCHORS: Final = 16  # times of day, and numbers that look like them, that are looked at
_LONGEST_DATE: Final = 40  # characters of a date and its joint

# Where a time of day may begin: 10:15, 10.15.01, 10時; 101501 behind a date; all in one.
_ANCHOR: Final = re.compile(
    r"(?<![0-9])[0-9]{1,2}(?::[0-9]{2}(?![0-9])|\.[0-9]{2}\.[0-9]{2}(?![0-9])|[時时点])"
    r"|(?<=[0-9][Tt_/ -])[0-9]{6}(?![0-9])|(?<=[0-9][Tt])(?:[0-9]{4}|[0-9]{9})(?![0-9])"
    r"|(?<![\w.-])(?P<joined>(?:19|20)[0-9]{6})[0-2][0-9][0-5][0-9][0-5][0-9](?:[0-9]{3})?(?![0-9])"
)
# A date does not begin within a word, a number or the name of a file (app-2026-11-29.log); but behind one capital, as
# the level of glog, klog and CockroachDB is: I1129, I20261129, I261129.
_DATE_BEFORE: Final = re.compile(
    rf"(?:(?<!\w)(?<![\w)][-./\\])|(?<=(?<![^\W_])[A-Z])(?=[0-9]{{4,8}} )){DATE}{JOINT}(?=[0-9]\Z)"
)
_GAP: Final = re.compile(r"(?:[\])>\"]|[ \t|:-]){1,4}[\[(<\"]?(?=[0-9])")


def find_time(text: str, reading: TimeReading) -> FoundTime | None:
    """The time in the header of a line. Never raises; looks at the first `HEAD_CHARS` characters of the first line.

    In goes a line without colour codes. Out comes the time and where it stands; None if the line has none in its
    header. A time that is there and cannot be trusted has no `time_ns` but a `problem`.
    """
    return quick_time(text, reading) or quick_access_time(text) or _search(text, reading)


def _search(text: str, reading: TimeReading) -> FoundTime | None:
    end = text.find("\n", 0, HEAD_CHARS)
    if end < 0:
        end = min(len(text), HEAD_CHARS)
    for found in _calendar_times(text, end, reading):
        if not found.has_zone and (better := _beside(text, found, end, reading)):
            return better
        return found
    return find_number(text, end, reading)


def _calendar_times(text: str, end: int, reading: TimeReading) -> Iterator[FoundTime]:
    for number, anchor in enumerate(_ANCHOR.finditer(text, 0, end)):
        if number == _MOST_ANCHORS:
            return
        found = _at_anchor(text, anchor, end, reading)
        if found is not None:
            yield found


def _at_anchor(text: str, anchor: Match, end: int, reading: TimeReading) -> FoundTime | None:
    """The time whose time of day, or joined date and time, begins at an anchor."""
    at = anchor.start()
    date = date_at(text, at, end) if anchor["joined"] else _DATE_BEFORE.search(text, max(0, at - _LONGEST_DATE), at + 1)
    if date is None:
        clock = clock_at(text, at, end)
        return time_behind(text, clock, at, end, reading) if clock and _is_in_header(text, at) else None
    if (
        form_of(date) == "mmdd"
        and text[date_end(date) : date_end(date) + 1] != "/"
        and not _has_letter(text, date.start())
    ):
        return None
    start = with_weekday(text, date.start())
    return time_at(text, date, start, end, reading) if _is_in_header(text, start) else None


def _has_letter(text: str, start: int) -> bool:
    return text[max(0, start - 1) : start].isalpha()


def _is_in_header(text: str, start: int) -> bool:
    before = text[:start]
    key = key_before(before)
    return (not key or key_is_of_a_time(key)) and is_header(before)


def _beside(text: str, found: FoundTime, end: int, reading: TimeReading) -> FoundTime | None:
    """A time with a zone directly behind one that has none: it is the same time and says more."""
    gap = _GAP.match(text, found.end, end)
    date = date_at(text, gap.end(), end) if gap else None
    if date is None or form_of(date) in BRIEF:
        return None
    better = time_at(text, date, date.start(), end, reading)
    return better if better is not None and better.has_zone else None
