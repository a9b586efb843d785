"""Tokens: secrets that give a principal rights, held as hashes.

A secret is made here and nowhere else, of 256 random bits. A password needs a slow, salted hash because it can be
guessed; 2^256 secrets cannot, so one round of SHA-256 is enough, and every request can afford it.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from msgspec import Struct

from app.access.principal import Principal, Right
from app.query.scope import EVERYTHING, Scope

_PREFIX: Final = "lat_"  # so that scanners for leaked secrets can find it
_RANDOM_BYTES: Final = 32
_SECRET: Final = re.compile(_PREFIX + r"[\w-]{43}", re.ASCII)


def new_secret() -> str:
    """A new secret, for the owner of a token only."""
    return _PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)


def digest_of(secret: str) -> bytes:
    """The hash under which a secret is kept."""
    return hashlib.sha256(secret.encode()).digest()


class Token(Struct, frozen=True):
    """A token without its secret.

    `expires` has a zone. `only` is the query whose logs are the scope, "" for all of them.
    """

    name: str
    rights: tuple[Right, ...]
    digest: bytes
    expires: datetime | None = None
    only: str = ""
    scope: Scope = EVERYTHING

    def is_expired(self, now: datetime) -> bool:
        """Whether it no longer gives any right."""
        return self.expires is not None and self.expires <= now

    @property
    def principal(self) -> Principal:
        """The sender that it stands for."""
        return Principal(self.name, self.rights, self.scope)


class Tokens:
    """Some tokens. Immutable, so threads may share it."""

    def __init__(self, tokens: Iterable[Token]) -> None:
        self.tokens = tuple(tokens)

    def of_secret(self, secret: str, now: datetime) -> Token | None:
        """The token with this secret; None if there is none, or it has expired.

        All tokens are compared, in constant time, so that the time it takes says nothing about them.
        """
        if _SECRET.fullmatch(secret) is None:  # known without a secret
            return None
        digest, found = digest_of(secret), None
        for token in self.tokens:
            if hmac.compare_digest(token.digest, digest):
                found = token
        return None if found is None or found.is_expired(now) else found

    def named(self, name: str, now: datetime) -> Token | None:
        """The token with this name; None if there is none, or it has expired."""
        found = next((token for token in self.tokens if token.name == name), None)
        return None if found is None or found.is_expired(now) else found
