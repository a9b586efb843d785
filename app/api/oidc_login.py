"""Signing in at an issuer: /login/oidc leads there, /login/oidc/callback is where the issuer leads back."""

import logging
import math
from collections.abc import Mapping
from typing import Any, Final

from flask import Response
from pydantic import BaseModel

from app.access.errors import IdTokenRefused, IssuerUnavailable, SignInRefused
from app.access.failed_logins import FailedLogins
from app.access.oidc import Identity
from app.access.person_sessions import PersonSessions
from app.access.principal import Principal, Right
from app.access.sign_in import Answer, Attempt, Attempts, SignIn
from app.api.admission import Admission
from app.api.cookies import MAX_COOKIE_CHARS, SESSION, SIGN_IN
from app.api.endpoint import Endpoint, Request
from app.api.login_page import (
    CALLBACK_PATH,
    HOME,
    LOGIN_PATH,
    MAX_PATH_CHARS,
    OIDC_PATH,
    LoginPage,
    LoginParameters,
    onward_page,
    own_path,
    see_other,
    with_next,
)
from app.api.request_head import RequestHead
from app.http.line_budget import LineBudget

_log = logging.getLogger(__name__)

_UNAVAILABLE: Final = "The issuer cannot be reached now: try again later. The log of this service has the reason."
_TOO_MANY_GROUPS: Final = "You are in more groups with rights than a cookie has room for; sign in is not possible."


class AnswerParameters(BaseModel):
    """What the issuer says (RFC 6749, section 4.1.2, and RFC 9207); parameters of its own are ignored."""

    state: str = ""
    code: str = ""
    iss: str = ""
    error: str = ""
    error_description: str = ""


class OidcLogin:
    """Exchanges sign-ins at an issuer for sessions.

    `exchanges` limits how many threads wait for the issuer, `lines` how many warnings are logged.
    """

    def __init__(
        self,
        sign_in: SignIn,
        attempts: Attempts,
        sessions: PersonSessions,
        failures: FailedLogins,
        exchanges: Admission,
        lines: LineBudget,
    ) -> None:
        self._sign_in = sign_in
        self._attempts = attempts
        self._sessions = sessions
        self._failures = failures
        self._exchanges = exchanges
        self._lines = lines

    def principal_of(self, cookie: str) -> Principal | None:
        """See `Way`."""
        return self._sessions.read(cookie)

    def routes(self, page: LoginPage, headers: Mapping[str, str]) -> list[Endpoint[Any]]:
        """See `Way`."""

        def begin(request: Request[LoginParameters]) -> Response:
            """Leads to the issuer."""
            return self._begin(request, page)

        def finish(request: Request[AnswerParameters]) -> Response:
            """Checks the answer of the issuer, and goes on with a session."""
            return self._finish(request, page)

        return [
            Endpoint(path=OIDC_PATH, right=Right.NONE, parameters=LoginParameters, handle=begin, headers=headers),
            Endpoint(path=CALLBACK_PATH, right=Right.NONE, parameters=AnswerParameters, handle=finish, headers=headers),
        ]

    def _begin(self, request: Request[LoginParameters], page: LoginPage) -> Response:
        path = own_path(request.parameters.next)
        path = path if len(path) <= MAX_PATH_CHARS else HOME
        if _is_from_another_site(request.head):  # only people may begin
            return see_other(with_next(LOGIN_PATH, path))
        attempt = self._attempts.begin(path)
        try:
            with self._exchanges.slot(request.client):
                response = see_other(self._sign_in.address(attempt))
        except IssuerUnavailable as error:
            return self._unavailable(page, path, error)
        SIGN_IN.set(response, request.head, self._attempts.write(attempt), attempt.expires_at)
        return response

    def _finish(self, request: Request[AnswerParameters], page: LoginPage) -> Response:
        answer = Answer(**request.parameters.model_dump())
        try:
            attempt = self._attempts.answered(SIGN_IN.read(request.head), answer)
        except SignInRefused as error:  # the cookie stays: a page of another site must not end a sign-in
            return page.show(HOME, str(error), 403)
        wait_secs = math.ceil(self._failures.wait_secs(request.head.peer))
        if wait_secs:
            return page.wait(attempt.next_path, wait_secs)
        with self._exchanges.slot(request.client):
            response = self._exchange(request, page, attempt, answer)
        SIGN_IN.clear(response, request.head)
        return response

    def _exchange(
        self, request: Request[AnswerParameters], page: LoginPage, attempt: Attempt, answer: Answer
    ) -> Response:
        try:
            identity = self._sign_in.identity_of(attempt, answer)
        except IssuerUnavailable as error:
            return self._unavailable(page, attempt.next_path, error)
        except (SignInRefused, IdTokenRefused) as error:
            self._failures.add(request.head.peer)
            return self._refused(page, attempt.next_path, error)
        return self._with_session(request, page, attempt.next_path, identity)

    def _with_session(
        self, request: Request[AnswerParameters], page: LoginPage, path: str, identity: Identity
    ) -> Response:
        session = self._sessions.begin(identity)
        request.is_login_of(session.principal)
        if not session.principal.may(Right.READ):
            reason = f"{identity.name} may not read logs here: no line of AUTH_OIDC_RIGHTS says so."
            return self._refused(page, path, SignInRefused(reason))
        if len(session.cookie) > MAX_COOKIE_CHARS:
            return self._refused(page, path, SignInRefused(_TOO_MANY_GROUPS))
        response = onward_page(path)
        SESSION.set(response, request.head, session.cookie, session.expires_at)
        return response

    def _refused(self, page: LoginPage, path: str, error: Exception) -> Response:
        self._warn("A sign-in was refused: %s", error)
        return page.show(path, str(error), 403)

    def _unavailable(self, page: LoginPage, path: str, error: IssuerUnavailable) -> Response:
        self._warn("A sign-in has failed: %s", error)
        return page.show(path, _UNAVAILABLE, 503)

    def _warn(self, sentence: str, error: Exception) -> None:
        if self._lines.grants(""):  # anybody can try, and must not fill a disk
            _log.warning(sentence, error)


def _is_from_another_site(head: RequestHead) -> bool:
    return head.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none")
