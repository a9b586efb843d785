"""Reads records as the service does, and says how. The rows are those that it would store. Pure."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import pyarrow as pa
from msgspec.structs import replace

from app.domain.columns import COLUMNS
from app.domain.event import Event
from app.domain.event_time import EventTimeBounds, rfc3339
from app.domain.notes import Note, Notes
from app.domain.reader import Reader
from app.domain.records import RecordChunk
from app.domain.rows import Rows
from app.explain.alternatives import alternatives
from app.explain.explained import Explained, TimeFrom
from app.explain.row_times import THE_RECORD, Assumed, RowTimes
from app.formats.envelope import Envelope
from app.formats.reading import ReadingRules
from app.formats.record import read_record
from app.pipeline.decode import decode, envelopes_of, rows_of
from app.pipeline.event_columns import EventColumns
from app.pipeline.guarded_decode import decoder_of

_MADE_OF: Final = ("Timestamp", "SeverityText", "LogAttributes", "ParseError")
"""The columns that a setting of the reading can change."""


class Explainer:
    """Explains chunks of records by the settings of the service."""

    def __init__(self, bounds: EventTimeBounds, rules: ReadingRules, reader: Reader) -> None:
        self._bounds = bounds
        self._rules = rules
        self._decode = decoder_of(bounds, rules, reader.name)
        self.reader = reader

    def explain(self, chunk: RecordChunk) -> Sequence[tuple[int, Explained]]:
        """The rows of each record, with its place in the chunk.

        A mistake in a reader costs the explanation of one record, as it costs the fields of its row.

        Raises:
            MemoryError: says nothing about the records.
        """
        try:
            return list(self._all(chunk))
        except MemoryError:
            raise
        except Exception:
            if len(chunk.values) == 1:
                return [(0, self._unread(chunk))]
        return [(index, one) for index in range(len(chunk.values)) for _, one in self.explain(chunk.record(index))]

    def _unread(self, record: RecordChunk) -> Explained:
        """The row of a record at which a reader fails."""
        decoded = self._decode(record)
        row, masked = row_object(decoded.rows), decoded.masked.get(0, {})
        return Explained(row, ("not read",), {"timestamp": Note(THE_RECORD)}, TimeFrom.RECORD, {}, masked)

    def _all(self, chunk: RecordChunk) -> Iterator[tuple[int, Explained]]:
        events = EventColumns()
        found: list[tuple[int, Event]] = []
        envelopes = list(envelopes_of(chunk, self._rules))
        for index, (value, envelope) in enumerate(zip(chunk.values, envelopes, strict=True)):
            reading = self._rules.reading_of(chunk.timestamps_ms[index]).explaining()
            for item, event in enumerate(read_record(value, envelope, reading)):
                # The rows are made of the event itself; what it was before that is explained.
                events.add(replace(event, fields=dict(event.fields)), item, envelope)
                found.append((index, event))
        decoded = rows_of(events, chunk, self._bounds, self._rules, self.reader.name)
        rows = decoded.rows
        settings = self._settings(chunk, rows)
        for row, (index, event) in enumerate(found):
            assumed = self._assumed(event, envelopes[index])
            one = self._explained(chunk, index, event, rows.slice(row, 1), settings[row], assumed)
            yield index, _without_texts(one, decoded.masked[row]) if row in decoded.masked else one

    def _explained(
        self,
        chunk: RecordChunk,
        index: int,
        event: Event,
        row: Rows,
        settings: Mapping[str, str],
        assumed: Assumed,
    ) -> Explained:
        row_times = RowTimes(self._rules.times_of(chunk.timestamps_ms[index], assumed.zone), self._bounds, assumed)
        time_ns = row["Timestamp"].cast(pa.int64())[0].as_py()
        time_from, time_note = row_times.explained(event, time_ns, row["ParseError"][0].as_py())
        notes = event.notes or Notes(("nothing",) if chunk.values[index] is None else ("text",))
        shown = row_object(row)
        return Explained(shown, notes.forms, _sources(notes, shown, time_note), time_from, settings)

    def _assumed(self, event: Event, envelope: Envelope) -> Assumed:
        """The zone of the event's time, if it states none."""
        if envelope.timezone:
            return Assumed(envelope.zone, "the header timezone")
        zone = self._rules.zones.zone_of(event.fields) if self._rules.zones else None
        return Assumed(zone, "TIMEZONES") if zone else Assumed(self._rules.zone, "DEFAULT_TIMEZONE")

    def _settings(self, chunk: RecordChunk, rows: Rows) -> Sequence[Mapping[str, str]]:
        """For each row the settings that it hangs on: those with whose other values it is another."""
        found: list[dict[str, str]] = [{} for _ in range(rows.num_rows)]
        values = self.reader.settings
        for setting, rules, bounds in alternatives(self._rules, self._bounds):
            others = decode(chunk, bounds, rules).rows
            for row, (one, other) in enumerate(zip(_made(rows), _made(others), strict=True)):
                if one != other:
                    found[row][setting] = values.get(setting, "")
        return found


def _without_texts(one: Explained, masked: Mapping[str, int]) -> Explained:
    """The same of a row with secrets, which the texts that its fields were read from may hold in part."""
    sources = {name: note._replace(text="", rule=note.rule.partition(': "')[0]) for name, note in one.sources.items()}
    return replace(one, sources=sources, masked=masked)


def _made(rows: Rows) -> Iterator[tuple[Any, ...]]:
    times = rows["Timestamp"].cast(pa.int64()).to_pylist()
    return zip(times, *(rows[name].to_pylist() for name in _MADE_OF[1:]), strict=True)


def _sources(notes: Notes, row: Mapping[str, Any], time: Note) -> dict[str, Note]:
    """The notes of the fields that the row has, in the order of the columns."""
    found = {**notes.fields, "timestamp": time}
    has_host = "host.name" in row["resource"]
    return {
        column.name: found[column.name]
        for column in COLUMNS
        if column.name in found and (row.get(column.name) not in (None, "") or (column.name == "host" and has_host))
    }


def row_object(row: Rows) -> dict[str, Any]:
    """A single row by the names of the fields, as the API shows it; bytes as base64."""
    return {column.name: _shown(row[column.column]) for column in COLUMNS if column.arrow is not None}


def _shown(column: pa.Array) -> Any:
    if pa.types.is_timestamp(column.type):
        return rfc3339(column.cast(pa.int64())[0].as_py())
    value = column[0].as_py()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if pa.types.is_map(column.type):
        return dict(value)
    if pa.types.is_floating(column.type) and value is not None:
        return float(f"{value:.7g}")  # the shortest form of 32 bits, as the API shows it
    return value
