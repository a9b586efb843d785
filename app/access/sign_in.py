"""Signing in at an issuer: the authorization code flow (OpenID Connect Core 1.0, section 3.1; RFC 6749, section 4.1).

As RFC 9700 demands of a client: PKCE (RFC 7636) ties the code to this sign-in, `state` to this browser, `nonce` the ID
token to both, and `iss` (RFC 9207) the answer to this issuer.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote_plus, urlencode

from msgspec import Struct

from app.access.discovery import Discovery, Endpoints
from app.access.errors import IssuerUnavailable, SignInRefused
from app.access.oidc import Identity, Issuer
from app.access.signed_values import SignedValues

Post = Callable[[str, Mapping[str, str], tuple[str, str] | None], tuple[int, Mapping[str, Any]]]
"""Sends a form to a URL, with credentials for basic authentication; returns the status and the JSON object.

Raises IssuerUnavailable.
"""

_ATTEMPT_SECS: Final = 600.0
"""How long a person may take at the issuer."""
_SHOWN_CHARS: Final = 200
_OK, _REFUSED = 200, (400, 401)


class Client(Struct, frozen=True):
    """How the issuer knows this service. Without a secret it is a public client, which PKCE alone protects."""

    id: str
    secret: str
    redirect_uri: str
    scopes: str = "openid email"


class Attempt(Struct, frozen=True):
    """A sign-in that has begun: what its answer must fit. Only the browser that began it holds it."""

    state: str
    nonce: str
    verifier: str
    next_path: str
    expires_at: float
    """Seconds since 1970."""


class Answer(Struct, frozen=True):
    """The parameters with which the issuer sends the browser back (RFC 6749, section 4.1.2); empty if not given."""

    state: str = ""
    code: str = ""
    iss: str = ""
    error: str = ""
    error_description: str = ""


class Attempts:
    """Writes attempts to the text of a cookie and reads them. `now` returns the seconds since 1970."""

    def __init__(self, key: str, now: Callable[[], float]) -> None:
        self._signed = SignedValues(key, "sign-in")
        self._now = now

    def begin(self, next_path: str) -> Attempt:
        """A new one, which leads on to a path of this service."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        return Attempt(state, nonce, verifier, next_path, int(self._now() + _ATTEMPT_SECS))

    def write(self, attempt: Attempt) -> str:
        """The text of the cookie."""
        return self._signed.write(attempt.state, attempt.nonce, attempt.verifier, attempt.next_path, attempt.expires_at)

    def answered(self, text: str, answer: Answer) -> Attempt:
        """The attempt of a cookie, which the answer is to.

        Raises:
            SignInRefused: there is none.
        """
        match self._signed.read(text):
            case [str(state), str(nonce), str(verifier), str(path), int(ends_at)] if self._now() < ends_at:
                if hmac.compare_digest(state.encode(), answer.state.encode()):
                    return Attempt(state, nonce, verifier, path, ends_at)
        raise SignInRefused("This sign-in was not begun in this browser, or has ended: sign in again.")


class SignIn:
    """Signs people in at one issuer, which verifies ID tokens for the client alone."""

    def __init__(self, client: Client, issuer: Issuer, discovery: Discovery, post: Post) -> None:
        self._client = client
        self._issuer = issuer
        self._discovery = discovery
        self._post = post

    def address(self, attempt: Attempt) -> str:
        """Where the browser begins the sign-in.

        Raises:
            IssuerUnavailable: that cannot be told now.
        """
        endpoint = self._discovery.endpoints().authorization
        challenge = base64.urlsafe_b64encode(hashlib.sha256(attempt.verifier.encode()).digest()).rstrip(b"=")
        query = urlencode(
            {
                "response_type": "code",
                "client_id": self._client.id,
                "redirect_uri": self._client.redirect_uri,
                "scope": self._client.scopes,
                "state": attempt.state,
                "nonce": attempt.nonce,
                "code_challenge": challenge.decode(),
                "code_challenge_method": "S256",
            }
        )
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{query}"

    def identity_of(self, attempt: Attempt, answer: Answer) -> Identity:
        """Who has signed in, by the answer to an attempt. Each counts once: the issuer takes no code twice.

        Raises:
            SignInRefused, IdTokenRefused: nobody.
            IssuerUnavailable: that cannot be told now.
        """
        endpoints = self._discovery.endpoints()
        if (answer.iss or endpoints.names_issuer) and answer.iss != self._issuer.url:
            raise SignInRefused("This answer is of another issuer.")
        if answer.error:
            raise SignInRefused(_sentence(answer))
        if not answer.code:
            raise SignInRefused("The answer of the issuer has no code.")
        return self._issuer.verify_answer(self._token_for(attempt, answer.code, endpoints), attempt.nonce)

    def _token_for(self, attempt: Attempt, code: str, endpoints: Endpoints) -> str:
        """The ID token, from the issuer itself (RFC 6749, section 4.1.3)."""
        form, credentials = self._authenticated(endpoints)
        form |= {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._client.redirect_uri,
            "code_verifier": attempt.verifier,
        }
        status, response = self._post(endpoints.token, form, credentials)
        if status in _REFUSED:
            raise SignInRefused(f"The issuer did not accept the sign-in: {_shown(response.get('error'))}.")
        if status != _OK:
            raise IssuerUnavailable(f"{endpoints.token} responded with status {status}.")
        token = response.get("id_token")
        if not isinstance(token, str):
            raise SignInRefused("The issuer has sent no ID token: is openid one of AUTH_OIDC_SCOPES?")
        return token

    def _authenticated(self, endpoints: Endpoints) -> tuple[dict[str, str], tuple[str, str] | None]:
        """The part of the form, or the credentials, that prove who this client is (RFC 6749, section 2.3.1)."""
        client = self._client
        if not client.secret:
            return {"client_id": client.id}, None
        if "client_secret_basic" in endpoints.token_methods:
            return {}, (quote_plus(client.id), quote_plus(client.secret))
        if "client_secret_post" in endpoints.token_methods:
            return {"client_id": client.id, "client_secret": client.secret}, None
        raise IssuerUnavailable(f"{endpoints.token} takes no client secret, but AUTH_OIDC_CLIENT_SECRET is set.")


def _sentence(answer: Answer) -> str:
    if answer.error == "access_denied":
        return "The sign-in was cancelled or denied at the issuer."
    about = f" ({_shown(answer.error_description)})" if answer.error_description else ""
    return f"The issuer has answered with the error {_shown(answer.error)}{about}."


def _shown(text: object) -> str:
    """A text of the issuer as it can be shown and logged."""
    return "".join(letter for letter in str(text) if letter.isprintable())[:_SHOWN_CHARS]
