"""An issuer at which people sign in: it issues a code for a request of a browser, and an ID token for the code.

It checks what a strict issuer checks: the client, the redirect URI, PKCE, and that each code comes once.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.support.issuer import Issuer

CLIENT_ID = "log-analytics"
CLIENT_SECRET = "hush: a +secret"  # it must be encoded before it is sent


class SignInIssuer(Issuer):
    """`metadata` are changes of the discovery document, `claims_of_next` those of the next token."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.metadata: dict[str, object] = {}
        self.claims_of_next: dict[str, object] = {}
        self.posts: list[tuple[dict[str, str], tuple[str, str] | None]] = []
        self.response: tuple[int, dict[str, Any]] | None = None
        self._requests: dict[str, dict[str, str]] = {}

    def document(self, url: str) -> Mapping[str, Any]:
        """See `Issuer.document`."""
        found = super().document(url)
        if not url.endswith("/openid-configuration"):
            return found
        endpoints = {"authorization_endpoint": f"{self.url}/authorize", "token_endpoint": f"{self.url}/token"}
        return {**found, **endpoints, **self.metadata}

    def approve(self, address: str, **changes: str | None) -> str:
        """The query with which the browser is sent back from an address; `changes` as somebody else would make it."""
        sent = dict(parse_qsl(urlsplit(address).query))
        code = secrets.token_urlsafe()
        self._requests[code] = sent
        answer = {"state": sent["state"], "code": code, "iss": self.url, **changes}
        return urlencode({name: value for name, value in answer.items() if value is not None})

    def redirect_of(self, address: str) -> str:
        """Where the browser is sent once the person has signed in."""
        return f"{dict(parse_qsl(urlsplit(address).query))['redirect_uri']}?{self.approve(address)}"

    def post(
        self, url: str, form: Mapping[str, str], credentials: tuple[str, str] | None
    ) -> tuple[int, Mapping[str, Any]]:
        """The token endpoint. See `Post`."""
        assert url == f"{self.url}/token"
        self.posts.append((dict(form), credentials))
        if self.response is not None:
            return self.response
        sent = self._requests.pop(form.get("code", ""), None)
        if sent is None or not _fits(sent, form):
            return 400, {"error": "invalid_grant"}
        return 200, {"id_token": self.token(**{"nonce": sent["nonce"], "aud": CLIENT_ID, **self.claims_of_next})}


def _fits(sent: Mapping[str, str], form: Mapping[str, str]) -> bool:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
    is_same = (sent["code_challenge"], sent["redirect_uri"]) == (challenge, form["redirect_uri"])
    return is_same and sent["code_challenge_method"] == "S256" and form["grant_type"] == "authorization_code"
