"""Authentication: identifies the sender of a request and checks the right that the endpoint requires."""

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Forbidden, Unauthorized

from app.access.errors import IdTokenRefused, IssuerUnavailable
from app.access.principal import ANONYMOUS, UNKNOWN, Principal, Right
from app.access.tokens import Token
from app.api.credentials import secrets_in
from app.api.request_head import RequestHead

Identify = Callable[[RequestHead], Principal | None]
"""The principal whose credentials a request has; None if it has none of this kind that are valid.

Raises IdTokenRefused with the reason where that helps the sender, and IssuerUnavailable.
"""

_REALM: Final = "log analytics"


class NotAllowed(Forbidden):
    """The principal does not have the right."""

    def __init__(self, principal: Principal, right: Right) -> None:
        super().__init__(f"{principal.name} may not do this: its token needs the scope {right.value}.")
        self.principal = principal


class Authenticator(Protocol):
    """Turns the credentials of a request (a token, a cookie) into a principal. Shared by threads."""

    def authenticate(self, head: RequestHead, right: Right) -> Principal:
        """The principal, who has this right. Called before the parameters and the body are read.

        Raises:
            werkzeug.exceptions.Unauthorized: the request has no valid credentials.
            NotAllowed: the principal does not have the right.
        """


class NoAuthentication:
    """Gives every caller all rights, as the anonymous principal."""

    def authenticate(self, head: RequestHead, right: Right) -> Principal:
        """The anonymous principal."""
        return ANONYMOUS


def client_of(principal: Principal, head: RequestHead) -> str:
    """Whose share of the slots a request takes: that of its principal, or of its address if it has no name."""
    return head.peer if principal.name == ANONYMOUS.name else f"principal {principal.name}"


class CredentialAuthenticator:
    """Requires credentials of one of several kinds."""

    def __init__(self, kinds: Sequence[Identify]) -> None:
        """The kinds are tried in this order."""
        self._kinds = kinds

    def authenticate(self, head: RequestHead, right: Right) -> Principal:
        """See `Authenticator`. Where no right is required, a sender without valid credentials passes too."""
        principal, failure = self._identified(head)
        if principal.may(right):
            return principal
        if isinstance(failure, IssuerUnavailable):
            raise failure
        if principal is UNKNOWN:
            raise Unauthorized(str(failure or _refusal(head)), www_authenticate=_challenges(head))
        raise NotAllowed(principal, right)

    def _identified(self, head: RequestHead) -> tuple[Principal, Exception | None]:
        """The principal, or the first failure of a kind that could have found it."""
        failure: Exception | None = None
        for identify in self._kinds:
            try:
                if principal := identify(head):
                    return principal, None
            except (IdTokenRefused, IssuerUnavailable) as error:
                failure = failure or error
        return UNKNOWN, failure


def by_token(token_of: Callable[[str], Token | None]) -> Identify:
    """Identifies by a token; `token_of` finds that of a secret."""

    def identify(head: RequestHead) -> Principal | None:
        tokens = (token_of(secret) for secret in secrets_in(head.headers))
        return next((token.principal for token in tokens if token), None)

    return identify


def _refusal(head: RequestHead) -> str:
    if any(secrets_in(head.headers)):
        return "The token is not valid: it is unknown, revoked or expired."
    return "This needs a token: send it as `Authorization: Bearer TOKEN`."


def _challenges(head: RequestHead) -> list[WWWAuthenticate]:
    # For basic, a browser would open a dialog of its own over the page that made the request.
    schemes = ("bearer",) if "Sec-Fetch-Mode" in head.headers else ("bearer", "basic")
    return [WWWAuthenticate(scheme, {"realm": _REALM}) for scheme in schemes]
