"""A process whose components do not end is ended, with a reason and an exit code of its own."""

import queue

import pytest

from app.last_resort import EXIT_CODE, LastResort

PATIENCE_SECS = 60.0


def test_it_ends_the_process_and_says_what_was_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    ended = queue.SimpleQueue[int]()
    last_resort = LastResort(end=ended.put)
    last_resort.begins("syslog")
    last_resort.begins("ingest")

    last_resort.arm(0.01)

    assert ended.get(timeout=PATIENCE_SECS) == EXIT_CODE
    assert "has not ended within 0.01 s: it waits for 'ingest'" in caplog.text


def test_it_does_nothing_before_its_time() -> None:
    ended = queue.SimpleQueue[int]()
    LastResort(end=ended.put).arm(3600)

    assert ended.empty()
