"""Bearer tokens for Google Cloud Managed Service for Apache Kafka, from the credentials of the machine.

The broker does not accept a plain access token, but three base64url parts in the form of a JWT: header, claims, and the
access token in place of a signature (documented with Google's own clients for the service).
"""

import base64
import json
import time
from datetime import UTC
from typing import Any

import google.auth
import google.auth.transport.requests
from kafka.net.sasl.oauth import AbstractTokenProvider

_SCOPE = "https://www.googleapis.com/auth/cloud-platform"


class GoogleTokenProvider(AbstractTokenProvider):  # type: ignore[misc]
    """Returns a valid token; refreshes one that is not."""

    def __init__(self, credentials: Any = None, request: Any = None) -> None:
        """Without arguments the machine's own (application default) credentials are used."""
        super().__init__()
        self._credentials: Any = credentials or google.auth.default(scopes=[_SCOPE])[0]
        self._request = request or google.auth.transport.requests.Request()

    def token(self) -> str:
        """The token in the broker's own form.

        Raises:
            google.auth.exceptions.GoogleAuthError: the credentials cannot be refreshed.
        """
        credentials = self._credentials
        if not credentials.valid:
            credentials.refresh(self._request)
        header = {"typ": "JWT", "alg": "GOOG_OAUTH2_TOKEN"}
        claims = {
            "exp": credentials.expiry.replace(tzinfo=UTC).timestamp(),  # google-auth keeps it in UTC, unmarked
            "iat": time.time(),
            "iss": "Google",
            "scope": "kafka",
            "sub": credentials.service_account_email,
        }
        return ".".join(_base64url(part) for part in (json.dumps(header), json.dumps(claims), credentials.token))


def _base64url(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
