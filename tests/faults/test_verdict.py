"""Tests of the comparison of table and journal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.journal import ODD, Event, Journal, RecordId
from tests.faults.verdict import Deleted, StoredRow, verify

FIRST, SECOND = RecordId("topic-1", 0, 0), RecordId("topic-1", 0, 1)
EVENT = Event("1", 11)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """One event acknowledged as the first record, another one sent and never acknowledged."""
    made = Journal(tmp_path / "journal.txt")
    made.sent = {"1": 11, "2": 22}
    made.acknowledge(FIRST, EVENT)
    yield made
    made.close()


def row(record_id: RecordId = FIRST, event: Event = EVENT, item: int = 0) -> StoredRow:
    return StoredRow(record_id, item, event.id, event.crc)


def test_everything_stored_once_is_clean(journal: Journal) -> None:
    verdict = verify(journal, [row()])

    assert verdict.is_clean
    assert verdict.in_words() == "clean"


def test_an_acknowledged_event_without_a_row_is_lost(journal: Journal) -> None:
    verdict = verify(journal, [])

    assert verdict.lost == {FIRST}
    assert not verdict.is_clean


def test_a_row_with_another_record_id_does_not_replace_a_lost_one(journal: Journal) -> None:
    assert verify(journal, [row(RecordId("topic-2", 0, 0))]).lost == {FIRST}


def test_two_rows_of_one_record_are_a_duplicate(journal: Journal) -> None:
    assert verify(journal, [row(), row()]).duplicated == {FIRST}


def test_several_items_of_one_record_are_no_duplicate(journal: Journal) -> None:
    journal.acknowledge(SECOND, ODD)

    assert verify(journal, [row(), row(SECOND, Event("", 1)), row(SECOND, Event("", 2), item=1)]).is_clean


def test_a_row_with_another_text_is_wrong(journal: Journal) -> None:
    assert verify(journal, [row(event=Event("1", 12))]).wrong == {FIRST}


def test_a_row_with_another_event_than_was_acknowledged_there_is_wrong(journal: Journal) -> None:
    assert verify(journal, [row(event=Event("2", 22))]).wrong == {FIRST}


def test_an_event_that_was_sent_and_never_acknowledged_may_be_there_once(journal: Journal) -> None:
    unacknowledged = row(SECOND, Event("2", 22))

    assert verify(journal, [row(), unacknowledged]).is_clean
    assert verify(journal, [row(), unacknowledged, unacknowledged]).duplicated == {SECOND}


def test_a_row_that_nobody_sent_is_spurious(journal: Journal) -> None:
    assert verify(journal, [row(), row(SECOND, Event("3", 33))]).spurious == {SECOND}


def test_a_record_that_kafka_deleted_must_have_been_announced(journal: Journal) -> None:
    silent = verify(journal, [], Deleted(by_kafka={FIRST}))
    announced = verify(journal, [], Deleted(by_kafka={FIRST}, announced={FIRST}))

    assert (silent.lost, silent.unaccounted) == (set(), {FIRST})
    assert announced.is_clean


def test_an_announcement_does_not_excuse_a_record_that_kafka_still_has(journal: Journal) -> None:
    assert verify(journal, [], Deleted(announced={FIRST})).lost == {FIRST}


def test_a_run_that_came_to_no_end_is_not_clean(journal: Journal) -> None:
    assert not verify(journal, [row()], liveness="not within 120 s").is_clean


def test_each_acknowledged_record_is_a_line_of_the_journals_file(journal: Journal, tmp_path: Path) -> None:
    journal.acknowledge(SECOND, ODD)

    assert (tmp_path / "journal.txt").read_text() == "topic-1 0 0 1 0000000b\ntopic-1 0 1 - 00000000\n"
