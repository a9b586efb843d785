"""What `check` says about the issuer at which people sign in."""

from __future__ import annotations

import pytest

from app.auth_settings import AuthSettings
from app.preflight.findings import Level
from app.preflight.issuer_checks import IssuerProbe, check_issuer
from app.settings import HttpSettings, Settings

PROBE = IssuerProbe("https://issuer.example/authorize", ("client_secret_basic",), ("S256",))


def settings(proxies: str = "10.0.0.1", **changes: object) -> Settings:
    auth = AuthSettings.model_validate(
        {
            "mode": "oidc",
            "oidc_issuer": "https://issuer.example",
            "oidc_client_id": "logs",
            "oidc_client_secret": "hush",
            "oidc_rights": "@example.org read",
            "public_url": "https://logs.example.org",
            **changes,
        }
    )
    return Settings(auth=auth, http=HttpSettings(trusted_proxies=proxies))


@pytest.mark.parametrize(
    ("probe", "secret", "levels"),
    [
        (PROBE, "hush", [Level.OK, Level.OK]),
        (PROBE._replace(pkce_methods=()), "hush", [Level.OK, Level.OK]),
        (PROBE._replace(pkce_methods=("plain",)), "hush", [Level.OK, Level.OK, Level.WARNING]),
        (PROBE._replace(token_methods=("private_key_jwt",)), "hush", [Level.OK, Level.OK, Level.PROBLEM]),
        (PROBE._replace(token_methods=("none",)), "", [Level.OK, Level.OK]),
    ],
)
def test_what_the_issuer_offers_must_fit_the_client(probe: IssuerProbe, secret: str, levels: list[Level]) -> None:
    found = check_issuer(probe, settings(oidc_client_secret=secret))

    assert [finding.level for finding in found] == levels
    assert "hush" not in "".join(map(str, found))


def test_where_no_proxy_may_say_that_browsers_speak_tls_a_warning_says_so() -> None:
    found = check_issuer(PROBE, settings(proxies=""))

    assert [finding.advice for finding in found if finding.level is Level.WARNING] == [
        "Set HTTP_TRUSTED_PROXIES to the addresses of the proxy that ends TLS"
    ]


def test_without_a_client_only_the_document_is_needed() -> None:
    only_headers = settings(oidc_client_id=None, oidc_client_secret="", public_url=None, oidc_audiences="logs")

    assert [finding.about for finding in check_issuer(PROBE, only_headers)] == ["issuer"]
