"""Streams end when their credentials do: a token may be revoked, or expire, while its stream goes on."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from app.http.broken_off import BrokenOff

_EVERY_SECS: Final = 5.0


class CredentialCheck:
    """Checks the credentials of one stream again, every five seconds at most. `clock` returns seconds."""

    def __init__(self, is_still_allowed: Callable[[], bool], clock: Callable[[], float]) -> None:
        self._is_still_allowed = is_still_allowed
        self._clock = clock
        self._checked_at = clock()

    def fails(self) -> bool:
        """Whether the credentials are no longer accepted, or have other rights or limits by now."""
        if self._clock() - self._checked_at < _EVERY_SECS:
            return False
        self._checked_at = self._clock()
        return not self._is_still_allowed()

    def until_failure(self, pieces: Iterable[str]) -> Iterator[str]:
        """The pieces of a response that must come to its end.

        Raises:
            BrokenOff: the credentials fail; so what was sent does not seem complete.
        """
        for piece in pieces:
            if self.fails():
                raise BrokenOff("its credentials are no longer accepted")
            yield piece
