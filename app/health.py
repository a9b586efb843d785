"""What the service says of itself when asked: alive, ready, and why not."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

LIVE_WITHIN_SECS: Final = 60.0  # several times the longest single call that the loop makes


class Health:
    """State of the parts, told by whoever knows and read by the HTTP side. Safe to share between threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._turned_at = clock()
        self._problems: dict[str, str] = {"kafka": "not reached yet", "clickhouse": "not reached yet"}
        self._figures: dict[str, object] = {}

    def turned(self) -> None:
        """The ingest loop has turned: it is neither dead nor stuck."""
        self._turned_at = self._clock()

    def report(self, part: str, problem: str | None) -> bool:
        """Say that a part has a problem, or none. Returns whether that is news."""
        with self._lock:
            if self._problems.get(part) == problem:
                return False
            if problem is None:
                return self._problems.pop(part, None) is not None
            self._problems[part] = problem
            return True

    def note(self, **figures: object) -> None:
        """Details for /health: current offsets, batches, and the like."""
        with self._lock:
            self._figures.update(figures)

    def is_live(self) -> bool:
        """Whether the loop turned lately. Not about Kafka or ClickHouse: a restart would not bring them back."""
        return self._clock() - self._turned_at < LIVE_WITHIN_SECS

    def problems(self) -> Mapping[str, str]:
        """Why the service is not ready, by part; empty when it is."""
        with self._lock:
            return dict(self._problems)

    def figures(self) -> Mapping[str, object]:
        """Details, as last noted."""
        with self._lock:
            return {**self._figures, "seconds_since_loop_turned": round(self._clock() - self._turned_at, 3)}
