"""Why an ID token or a sign-in does not count."""

from app.errors import TryAgainLater


class IdTokenRefused(Exception):
    """The ID token proves nothing. The message is for its sender, and holds nothing of it but names."""


class SignInRefused(Exception):
    """Nobody has signed in. The message is for the person who tried."""


class IssuerUnavailable(TryAgainLater):
    """Whether an ID token counts cannot be told, since its issuer's keys cannot be had now. It may count later."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, code="unreachable")
