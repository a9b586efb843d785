"""Components: started in reverse order, stopped in order."""

import logging
import threading
import time
from collections.abc import Callable, Iterable

import pytest

from app.component import CannotStart, Repeating, start_all, stop_all
from app.health import Health
from tests.fakes import Clock

DEADLINE_SECS = 20.0


class Recorded:
    """A component that records calls, and takes a while to end."""

    def __init__(self, name: str, done: list[str], clock: Clock, *, ends_after_secs: float = 0.0) -> None:
        self.name = name
        self.health = Health()
        self.error: CannotStart | None = None
        self.stop_error: Exception | None = None
        self.join_error: Exception | None = None
        self._done = done
        self._clock = clock
        self._ends_after_secs = ends_after_secs

    def start(self) -> None:
        if self.error is not None:
            raise self.error
        self._done.append(f"start {self.name}")

    def stop(self) -> None:
        if self.stop_error is not None:
            raise self.stop_error
        self._done.append(f"stop {self.name}")

    def join(self, timeout_secs: float) -> None:
        if self.join_error is not None:
            raise self.join_error
        self._clock.advance(min(timeout_secs, self._ends_after_secs))
        self._done.append(f"join {self.name} {timeout_secs:g}")


def test_they_start_in_reverse_order_and_all_are_stopped_before_any_is_joined() -> None:
    clock, done = Clock(), list[str]()
    components = [Recorded("back", done, clock), Recorded("front", done, clock, ends_after_secs=3)]

    start_all(components)
    stop_all(components, 8, clock)

    assert done == ["start back", "start front", "stop front", "stop back", "join front 8", "join back 5"]


def test_one_that_does_not_end_in_time_leaves_the_others_no_time_of_their_own() -> None:
    clock, done = Clock(), list[str]()
    components = [Recorded("back", done, clock), Recorded("front", done, clock, ends_after_secs=60)]
    started_at = clock.now

    stop_all(components, 8, clock)

    assert clock.now - started_at == 8
    assert done[-1] == "join back 0"


def test_one_that_fails_while_it_is_stopped_does_not_keep_the_others_from_their_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock, done = Clock(), list[str]()
    front = Recorded("front", done, clock)
    front.stop_error = front.join_error = RuntimeError("not again")

    stop_all([Recorded("back", done, clock), front], 8, clock)

    assert done == ["stop back", "join back 8"]
    assert [record.message for record in caplog.records] == ["front failed while it was stopped"] * 2


def test_what_is_waited_for_is_said_before_the_wait() -> None:
    clock, done = Clock(), list[str]()

    stop_all([Recorded(name, done, clock) for name in ("back", "front")], 8, clock, done.append)

    assert done == ["stop front", "stop back", "front", "join front 8", "back", "join back 8"]


def test_when_one_cannot_start_those_before_it_are_stopped_and_those_behind_it_are_not_started() -> None:
    clock, done = Clock(), list[str]()
    components = [Recorded(name, done, clock) for name in ("first", "second", "third", "fourth")]
    components[2].error = CannotStart("the port is taken")

    with pytest.raises(CannotStart, match="the port is taken"):
        start_all(components)

    assert done == ["start first", "start second", "stop second", "stop first"]


# A component that repeats a call.


def repeat(look: Callable[[], float], until: threading.Event, *, first_secs: float = 0.0) -> Repeating:
    component = Repeating("looks", look, Health(), first_secs=first_secs)
    component.start()
    assert until.wait(DEADLINE_SECS)
    component.stop()
    component.join(DEADLINE_SECS)
    return component


def results(of: Iterable[float | Exception], ended: threading.Event) -> Callable[[], float]:
    """A call with these results in turn, which sets an event after the last one."""
    left = list(of)

    def look() -> float:
        result = left.pop(0)
        if not left:
            ended.set()
        if isinstance(result, Exception):
            raise result
        return result

    return look


def test_a_call_is_repeated_after_the_returned_delay() -> None:
    ended = threading.Event()

    component = repeat(results([0, 0.001, 600], ended), ended)

    assert component.is_stopping


def test_it_can_be_stopped_before_the_first_call() -> None:
    component = Repeating("looks", lambda: pytest.fail("called"), Health(), first_secs=600)

    component.start()
    component.stop()
    component.join(DEADLINE_SECS)

    assert component.is_stopping


def test_an_unexpected_error_of_a_call_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    ended = threading.Event()

    with caplog.at_level(logging.ERROR, logger="app"):
        repeat(results([ZeroDivisionError("a mistake of ours")], ended), ended)

    assert caplog.messages == ["looks failed unexpectedly; it goes on"]


def test_a_call_that_hangs_does_not_keep_the_service_from_ending() -> None:
    hangs, goes_on = threading.Event(), threading.Event()

    def look() -> float:
        hangs.set()
        goes_on.wait(DEADLINE_SECS)
        return 600

    started_at = time.monotonic()
    repeat(look, hangs)
    goes_on.set()

    assert time.monotonic() - started_at < DEADLINE_SECS / 2
