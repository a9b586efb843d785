"""The time in the header of a line of text. What counts as one, and which of several, is said in docs/times.md."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from app.domain.times.clock import clock_at
from app.domain.times.dates import BRIEF, DATE, DateText, date_at, date_text
from app.domain.times.days import DAY_NS, MS_NS, SECOND_NS
from app.domain.times.header import is_in_header
from app.domain.times.numbered import epoch_at, find_number
from app.domain.times.quick import quick_access_time, quick_time, quick_time_within
from app.domain.times.reading import FoundTime, TimeReading
from app.domain.times.tails import zone_before
from app.domain.times.whole import JOINT, has_time_key, time_at, time_behind, with_weekday

HEAD_CHARS: Final = 320
"""Any header has its time within so many characters, so that a line of megabytes costs no more than a short one."""

_MOST_ANCHORS: Final = 8  # times of day, and numbers that look like them, that are looked at
_LONGEST_DATE: Final = 40  # characters of a date and its joint
_ISO_DATE: Final = len("2026-11-29T")

# Where a time of day may begin: 10:15, 10.15.01, 10時; 101501 behind a date; date and time in one. The patterns open
# with one digit and look behind it, because a search for one set of characters is ten times as quick.
_ANCHOR: Final = re.compile(
    r"[0-9](?:(?<![0-9].)[0-9]?(?::[0-9]{2}(?![0-9])|\.[0-9]{2}\.[0-9]{2}(?![0-9])|[時时点])"
    r"|(?:(?<=[0-9][Tt_/ -].)|(?<=[0-9]{8}:.))[0-9]{5}(?![0-9])|(?<=[0-9][Tt].)(?:[0-9]{3}|[0-9]{8})(?![0-9])"
    r"|(?<![\w.-].)(?P<joined>(?<=[12])[09][0-9]{6}[0-2][0-9][0-5][0-9][0-5][0-9](?:[0-9]{3})?)(?![0-9]))"
)
# A date does not begin within a word, a number or the name of a file (app-2026-11-29.log); but behind one capital, as
# the level of glog, klog and CockroachDB is: I1129, I20261129, I261129.
_DATE_BEFORE: Final = re.compile(
    rf"(?:(?<!\w)(?<![\w)][-./\\])|(?<=(?<![^\W_])[A-Z])(?=[0-9]{{4,8}} )){DATE}{JOINT}(?=0\Z)"
)
# What every time has, of a calendar or a number, and many lines have not.
_PART_OF_A_TIME: Final = re.compile(
    r"[0-9](?::[0-9]{2}|\.[0-9]{2}\.[0-9]{2}|[時时点]|[0-9]{5}|[Tt][0-9]{4}|[eE]\+?[0-9])|@4"
)
_SHORTEST_EPOCH: Final = 10  # digits
_OPENS_A_TIME: Final = frozenset(["", *' \t[(<"|;,*='])  # what may stand before a time of day whose date follows
_BEFORE_DATE: Final = 3  # characters that `_DATE_BEFORE` looks at in front of a date
_QUARTER_NS: Final = 900 * SECOND_NS  # all offsets of today are whole quarters of an hour
_FURTHEST_NS: Final = 28 * 3600 * SECOND_NS  # between the zone that is set and any other
_FEW_SECONDS_NS: Final = 5 * SECOND_NS
_GOES_ON: Final = re.compile(r"[.-]\w")  # digits of an id: 20261129101501.GB8524@mail.example
_LETTER: Final = re.compile(r"[A-Za-z]\Z|\A[TVDIWEF] \Z")  # of klog and glog; with a blank that of Twitter's servers
_GAP: Final = re.compile(r"(?:[\])>\"]|[ \t|:-]){1,4}[\[(<\"]?(?=[0-9])")
_GAP_BEFORE_EPOCH: Final = re.compile(rf"{_GAP.pattern}(?=[12][0-9]{{9}})")


def find_time(text: str, reading: TimeReading) -> FoundTime | None:
    """The time in the header of a line. Never raises; looks at the first `HEAD_CHARS` characters of the first line.

    In goes a line without colour codes. Out comes the time and where it stands; None if the line has none in its
    header. A time that is there and cannot be trusted has no `time_ns` but a `problem`.
    """
    found = quick_time(text, reading)
    if found is not None:
        return found
    found = quick_access_time(text)
    if found is not None and _opens_an_access_log(text[: found.start - 1]):
        return found
    return search_time(text, reading) if _PART_OF_A_TIME.search(text, 0, HEAD_CHARS) else None


def _opens_an_access_log(before: str) -> bool:
    """Whether nothing but addresses and names stands before the time: mostly `192.0.2.7 - - `."""
    return (" - " in before or is_in_header(before)) and _ANCHOR.search(before) is None


def search_time(text: str, reading: TimeReading) -> FoundTime | None:
    """The same by the grammar alone, without the quick ways for usual forms."""
    end = text.find("\n", 0, HEAD_CHARS)
    if end < 0:
        end = min(len(text), HEAD_CHARS)
    for found in _calendar_times(text, end, reading):
        if not found.has_zone and (
            better := _beside(text, found, end, reading) or _of_epoch(text, found, end, reading)
        ):
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


def _at_anchor(text: str, anchor: re.Match[str], end: int, reading: TimeReading) -> FoundTime | None:
    """The time whose time of day, or joined date and time, begins at an anchor."""
    at = anchor.start()
    iso = at - _ISO_DATE
    if iso > 0 and text[at - 4] in "-/" and not has_time_key(text, iso):
        start = with_weekday(text, iso)
        if not zone_before(text, start) and (found := quick_time_within(text, iso, reading)):
            return found._replace(start=start) if is_in_header(text[:start]) else None
    date = date_at(text, at, end) if anchor["joined"] else _date_before(text, at)
    if date is None:
        clock = clock_at(text, at, end) if text[at - 1 : at] in _OPENS_A_TIME else None
        return time_behind(text, clock, at, end, reading) if clock and is_in_header(text[:at]) else None
    if date.form == "mmdd" and text[date.end] != "/" and _LETTER.search(text, 0, date.start) is None:
        return None
    start = with_weekday(text, date.start)
    found = time_at(text, date, start, end, reading) if is_in_header(text[:start]) else None
    return None if found and anchor["joined"] and _GOES_ON.match(text, found.end) else found


def _date_before(text: str, at: int) -> DateText | None:
    """The date that ends, with its joint, where a time of day begins."""
    start = max(0, at - _LONGEST_DATE)
    found = _date_within(text[start:at], _BEFORE_DATE if start else 0)
    return None if found is None else found._replace(start=found.start + start, end=found.end + start)


@lru_cache(maxsize=4096)  # lines of one program and one day open alike
def _date_within(window: str, start: int) -> DateText | None:
    match = _DATE_BEFORE.search(window + "0", start)
    return None if match is None else date_text(match)


def _beside(text: str, found: FoundTime, end: int, reading: TimeReading) -> FoundTime | None:
    """A time with a zone directly behind one that has none, if both may be the same: it says more."""
    gap = _GAP.match(text, found.end, end)
    date = date_at(text, gap.end(), end) if gap else None
    if date is None or date.form in BRIEF:
        return None
    better = time_at(text, date, date.start, end, reading)
    if better is None or better.time_ns is None or not better.has_zone:
        return None
    return better if _may_be_the_same(found.time_ns, better.time_ns, reading) else None


def _of_epoch(text: str, found: FoundTime, end: int, reading: TimeReading) -> FoundTime | None:
    """A time without a zone, read at the offset that a number since the epoch in front of it or behind it says."""
    number = find_number(text, found.start, reading) if found.start > _SHORTEST_EPOCH else None
    last = found.end
    if number is None and (gap := _GAP_BEFORE_EPOCH.match(text, found.end, end)):
        number = epoch_at(text, gap.end(), end)
        last = number.end if number else last
        last += text[last : last + 1] == ")"
    if number is None or number.time_ns is None:
        return None
    if not _may_be_the_same(found.time_ns, number.time_ns, reading):
        return number if number.start <= 1 else None  # what opens the line is nearer to its header
    if found.time_ns is None:
        return number._replace(start=found.start, end=last)
    offset_ns = round((number.time_ns - found.time_ns) / _QUARTER_NS) * _QUARTER_NS
    return FoundTime(found.time_ns + offset_ns, True, "", found.start, last)


def _may_be_the_same(local_ns: int | None, time_ns: int, reading: TimeReading) -> bool:
    """Whether two times differ by nothing but an offset that zones have, and some seconds."""
    if local_ns is None:
        return abs(time_ns - reading.record_time_ms * MS_NS) <= DAY_NS
    off_ns = (time_ns - local_ns + _FEW_SECONDS_NS) % _QUARTER_NS
    return abs(time_ns - local_ns) <= _FURTHEST_NS and off_ns <= 2 * _FEW_SECONDS_NS
