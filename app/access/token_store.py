"""The tokens in force: those of a text, or of a file that is read again when it has changed."""

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Final, Protocol

from app.access.token_lines import BadTokens, read_tokens
from app.access.tokens import Token, Tokens

_CHECK_EVERY_SECS: Final = 1.0


class TokenText(Protocol):
    """Where the text of tokens is kept. Both raise OSError, or ValueError where it is not text."""

    def version(self) -> object:
        """Equal for as long as the text is the same."""

    def read(self) -> str:
        """The text."""


class TokenEvents(Protocol):
    """What happens to the tokens."""

    def replaced(self, tokens: Tokens) -> None:
        """These are in force from now on."""

    def broken(self, reason: str) -> None:
        """The text has changed and cannot be used; the tokens from before stay in force."""


class TokenStore:
    """The tokens of a text that may change. Shared by threads."""

    def __init__(
        self,
        text: TokenText,
        events: TokenEvents,
        *,
        clock: Callable[[], float],
        now: Callable[[], datetime],
    ) -> None:
        """Read the text.

        Raises:
            BadTokens, OSError, ValueError: it cannot be used.
        """
        self._text = text
        self._events = events
        self._clock = clock
        self._now = now
        self._lock = threading.Lock()
        self._version = text.version()  # before the text is read: a change in between is then seen
        self._tokens = read_tokens(text.read())
        self._checked_at = clock()
        self._is_broken = False

    def of_secret(self, secret: str) -> Token | None:
        """See `Tokens.of_secret`."""
        return self._current().of_secret(secret, self._now())

    def named(self, name: str) -> Token | None:
        """See `Tokens.named`."""
        return self._current().named(name, self._now())

    def _current(self) -> Tokens:
        """The tokens in force. One thread looks for changes, the others go on with what there is."""
        if self._clock() - self._checked_at >= _CHECK_EVERY_SECS and self._lock.acquire(blocking=False):
            try:
                self._refresh()
                self._checked_at = self._clock()
            finally:
                self._lock.release()
        return self._tokens

    def _refresh(self) -> None:
        try:
            version = self._text.version()
            if version == self._version and not self._is_broken:
                return
            self._tokens = read_tokens(self._text.read())
        except (BadTokens, OSError, ValueError) as error:
            self._is_broken = True  # tried again, whatever its version: a file may have been half written
            self._events.broken(str(error))
        else:
            self._version, self._is_broken = version, False
            self._events.replaced(self._tokens)
