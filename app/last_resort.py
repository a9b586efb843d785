"""Ends the process if it has not ended by itself in time."""

import logging
import os
import threading
from collections.abc import Callable
from typing import Final

_log: Final = logging.getLogger(__name__)

EXIT_CODE: Final = 3
"""Not 0: the end was not in order. Not 1 or 2: the service had started."""


class LastResort:
    """A supervisor would kill the process a little later, and nobody would know what it had waited for."""

    def __init__(self, *, end: Callable[[int], object] = os._exit) -> None:
        """`end` ends the process at once, with an exit code."""
        self._end = end
        self._step = ""

    def arm(self, after_secs: float) -> None:
        """End the process after this time. Whatever the other threads wait for does not hold that up."""
        timer = threading.Timer(after_secs, self._end_now, [after_secs])
        timer.daemon = True
        timer.start()

    def begins(self, step: str) -> None:
        """What is waited for from now on."""
        self._step = step

    def _end_now(self, after_secs: float) -> None:
        _log.error(
            "The service has not ended within %g s: it waits for %r. It ends now with exit code %d."
            " Records that are not committed will be read again",
            after_secs,
            self._step,
            EXIT_CODE,
        )
        self._end(EXIT_CODE)
