"""Running tasks: waiting, results, and completion."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest

from app.errors import Abandoned
from app.pipeline.task import Call, Pause, Steps, Task, wait_for
from tests.fakes import Clock, OtherThread


class Setup:
    """A clock, another thread, and the recorded steps of a task."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.thread = OtherThread(self.clock)
        self.done: list[Any] = []

    def task(self, steps: Steps[Any]) -> Task[Any]:
        return Task(steps, self.thread.submit, self.clock)

    def note(self, outcome: Future[Any]) -> None:
        self.done.append(outcome.exception() or outcome.result())

    def call_each(self, *calls: Callable[[], Any]) -> Steps[list[Any]]:
        """Make calls one after another and return their results or errors."""
        answers: list[Any] = []
        for call in calls:
            try:
                answers.append((yield Call(call, self.note)))
            except ArithmeticError as error:
                answers.append(error)
        return answers

    def tick(self, *pauses: float) -> Steps[None]:
        """Pause several times, and record the end of each pause."""
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
    setup.task(setup.call_each(lambda: 1))

    assert not setup.thread.is_busy


def test_a_call_is_made_on_the_other_thread_and_its_result_comes_back(setup: Setup) -> None:
    task = setup.task(setup.call_each(lambda: "one", lambda: "two"))

    assert not task.turn()
    setup.thread.run()
    assert not task.turn()
    setup.thread.run()
    assert task.turn()

    assert task.result() == ["one", "two"]


def test_a_turn_does_not_wait_for_a_call(setup: Setup) -> None:
    task = setup.task(setup.call_each(lambda: "one"))

    for _ in range(3):
        assert not task.turn()

    assert setup.thread.is_busy


def test_the_error_of_a_call_comes_back_as_an_error(setup: Setup) -> None:
    task = setup.task(setup.call_each(divide_by_zero, lambda: "two"))
    while not task.turn():
        setup.thread.run()

    [error, two] = task.result()

    assert isinstance(error, ZeroDivisionError)
    assert two == "two"


def test_a_pause_ends_when_its_time_is_over(setup: Setup) -> None:
    started_at = setup.clock.now
    task = setup.task(setup.tick(2.0, 3.0))

    for _ in range(12):
        task.turn()
        setup.clock.advance(0.5)

    assert setup.done == [started_at + 2.0, started_at + 5.0, "closed"]


def test_pauses_of_no_time_take_one_turn(setup: Setup) -> None:
    assert setup.task(setup.tick(0.0, 0.0, 0.0)).turn()


def test_an_exception_of_a_task_is_raised_by_its_result(setup: Setup) -> None:
    def fail() -> Steps[None]:
        yield Pause(0.0)
        divide_by_zero()

    task = setup.task(fail())

    assert task.turn()
    with pytest.raises(ZeroDivisionError):
        task.result()


def test_a_finished_task_may_be_turned_again(setup: Setup) -> None:
    task = setup.task(setup.tick())
    task.turn()

    assert task.turn()
    assert setup.done == ["closed"]


# The note of a call.


def test_a_note_gets_the_outcome_of_a_call(setup: Setup) -> None:
    task = setup.task(setup.call_each(lambda: "one", divide_by_zero))
    while not task.turn():
        setup.thread.run()

    [one, error] = setup.done
    assert one == "one"
    assert isinstance(error, ZeroDivisionError)


def test_a_note_is_called_in_a_turn_and_not_by_the_other_thread(setup: Setup) -> None:
    task = setup.task(setup.call_each(lambda: "one"))
    task.turn()

    setup.thread.run()
    assert setup.done == []

    task.turn()
    assert setup.done == ["one"]


# Abandoning.


def test_a_pausing_task_ends_at_once_when_it_is_abandoned(setup: Setup) -> None:
    task = setup.task(setup.tick(5.0))
    task.turn()

    task.abandon()

    assert setup.done == ["closed"]
    assert task.turn()
    with pytest.raises(Abandoned):
        task.result()


def test_a_task_that_was_never_turned_does_nothing_when_it_is_abandoned(setup: Setup) -> None:
    task = setup.task(setup.call_each(lambda: "one"))

    task.abandon()

    assert task.turn()
    assert not setup.thread.is_busy
    with pytest.raises(Abandoned):
        task.result()


def test_a_call_that_is_being_made_is_waited_for_and_noted_and_nothing_follows(setup: Setup) -> None:
    task = setup.task(setup.call_each(lambda: "one", lambda: "two"))
    task.turn()

    task.abandon()
    assert not task.turn()
    setup.thread.run()
    assert task.turn()

    assert setup.done == ["one"]
    assert not setup.thread.is_busy
    with pytest.raises(Abandoned):
        task.result()


def test_the_end_of_a_task_that_is_abandoned_later_is_not_reported(setup: Setup) -> None:
    task = setup.task(setup.tick())
    task.turn()

    task.abandon()

    with pytest.raises(Abandoned):
        task.result()


# Waiting.


def test_a_call_is_waited_for(setup: Setup) -> None:
    task = setup.task(setup.call_each(lambda: "one"))
    task.turn()

    task.wait(5.0, setup.clock.advance)

    assert task.turn()
    assert setup.clock.now == Clock().now


def test_a_call_is_waited_for_no_longer_than_the_timeout(setup: Setup) -> None:
    setup.thread.runs_when_waited_for = False
    task = setup.task(setup.call_each(lambda: "one"))
    task.turn()

    task.wait(5.0, setup.clock.advance)

    assert not task.turn()
    assert setup.clock.now == Clock().now + 5.0


@pytest.mark.parametrize(("timeout_secs", "waited_secs"), [(5.0, 2.0), (1.0, 1.0)])
def test_a_pause_is_waited_for_no_longer_than_its_duration_or_the_timeout(
    setup: Setup, timeout_secs: float, waited_secs: float
) -> None:
    task = setup.task(setup.tick(2.0))
    task.turn()

    task.wait(timeout_secs, setup.clock.advance)

    assert setup.clock.now == Clock().now + waited_secs


def test_a_finished_task_is_not_waited_for(setup: Setup) -> None:
    task = setup.task(setup.tick())
    task.turn()

    task.wait(5.0, setup.clock.advance)

    assert setup.clock.now == Clock().now


def test_waiting_for_a_call_ends_on_success_and_on_failure() -> None:
    ended: Future[None] = Future()
    ended.set_exception(ZeroDivisionError())

    assert wait_for(ended, 0.0)
    assert not wait_for(Future(), 0.0)
