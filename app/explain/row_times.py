"""Where the time of a row comes from: what its reader noted, with what became of it. Pure."""

from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from app.domain.event import Event
from app.domain.event_time import EventTimeBounds, Nanoseconds, rfc3339
from app.domain.notes import Note
from app.domain.times import TimeReading, read_time
from app.domain.times.numbers import NUMBER
from app.domain.times.reading import PROBLEMS
from app.explain.explained import TimeFrom

_DAY_MS: Final = 24 * 3600 * 1000
THE_RECORD: Final = "the time of the record in Kafka"


class Assumed(NamedTuple):
    """The zone of a time that states none, and who says so."""

    zone: ZoneInfo | None  # None is UTC
    said_by: str

    def __str__(self) -> str:
        return f"{self.zone.key if self.zone else 'UTC'}, by {self.said_by}"


class RowTimes:
    """Explains the times of the rows of one record."""

    def __init__(self, times: TimeReading, bounds: EventTimeBounds, assumed: Assumed) -> None:
        self._times = times
        self._bounds = bounds
        self._assumed = assumed

    def explained(self, event: Event, time_ns: int, problems: str) -> tuple[TimeFrom, Note]:
        """Where the time of an event's row comes from; `time_ns` and `problems` are those of the row."""
        value = event.fields.get("timestamp")
        note = event.notes.fields.get("timestamp") if event.notes else None
        if value in (None, ""):
            return TimeFrom.RECORD, Note(THE_RECORD, "", _why_none(note, problems))
        note = note or Note.of("the event", value)
        read = read_time(value, self._times)
        if read.time_ns is None:
            return TimeFrom.RECORD, Note(THE_RECORD, "", _why_none(note, read.problem))
        if read.time_ns != time_ns and any(problem in problems for problem in PROBLEMS):
            return TimeFrom.RECORD, Note(THE_RECORD, "", _why_none(note, problems))
        if read.time_ns != time_ns:
            return TimeFrom.RECORD, Note(THE_RECORD, "", f"{self._far(read.time_ns)}: {_quoted(note)}")
        has_zone = event.time_has_zone if isinstance(value, Nanoseconds) else read.has_zone
        if has_zone:
            return TimeFrom.WRITTEN, note if note.rule else note.with_rule(_zone_rule(value, note))
        return TimeFrom.ASSUMED, note.with_rule(f"no zone is written, so it is read in {self._assumed}")

    def _far(self, time_ns: int) -> str:
        """Why a time that was read is not that of the row."""
        if time_ns > self._times.record_time_ms * 10**6:
            return f"the event's own, {rfc3339(time_ns)}, is too far ahead of it"
        return f"the event's own, {rfc3339(time_ns)}, is more than {self._bounds.past_ms // _DAY_MS} days before it"


def _why_none(note: Note | None, problems: str) -> str:
    """Why the event has no time of its own."""
    problem = next((problem for problem in PROBLEMS if problem in problems), "")
    if not problem:
        return "the event says no time"
    why = f"the event's own is not trusted ({problem.partition(': ')[2]})"
    return f"{why}: {_quoted(note)}" if note else why


def _quoted(note: Note) -> str:
    return f'"{note.text}" from {note.source}'


def _zone_rule(value: Any, note: Note) -> str:
    is_number = isinstance(value, int | float) and not isinstance(value, Nanoseconds)
    return "a number since 1970" if is_number or NUMBER.fullmatch(note.text.strip()) else "its zone is written"
