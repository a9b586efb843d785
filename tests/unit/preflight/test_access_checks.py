"""Where others can connect, the service starts only if it is said who may read logs."""

import pytest

from app.environment import read_settings
from app.preflight.access_checks import check_access, exposure, refusal
from app.preflight.findings import Level

TOKEN = {"AUTH_TOKENS": "a read sha256:" + "ab" * 32}
OPEN = {"HTTP_HOST": "0.0.0.0"}  # noqa: S104


@pytest.mark.parametrize(
    ("environ", "is_refused", "is_warned", "level"),
    [
        ({}, False, False, Level.OK),
        ({"AUTH_MODE": "none"}, False, False, Level.OK),
        (TOKEN, False, False, Level.OK),
        (OPEN, True, False, Level.PROBLEM),
        ({"HTTP_HOST": "::"}, True, False, Level.PROBLEM),
        ({"HTTP_HOST": "logs.example.org"}, True, False, Level.PROBLEM),
        ({**OPEN, "ROLES": "ingest"}, True, False, Level.PROBLEM),
        ({**OPEN, "AUTH_MODE": "none"}, False, True, Level.WARNING),
        ({**OPEN, **TOKEN}, False, False, Level.OK),
        ({**OPEN, **TOKEN, "AUTH_MODE": "token"}, False, False, Level.OK),
    ],
)
def test_an_address_that_others_reach_needs_tokens_or_a_word(
    environ: dict[str, str], is_refused: bool, is_warned: bool, level: Level
) -> None:
    settings = read_settings(environ)

    assert (refusal(settings) is not None, exposure(settings) is not None) == (is_refused, is_warned)
    assert check_access(settings).level is level


def test_the_refusal_names_the_address_and_both_ways_out() -> None:
    sentence = refusal(read_settings(OPEN)) or ""

    assert "HTTP_HOST is '0.0.0.0'" in sentence
    assert "AUTH_TOKENS_FILE" in sentence
    assert "python -m app token create" in sentence
    assert "AUTH_MODE=none" in sentence


def test_the_warning_says_what_it_means() -> None:
    sentence = exposure(read_settings({**OPEN, "AUTH_MODE": "none"})) or ""

    assert "everybody who can connect to 0.0.0.0:8080 may read every log" in sentence


@pytest.mark.parametrize(
    ("environ", "found"),
    [
        (TOKEN, "a token; AUTH_SESSION_KEY is unset"),
        ({**TOKEN, "AUTH_SESSION_KEY": "k" * 32}, "requests need a token"),
        (
            {
                "AUTH_MODE": "oidc",
                "AUTH_OIDC_ISSUER": "https://issuer.example",
                "AUTH_OIDC_CLIENT_ID": "logs",
                "AUTH_OIDC_RIGHTS": "@example.org read",
                "AUTH_PUBLIC_URL": "https://logs.example.org",
            },
            "requests need a sign-in at the issuer; AUTH_SESSION_KEY is unset",
        ),
        (
            {"AUTH_MODE": "oidc", "AUTH_IAP_AUDIENCE": "/projects/1/apps/2", "AUTH_OIDC_RIGHTS": "@example.org read"},
            "requests need an ID token",
        ),
    ],
)
def test_the_check_says_what_requests_need(environ: dict[str, str], found: str) -> None:
    assert found in check_access(read_settings(environ)).found
