"""Signing in with a token, in a browser: /login, /logout, and /api/v1/session for who is signed in."""

import html
import math
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from flask import Response
from pydantic import BaseModel, Field

from app.access.failed_logins import FailedLogins
from app.access.principal import Principal, Right
from app.access.sessions import Sessions
from app.access.tokens import Token
from app.api.body import Body
from app.api.endpoint import FORM, Endpoint, Request
from app.api.request_head import RequestHead
from app.api.request_parameters import AnyParameters
from app.api.session_cookie import clear_cookie, read_cookie, set_cookie

LOGIN_PATH: Final = "/login"
_HOME: Final = "/"
_MAX_FORM_BYTES: Final = 4096
# Of the template: where a message is put.
_NO_MESSAGE: Final = '<p id="failure" class="failure" role="alert" hidden></p>'
_MESSAGE: Final = '<p id="failure" class="failure" role="alert">{}</p>'

_WRONG: Final = "This token is not valid: it is unknown, revoked or expired."
_NOT_FOR_READING: Final = "This token may not read logs: it needs the scope read."


class LoginParameters(BaseModel):
    """Where to go on."""

    next: str = Field(_HOME, description="A path of this service.")


class SessionResponse(BaseModel):
    """Who makes this request."""

    name: str = Field(description="The name of the token or person.")
    can_log_out: bool = Field(description="Whether a session of a browser makes the request.")


class Login:
    """Exchanges tokens for sessions. `token_of` returns the token in force that has a secret."""

    def __init__(self, sessions: Sessions, token_of: Callable[[str], Token | None], failures: FailedLogins) -> None:
        self._sessions = sessions
        self._token_of = token_of
        self._failures = failures

    def identify(self, head: RequestHead) -> Principal | None:
        """The principal whose session the request's cookie is of. See `Identify`."""
        session = self._sessions.read(text) if (text := read_cookie(head)) else None
        return session.token.principal if session else None

    def routes(self, page: str, headers: dict[str, str]) -> list[Endpoint[Any]]:
        """The endpoints. `page` is the template of the page, `headers` are those of its responses."""
        assert _NO_MESSAGE in page

        def show(request: Request[LoginParameters]) -> Response:
            """The page."""
            return _page(page)

        def log_in(request: Request[LoginParameters]) -> Response:
            """Checks the token of the form, and goes on with its session."""
            return self._log_in(request, page)

        return [
            Endpoint(path=LOGIN_PATH, right=Right.NONE, parameters=LoginParameters, handle=show, headers=headers),
            Endpoint(
                path=LOGIN_PATH,
                methods=("POST",),
                right=Right.NONE,
                parameters=LoginParameters,
                body=Body({FORM: None}, _MAX_FORM_BYTES),
                handle=log_in,
                headers=headers,
            ),
            Endpoint(path="/logout", methods=("POST",), right=Right.NONE, parameters=AnyParameters, handle=_log_out),
        ]

    def _log_in(self, request: Request[LoginParameters], page: str) -> Response:
        wait_secs = math.ceil(self._failures.wait_secs(request.head.peer))
        if wait_secs:
            response = _page(page, f"Too many wrong tokens: try again in {wait_secs} s.", 429)
            response.headers["Retry-After"] = str(wait_secs)
            return response
        token = self._token_of(_field(request.body, "token"))
        if token is None:
            self._failures.add(request.head.peer)
            return _page(page, _WRONG, 403)
        request.is_login_of(token.principal)
        if Right.READ not in token.rights:
            return _page(page, _NOT_FOR_READING, 403)
        session = self._sessions.begin(token)
        response = _see_other(own_path(request.parameters.next))
        set_cookie(response, request.head, self._sessions.written(session), session.expires_at)
        return response


def session_route(login: Login | None) -> Endpoint[AnyParameters]:
    """/api/v1/session, for the explorer."""

    def session(request: Request[AnyParameters]) -> SessionResponse:
        """Who makes this request."""
        can_log_out = login is not None and login.identify(request.head) is not None
        return SessionResponse(name=request.principal.name, can_log_out=can_log_out)

    return Endpoint(path="/session", prefix="/api/v1", right=Right.READ, parameters=AnyParameters, handle=session)


def own_path(text: str) -> str:
    """The path of this service that a text is; `/` for any other text, so that a link to /login leads nowhere else."""
    is_plain = text.isascii() and text.isprintable() and "\\" not in text and " " not in text  # browsers correct these
    if not is_plain or not text.startswith("/") or text.startswith("//"):
        return _HOME
    return _HOME if urlsplit(text).path == LOGIN_PATH else text


def _log_out(request: Request[AnyParameters]) -> Response:
    """Ends the session in this browser."""
    response = _see_other(LOGIN_PATH)
    clear_cookie(response, request.head)
    return response


def _page(page: str, message: str = "", status: int = 200) -> Response:
    text = page.replace(_NO_MESSAGE, _MESSAGE.format(html.escape(message))) if message else page
    return Response(text, status, content_type="text/html; charset=utf-8")


def _see_other(path: str) -> Response:
    return Response(status=303, headers={"Location": path})


def _field(form: bytes, name: str) -> str:
    values = parse_qs(form.decode(errors="replace"), max_num_fields=10).get(name, [""])
    return values[0].strip()
