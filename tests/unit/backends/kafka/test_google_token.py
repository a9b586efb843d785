"""Tokens in the format of Google's brokers."""

import base64
import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from app.backends.kafka.google_token import GoogleTokenProvider

EXPIRY = datetime(2026, 11, 23, 12, 0, 0)


@dataclass
class Credentials:
    """Credentials like those of google-auth; a refresh changes the token."""

    token: str = "ya29.a-b_c"
    valid: bool = True
    expiry: datetime = EXPIRY
    service_account_email: str = "logs@project.iam.gserviceaccount.com"
    refreshed_with: Any = None

    def refresh(self, request: Any) -> None:
        self.refreshed_with = request
        self.token, self.valid, self.expiry = "ya29.new", True, EXPIRY + timedelta(hours=1)


def parts_of(token: str) -> list[str]:
    assert "=" not in token
    return [base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode() for part in token.split(".")]


def test_a_token_is_header_claims_and_access_token() -> None:
    before = time.time()

    header, claims, secret = parts_of(GoogleTokenProvider(Credentials(), request="r").token())

    assert json.loads(header) == {"typ": "JWT", "alg": "GOOG_OAUTH2_TOKEN"}
    said = json.loads(claims)
    assert before <= said.pop("iat") <= time.time()
    assert said == {
        "exp": EXPIRY.replace(tzinfo=UTC).timestamp(),
        "iss": "Google",
        "scope": "kafka",
        "sub": "logs@project.iam.gserviceaccount.com",
    }
    assert secret == "ya29.a-b_c"


def test_credentials_that_are_valid_are_not_refreshed() -> None:
    credentials = Credentials()

    GoogleTokenProvider(credentials, request="r").token()

    assert credentials.refreshed_with is None


def test_credentials_that_have_expired_are_refreshed_first() -> None:
    credentials = Credentials(valid=False)

    _, claims, secret = parts_of(GoogleTokenProvider(credentials, request="r").token())

    assert credentials.refreshed_with == "r"
    assert secret == "ya29.new"
    assert json.loads(claims)["exp"] == (EXPIRY + timedelta(hours=1)).replace(tzinfo=UTC).timestamp()
