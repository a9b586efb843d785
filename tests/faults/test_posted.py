"""Tests of the comparison by attempt."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.faults.posted import Attempt, Attempts, PostedEvent, events_in, verify_attempts

STORED, FAILED, UNANSWERED = Attempt("json", 1), Attempt("json", 2), Attempt("loki", 1)
FIRST, SECOND = PostedEvent(*STORED, 0), PostedEvent(*STORED, 1)


def attempts(directory: Path) -> Attempts:
    """Three attempts with two events each, one of them with a 2xx."""
    made = Attempts(directory / "attempts.txt")
    for attempt in (STORED, FAILED, UNANSWERED):
        made.begin(attempt, 2)
    made.end(STORED, "200", is_stored=True)
    made.end(FAILED, "503", is_stored=False)
    made.close()
    return made


def test_what_is_stored_once_or_failed_is_clean(tmp_path: Path) -> None:
    copies = Counter({FIRST: 1, SECOND: 1, PostedEvent(*FAILED, 1): 1, PostedEvent(*UNANSWERED, 0): 1})

    assert verify_attempts(attempts(tmp_path).outcomes, copies).is_clean


def test_an_event_of_a_2xx_that_is_not_there_is_lost(tmp_path: Path) -> None:
    assert verify_attempts(attempts(tmp_path).outcomes, Counter({FIRST: 1})).lost == {SECOND}


def test_an_event_that_is_there_twice_is_duplicated_whatever_the_answer_was(tmp_path: Path) -> None:
    twice = PostedEvent(*FAILED, 0), PostedEvent(*UNANSWERED, 1)
    copies = Counter({FIRST: 1, SECOND: 2, **dict.fromkeys(twice, 2)})

    assert verify_attempts(attempts(tmp_path).outcomes, copies).duplicated == {SECOND, *twice}


def test_an_event_that_nobody_sent_is_spurious(tmp_path: Path) -> None:
    strangers = PostedEvent(*STORED, 2), PostedEvent("json", 9, 0)
    copies = Counter({FIRST: 1, SECOND: 1, **dict.fromkeys(strangers, 1)})

    assert verify_attempts(attempts(tmp_path).outcomes, copies).spurious == set(strangers)


def test_events_are_found_in_a_record_of_any_form() -> None:
    value = b"\x0a\x05" + FIRST.text.encode() + b'2x"}\n{"message": "' + SECOND.text.encode() + b' xx"}'

    assert list(events_in(value)) == [FIRST, SECOND]


def test_attempts_are_counted_by_client_and_outcome(tmp_path: Path) -> None:
    made = attempts(tmp_path)

    assert made.counted() == {("json", True): 1, ("json", False): 1, ("loki", None): 1}
    assert made.stored_events() == 2
    assert (tmp_path / "attempts.txt").read_text() == "json-1 2 200\njson-2 2 503\n"
