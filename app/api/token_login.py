"""Logging in with a token: POST /login exchanges it for a session."""

import math
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qs

from flask import Response

from app.access.failed_logins import FailedLogins
from app.access.principal import Principal, Right
from app.access.sessions import Sessions
from app.access.tokens import Token
from app.api.body import Body
from app.api.cookies import SESSION
from app.api.endpoint import FORM, Endpoint, Request
from app.api.login_page import LOGIN_PATH, LoginPage, LoginParameters, own_path, see_other

_MAX_FORM_BYTES: Final = 4096

_WRONG: Final = "This token is not valid: it is unknown, revoked or expired."
_NOT_FOR_READING: Final = "This token may not read logs: it needs the scope read."


class TokenLogin:
    """Exchanges tokens for sessions. `token_of` returns the token in force that has a secret."""

    def __init__(self, sessions: Sessions, token_of: Callable[[str], Token | None], failures: FailedLogins) -> None:
        self._sessions = sessions
        self._token_of = token_of
        self._failures = failures

    def principal_of(self, cookie: str) -> Principal | None:
        """See `Way`."""
        session = self._sessions.read(cookie)
        return session.token.principal if session else None

    def routes(self, page: LoginPage, headers: Mapping[str, str]) -> list[Endpoint[Any]]:
        """See `Way`."""

        def log_in(request: Request[LoginParameters]) -> Response:
            """Checks the token of the form, and goes on with its session."""
            return self._log_in(request, page)

        return [
            Endpoint(
                path=LOGIN_PATH,
                methods=("POST",),
                right=Right.NONE,
                parameters=LoginParameters,
                body=Body({FORM: None}, _MAX_FORM_BYTES),
                handle=log_in,
                headers=headers,
            )
        ]

    def _log_in(self, request: Request[LoginParameters], page: LoginPage) -> Response:
        path = own_path(request.parameters.next)
        wait_secs = math.ceil(self._failures.wait_secs(request.head.peer))
        if wait_secs:
            return page.wait(path, wait_secs)
        token = self._token_of(_field(request.body, "token"))
        if token is None:
            self._failures.add(request.head.peer)
            return page.show(path, _WRONG, 403)
        request.is_login_of(token.principal)
        if Right.READ not in token.rights:
            return page.show(path, _NOT_FOR_READING, 403)
        session = self._sessions.begin(token)
        response = see_other(path)
        SESSION.set(response, request.head, self._sessions.written(session), session.expires_at)
        return response


def _field(form: bytes, name: str) -> str:
    values = parse_qs(form.decode(errors="replace"), max_num_fields=10).get(name, [""])
    return values[0].strip()
