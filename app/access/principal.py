"""The sender of a request: its name, its rights, and the logs that it may see."""

from collections.abc import Collection
from enum import Enum
from typing import Final

from msgspec import Struct

from app.query.scope import EVERYTHING, Scope


class Right(Enum):
    """The right that an endpoint requires of its caller. None of them includes another."""

    NONE = "none"
    """No right is required: health probes, static files, a login."""
    READ = "read"
    INGEST = "ingest"
    ADMIN = "admin"


GRANTED: Final = (Right.READ, Right.INGEST, Right.ADMIN)
"""The rights that can be given, in the order in which they are written."""


class Principal(Struct, frozen=True):
    """The sender of a request. The name is for logs; `scope` is the logs that a principal with READ may see."""

    name: str
    rights: Collection[Right] = ()
    scope: Scope = EVERYTHING

    def may(self, right: Right) -> bool:
        """Whether this right is given, or none is required."""
        return right is Right.NONE or right in self.rights

    @property
    def sees_everything(self) -> bool:
        """Whether no log is hidden from this principal."""
        return self.may(Right.READ) and self.scope.is_everything


ANONYMOUS: Final = Principal("anonymous", GRANTED)
"""Every sender where authentication is off."""

UNKNOWN: Final = Principal("anonymous")
"""A sender without credentials, where others have them."""
