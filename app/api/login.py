"""Logging in to the explorer: /login, /logout, and /api/v1/session for who is logged in."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from flask import Response
from pydantic import BaseModel, Field

from app.access.principal import Principal, Right
from app.api.cookies import SESSION
from app.api.endpoint import Endpoint, Request
from app.api.login_page import LOGIN_PATH, IssuerLink, LoginPage, LoginParameters, own_path, see_other
from app.api.request_head import RequestHead
from app.api.request_parameters import AnyParameters


class SessionResponse(BaseModel):
    """Who makes this request."""

    name: str = Field(description="The name of the token or person.")
    can_log_out: bool = Field(description="Whether a session of a browser makes the request.")


class Way(Protocol):
    """A way to log in, which ends with a session."""

    def principal_of(self, cookie: str) -> Principal | None:
        """Whose session the text of a cookie is; None if it is none of this way that is in force."""

    def routes(self, page: LoginPage, headers: Mapping[str, str]) -> list[Endpoint[Any]]:
        """Its endpoints, whose responses have the headers; failures are shown on the page."""


class Login:
    """The ways to log in: with a token, at an issuer, to which the link leads, or both."""

    def __init__(self, *, tokens: Way | None = None, issuer: Way | None = None, link: IssuerLink | None = None) -> None:
        self._takes_tokens = tokens is not None
        self._link = link
        self._ways: Sequence[Way] = [way for way in (tokens, issuer) if way is not None]

    def identify(self, head: RequestHead) -> Principal | None:
        """The principal whose session the request's cookie is of. See `Identify`."""
        text = SESSION.read(head)
        if not text:
            return None
        return next((principal for way in self._ways if (principal := way.principal_of(text))), None)

    def routes(self, template: str, headers: Mapping[str, str]) -> list[Endpoint[Any]]:
        """The endpoints. `template` is that of the page, `headers` are those of its responses."""
        page = LoginPage(template, takes_tokens=self._takes_tokens, link=self._link)

        def show(request: Request[LoginParameters]) -> Response:
            """The page."""
            return page.show(own_path(request.parameters.next))

        return [
            Endpoint(path=LOGIN_PATH, right=Right.NONE, parameters=LoginParameters, handle=show, headers=headers),
            *(endpoint for way in self._ways for endpoint in way.routes(page, headers)),
            Endpoint(path="/logout", methods=("POST",), right=Right.NONE, parameters=AnyParameters, handle=_log_out),
        ]


def session_route(login: Login | None) -> Endpoint[AnyParameters]:
    """/api/v1/session, for the explorer."""

    def session(request: Request[AnyParameters]) -> SessionResponse:
        """Who makes this request."""
        can_log_out = login is not None and login.identify(request.head) is not None
        return SessionResponse(name=request.principal.name, can_log_out=can_log_out)

    return Endpoint(path="/session", prefix="/api/v1", right=Right.READ, parameters=AnyParameters, handle=session)


def _log_out(request: Request[AnyParameters]) -> Response:
    """Ends the session in this browser."""
    response = see_other(LOGIN_PATH)
    SESSION.clear(response, request.head)
    return response
