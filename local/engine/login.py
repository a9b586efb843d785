"""The login of the engine: everybody, or one user with a password."""

from __future__ import annotations

import base64
import contextlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message

from local.engine.errors import AUTHENTICATION_FAILED, EngineError


@dataclass(frozen=True)
class Login:
    """The only user; without a name everybody may log in."""

    user: str = ""
    password: str = field(default="", repr=False)

    def require(self, headers: Message, url: Mapping[str, str]) -> None:
        """Check the credentials of a request.

        Raises:
            EngineError: name or password is wrong or missing.
        """
        user, password = _credentials(headers, url)
        given, wanted = f"{user}\0{password}".encode(), f"{self.user}\0{self.password}".encode()
        if self.user and not hmac.compare_digest(given, wanted):
            raise EngineError.refused(
                AUTHENTICATION_FAILED,
                f"{user}: Authentication failed: password is incorrect, or there is no user with such name.",
                "AUTHENTICATION_FAILED",
            )


def _credentials(headers: Message, url: Mapping[str, str]) -> tuple[str, str]:
    if "X-ClickHouse-User" in headers:
        return headers["X-ClickHouse-User"], headers.get("X-ClickHouse-Key", "")
    scheme, _, encoded = headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        with contextlib.suppress(ValueError):  # not base64 or not UTF-8: nobody's credentials
            user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
            return user, password
    return url.get("user", "default"), url.get("password", "")
