"""Rejected rows are stored anew, whenever the command is killed, and whatever ingestion does meanwhile."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from functools import partial

import pyarrow as pa
import pytest

from app.domain.event_time import EventTimeBounds
from app.domain.missing import STORED_COLUMNS, missing_rows
from app.domain.records import OneRecord, RecordChunk
from app.domain.revisions import Place, RemovedRow, Version
from app.domain.rows import SCHEMA
from app.maintenance.replacements import Left
from app.maintenance.reprocess import Reprocessing
from app.pipeline.decode import decode
from app.pipeline.decoded import Decoded
from tests.fakes import RECORD_TIME_MS
from tests.support.revised_table import Dying, Killed, MemoryRevisions, versions_in
from tests.support.sample_rows import sample_chunk

BOUNDS = EventTimeBounds.of_retention(30)
VALUES = [b'{"message": "fine"}', b"{one", b"{two", b"{never", b'{"message": "fine too"}']


def then(chunk: RecordChunk) -> Decoded:
    """The parser of when they were stored."""
    return decode(chunk, BOUNDS)


def now(chunk: RecordChunk) -> Decoded:
    """A later one, by which {one is one event, and {two are two."""
    headers = [[("content-type", b"application/x-ndjson")] if value == b"{two" else () for value in chunk.values]
    known = {b"{one": b'{"message": "one"}', b"{two": b'{"message": "two"}\n{"message": "and two"}'}
    values = [known.get(value or b"", value) for value in chunk.values]
    return decode(
        RecordChunk(
            chunk.partition, chunk.topic_id, chunk.offsets, chunk.timestamps_ms, values, headers, chunk.next_offset
        ),
        BOUNDS,
    )


def filled() -> MemoryRevisions:
    table = MemoryRevisions()
    table.add(then(sample_chunk(VALUES)).rows)
    return table


def record_at(place: Place) -> OneRecord | None:
    return OneRecord(RECORD_TIME_MS, VALUES[place.offset], ())


def bodies(table: MemoryRevisions) -> list[str]:
    return sorted(row.columns["Body"] for row in table.stored)


AFTERWARDS = ["and two", "fine", "fine too", "one", "two", "{never"]


def test_what_is_understood_takes_the_place_of_what_was_not() -> None:
    table = filled()
    run = Reprocessing(table, record_at, now)

    run.run(100)

    assert bodies(table) == AFTERWARDS
    assert (run.outcome.restored, run.outcome.new_rows, run.outcome.left[Left.REJECTED]) == (2, 3, 1)


def test_a_second_run_changes_nothing() -> None:
    table = filled()
    Reprocessing(table, record_at, now).run(100)
    before = versions_in(table.stored)
    again = Reprocessing(table, record_at, now)

    again.run(100)

    assert versions_in(table.stored) == before
    assert (again.outcome.restored, again.outcome.finished) == (0, 0)


@pytest.mark.parametrize("how", ["before", "after", "half"])
def test_it_may_be_killed_at_any_call_and_run_again(how: str) -> None:
    for at in itertools.count():
        table = filled()
        table.on_change = partial(_require_originals, table)
        dying = Dying(table, at, how)
        try:
            Reprocessing(dying, record_at, now).run(100)
        except Killed:
            pass
        else:
            assert at > 4  # it has reached each call
            return

        Reprocessing(table, record_at, now).run(100)

        assert bodies(table) == AFTERWARDS


def _require_originals(table: MemoryRevisions) -> None:
    """At every moment each record is there: as it was, or anew and whole."""
    found = {row.version.place.offset: Counter[str]() for row in table.stored}
    for row in table.stored:
        found[row.version.place.offset][row.columns["Body"]] += 1
    assert found.keys() == set(range(len(VALUES)))
    assert "{one" in found[1] or "one" in found[1]
    assert "{two" in found[2] or found[2].keys() == {"two", "and two"}


@pytest.mark.parametrize("how", ["before", "after", "half"])
@pytest.mark.parametrize("at", [5, 8])  # storing, deleting
def test_ingestion_that_reads_the_records_again_stores_nothing_whatever_is_done(at: int, how: str) -> None:
    """An offset may be set back, and the old version or the new one reads it."""
    table = filled()
    with pytest.raises(Killed):
        Reprocessing(Dying(table, at, how), record_at, now).run(100)

    for reader in (then, now):
        rows = reader(sample_chunk(VALUES)).rows
        assert missing_rows(rows, partial(_look_up, table)).num_rows == 0


def _look_up(table: MemoryRevisions, topic_id: str, partition: int, first: int, last: int) -> pa.Table:
    found = [row.columns for row in table.stored if first <= row.version.place.offset <= last]
    return pa.table({name: pa.array([row[name] for row in found], SCHEMA.field(name).type) for name in STORED_COLUMNS})


def test_what_two_runs_at_once_have_stored_is_there_once_after_the_next() -> None:
    table = filled()
    Reprocessing(table, record_at, now).run(100)
    table.add(now(sample_chunk(VALUES[1:2], first_offset=1)).rows, revision=table.new_revision() + 1)
    table.add(then(sample_chunk(VALUES[2:3], first_offset=2)).rows)  # a late one, of before

    Reprocessing(table, record_at, now).run(100)

    assert bodies(table) == AFTERWARDS


def test_a_row_that_clickhouse_refuses_does_not_stop_the_others() -> None:
    table = filled()
    table.refuses = lambda row: row["Body"] == "one"
    run = Reprocessing(table, record_at, now)

    run.run(100)

    assert bodies(table) == ["and two", "fine", "fine too", "two", "{never", "{one"]
    assert run.outcome.left[Left.REFUSED] == 1
    assert Version(Place("topic-1", 0, 1), 0, 1, 0) in versions_in(table.stored)


def test_a_row_that_is_about_to_be_removed_is_not_stored_anew() -> None:
    table = filled()
    table.noted = {RemovedRow(Place("topic-1", 0, 1), 0, 1)}

    Reprocessing(table, record_at, now).run(100)

    assert bodies(table) == ["and two", "fine", "fine too", "two", "{never", "{one"]


def removal_of(table: MemoryRevisions, place: Place) -> Callable[[], None]:
    """A command that notes and deletes the only row of a record as it was before."""

    def remove() -> None:
        table.noted.add(RemovedRow(place, 0, 1))
        table.stored = [row for row in table.stored if row.revision or row.version.place != place]

    return remove


def test_what_is_removed_while_it_is_stored_anew_does_not_stay() -> None:
    table = filled()
    table.on_change = removal_of(table, Place("topic-1", 0, 1))  # once the new rows are stored

    Reprocessing(table, record_at, now).run(100)

    assert bodies(table) == ["and two", "fine", "fine too", "two", "{never"]


def test_of_a_record_that_became_several_rows_all_go_if_the_one_it_was_is_removed_meanwhile() -> None:
    table = filled()
    table.on_change = removal_of(table, Place("topic-1", 0, 2))  # once the new rows are stored

    Reprocessing(table, record_at, now).run(100)

    assert bodies(table) == ["fine", "fine too", "one", "{never"]


def test_what_a_killed_run_has_stored_of_removed_rows_goes_with_the_next() -> None:
    table = filled()
    dying = Dying(table, 5, "after")  # once the new rows are stored
    with pytest.raises(Killed):
        Reprocessing(dying, record_at, now).run(100)
    place = Place("topic-1", 0, 2)
    table.noted.add(RemovedRow(place, 0, 1))
    table.stored = [row for row in table.stored if row.revision or row.version.place != place]

    Reprocessing(table, record_at, now).run(100)

    assert bodies(table) == ["fine", "fine too", "one", "{never"]
