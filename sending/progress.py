"""Shows the progress while records are being sent."""

import time
from collections.abc import Callable
from typing import TextIO

from sending.console import say
from sending.tally import Tally

_REPORT_SECS = 5.0


class Progress:
    """Shows the progress: a bar on a terminal, elsewhere a line every few seconds."""

    def __init__(
        self,
        tally: Tally,
        out: TextIO,
        *,
        is_wanted: bool = True,
        max_count: int,
        expected_bytes: Callable[[], float] = lambda: 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tally = tally
        self._out = out
        self._is_wanted = is_wanted
        self._is_terminal = out.isatty()
        self._max_count = max_count
        self._expected_bytes = expected_bytes
        self._clock = clock
        self._shown_at = clock()
        self._width = 0

    def show(self) -> None:
        """Update the display; on a terminal at every call, elsewhere every `_REPORT_SECS`."""
        if not self._is_wanted:
            return
        if self._is_terminal:
            self._redraw(self._text())
        elif self._clock() - self._shown_at >= _REPORT_SECS:
            self._shown_at = self._clock()
            say(self._text() + "\n", self._out)

    def clear(self) -> None:
        """Clear the line for other output."""
        if self._width:
            self._redraw("")
            say("\r", self._out)

    def _redraw(self, text: str) -> None:
        say("\r" + text.ljust(self._width), self._out)
        self._width = len(text)

    def _text(self) -> str:
        tally = self._tally
        if not tally.sent:
            return "waiting for Kafka or for input"
        parts = [f"{tally.acknowledged:,} acknowledged", f"{tally.records_per_second:,.0f}/s"]
        if tally.in_flight:
            parts.append(f"{tally.in_flight:,} in flight")
        if tally.failed:
            parts.append(f"{tally.failed:,} failed")
        return self._bar() + ", ".join(parts)

    def _bar(self) -> str:
        expected_bytes = self._expected_bytes()
        if not self._max_count and not expected_bytes:
            return ""
        by_count = self._tally.sent / self._max_count if self._max_count else 0.0
        by_bytes = self._tally.read_bytes / expected_bytes if expected_bytes else 0.0
        done = min(1.0, max(by_count, by_bytes))
        return f"[{'#' * int(done * 24):<24}] {done:4.0%}  " if self._is_terminal else f"{done:.0%}: "
