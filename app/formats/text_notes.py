"""Notes on a line of text: its form, and the pieces of it that its fields were read from. Pure."""

from collections.abc import Mapping
from typing import Final

from app.domain.notes import Note, Notes
from app.domain.times import FoundTime
from app.formats import places
from app.formats.line_reader import LineReader
from app.formats.logfmt import pair_of_level

_MESSAGE: Final = Note("the whole text")
_OF_HEADER: Final = {"service": "service", "host": "host", "trace_id": "trace_id", "span_id": "span_id"}


def notes_of_line(read: LineReader, level: str, time_from: int) -> Notes:
    """The notes of a line that was read; its time was looked for from `time_from` on."""
    form = places.HEADER_ONLY if level and read.form == places.TEXT else read.form
    notes = Notes((form,), {"message": _MESSAGE} | _time(read.found, read.line[time_from:]))
    if level:
        place = read.level_from if read.level else places.SECOND_LINE
        notes.fields["level"] = Note.of(place, _piece(read, place))
    return notes.of_line(places.SOURCE_OF_FORM.get(form, places.HEADER), _known(read.fields))


def notes_of_time(form: str, found: FoundTime | None, line: str) -> Notes:
    """The notes of a line of which only the time was read."""
    return Notes((form,), {"message": _MESSAGE} | _time(found, line))


def _time(found: FoundTime | None, line: str) -> dict[str, Note]:
    if found is None:
        return {}
    return {"timestamp": Note.of("the time of the line", line[found.start : found.end])}


def _known(fields: Mapping[str, str | None]) -> dict[str, object]:
    return {name: fields[field] for name, field in _OF_HEADER.items() if fields.get(field) not in (None, "", "-")}


def _piece(read: LineReader, place: str) -> str:
    """What stands where the level was read from."""
    match place:
        case places.STATUS:
            return read.fields["status"] or ""
        case places.PAIR:
            return pair_of_level(read.line, read.level_start)
        case places.PRI:
            return read.line[: read.line.find(">") + 1]
        case places.BEFORE | places.HEADER | places.TAG:
            return read.line[read.level_start : read.level_end].strip()
        case _:
            return ""
