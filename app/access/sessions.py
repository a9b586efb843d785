"""Sessions of browsers: what a signed cookie says, so that the service need not remember who has signed in.

A session is a token that was typed once. Its right to anything is looked up for every request: it ends with its token.
"""

import hmac
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from app.access.signed_values import SignedValues
from app.access.tokens import Token

_PURPOSE: Final = "session"
_PROOF_DIGITS: Final = 32
"""Of the hash of a token: enough to tell it from a later one of the same name, and useless without the key."""


class Session(Struct, frozen=True):
    """Who has signed in, until when (seconds since 1970)."""

    token: Token
    expires_at: float


class Sessions:
    """Writes and reads the text of cookies.

    `token_named` returns the token in force with a name, `now` the seconds since 1970. Instances with the same `key`
    share their sessions.
    """

    def __init__(
        self, key: str, token_named: Callable[[str], Token | None], lifetime_secs: float, now: Callable[[], float]
    ) -> None:
        self._signed = SignedValues(key, _PURPOSE)
        self._token_named = token_named
        self._lifetime_secs = lifetime_secs
        self._now = now

    def begin(self, token: Token) -> Session:
        """A session with this token, which ends no later than the token."""
        ends_at = self._now() + self._lifetime_secs
        return Session(token, ends_at if token.expires is None else min(ends_at, token.expires.timestamp()))

    def written(self, session: Session) -> str:
        """The text of the cookie."""
        return self._signed.write(session.token.name, _proof_of(session.token), int(session.expires_at))

    def read(self, text: str) -> Session | None:
        """The session of a cookie; None if it has ended, or is none of ours."""
        match self._signed.read(text):
            case [str(name), str(proof), int(expires_at)]:
                pass
            case _:
                return None
        token = self._token_named(name) if self._now() < expires_at else None
        if token is None or not hmac.compare_digest(_proof_of(token), proof):
            return None
        return Session(token, expires_at)


def _proof_of(token: Token) -> str:
    return token.digest.hex()[:_PROOF_DIGITS]
