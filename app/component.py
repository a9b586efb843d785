"""A component: a part of the service that runs on its own threads, can be stopped, and reports its own health."""

import logging
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, Protocol

from app.health import Health

_log = logging.getLogger(__name__)

_AFTER_FAILURE_SECS: Final = 10.0
_JOIN_SECS: Final = 0.2


class CannotStart(Exception):
    """The component cannot start with these settings; the message says which one to change."""


class Component(Protocol):
    """A part of the service that runs beside the others."""

    @property
    def name(self) -> str:
        """The component's name in /health."""

    @property
    def health(self) -> Health:
        """The health that the component reports."""

    def start(self) -> None:
        """Start to work, on threads of its own.

        Raises:
            CannotStart: it did not start.
        """

    def stop(self) -> None:
        """Request it to end, and return at once. Thread-safe; may be called more than once."""

    def join(self, timeout_secs: float) -> None:
        """Wait until it has ended, but no longer than `timeout_secs`. Call it only after `start` and `stop`."""


def start_all(components: Sequence[Component]) -> None:
    """Start components in this order: those that others depend on come first.

    Raises:
        CannotStart: one of them cannot start; `stop` was called on those that had started.
    """
    for index, component in enumerate(components):
        try:
            component.start()
        except CannotStart:
            for started in reversed(components[:index]):
                started.stop()
            raise


def stop_all(
    components: Sequence[Component],
    timeout_secs: float,
    clock: Callable[[], float],
    begins: Callable[[str], None] = lambda _name: None,
) -> None:
    """Stop all in reverse order, and wait for them in the same order, no longer than `timeout_secs` in all.

    `begins` is called with the name of each before the wait for it.
    """
    deadline = clock() + timeout_secs
    for component in reversed(components):
        _or_log(component, component.stop)
    for component in reversed(components):
        begins(component.name)
        _or_log(component, partial(component.join, max(0.0, deadline - clock())))


def _or_log(component: Component, call: Callable[[], None]) -> None:
    """One that fails must not keep the others from their end."""
    try:
        call()
    except Exception:
        _log.exception("%s failed while it was stopped", component.name)


class Repeating:
    """A component that repeats a call on a thread of its own; the call changes nothing but the component's health."""

    def __init__(self, name: str, call: Callable[[], float], health: Health, *, first_secs: float = 0.0) -> None:
        """`call` returns how many seconds to wait for the next call; the first comes after `first_secs`."""
        self.name = name
        self.health = health
        self._call = call
        self._first_secs = first_secs
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def is_stopping(self) -> bool:
        """Whether `stop` was called."""
        return self._stop.is_set()

    def start(self) -> None:
        """See `Component`."""
        self._thread.start()

    def stop(self) -> None:
        """See `Component`. A call in progress continues."""
        self._stop.set()

    def join(self, timeout_secs: float) -> None:
        """See `Component`. Waits only briefly for a call in progress, which may be interrupted anywhere."""
        self._thread.join(min(timeout_secs, _JOIN_SECS))

    def _run(self) -> None:
        wait_secs = self._first_secs
        while not self._stop.wait(wait_secs):
            try:
                wait_secs = self._call()
            except Exception:
                _log.exception("%s failed unexpectedly; it goes on", self.name)
                wait_secs = _AFTER_FAILURE_SECS
