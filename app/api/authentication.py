"""Authentication: identifies the sender of a request and checks the right that the endpoint requires."""

from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol

from app.api.request_head import RequestHead
from app.query.scope import EVERYTHING, Scope


class Right(Enum):
    """The right that an endpoint requires of its caller."""

    NONE = "none"
    """No right is required: health probes, static files, a login."""
    READ = "read"
    INGEST = "ingest"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Principal:
    """The sender of a request, and the logs that they may see. Handlers get it with the request."""

    name: str
    scope: Scope = EVERYTHING


ANONYMOUS: Final = Principal("anonymous")


class Authenticator(Protocol):
    """Turns the credentials of a request (a token, a cookie) into a principal. Shared by threads."""

    def authenticate(self, head: RequestHead, right: Right) -> Principal:
        """The principal, who has this right. Called before the parameters and the body are read.

        Raises:
            werkzeug.exceptions.Unauthorized: the request has no valid credentials.
            werkzeug.exceptions.Forbidden: the principal does not have the right.
        """


class NoAuthentication:
    """Gives every caller all rights, as the anonymous principal."""

    def authenticate(self, head: RequestHead, right: Right) -> Principal:
        """The anonymous principal."""
        return ANONYMOUS
