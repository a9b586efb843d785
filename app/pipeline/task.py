"""Runs steps that wait on a thread that must not block: a generator yields a call or a pause, and resumes after it.

So a protocol reads from top to bottom, the loop keeps polling meanwhile, and a test decides when each thing happens.
"""

from collections.abc import Callable, Generator
from concurrent.futures import Future
from typing import Any, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

from app.errors import Abandoned

_Result = TypeVar("_Result")


class Call(NamedTuple):
    """Wait for this call, made on another thread; the `yield` returns its result or raises its error.

    `note` is called with the outcome, also when the task was abandoned meanwhile and does not resume.
    """

    make: Callable[[], Any]
    note: Callable[["Future[Any]"], None] = lambda _outcome: None


class Pause(NamedTuple):
    """Wait for `secs` seconds."""

    secs: float


Steps: TypeAlias = Generator[Call | Pause, Any, _Result]


class Submit(Protocol):
    """Runs a call on another thread."""

    def __call__(self, call: Callable[[], _Result], /) -> "Future[_Result]": ...


class Task(Generic[_Result]):
    """One run of a generator of steps. Belongs to one thread, which calls `turn`; only its calls run elsewhere."""

    def __init__(self, steps: Steps[_Result], submit: Submit, clock: Callable[[], float]) -> None:
        self._steps = steps
        self._submit = submit
        self._clock = clock
        self._call: Future[Any] | None = None
        self._note: Callable[[Future[Any]], None] = lambda _outcome: None
        self._resume_at = clock()
        self._is_abandoned = False
        self._outcome: Future[_Result] = Future()

    def turn(self) -> bool:
        """Run as far as possible without waiting. Returns whether the task has ended."""
        while not self._outcome.done() and self._is_due():
            call, self._call = self._call, None
            self._resume(call)
        return self._outcome.done()

    def result(self) -> _Result:
        """The generator's result; raises its error, or Abandoned. Call it only when the task has ended."""
        if self._is_abandoned:
            raise Abandoned
        return self._outcome.result(timeout=0)

    def wait(self, timeout_secs: float, sleep: Callable[[float], None]) -> None:
        """Wait until a turn can do something, but no longer than `timeout_secs`."""
        if self._call is not None:
            wait_for(self._call, timeout_secs)
        elif not self._outcome.done():
            sleep(max(0.0, min(self._resume_at - self._clock(), timeout_secs)))

    def abandon(self) -> None:
        """Run no further steps. The task ends at once, or when the call in progress ends."""
        self._is_abandoned = True
        if self._call is None and not self._outcome.done():
            self._end_abandoned()

    def _is_due(self) -> bool:
        return self._call.done() if self._call is not None else self._clock() >= self._resume_at

    def _resume(self, call: "Future[Any] | None") -> None:
        if call is not None:
            self._note(call)
        if self._is_abandoned:
            self._end_abandoned()
            return
        error = call.exception() if call is not None else None
        try:
            if error is not None:
                wanted = self._steps.throw(error)
            else:
                wanted = self._steps.send(call.result() if call is not None else None)
        except StopIteration as end:
            self._outcome.set_result(end.value)
        except Exception as failure:
            self._outcome.set_exception(failure)
        else:
            self._take(wanted)

    def _take(self, wanted: Call | Pause) -> None:
        if isinstance(wanted, Call):
            self._call, self._note = self._submit(wanted.make), wanted.note
        else:
            self._resume_at = self._clock() + wanted.secs

    def _end_abandoned(self) -> None:
        self._steps.close()
        self._outcome.cancel()


def wait_for(future: "Future[Any]", timeout_secs: float) -> bool:
    """Wait for a call to end. Returns whether it ended within `timeout_secs`."""
    try:
        future.exception(timeout=max(0.0, timeout_secs))
    except TimeoutError:
        return False
    return True
