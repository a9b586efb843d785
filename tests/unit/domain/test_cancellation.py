"""A cancelled request begins nothing more, and what runs is ended."""

from __future__ import annotations

import itertools
import threading

import pytest

from app.domain.cancellation import Cancellation
from app.errors import Abandoned, TryAgainLater

KILLED = TryAgainLater("the query was cancelled", code="394")


class Running:
    """A statement that runs until its end was requested so many times."""

    def __init__(self, *, ends_after: int = 1, can_end: bool = True) -> None:
        self.cancellation = Cancellation()
        self.requests = 0
        self.caught: Exception | None = None
        self._ends_after, self._can_end = ends_after, can_end
        self._began, self._may_end = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._began.wait(10)

    def finish(self) -> None:
        self._may_end.set()
        self._thread.join(10)

    def _run(self) -> None:
        try:
            with self.cancellation.running(self._end):
                self._began.set()
                self._may_end.wait(10)
                raise KILLED
        except (Abandoned, TryAgainLater) as error:
            self.caught = error

    def _end(self) -> bool:
        self.requests += 1
        if self.requests == self._ends_after:
            self.finish()
        return self._can_end


def test_a_cancelled_request_begins_nothing() -> None:
    cancellation, began = Cancellation(), []
    cancellation.cancel()

    with pytest.raises(Abandoned), cancellation.running(lambda: True):
        began.append("a statement")

    assert began == []


def test_what_runs_is_ended_and_its_error_says_that_nobody_waits() -> None:
    running = Running()

    running.cancellation.cancel()

    assert running.requests == 1
    assert isinstance(running.caught, Abandoned)
    assert running.caught.__cause__ is KILLED


def test_a_request_that_overtook_its_statement_is_repeated() -> None:
    running = Running(ends_after=2)

    running.cancellation.cancel()

    assert running.requests == 2
    assert isinstance(running.caught, Abandoned)


@pytest.mark.parametrize(("can_end", "requests"), [(True, 3), (False, 1)])
def test_what_does_not_end_is_left_to_its_time_limit(can_end: bool, requests: int) -> None:
    running = Running(ends_after=100, can_end=can_end)

    running.cancellation.cancel()

    assert (running.requests, running.caught) == (requests, None)
    running.finish()
    assert isinstance(running.caught, Abandoned)


def test_nothing_is_ended_that_is_complete() -> None:
    cancellation, requests = Cancellation(), itertools.count()
    with cancellation.running(lambda: next(requests) >= 0):
        pass

    cancellation.cancel()

    assert next(requests) == 0


def test_without_a_cancellation_an_error_is_what_it_is() -> None:
    with pytest.raises(TryAgainLater), Cancellation().running(lambda: True):
        raise KILLED
