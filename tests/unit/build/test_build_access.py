"""Which credentials count, by the settings."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry
from werkzeug.datastructures import Headers
from werkzeug.exceptions import Unauthorized

import app.build.oidc  # noqa: F401  # now, since its HTTP client tries for IPv6 when it is imported
from app.access.principal import Right
from app.access.tokens import digest_of, new_secret
from app.api.request_head import RequestHead
from app.auth_settings import AuthSettings
from app.build.access import AccessParts, build_access
from app.errors import BadSettings
from app.metrics import Metrics
from app.settings import Settings

SECRET = new_secret()
TOKEN = f"shipper read sha256:{digest_of(SECRET).hex()}"
IAP = {"mode": "oidc", "iap_audience": "/projects/1/apps/2", "oidc_rights": "@example.org read"}


def built(**auth: object) -> AccessParts:
    settings = Settings(auth=AuthSettings.model_validate(auth))
    return build_access(settings, Metrics(CollectorRegistry(), version="0"))


def head(**headers: str) -> RequestHead:
    return RequestHead("GET", "/", Headers([(name.replace("_", "-"), value) for name, value in headers.items()]), "")


def test_tokens_for_machines_count_beside_oidc() -> None:
    access = built(**IAP, tokens=TOKEN)

    assert access.authenticator.authenticate(head(Authorization=f"Bearer {SECRET}"), Right.READ).name == "shipper"
    assert access.login
    assert not access.is_open


def test_without_tokens_there_is_no_login_with_one() -> None:
    access = built(**IAP)

    assert access.login is None
    assert not access.is_open
    with pytest.raises(Unauthorized):
        access.authenticator.authenticate(head(), Right.READ)


SIGN_IN = {
    "mode": "oidc",
    "oidc_issuer": "https://issuer.example",
    "oidc_client_id": "logs",
    "oidc_rights": "@example.org read",
    "public_url": "https://logs.example.org",
}


def test_with_a_client_id_there_is_a_login_without_tokens() -> None:
    access = built(**SIGN_IN)

    assert access.login is not None
    assert not access.is_open
    paths = [endpoint.path for endpoint in access.login.routes("", {})]
    assert paths == ["/login", "/login/oidc", "/login/oidc/callback", "/logout"]


def test_without_audiences_an_id_token_in_a_header_does_not_count() -> None:
    with pytest.raises(Unauthorized, match="unknown, revoked or expired"):
        built(**SIGN_IN).authenticator.authenticate(head(Authorization="Bearer eyJ.a.b"), Right.READ)


@pytest.mark.parametrize("name", ["X_Goog_Authenticated_User_Email", "X_Forwarded_Email", "X_Forwarded_User", "From"])
def test_a_name_in_a_header_proves_nothing(name: str) -> None:
    with pytest.raises(Unauthorized):
        built(**IAP).authenticator.authenticate(head(**{name: "alice@example.org"}), Right.READ)


def test_rights_that_cannot_be_read_stop_the_start() -> None:
    with pytest.raises(BadSettings, match="AUTH_OIDC_RIGHTS: line 1, column 1: 'alice' must be like"):
        built(**{**IAP, "oidc_rights": "alice read"})


def test_where_everything_is_open_there_is_neither_login_nor_session() -> None:
    access = built()

    assert (access.login, access.is_open) == (None, True)
