"""Which zone the clock of a host or service probably shows, from its times that state none. Pure.

It is said to people, and never decides how a time is read.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from app.domain.times import ReadTime, TimeReading, find_time, read_time, zone_named
from app.domain.times.days import MS_NS, SECOND_NS
from app.domain.times.words import in_order

LEAST_TIMES: Final = 3
"""How many times it takes to say something."""

_ANY_FUTURE_MS: Final = 10**12
_AFTER_SECS: Final = 90  # from writing a log to the time of its record
_BEFORE_SECS: Final = 15  # by which the clock of a host may be ahead
_NEARLY_ALL: Final = 0.9
# One zone of each set of rules that many people live by, the one with the most people first.
_EXAMPLES: Final = in_order(
    "Asia/Shanghai Asia/Kolkata America/New_York Europe/Berlin America/Sao_Paulo Asia/Tokyo America/Los_Angeles "
    "Africa/Lagos America/Chicago Africa/Cairo Africa/Johannesburg Asia/Dhaka Asia/Karachi Europe/Moscow "
    "Asia/Jakarta Asia/Bangkok Asia/Manila Asia/Singapore Asia/Seoul Europe/London Europe/Istanbul Asia/Tehran "
    "Africa/Nairobi Europe/Athens Asia/Riyadh Asia/Dubai Asia/Tashkent Asia/Kathmandu Asia/Colombo Asia/Yangon "
    "Asia/Kabul America/Mexico_City America/Bogota America/Argentina/Buenos_Aires America/Santiago America/Caracas "
    "America/Denver America/Phoenix America/Halifax America/St_Johns America/Anchorage Pacific/Honolulu "
    "Australia/Sydney Australia/Brisbane Australia/Adelaide Australia/Darwin Australia/Perth Pacific/Auckland "
    "Pacific/Chatham Pacific/Tongatapu Pacific/Marquesas Pacific/Pago_Pago Atlantic/Azores Atlantic/South_Georgia"
)


class Probable(NamedTuple):
    """A zone that a clock probably shows: its offset, of how many times, and names of zones that have it then."""

    offset_secs: int
    times: int
    zones: Sequence[str]

    @property
    def offset(self) -> str:
        """The offset as in a time: +09:00."""
        hours, minutes = divmod(abs(self.offset_secs) // 60, 60)
        return f"{'-' if self.offset_secs < 0 else '+'}{hours:02}:{minutes:02}"


class Written(NamedTuple):
    """A time as it was written: by how many seconds it is ahead of its record's if it is taken for UTC."""

    ahead_secs: float
    has_zone: bool


def written_time(written: str, record_time_ms: int) -> Written | None:
    """The time in a value of an event or in a line of text, None if it holds none."""
    reading = TimeReading(record_time_ms, future_ms=_ANY_FUTURE_MS)
    found = read_time(written, reading)
    if found.time_ns is None:
        in_line = find_time(written, reading)
        if in_line is None or in_line.time_ns is None:
            return None
        found = ReadTime(*in_line[:3])
    time_ns = found.time_ns or 0
    return Written((time_ns - record_time_ms * MS_NS) / SECOND_NS, found.has_zone)


def probable_zone(ahead: Iterable[float], at_secs: float) -> Probable | None:
    """The zone in which nearly all times were written shortly before their records'; None if there is no such zone.

    `ahead` are seconds as of `Written`; `at_secs` is about when, Unix epoch.
    """
    offsets = [_offset_of(secs, at_secs) for secs in ahead]
    if len(offsets) < LEAST_TIMES:
        return None
    [(offset, count)] = Counter(offsets).most_common(1)
    if offset is None or count < _NEARLY_ALL * len(offsets):
        return None
    return Probable(offset, count, _offsets_at(int(at_secs // 86_400))[offset])


def _offset_of(secs: float, at_secs: float) -> int | None:
    """The offset of a zone of today that explains a difference."""
    offset = round((secs + (_AFTER_SECS - _BEFORE_SECS) / 2) / 900) * 900
    is_near = -_AFTER_SECS <= secs - offset <= _BEFORE_SECS
    return offset if is_near and offset in _offsets_at(int(at_secs // 86_400)) else None


@lru_cache(maxsize=16)
def _offsets_at(day: int) -> dict[int, list[str]]:
    """The offsets that zones have on a day, Unix epoch, with examples of such zones."""
    moment = datetime.fromtimestamp(0, UTC) + timedelta(days=day)
    found: dict[int, list[str]] = {0: ["UTC"]}
    for name in _EXAMPLES:
        offset = moment.astimezone(zone_named(name)).utcoffset() or timedelta()
        found.setdefault(int(offset.total_seconds()), []).append(name)
    return found
