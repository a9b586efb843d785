"""The health of each component: live, ready, and why not; and the health of all of them together."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, Protocol

LIVE_WITHIN_SECS: Final = 60.0  # several times the longest single call that the loop makes

_AT_ONCE: Final = float("-inf")


class HealthReport(Protocol):
    """The contents of /live, /ready and /health."""

    def is_live(self) -> bool:
        """Whether a restart is not needed."""

    def problems(self) -> Mapping[str, str]:
        """The problems that keep it from being ready, by part; empty when it is ready."""

    def warnings(self) -> Mapping[str, str]:
        """Problems that need attention but do not keep it from being ready, by part."""

    def details(self) -> Mapping[str, object]:
        """Details for people."""


class _Problem(NamedTuple):
    """A problem, and the time from which it counts."""

    due_at: float
    text: str


class Health:
    """State of one component, reported by its telemetry and read by the HTTP side. Safe to share between threads."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        *,
        problems: Mapping[str, str] | None = None,
        has_loop: bool = False,
    ) -> None:
        """`problems` are those at the start. A component that `has_loop` is alive only while that loop turns."""
        self._clock = clock
        self._lock = threading.Lock()
        self._has_loop = has_loop
        self._turned_at = clock()
        self._problems = {part: _Problem(_AT_ONCE, text) for part, text in (problems or {}).items()}
        self._warnings: dict[str, str] = {}
        self._details: dict[str, object] = {}

    def turned(self) -> None:
        """The component's loop has turned: it is neither dead nor stuck."""
        self._turned_at = self._clock()

    def report(self, part: str, problem: str | None) -> bool:
        """Set or clear (None) the problem of a part. Returns whether that changed it."""
        with self._lock:
            is_news = self._current().get(part) != problem
            if problem is None:
                self._problems.pop(part, None)
            else:
                self._problems[part] = _Problem(_AT_ONCE, problem)
            return is_news

    def expect(self, part: str, within_secs: float, otherwise: str) -> None:
        """Clear the problem of a part; `otherwise` becomes its problem if nothing is reported within `within_secs`."""
        with self._lock:
            self._problems[part] = _Problem(self._clock() + within_secs, otherwise)

    def warn(self, part: str, warning: str | None) -> bool:
        """Set or clear (None) the warning of a part. Returns whether that changed it."""
        with self._lock:
            is_news = self._warnings.get(part) != warning
            if warning is None:
                self._warnings.pop(part, None)
            else:
                self._warnings[part] = warning
            return is_news

    def note(self, **details: object) -> None:
        """Details for /health: current offsets, lag, and the like; None for what is not known."""
        with self._lock:
            self._details.update(details)

    def is_live(self) -> bool:
        """Whether the loop turned recently. Ignores Kafka and ClickHouse: a restart would not bring them back."""
        return not self._has_loop or self._clock() - self._turned_at < LIVE_WITHIN_SECS

    def problems(self) -> Mapping[str, str]:
        """See `HealthReport`."""
        with self._lock:
            return self._current()

    def warnings(self) -> Mapping[str, str]:
        """See `HealthReport`."""
        with self._lock:
            return dict(self._warnings)

    def details(self) -> Mapping[str, object]:
        """Details, as last noted."""
        with self._lock:
            loop = {"seconds_since_loop_turned": round(self._clock() - self._turned_at, 3)} if self._has_loop else {}
            return {**self._details, **loop}

    def _current(self) -> dict[str, str]:
        now = self._clock()
        return {part: problem.text for part, problem in self._problems.items() if problem.due_at <= now}


class ServiceHealth:
    """All components of an instance as one: alive if all are, ready if none has a problem."""

    def __init__(self, components: Mapping[str, Health]) -> None:
        """The health of each component that runs, by its name; each part belongs to one of them."""
        self._components = components

    def is_live(self) -> bool:
        """See `HealthReport`."""
        return all(health.is_live() for health in self._components.values())

    def problems(self) -> Mapping[str, str]:
        """See `HealthReport`."""
        return {part: text for health in self._components.values() for part, text in health.problems().items()}

    def warnings(self) -> Mapping[str, str]:
        """See `HealthReport`."""
        return {part: text for health in self._components.values() for part, text in health.warnings().items()}

    def details(self) -> Mapping[str, object]:
        """The details of each component, by its name."""
        return {"components": {name: health.details() for name, health in self._components.items()}}
