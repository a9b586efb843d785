"""Times as numbers in the header of a line: seconds since the epoch and their fractions, labels of multilog."""

import re
from typing import Final

from app.domain.times.days import MS_NS
from app.domain.times.header import has_plain_words, key_before, key_is_of_a_time
from app.domain.times.numbers import SCIENTIFIC, of_epoch_in_text, of_scientific, of_tai64n
from app.domain.times.reading import FoundTime, ReadTime, TimeReading

_EPOCH: Final = re.compile(
    r"[12](?:(?:(?<![\w.:/+-].)|(?<=\":.))([0-9]{9}(?:[0-9]{3}){0,3})(?:\.([0-9]{1,9}))?(?![\w./-])"
    r"|(?<=[a-z]:.)([0-9]{12})(?![\w.]))"
)
_LABEL: Final = re.compile(r"(?<![\w.-])([A-Za-z_][\w.-]{0,40}):\Z")  # CreateTime:1795947301123
_TAI64N: Final = re.compile(r"@(4[0-9a-f]{15})([0-9a-f]{8})(?![0-9a-f])")
_OPENING: Final = re.compile(r"[#+\[(<\"\s]{0,4}\Z")
_HISTORY: Final = re.compile(r"#\+?(1[0-9]{9})\s*\Z")  # of bash and tcsh
_NEAR_NS: Final = 366 * 86_400 * 1_000_000_000
_MOST_NUMBERS: Final = 8


def find_number(text: str, end: int, reading: TimeReading) -> FoundTime | None:
    """The first number in `text[:end]` that is a time for sure.

    One that opens the line, has the key of a time (`ts=`, `CreateTime:`) or stands in `audit(…)` is. Any other is only
    if no word of prose stands before it and it lies within a year of the record's time.
    """
    if match := _TAI64N.match(text, 0, end):
        return _found(of_tai64n(match[1], match[2]), match.start(), match.end())
    if match := _HISTORY.match(text, 0, end):
        return _found(of_epoch_in_text(match[1], None), match.start(1), match.end(1))
    if (match := SCIENTIFIC.match(text, 0, end)) and match[1] in "12":
        return _found(of_scientific(match), match.start(), match.end())
    for number, match in enumerate(_EPOCH.finditer(text, 0, end)):
        if number == _MOST_NUMBERS:
            break
        read = of_epoch_in_text(text[match.start() : match.end(1 if match[1] else 3)], match[2])
        start = match.start()
        if read is not None and _is_time(text[:start], read, match[3] is not None, reading):
            return _found(read, start, match.end())
    return None


def epoch_at(text: str, start: int, end: int) -> FoundTime | None:
    """The number of seconds since the epoch that stands at `start`."""
    match = _EPOCH.match(text, start, end)
    read = of_epoch_in_text(text[start : match.end(1)], match[2]) if match and match[1] else None
    return _found(read, start, match.end()) if match else None


def _is_time(before: str, read: ReadTime, is_labelled: bool, reading: TimeReading) -> bool:
    if _OPENING.match(before) or before.endswith("audit("):
        return True
    if key := key_before(before):
        return key_is_of_a_time(key)
    if is_labelled and (label := _LABEL.search(before)):
        return key_is_of_a_time(label[1])
    if is_labelled or has_plain_words(before) or read.time_ns is None:
        return False
    return abs(read.time_ns - reading.record_time_ms * MS_NS) <= _NEAR_NS


def _found(read: ReadTime | None, start: int, end: int) -> FoundTime | None:
    return None if read is None else FoundTime(*read, start, end)
