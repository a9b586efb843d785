"""Running what waits: what is waited for, what comes back, and how it ends."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest

from app.errors import Abandoned
from app.pipeline.task import Call, Pause, Steps, Task, wait_for
from tests.fakes import Clock, OtherThread


class Setup:
    """A clock, another thread, and what a process did so far."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.thread = OtherThread(self.clock)
        self.done: list[Any] = []

    def process(self, steps: Steps[Any]) -> Task[Any]:
        return Task(steps, self.thread.submit, self.clock)

    def note(self, outcome: Future[Any]) -> None:
        self.done.append(outcome.exception() or outcome.result())

    def ask(self, *calls: Callable[[], Any]) -> Steps[list[Any]]:
        """Make calls one after another and return what came back, errors among it."""
        answers: list[Any] = []
        for call in calls:
            try:
                answers.append((yield Call(call, self.note)))
            except ArithmeticError as error:
                answers.append(error)
        return answers

    def tick(self, *pauses: float) -> Steps[None]:
        """Pause some times, and say when each pause is over."""
        try:
            for secs in pauses:
                yield Pause(secs)
                self.done.append(self.clock.now)
        finally:
            self.done.append("closed")


@pytest.fixture
def setup() -> Setup:
    return Setup()


def divide_by_zero() -> float:
    return 1 / 0


def test_nothing_is_done_before_the_first_turn(setup: Setup) -> None:
    setup.process(setup.ask(lambda: 1))

    assert not setup.thread.is_busy


def test_a_call_is_made_on_the_other_thread_and_its_result_comes_back(setup: Setup) -> None:
    process = setup.process(setup.ask(lambda: "one", lambda: "two"))

    assert not process.turn()
    setup.thread.run()
    assert not process.turn()
    setup.thread.run()
    assert process.turn()

    assert process.result() == ["one", "two"]


def test_a_turn_does_not_wait_for_a_call(setup: Setup) -> None:
    process = setup.process(setup.ask(lambda: "one"))

    for _ in range(3):
        assert not process.turn()

    assert setup.thread.is_busy


def test_the_error_of_a_call_comes_back_as_an_error(setup: Setup) -> None:
    process = setup.process(setup.ask(divide_by_zero, lambda: "two"))
    while not process.turn():
        setup.thread.run()

    [error, two] = process.result()

    assert isinstance(error, ZeroDivisionError)
    assert two == "two"


def test_a_pause_ends_when_its_time_is_over(setup: Setup) -> None:
    started_at = setup.clock.now
    process = setup.process(setup.tick(2.0, 3.0))

    for _ in range(12):
        process.turn()
        setup.clock.turn(0.5)

    assert setup.done == [started_at + 2.0, started_at + 5.0, "closed"]


def test_pauses_of_no_time_take_one_turn(setup: Setup) -> None:
    assert setup.process(setup.tick(0.0, 0.0, 0.0)).turn()


def test_what_it_raises_is_raised_by_its_result(setup: Setup) -> None:
    def fail() -> Steps[None]:
        yield Pause(0.0)
        divide_by_zero()

    process = setup.process(fail())

    assert process.turn()
    with pytest.raises(ZeroDivisionError):
        process.result()


def test_a_process_that_has_ended_may_be_turned_again(setup: Setup) -> None:
    process = setup.process(setup.tick())
    process.turn()

    assert process.turn()
    assert setup.done == ["closed"]


# The note of a call.


def test_a_note_is_told_how_a_call_ended(setup: Setup) -> None:
    process = setup.process(setup.ask(lambda: "one", divide_by_zero))
    while not process.turn():
        setup.thread.run()

    [one, error] = setup.done
    assert one == "one"
    assert isinstance(error, ZeroDivisionError)


def test_a_note_is_told_in_a_turn_and_not_by_the_other_thread(setup: Setup) -> None:
    process = setup.process(setup.ask(lambda: "one"))
    process.turn()

    setup.thread.run()
    assert setup.done == []

    process.turn()
    assert setup.done == ["one"]


# Abandoning.


def test_a_process_that_pauses_ends_at_once_when_it_is_abandoned(setup: Setup) -> None:
    process = setup.process(setup.tick(5.0))
    process.turn()

    process.abandon()

    assert setup.done == ["closed"]
    assert process.turn()
    with pytest.raises(Abandoned):
        process.result()


def test_a_process_that_was_never_turned_does_nothing_when_it_is_abandoned(setup: Setup) -> None:
    process = setup.process(setup.ask(lambda: "one"))

    process.abandon()

    assert process.turn()
    assert not setup.thread.is_busy
    with pytest.raises(Abandoned):
        process.result()


def test_a_call_that_is_being_made_is_waited_for_and_noted_and_nothing_follows(setup: Setup) -> None:
    process = setup.process(setup.ask(lambda: "one", lambda: "two"))
    process.turn()

    process.abandon()
    assert not process.turn()
    setup.thread.run()
    assert process.turn()

    assert setup.done == ["one"]
    assert not setup.thread.is_busy
    with pytest.raises(Abandoned):
        process.result()


def test_the_end_of_a_process_that_is_abandoned_later_is_not_told_any_more(setup: Setup) -> None:
    process = setup.process(setup.tick())
    process.turn()

    process.abandon()

    with pytest.raises(Abandoned):
        process.result()


# Waiting.


def test_a_call_is_waited_for(setup: Setup) -> None:
    process = setup.process(setup.ask(lambda: "one"))
    process.turn()

    process.wait(5.0, setup.clock.turn)

    assert process.turn()
    assert setup.clock.now == Clock().now


def test_a_call_is_waited_for_no_longer_than_asked(setup: Setup) -> None:
    setup.thread.runs_when_waited_for = False
    process = setup.process(setup.ask(lambda: "one"))
    process.turn()

    process.wait(5.0, setup.clock.turn)

    assert not process.turn()
    assert setup.clock.now == Clock().now + 5.0


@pytest.mark.parametrize(("timeout_secs", "waited_secs"), [(5.0, 2.0), (1.0, 1.0)])
def test_a_pause_is_waited_for_no_longer_than_it_takes_or_than_asked(
    setup: Setup, timeout_secs: float, waited_secs: float
) -> None:
    process = setup.process(setup.tick(2.0))
    process.turn()

    process.wait(timeout_secs, setup.clock.turn)

    assert setup.clock.now == Clock().now + waited_secs


def test_nobody_waits_for_what_has_ended(setup: Setup) -> None:
    process = setup.process(setup.tick())
    process.turn()

    process.wait(5.0, setup.clock.turn)

    assert setup.clock.now == Clock().now


def test_waiting_for_a_call_says_whether_it_ended_well_or_not() -> None:
    ended: Future[None] = Future()
    ended.set_exception(ZeroDivisionError())

    assert wait_for(ended, 0.0)
    assert not wait_for(Future(), 0.0)
