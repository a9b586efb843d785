"""What stands behind a time of day: its zone, and the year of dates as ctime writes them."""

import re
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from app.domain.severity import severity_of
from app.domain.times.zones import (
    OFFSET_OF,
    is_area,
    is_zone,
    may_be_a_zone,
    offset_in_zone,
    offset_of_name,
    zone_named,
)

_SIGN: Final = "[+\u2212-]"  # also the typographic minus
_MAY_BE: Final = re.compile(rf",?[ \t]{{0,2}}[(\[]?(?:{_SIGN}[0-9]|[A-Zugz])")  # for speed: most words open otherwise
_UTC: Final = re.compile(
    r"(?:z| ?Z(?:ulu)?|(?:,? )?(?:UTC|GMT)(?!/| ?[+\u2212-][0-9](?![0-9a-f]{5,7}\.[0-9a-f]{1,8}-)))(?!\w)", re.ASCII
)
_OFFSET: Final = re.compile(
    rf"(?P<blank>[ \t]{{1,2}})?(?P<open>[(\[])?(?:(?P<utc>UTC|GMT|UT|utc) ?)?(?P<sign>{_SIGN})"
    r"(?P<hours>[0-9]{1,2})(?::?(?P<minutes>[0-9]{2})(?::?(?P<seconds>[0-9]{2}))?)?(?![0-9A-Za-z_]|[.:][0-9])"
    r"(?(open)[)\]])"
)
_IN_FRONT: Final = re.compile(
    rf"(?:(?<![^\s\[(])(?P<utc>)(?P<open>)(?P<sign>{_SIGN})(?P<hours>[0-9]{{2}}):?(?P<minutes>[0-9]{{2}})(?P<seconds>)"
    r"|(?:\A|(?<=[\[(]))(?P<name>[A-Z]{3,5}))(?P<blank> {1,2})\Z"
)
_LONGEST_IN_FRONT: Final = len("+08:00  ")
_SIGN_AND_DIGIT: Final = re.compile(rf"[ \t]{{0,2}}(?:[(\[]?(?:UTC|GMT|UT) ?)?{_SIGN}[0-9]")
ZONE_IN_WORDS: Final = (  # Windows: W. Europe Standard Time
    r"(?:[A-Z][\w.]{0,20} ){1,4}?(?:Standard|Daylight|Summer|European|Universal|Mean) Time(?!\w)"
)
_IN_WORDS: Final = re.compile(" " + ZONE_IN_WORDS)
_REGION: Final = re.compile(
    r"[ \t]?(?P<open>[(\[])?(?P<name>[A-Z][A-Za-z]{1,12}(?:/[A-Za-z][A-Za-z0-9_+-]{0,30}){1,2}|[CEMP]ST[5-8][CEMP]DT)"
    r"(?(open)[)\]])(?![\w/])"
)
_JAVA: Final = re.compile(r"\[([A-Za-z][A-Za-z0-9_+/-]{1,50})\]")  # [Europe/Paris], also [Japan]
_NAME: Final = re.compile(
    r"(?:,? {1,2}|\t)?(?P<open>[(\[])?(?P<name>[A-Z]{2,5}|ChST|utc|gmt|Utc)(?![\w/]|[.-]\w)(?(open)[)\]])"
)
_AGAIN: Final = re.compile(rf" ({_SIGN}[0-9]{{2,4}})(?![\w:.])")  # Go repeats an offset where the zone has no name
_LONG_NAME: Final = re.compile(r" \([^()\n]{2,60}\)")  # JavaScript: (Central European Standard Time)
_GO_CLOCK: Final = re.compile(r" m=[+-][0-9]{1,20}\.[0-9]{1,9}")
_YEAR: Final = re.compile(r"[ \t]{1,2}((?:19|20)[0-9]{2})(?![\w]|[-:/.][0-9]|:[0-9A-Fa-f]{0,4}:)")

_DB2_CLOCK: Final = re.compile(r"-[0-9]{2}(?:\.[0-9]{2}){2}\.[0-9]{1,9}\Z")
_DB2_CHARS: Final = len("-10.15.01.123456789")
_DB2_MINUTES: Final = re.compile(r"(?P<sign>[+-])(?P<minutes>[0-9]{3})(?![0-9A-Za-z_])")
_FURTHEST_SECS: Final = 14 * 3600  # of the zones that exist; further only where RFC 3339 writes it at the time


class Zone(NamedTuple):
    """The zone that is written behind a time: one of the three, or `is_unknown`."""

    end: int
    offset_secs: int | None = None
    name: str = ""
    region: ZoneInfo | None = None
    is_unknown: bool = False


def zone_at(text: str, start: int, end: int) -> Zone | None:
    """The zone that is written at `start`, where a time of day ends; None if there is none.

    A sign with digits, and a word of three to five capitals that may be a zone (see `zones.may_be_a_zone`), is a zone
    that is not understood if it is not known. Levels and other words of logs are none.
    """
    if _MAY_BE.match(text, start, end) is None:
        return None
    if match := _UTC.match(text, start, end):
        return Zone(_end_of_remarks(text, match.end(), end, 0), 0)
    if (match := _DB2_MINUTES.match(text, start, end)) and _DB2_CLOCK.search(text, max(0, start - _DB2_CHARS), start):
        secs = int(match["minutes"]) * 60  # db2diag writes the difference to UTC in minutes
        is_unknown = secs > _FURTHEST_SECS
        return Zone(match.end(), None if is_unknown else secs if match["sign"] == "+" else -secs, is_unknown=is_unknown)
    if match := _OFFSET.match(text, start, end):
        offset = _offset(match)
        if offset is None:
            return None if match["open"] and not match["utc"] else Zone(match.end(), is_unknown=True)
        return Zone(_end_of_remarks(text, match.end(), end, offset), offset)
    if match := _SIGN_AND_DIGIT.match(text, start, end):
        return Zone(match.end(), is_unknown=True)
    if (match := _JAVA.match(text, start, end)) and (region := zone_named(match[1])):
        return Zone(match.end(), region=region)
    if match := _REGION.match(text, start, end):
        region = zone_named(match["name"])
        if region is not None:
            return Zone(match.end(), region=region)
        first = match["name"].split("/", 1)[0]
        return Zone(match.end(), is_unknown=True) if is_area(first) or _is_zone_name(first) else None
    if match := _IN_WORDS.match(text, start, end):
        return Zone(match.end(), is_unknown=True)
    if match := _NAME.match(text, start, end):
        name = match["name"]
        if _is_zone_name(name):
            return Zone(_end_of_remarks(text, match.end(), end, OFFSET_OF.get(name)), name=name)
    return None


def zone_before(text: str, start: int) -> Zone | None:
    """The zone that stands in front of a date (`+0800 2026-…`, `[CET Nov 29 …`); None if there is none.

    A name is one only where it opens the line or a bracket, since words in capitals stand in front of dates too.
    """
    if text[start - 1 : start] != " ":
        return None
    match = _IN_FRONT.search(text, max(0, start - _LONGEST_IN_FRONT), start)
    if match is None:
        return None
    if match["sign"]:
        offset = _offset(match)
        return None if offset is None else Zone(match.end(), offset)
    return Zone(match.end(), name=match["name"]) if is_zone(match["name"]) else None


def _offset(match: re.Match[str]) -> int | None:
    hours, minutes, seconds = int(match["hours"]), int(match["minutes"] or 0), int(match["seconds"] or 0)
    if hours > 23 or minutes > 59 or seconds > 59:
        return None
    secs = hours * 3600 + minutes * 60 + seconds
    stands_alone = (match["blank"] or match["open"]) and not match["utc"]
    if stands_alone and (secs > _FURTHEST_SECS or secs % 900 or len(match["hours"]) == 1):
        return None  # a number that means something else
    return secs if match["sign"] == "+" else -secs


def _end_of_remarks(text: str, start: int, end: int, offset: int | None) -> int:
    """Where the words end that say the zone once more: (CET), UTC, [Europe/Paris], +08, and Go's m=+0.1."""
    if text[start : start + 1] not in (" ", "[", "(") or text[start + 1 : start + 2] == " ":
        return start
    start = _end_of_name(text, start, end, offset)
    match = _GO_CLOCK.match(text, start, end)
    return match.end() if match else start


def _end_of_name(text: str, start: int, end: int, offset: int | None) -> int:
    if (match := _JAVA.match(text, start, end)) and zone_named(match[1]):
        return match.end()
    if (match := _REGION.match(text, start, end)) and zone_named(match["name"]):
        return match.end()
    if (match := _NAME.match(text, start, end)) and _is_zone_name(match["name"]):
        return match.end()
    if (match := _AGAIN.match(text, start, end)) and _same(match[1], offset):
        return match.end()
    if (match := _LONG_NAME.match(text, start, end)) and "Time" in match[0]:
        return match.end()
    return start


def _is_zone_name(name: str) -> bool:
    return name in OFFSET_OF or (name.isupper() and may_be_a_zone(name) and not severity_of(name))


def _same(offset_text: str, offset: int | None) -> bool:
    match = _OFFSET.fullmatch(offset_text)
    return match is not None and _offset(match) == offset


def year_at(text: str, start: int, end: int) -> tuple[str, int] | None:
    """The year that stands at `start` behind a time of day, and where it ends."""
    match = _YEAR.match(text, start, end)
    return (match[1], match.end()) if match else None


def offset_of(zone: Zone, days: int, secs: int, year: int, assumed: ZoneInfo | None) -> int | None:
    """Seconds by which a written zone is ahead of UTC at a local time, None if it is not understood."""
    if zone.offset_secs is not None:
        return zone.offset_secs
    if zone.region is not None:
        return offset_in_zone(zone.region, days, secs)
    return offset_of_name(zone.name, year, days, secs, assumed) if zone.name else None
