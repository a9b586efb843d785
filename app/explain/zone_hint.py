"""Which zone the times of an input that state none are probably of; said to people, never used to read."""

from collections import deque
from typing import Final, NamedTuple

from app.domain.event_time import read_time_ns
from app.domain.probable_zones import Probable, probable_zone, written_time
from app.domain.times.reading import IN_THE_FUTURE
from app.explain.explained import Explained, TimeFrom

_LAST: Final = 20  # times of an input that are looked at: the last were written shortly before now
_MOST_EXAMPLES: Final = 3
_LONGEST: Final = 400


class _Sample(NamedTuple):
    """By how many seconds a time is ahead of its record's if it is taken for UTC, and if it is read as it was."""

    ahead_secs: float
    read_ahead_secs: float | None  # None: it was not trusted


class ZoneHint:
    """Looks at the last times of an input."""

    def __init__(self) -> None:
        self._samples: deque[_Sample] = deque(maxlen=_LAST)
        self._at_secs = 0.0

    def add(self, one: Explained, record_ms: int) -> None:
        """Look at the time of a row."""
        text = _written(one)
        written = written_time(text, record_ms) if text else None
        if written is None or written.has_zone:
            return
        is_assumed = one.time_from is TimeFrom.ASSUMED
        ahead_secs = read_time_ns(one.row["timestamp"]) / 10**9 - record_ms / 1000 if is_assumed else None
        self._samples.append(_Sample(written.ahead_secs, ahead_secs))
        self._at_secs = record_ms / 1000

    @property
    def text(self) -> str:
        """A sentence with the zone and what to set, "" if there is nothing to say."""
        probable = probable_zone((sample.ahead_secs for sample in self._samples), self._at_secs)
        if probable is None or not any(_differs(sample, probable) for sample in self._samples):
            return ""
        first, *others = probable.zones[:_MOST_EXAMPLES]
        more = f", or another zone with this offset such as {' or '.join(others)}" if others else ""
        return f"times without a zone look like {probable.offset}: set DEFAULT_TIMEZONE={first}{more}"


def _written(one: Explained) -> str:
    """The time of a row that states no zone, as it is written, or a line that holds it."""
    if one.time_from is TimeFrom.ASSUMED:
        return one.sources["timestamp"].text
    if IN_THE_FUTURE in one.row["parse_error"]:
        return str(one.row["attributes"].get("timestamp") or one.row["message"])[:_LONGEST]
    return ""


def _differs(sample: _Sample, probable: Probable) -> bool:
    """Whether a time was not read at the offset of the zone."""
    return sample.read_ahead_secs is None or round(sample.ahead_secs - sample.read_ahead_secs) != probable.offset_secs
