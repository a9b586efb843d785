"""How a stored log was read: its record is read again from Kafka, or else what its row still has of it."""

import base64
import struct
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Final

from msgspec import Struct

from app.domain.event_time import read_time_ns
from app.domain.records import OneRecord, Partition, RecordChunk
from app.errors import TryAgainLater
from app.explain.explained import Explained
from app.explain.explainer import Explainer
from app.ports import RecordReader

_COMPARED: Final = (
    *("timestamp", "level", "service", "message", "user_id", "response_time_ms", "trace_id", "span_id"),
    *("attributes", "resource", "parse_error"),
)
NEEDED: Final = (*_COMPARED, "topic", "_reader", "_raw")
"""The fields of a row that are needed to explain it."""


class Basis(Enum):
    """What a row is explained from."""

    RECORD = "record"
    RAW = "raw"
    MESSAGE = "message"


class StoredExplanation(Struct, frozen=True):
    """How a stored row was read, as far as that can be said."""

    basis: Basis
    note: str
    """What has to be known about it, in sentences; "" if it is simply the record, read by the same reader."""
    one: Explained | None
    """The row as it would be today, with its sources; None if what is left of its record does not give this row."""
    differences: Sequence[str]
    """The fields that would have another value today."""
    reader: str
    reader_now: str


class StoredRow(Struct, frozen=True):
    """A row of the table: its position in Kafka, and `NEEDED` fields as the API shows them."""

    topic_id: str
    partition: int
    offset: int
    item: int
    fields: Mapping[str, Any]


class StoredExplainer:
    """Explains rows of the table. Shared by threads."""

    def __init__(self, explainer: Explainer, records: RecordReader) -> None:
        self._explainer = explainer
        self._records = records

    def explain(self, row: StoredRow) -> StoredExplanation:
        """How this row was read."""
        record, why = self._record(row)
        basis = Basis.RECORD
        if record is None:
            basis, record = _left_of(row)
        one = self._row_of(record, row)
        differences = _differences(one, row.fields) if one else ()
        if basis is not Basis.RECORD and differences:
            one = None  # it is not the whole record, so its sources would be wrong
        notes = [why, _of_basis(basis, is_explained=one is not None), self._of_reader(row.fields)]
        if basis is Basis.RECORD:
            notes = ["" if one else "Today this record would become other rows, and none with this number.", notes[2]]
        found = tuple(differences) if one else ()
        return StoredExplanation(
            basis, " ".join(filter(None, notes)), one, found, row.fields["_reader"], self._explainer.reader.name
        )

    def _record(self, row: StoredRow) -> tuple[OneRecord | None, str]:
        """The record of a row, or why there is none."""
        try:
            record = self._records.read(row.topic_id, row.partition, row.offset)
        except TryAgainLater:
            return None, "The record could not be read from Kafka again."
        return record, "" if record else "Kafka no longer has the record."

    def _row_of(self, record: OneRecord, row: StoredRow) -> Explained | None:
        partition = Partition(row.fields["topic"], row.partition)
        chunk = RecordChunk.of_one(record, partition, row.topic_id, row.offset)
        return next((one for _, one in self._explainer.explain(chunk) if one.row["_item"] == row.item), None)

    def _of_reader(self, fields: Mapping[str, Any]) -> str:
        if fields["_reader"] == self._explainer.reader.name:
            return ""
        name = f"reader {fields['_reader']}" if fields["_reader"] else "a reader that the row does not name"
        return (
            f"The log was stored by {name}, another version or other settings than today's"
            f" ({self._explainer.reader.name}), by which it is explained."
        )


def _left_of(row: StoredRow) -> tuple[Basis, OneRecord]:
    """What a row has of its record. Its own time is the record's, or near it."""
    time_ms = read_time_ns(row.fields["timestamp"]) // 10**6
    if row.fields["_raw"]:
        return Basis.RAW, OneRecord(time_ms, base64.b64decode(row.fields["_raw"]), ())
    return Basis.MESSAGE, OneRecord(time_ms, row.fields["message"].encode(errors="replace"), ())


def _of_basis(basis: Basis, *, is_explained: bool) -> str:
    what = {Basis.RECORD: "", Basis.RAW: "the bytes that were kept", Basis.MESSAGE: "the message"}[basis]
    if is_explained:
        return f"It is explained from {what}, with the row's time as that of the record."
    return f"Its row has only {what}, from which it cannot be told what was read from where."


def _differences(one: Explained, stored: Mapping[str, Any]) -> Sequence[str]:
    """The fields that are not the same in a row as it would be today."""
    return [name for name in _COMPARED if not _are_same(one.row[name], stored[name])]


def _are_same(today: Any, stored: Any) -> bool:
    if isinstance(today, float) and isinstance(stored, float):
        return struct.pack("f", today) == struct.pack("f", stored)  # both are shown forms of 32 bits
    return bool(today == stored)
