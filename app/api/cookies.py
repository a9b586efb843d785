"""The cookies that this service keeps in browsers (RFC 6265bis).

Scripts cannot read them. Where the browser speaks TLS, the prefix `__Host-` keeps other hosts of the domain from
setting them.
"""

from typing import Final, Literal

from flask import Response
from msgspec import Struct
from werkzeug.http import parse_cookie

from app.api.request_head import RequestHead

_SECURE_PREFIX: Final = "__Host-"


class Cookie(Struct, frozen=True):
    """One kind of cookie."""

    name: str
    same_site: Literal["Strict", "Lax"]

    def read(self, head: RequestHead) -> str:
        """The text of the cookie, which nobody has checked; empty if the request has none."""
        return parse_cookie(head.headers.get("Cookie")).get(self._name(head), "")

    def set(self, response: Response, head: RequestHead, text: str, expires_at: float) -> None:
        """Give the browser the cookie, until a time in seconds since 1970."""
        response.set_cookie(
            self._name(head),
            text,
            expires=expires_at,
            secure=head.is_secure,
            httponly=True,
            samesite=self.same_site,
            path="/",
        )

    def clear(self, response: Response, head: RequestHead) -> None:
        """Take the cookie from the browser."""
        response.delete_cookie(
            self._name(head), secure=head.is_secure, httponly=True, samesite=self.same_site, path="/"
        )

    def _name(self, head: RequestHead) -> str:
        return _SECURE_PREFIX + self.name if head.is_secure else self.name


SESSION: Final = Cookie("log_analytics_session", "Strict")
"""The session: only requests of this service's own pages have it."""
SIGN_IN: Final = Cookie("log_analytics_sign_in", "Lax")
"""The sign-in at an issuer that has begun: the issuer's page leads back here, with a GET, and must bring it along."""

MAX_COOKIE_CHARS: Final = 3_800
"""Browsers keep cookies of 4,096 bytes with name and attributes, and drop larger ones without a word."""
