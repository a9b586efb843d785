"""Whether anybody still waits for the result of a request."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from app.errors import Abandoned, QueryTooExpensive, Refused, TryAgainLater

_ATTEMPTS: Final = 3
_AGAIN_SECS: Final = 0.25


class Cancellation:
    """Ends the statements of one request, which runs one at a time. Cancelled from another thread, or never."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._is_cancelled = False
        self._end: Callable[[], bool] | None = None

    def cancel(self) -> None:
        """Let no further statement begin, and end the one that is running.

        This is requested a few times if the statement goes on: the first request may overtake the statement itself.
        """
        with self._changed:
            self._is_cancelled = True
        for _ in range(_ATTEMPTS):
            end = self._end
            if end is None or not end():
                return
            with self._changed:
                self._changed.wait_for(lambda: self._end is None, _AGAIN_SECS)

    @contextmanager
    def running(self, end: Callable[[], bool]) -> Iterator[None]:
        """Run a statement inside; `end` requests its end from another thread, and returns whether it could.

        Raises:
            Abandoned: the request was cancelled before, or meanwhile and the statement failed.
        """
        with self._changed:
            if self._is_cancelled:
                raise Abandoned
            self._end = end
        try:
            yield
        except (QueryTooExpensive, Refused, TryAgainLater) as error:
            if self._is_cancelled:
                raise Abandoned from error
            raise
        finally:
            with self._changed:
                self._end = None
                self._changed.notify_all()
