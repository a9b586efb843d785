"""The cookie that holds the session of a browser (RFC 6265bis).

Scripts cannot read it, and browsers send it only with requests that this service's own pages make. Where the browser
speaks TLS, its prefix `__Host-` keeps other hosts of the domain from setting it.
"""

from typing import Final

from flask import Response
from werkzeug.http import parse_cookie

from app.api.request_head import RequestHead

_NAME: Final = "log_analytics_session"
_SECURE_NAME: Final = "__Host-" + _NAME


def read_cookie(head: RequestHead) -> str:
    """The text of the cookie, which nobody has checked; empty if the request has none."""
    return parse_cookie(head.headers.get("Cookie")).get(_name(head), "")


def set_cookie(response: Response, head: RequestHead, text: str, expires_at: float) -> None:
    """Give the browser the cookie, until a time in seconds since 1970."""
    response.set_cookie(
        _name(head), text, expires=expires_at, secure=head.is_secure, httponly=True, samesite="Strict", path="/"
    )


def clear_cookie(response: Response, head: RequestHead) -> None:
    """Take the cookie from the browser."""
    response.delete_cookie(_name(head), secure=head.is_secure, httponly=True, samesite="Strict", path="/")


def _name(head: RequestHead) -> str:
    return _SECURE_NAME if head.is_secure else _NAME
