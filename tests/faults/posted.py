"""Logs posted to the receivers, request by request, and what must have become of their events. Pure."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from tests.faults.verdict import Verdict

_TEXT = re.compile(rb"posted ([a-z]+)-(\d+)-(\d+)\.")


class Attempt(NamedTuple):
    """A request that was made once: which client made it, and its number with this client."""

    client: str
    number: int


class PostedEvent(NamedTuple):
    """An event of an attempt, by its position in it."""

    client: str
    attempt: int
    position: int

    @property
    def text(self) -> str:
        """Its message: no other event has it."""
        return f"posted {self.client}-{self.attempt}-{self.position}."


class Outcome(NamedTuple):
    """How many events an attempt had, and whether the answer says that all of them are stored; None before it."""

    events: int
    is_stored: bool | None


class Attempts:
    """All attempts, also in a file, one per line with its answer. Thread-safe."""

    def __init__(self, file: Path) -> None:
        self.outcomes: dict[Attempt, Outcome] = {}
        self._file = file.open("w", buffering=1)
        self._lock = threading.Lock()

    def begin(self, attempt: Attempt, events: int) -> None:
        """It is made: from now on its events may be stored."""
        with self._lock:
            self.outcomes[attempt] = Outcome(events, None)

    def end(self, attempt: Attempt, answer: str, *, is_stored: bool) -> None:
        """It was answered, or was not: `answer` says it in words."""
        with self._lock:
            events = self.outcomes[attempt].events
            self.outcomes[attempt] = Outcome(events, is_stored)
            self._file.write(f"{attempt.client}-{attempt.number} {events} {answer}\n")

    def counted(self) -> Mapping[tuple[str, bool | None], int]:
        """How many attempts each client has made, by whether they are stored; see `Outcome`."""
        with self._lock:
            return Counter((attempt.client, outcome.is_stored) for attempt, outcome in self.outcomes.items())

    def stored_events(self) -> int:
        """Events that must be stored."""
        with self._lock:
            return sum(outcome.events for outcome in self.outcomes.values() if outcome.is_stored)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def events_in(value: bytes) -> Iterator[PostedEvent]:
    """The events that a record has, in whatever form; `value` is not compressed."""
    for client, number, position in _TEXT.findall(value):
        yield PostedEvent(client.decode(), int(number), int(position))


def verify_attempts(outcomes: Mapping[Attempt, Outcome], copies: Mapping[PostedEvent, int]) -> Verdict:
    """Compare by attempt: events of a 2xx must be there once, those of any other answer or none at most once."""
    promised = {
        PostedEvent(*attempt, position)
        for attempt, outcome in outcomes.items()
        if outcome.is_stored
        for position in range(outcome.events)
    }
    return Verdict(
        lost=promised - copies.keys(),
        duplicated={event for event, count in copies.items() if count > 1},
        spurious={event for event in copies if not _was_sent(event, outcomes)},
    )


def _was_sent(event: PostedEvent, outcomes: Mapping[Attempt, Outcome]) -> bool:
    outcome = outcomes.get(Attempt(event.client, event.attempt))
    return outcome is not None and event.position < outcome.events
