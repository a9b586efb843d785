"""The usual forms at the start of a line, several times quicker than the grammar: ISO 8601, access logs, syslog, klog.

It reads what is certain at first sight, as the grammar would, and leaves everything else to it.
"""

import re
from functools import lru_cache
from typing import Final

from app.domain.times.days import DAY_SECS, MS_NS, SECOND_NS, epoch_day, latest_day
from app.domain.times.moments import nanoseconds, without_zone
from app.domain.times.names import MONTH_OF
from app.domain.times.reading import IN_THE_FUTURE, FoundTime, TimeReading
from app.domain.times.tails import ZONE_IN_WORDS
from app.domain.times.zones import offset_in_zone

_LEVEL: Final = (
    "(?:INFO?|ERR(?:OR)?|WARN(?:ING)?|WRN|DEBUG|DBG|TRACE|TRC|FATAL|NOTICE|SEVERE|CRIT(?:ICAL)?|LOG)(?![A-Za-z0-9])"
)
# What follows a time without a zone, and is certainly none and no second time, so that the grammar need not look.
_NO_ZONE: Final = (
    r"(?!(?:[\])>\"]|[ \t|:-]){1,4}[\[(<\"]?[0-9]{2,4}[-/.年])"
    rf"(?=\Z|[\]\"'|;)>]|\t(?:{_LEVEL}|[b-fh-tv-z0-9])|,(?: [^A-Z]|[A-Za-z\[])|:(?: |[A-Z])"
    rf"|[ ](?:[ ]{{0,2}}{_LEVEL}|\[(?:[a-z]|[0-9]+\]|[ ]?{_LEVEL})|- |(?!utc|gmt)[b-oq-z][a-z]|[0-9]+ ))"
)
# What follows a zone, and is certainly no more of it.
_NO_REMARK: Final = (
    rf"(?=\Z|[\]\"'|;,)>\t]|:(?![0-9])|[ ](?!utc|gmt)(?:[ ]|{_LEVEL}|m(?!=)|[a-ln-z0-9<\"{{|#*]|- "
    rf"|\[(?:[a-z]|[0-9]+\]|[ ]?{_LEVEL})|[A-Z][a-z]{{1,20}}(?![\w/])))"
)
_ISO: Final = re.compile(
    r"[\[(<\"]?([0-9]{4}[-/][0-9]{2}[-/][0-9]{2}[T ][0-9]{2}:[0-9]{2}):([0-5][0-9])(?:[.,]([0-9]{1,9}))?"
    rf"(?:(?:(Z| UTC)|([ ]?[+-][0-9]{{2}}(?::?[0-9]{{2}})?)){_NO_REMARK}|{_NO_ZONE})",
    re.ASCII,
)
_PART_OF_A_NAME: Final = re.compile(r".\w|[\w)][-./\\]", re.DOTALL)
_CLF: Final = re.compile(
    r"\[([0-9]{2}/[A-Z][a-z]{2}/[0-9]{4}:[0-9]{2}:[0-9]{2}):([0-5][0-9])(?:\.([0-9]{1,9}))? ([+-][0-9]{4})\]", re.ASCII
)
_CTIME: Final = re.compile(
    r"\[?((?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([A-Z][a-z]{2}) ( [1-9]|[0-9]{2}) ([0-2][0-9]):([0-5][0-9]):([0-5][0-9])"
    rf"(?:\.([0-9]{{1,9}}))? ([0-9]{{4}})){_NO_ZONE}",
    re.ASCII,
)
_SYSLOG: Final = re.compile(  # and the name of a host or a program
    r"(?:<[0-9]{1,3}>)?([JFMASOND][a-z]{2}) ( [1-9]|[0-9]{2}) ([0-2][0-9]):([0-5][0-9]):([0-5][0-9])"
    rf"(?:\Z| (?![ap]\.?m|utc|gmt|Utc|ChST|[CEMP]ST[5-8]|{ZONE_IN_WORDS})"
    r"(?:[a-z]|[A-Z]{1,20}[a-z0-9])[\w.-]{0,100}[ :\[(])",
    re.ASCII,
)
_KLOG: Final = re.compile(
    r"[IWEF]([01][0-9])([0-3][0-9]) ([0-2][0-9]):([0-5][0-9]):([0-5][0-9])\.([0-9]{1,9})"
    r"(?= {1,7}[0-9]{1,7} [\w./-]{1,80}:[0-9])",
    re.ASCII,
)
_CLF_WITHIN: Final = 300
_CLF_BLANKS: Final = 5  # in front: virtual host, addresses, two names


def quick_time(text: str, reading: TimeReading) -> FoundTime | None:
    """The time at the start of a line, or in the brackets of an access log; None if it is of no usual form."""
    match = _ISO.match(text)
    if match is not None:
        return _of_iso(match, reading)
    match = _SYSLOG.match(text)
    if match is not None:
        return _of_syslog(match, reading)
    match = _KLOG.match(text)
    if match is not None:
        return _of_klog(match, reading)
    match = _CTIME.match(text)
    return None if match is None else _of_ctime(match, reading)


def quick_time_within(text: str, start: int, reading: TimeReading) -> FoundTime | None:
    """The time of ISO 8601 that begins at `start` within a line, unless it is part of a name."""
    if _PART_OF_A_NAME.match(text, start - 2):
        return None
    match = _ISO.match(text, start)
    return None if match is None else _of_iso(match, reading)


def quick_access_time(text: str) -> FoundTime | None:
    """The time of an access log, whose first bracket is its time."""
    at = text.find("[", 0, _CLF_WITHIN)
    match = _CLF.match(text, at) if at >= 0 and text.count(" ", 0, at) <= _CLF_BLANKS else None
    if match is None:
        return None
    minute, second, fraction, offset = match.groups()
    secs = _clf_minute(minute)
    ahead = _offset_secs(offset)
    if secs is None or ahead is None:
        return None
    time_ns = (secs + int(second) - ahead) * SECOND_NS
    if fraction:
        time_ns += int(fraction.ljust(9, "0"))
    return FoundTime(time_ns, True, "", at + 1, match.end() - 1)


def _of_iso(match: re.Match[str], reading: TimeReading) -> FoundTime | None:
    minute, second, fraction, is_utc, offset = match.groups()
    secs = _iso_minute(minute)
    if secs is None:
        return None
    secs += int(second)
    if offset:
        ahead = _offset_secs(offset)
        if ahead is None:
            return None
        secs -= ahead
    elif is_utc is None and reading.zone is not None:
        secs -= offset_in_zone(reading.zone, secs // DAY_SECS, secs % DAY_SECS)
    time_ns = secs * SECOND_NS
    if fraction:
        time_ns += int(fraction.ljust(9, "0"))
    if offset is None and is_utc is None:
        if time_ns > (reading.record_time_ms + reading.future_ms) * MS_NS:
            return FoundTime(None, False, IN_THE_FUTURE, match.start(1), match.end())
        return FoundTime(time_ns, False, "", match.start(1), match.end())
    return FoundTime(time_ns, True, "", match.start(1), match.end())


def _of_ctime(match: re.Match[str], reading: TimeReading) -> FoundTime | None:
    _, name, day, hour, minute, second, fraction, year = match.groups()
    month = MONTH_OF.get(name.lower())
    days = None if month is None else epoch_day(int(year), month, int(day))
    secs = int(hour) * 3600 + int(minute) * 60 + int(second)
    if days is None or secs >= DAY_SECS:
        return None
    return FoundTime(*without_zone(days, secs, nanoseconds(fraction), reading), *match.span(1))


def _of_syslog(match: re.Match[str], reading: TimeReading) -> FoundTime | None:
    name, day, hour, minute, second = match.groups()
    month = MONTH_OF.get(name.lower())
    secs = int(hour) * 3600 + int(minute) * 60 + int(second)
    days = None if month is None else _latest_day(month, int(day), secs, reading)
    if days is None:
        return None
    return FoundTime(*without_zone(days, secs, 0, reading), match.start(1), match.end(5))


def _of_klog(match: re.Match[str], reading: TimeReading) -> FoundTime | None:
    month, day, hour, minute, second, fraction = match.groups()
    secs = int(hour) * 3600 + int(minute) * 60 + int(second)
    days = _latest_day(int(month), int(day), secs, reading)
    if days is None:
        return None
    return FoundTime(*without_zone(days, secs, nanoseconds(fraction), reading), match.start(1), match.end(6))


def _latest_day(month: int, day: int, secs: int, reading: TimeReading) -> int | None:
    """The latest day with this month and day on which that second is at most a day after the record's time."""
    if secs >= DAY_SECS:
        return None
    limit_secs = reading.record_time_ms // 1000 + DAY_SECS
    ahead = 0
    if reading.zone is not None and (about := latest_day(month, day, limit_secs // DAY_SECS)) is not None:
        ahead = offset_in_zone(reading.zone, about, secs)
    return latest_day(month, day, (limit_secs - secs + ahead) // DAY_SECS)


@lru_cache(maxsize=4096)  # lines follow each other closely in time
def _iso_minute(text: str) -> int | None:
    """The start of the minute 2026-11-29T10:15 in seconds since the epoch, as if it was UTC."""
    days, hour = epoch_day(int(text[:4]), int(text[5:7]), int(text[8:10])), int(text[11:13])
    if days is None or text[4] != text[7] or hour > 23 or text[14] > "5":
        return None
    return days * DAY_SECS + hour * 3600 + int(text[14:]) * 60


@lru_cache(maxsize=4096)
def _clf_minute(text: str) -> int | None:
    """The same of 29/Nov/2026:10:15."""
    month = MONTH_OF.get(text[3:6].lower())
    days = None if month is None else epoch_day(int(text[7:11]), month, int(text[:2]))
    hour = int(text[12:14])
    if days is None or hour > 23 or text[15] > "5":
        return None
    return days * DAY_SECS + hour * 3600 + int(text[15:]) * 60


@lru_cache(maxsize=4096)
def _offset_secs(text: str) -> int | None:
    digits = text.lstrip(" ")
    hours, minutes = int(digits[1:3]), int(digits[-2:]) if len(digits) > 3 else 0
    if hours > 23 or minutes > 59 or (text[0] == " " and (hours > 13 or minutes % 15)):
        return None
    secs = hours * 3600 + minutes * 60
    return -secs if digits[0] == "-" else secs
