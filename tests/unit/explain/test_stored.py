"""How a stored log is explained: from its record, or else from what its row has."""

from __future__ import annotations

import base64
import json
from typing import Any

from app.domain.event_time import EventTimeBounds
from app.domain.reader import Reader
from app.domain.records import OneRecord, Partition, RecordChunk
from app.errors import TryAgainLater
from app.explain.explainer import Explainer, row_object
from app.explain.stored import Basis, StoredExplainer, StoredExplanation, StoredRow
from app.formats.reading import DEFAULT_RULES
from app.pipeline.decode import decode
from tests.fakes import MemoryRecords

BOUNDS = EventTimeBounds.of_retention(30)
RECORD_MS = 1_795_947_301_000  # 2026-11-29T10:15:01Z
READER = Reader({"DEFAULT_TIMEZONE": "UTC"}, "")
ID = ("topic-id", 1, 7)


class Setup:
    """A record, and the row that was stored of it."""

    def __init__(self, value: bytes, *, reader: str = READER.name, item: int = 0, time_ms: int = RECORD_MS) -> None:
        self.records = MemoryRecords()
        self.records.records[ID] = OneRecord(time_ms, value, ())
        chunk = RecordChunk(Partition("logs", 1), "topic-id", [7], [time_ms], [value], [()], 8)
        stored = decode(chunk, BOUNDS, DEFAULT_RULES, reader).rows
        self.fields: dict[str, Any] = row_object(stored.slice(item, 1))
        self.item = item

    def explained(self) -> StoredExplanation:
        explainer = StoredExplainer(Explainer(BOUNDS, DEFAULT_RULES, READER), self.records)
        return explainer.explain(StoredRow(*ID, self.item, self.fields))


def test_a_log_is_explained_by_its_record() -> None:
    found = Setup(
        b'{"ts":"2026-11-29T10:15:01Z","level":400,"level_name":"ERROR","channel":"c","datetime":1}'
    ).explained()

    assert (found.basis, found.note, found.differences) == (Basis.RECORD, "", ())
    assert found.one
    assert found.one.sources["level"].rule == "a name counts before level 400"


def test_each_row_of_a_record_is_explained_by_its_own_part() -> None:
    found = Setup(b'[{"msg":"a"},{"text":"b"}]', item=1).explained()

    assert found.one
    assert found.one.sources["message"].source == "key text"


def test_a_record_that_is_gone_leaves_the_text_of_a_line() -> None:
    setup = Setup(b"2026-11-29T10:15:01Z WARN x")
    setup.records.records.clear()
    found = setup.explained()

    assert found.basis is Basis.MESSAGE
    assert found.note == (
        "Kafka no longer has the record. It is explained from the message, with the row's time as that of the record."
    )
    assert found.one
    assert found.one.sources["level"].text == "WARN"


def test_a_kafka_that_does_not_answer_is_no_error() -> None:
    setup = Setup(b"2026-11-29T10:15:01Z WARN x")
    setup.records.errors.append(TryAgainLater("no", code="unreachable"))
    found = setup.explained()

    assert found.note.startswith("The record could not be read from Kafka again. It is explained from")
    assert found.one


def test_the_message_of_an_object_is_not_taken_for_its_record() -> None:
    setup = Setup(b'{"message":"2026-11-29T10:15:00Z WARN x","level":"error","a":1}')
    setup.records.records.clear()
    found = setup.explained()

    assert found.one is None
    assert found.differences == ()
    assert "Its row has only the message, from which it cannot be told what was read from where." in found.note


def test_bytes_that_a_row_kept_are_explained() -> None:
    setup = Setup(b"2026-11-29T10:15:01Z WARN caf\xe9")
    setup.records.records.clear()
    found = setup.explained()

    assert base64.b64decode(setup.fields["_raw"]) == b"2026-11-29T10:15:01Z WARN caf\xe9"
    assert (found.basis, found.one is not None) == (Basis.RAW, True)
    assert "the bytes that were kept" in found.note


def test_another_reader_is_named_with_what_would_be_other_today() -> None:
    setup = Setup(b"2026-11-29T10:15:01Z WARN x", reader="0123abcd")
    setup.fields["level"] = ""
    found = setup.explained()

    assert found.note == (
        "The log was stored by reader 0123abcd, another version or other settings than today's"
        f" ({READER.name}), by which it is explained."
    )
    assert found.differences == ["level"] or found.differences == ("level",)


def test_a_record_of_which_today_no_such_row_is_made_says_so() -> None:
    setup = Setup(b"text")
    setup.item = 3

    assert setup.explained().note == "Today this record would become other rows, and none with this number."


def test_a_response_time_is_compared_as_it_is_stored() -> None:
    setup = Setup(json.dumps({"msg": "m", "response_time_ms": 0.1}).encode())
    setup.fields["response_time_ms"] = 0.10000000149011612

    assert setup.explained().differences == ()
