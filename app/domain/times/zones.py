"""Zones: rules of the pinned tz database, and abbreviations that mean one offset. None of the machine's own."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from importlib.resources import files
from typing import Final
from zoneinfo import ZoneInfo

from app.domain.times.days import DAY_SECS, EPOCH_ORDINAL
from app.domain.times.words import words

_H: Final = 3600
_M: Final = 60

OFFSET_OF: Final[Mapping[str, int]] = {
    **dict.fromkeys(("Z", "z", "UTC", "GMT", "UT", "WET", "Utc", "utc", "gmt"), 0),
    **dict.fromkeys(("CET", "MEZ", "WEST", "WAT"), 1 * _H),
    **dict.fromkeys(("CEST", "MESZ", "EET", "CAT", "SAST"), 2 * _H),
    **dict.fromkeys(("EEST", "MSK", "EAT", "IDT", "TRT"), 3 * _H),
    "NPT": 5 * _H + 45 * _M,
    **dict.fromkeys(("WIB", "ICT"), 7 * _H),
    **dict.fromkeys(("AWST", "HKT", "WITA", "SGT", "MYT"), 8 * _H),
    **dict.fromkeys(("JST", "KST", "WIT"), 9 * _H),
    "ACST": 9 * _H + 30 * _M,
    **dict.fromkeys(("AEST", "ChST"), 10 * _H),
    "ACDT": 10 * _H + 30 * _M,
    "AEDT": 11 * _H,
    "NZST": 12 * _H,
    "NZDT": 13 * _H,
    **dict.fromkeys(("BRT", "ADT"), -3 * _H),
    "NDT": -2 * _H - 30 * _M,
    "NST": -3 * _H - 30 * _M,
    "EDT": -4 * _H,
    **dict.fromkeys(("EST", "CDT"), -5 * _H),
    "MDT": -6 * _H,
    **dict.fromkeys(("MST", "PDT"), -7 * _H),
    **dict.fromkeys(("PST", "AKDT"), -8 * _H),
    **dict.fromkeys(("AKST", "HDT"), -9 * _H),
    "HST": -10 * _H,
}
"""Seconds ahead of UTC of each abbreviation that is trusted; a test holds it to the tz database from `SINCE_YEAR` on.

A name is here if all zones that use it today agree, or all but one that writes few logs: PST and PDT are Pacific time
(also Manila), CDT is US Central (also Havana). Java's SGT, MYT, ICT, NPT, BRT, TRT and German MEZ, MESZ are no names
of the tz database, but mean one zone. Not here, as they mean several: CST (US, China, Cuba), IST (India, Ireland,
Israel), BST (Britain, Bangladesh, Bougainville), AST (Atlantic, Arabia), GST (Gulf, South Georgia), AMT, ECT, WST;
nor PKT and SST, which are also a packet and a file.
"""

SINCE_YEAR: Final = 2015
"""Before it, some of the names meant other offsets (MSK until 2014): they are not trusted in older times."""

# Names that do not say which zone they mean, or are known from zones of the past: a time with them is not UTC.
_SEVERAL: Final = words(
    "CST IST BST AST GST AMT ECT WST PKT SST MSD BDST CEMT OEZ OESZ HNE HAE HNC HAC HNR HAR HNP HAP HNEC HAEC"
)
# Words in capitals that end in T as zones do, and that stand behind the times of logs.
_WORDS: Final = words(
    "ABORT ABOUT ACCT AGENT ALERT AUDIT AUT BEAT BEST BOOT CERT CHAT CLIENT CONST COUNT CRIT DRAFT DRIFT EDIT "
    "EVENT EXIT EXT FAULT FIRST FLOAT FRONT GET GHOST GIT GRANT GUEST HALT HEART HINT HIT HOST INIT INPUT INT IOT "
    "JIT JWT LAST LEFT LIMIT LIST LIT MQTT MOUNT NAT NEXT NIGHT NOT OCT OUT PART PORT POST PRINT PUT QUIT REST "
    "RESET RIGHT ROBOT ROOT RST SAT SENT SEPT SHIFT SHORT SHUT SLOT SPLIT START STAT STRICT TEST TEXT TRUST UAT "
    "UNIT WAIT"
)
_AREAS: Final = words(
    "Africa America Antarctica Arctic Asia Atlantic Australia Brazil Canada Chile Etc Europe Indian Mexico "
    "Pacific US SystemV"
)
_TZDATA: Final = "tzdata"


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """All names of the pinned tz database."""
    return frozenset(files(_TZDATA).joinpath("zones").read_text(encoding="ascii").split())


@lru_cache(maxsize=1024)
def zone_named(name: str) -> ZoneInfo | None:
    """The zone of a name of the tz database such as Europe/Paris, None if it has none. The machine's is never read."""
    if name not in zone_names():
        return None
    with files(_TZDATA).joinpath("zoneinfo", *name.split("/")).open("rb") as rules:
        return ZoneInfo.from_file(rules, key=name)


def is_area(name: str) -> bool:
    """Whether the names of zones begin with a name, as Europe/Paris does."""
    return name in _AREAS


def is_zone(name: str) -> bool:
    """Whether a word in capitals is the abbreviation of a zone, be it of one or of several."""
    return name in OFFSET_OF or name in _SEVERAL


def may_be_a_zone(name: str) -> bool:
    """Whether a word in capitals behind a time may be a zone that is not known, so that the time is not trusted.

    Abbreviations of zones end in T (for time), but for a few that are listed; no known level does but ALERT and CRIT.
    """
    return name in _SEVERAL or (3 <= len(name) <= 5 and name[-1] == "T" and name not in _WORDS)


@lru_cache(maxsize=4096)
def offset_of_name(name: str, year: int, days: int, secs: int, zone: ZoneInfo | None) -> int | None:
    """Seconds ahead of UTC of an abbreviation at a local time, None if it does not say which zone it means.

    The zone that is set comes first: with America/Chicago set, CST is its standard time.
    """
    if zone is not None and (offset := _offset_within(zone, name, days, secs)) is not None:
        return offset
    offset = OFFSET_OF.get(name)
    return offset if offset == 0 or year >= SINCE_YEAR else None


def _offset_within(zone: ZoneInfo, name: str, days: int, secs: int) -> int | None:
    for fold in (0, 1):
        moment = _local(days, secs, fold)
        if moment is not None and zone.tzname(moment) == name:
            return _secs(zone.utcoffset(moment))
    return None


def offset_in_zone(zone: ZoneInfo, days: int, secs: int) -> int:
    """Seconds by which a zone is ahead of UTC at a local time.

    A time that occurs twice, when clocks are set back, is the first of the two. A time that does not occur, when they
    are set forward, is read as if they had not been.
    """
    offset = _offset_of_day(zone, days)
    return _offset_at(zone, days, secs) if offset is None else offset


@lru_cache(maxsize=4096)
def _offset_of_day(zone: ZoneInfo, days: int) -> int | None:
    """The offset of a whole local day, None if it changes within it."""
    first, last = _offset_at(zone, days, 0), _offset_at(zone, days, DAY_SECS - 1)
    return first if first == last else None


def _offset_at(zone: ZoneInfo, days: int, secs: int) -> int:
    moment = _local(days, secs, 0)
    return 0 if moment is None else _secs(zone.utcoffset(moment))


def _local(days: int, secs: int, fold: int) -> datetime | None:
    try:
        return (datetime.fromordinal(days + EPOCH_ORDINAL) + timedelta(seconds=secs)).replace(fold=fold)
    except (ValueError, OverflowError):
        return None


def _secs(offset: timedelta | None) -> int:
    return 0 if offset is None else offset.days * DAY_SECS + offset.seconds
