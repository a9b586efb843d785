"""The page at /login: what is in its template, and where it leads."""

import html
from typing import Final
from urllib.parse import quote, urlsplit

from flask import Response
from jinja2 import Environment
from msgspec import Struct
from pydantic import BaseModel, Field

HOME: Final = "/"
LOGIN_PATH: Final = "/login"
OIDC_PATH: Final = "/login/oidc"
CALLBACK_PATH: Final = "/login/oidc/callback"
MAX_PATH_CHARS: Final = 2_000
"""Of a path to go on to: a cookie must have room for it."""

_HTML: Final = "text/html; charset=utf-8"
# The browser asks for the next page on behalf of this one. A redirect would still be on behalf of the issuer's page,
# and would come without the cookie of the session, which is SameSite=Strict.
_ONWARD: Final = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Signed in – Logs</title>'
    '<meta http-equiv="refresh" content="0; url={0}"></head>'
    '<body><main><h1>Signed in</h1><p><a href="{0}">Continue</a></p></main></body></html>'
)


class LoginParameters(BaseModel):
    """Where to go on."""

    next: str = Field(HOME, description="A path of this service.")


class IssuerLink(Struct, frozen=True):
    """Where signing in at an issuer begins, and the name of the issuer for people."""

    name: str
    address: str


class LoginPage:
    """Fills in the template: a form for a token if `takes_tokens`, and the link."""

    def __init__(self, template: str, *, takes_tokens: bool, link: IssuerLink | None) -> None:
        # The page is shown at several paths.
        text = template.replace('"explorer/', '"/explorer/')
        self._template = Environment(autoescape=True).from_string(text)
        self._takes_tokens = takes_tokens
        self._link = link

    def show(self, next_path: str, message: str = "", status: int = 200) -> Response:
        """The page with a message; whoever logs in goes on to `next_path`."""
        text = self._template.render(
            takes_tokens=self._takes_tokens,
            issuer_name=self._link.name if self._link else "",
            issuer_address=with_next(self._link.address, next_path) if self._link else "",
            form_address=with_next(LOGIN_PATH, next_path),
            message=message,
        )
        return Response(text, status, content_type=_HTML)

    def wait(self, next_path: str, secs: int) -> Response:
        """The page where an address has failed too often."""
        response = self.show(next_path, f"Too many failed logins: try again in {secs} s.", 429)
        response.headers["Retry-After"] = str(secs)
        return response


def onward_page(path: str) -> Response:
    """A page that leads on to a path at once."""
    return Response(_ONWARD.format(html.escape(path)), content_type=_HTML)


def see_other(address: str) -> Response:
    """Leads on to an address with a GET."""
    return Response(status=303, headers={"Location": address})


def with_next(address: str, next_path: str) -> str:
    """The address of a login that leads on to a path."""
    return address if next_path == HOME else f"{address}?next={quote(next_path, safe='')}"


def own_path(text: str) -> str:
    """The path of this service that a text is; `/` for any other text, so that a link to /login leads nowhere else."""
    is_plain = text.isascii() and text.isprintable() and "\\" not in text and " " not in text  # browsers correct these
    if not is_plain or not text.startswith("/") or text.startswith("//"):
        return HOME
    return HOME if urlsplit(text).path in (LOGIN_PATH, OIDC_PATH, CALLBACK_PATH) else text
