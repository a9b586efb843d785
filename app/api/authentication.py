"""Who sends a request, and whether they may do what the endpoint does."""

from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol

from app.api.request_head import RequestHead
from app.query.scope import EVERYTHING, Scope


class Right(Enum):
    """What an endpoint requires of its caller."""

    NONE = "none"
    """Nothing: probes, files of pages, a login."""
    READ = "read"
    INGEST = "ingest"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who sends a request, and which logs they may see. Handlers get it with the request."""

    name: str
    scope: Scope = EVERYTHING


ANONYMOUS: Final = Principal("anonymous")


class Authenticator(Protocol):
    """Turns what a request carries (a token, a cookie) into a principal. Shared by threads."""

    def authenticate(self, head: RequestHead, right: Right) -> Principal:
        """The principal, who has this right. Called before the parameters and the body are read.

        Raises:
            werkzeug.exceptions.Unauthorized: the request carries nothing that is valid.
            werkzeug.exceptions.Forbidden: the principal does not have the right.
        """


class NoAuthentication:
    """Lets everybody do everything, without a name."""

    def authenticate(self, head: RequestHead, right: Right) -> Principal:
        """The anonymous principal."""
        return ANONYMOUS
