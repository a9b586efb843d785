"""Which ID tokens count, and what the sender of another one is told."""

from __future__ import annotations

import base64
import hmac
import time

import jwt
import pytest

from app.access import oidc
from app.access.discovery import Discovery
from app.access.errors import IdTokenRefused, IssuerUnavailable
from app.access.oidc import Identity, identity_aware_proxy
from app.access.signing_keys import SigningKeys
from tests.support.issuer import AUDIENCE, EMAIL, Issuer

URL = "https://issuer.example"


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    return Issuer(URL)


def verifier(issuer: Issuer) -> oidc.Issuer:
    keys = SigningKeys(Discovery(issuer.url, issuer.document, lambda: 0.0).keys, lambda: 0.0)
    return oidc.Issuer(issuer.url, ("other", AUDIENCE), keys)


def refusal(issuer: Issuer, token: str) -> str:
    with pytest.raises(IdTokenRefused) as caught:
        verifier(issuer).verify(token)
    return str(caught.value)


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_a_token_says_whom_it_is_about(algorithm: str) -> None:
    issuer = Issuer(URL, algorithm)
    claims = issuer.claims(groups=["ops", 7])

    identity = verifier(issuer).verify(issuer.token(groups=["ops", 7], exp=claims["exp"]))

    assert identity == Identity("4711", EMAIL, frozenset({"ops"}), float(claims["exp"]))


def from_now(changes: dict[str, object]) -> dict[str, object]:
    """The claims, with times given in seconds from now."""
    now = int(time.time())
    return {name: now + value if isinstance(value, int) else value for name, value in changes.items()}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"aud": "another"}, "The ID token is for another audience than this service."),
        ({"aud": None}, "The ID token has no claim aud."),
        ({"exp": -120}, "The ID token has expired."),
        ({"exp": None}, "The ID token has no claim exp."),
        ({"nbf": 600}, "The ID token is not valid yet."),
        ({"iat": 600}, "The ID token is not valid yet."),
        ({"iss": "https://another.example"}, "The ID token is of another issuer."),
        ({"sub": None}, "The ID token has no claim sub."),
    ],
    ids=str,
)
def test_a_token_that_does_not_fit_is_refused_with_the_reason(
    issuer: Issuer, changes: dict[str, object], sentence: str
) -> None:
    assert refusal(issuer, issuer.token(**from_now(changes))) == sentence


def test_a_token_of_an_unknown_key_is_refused(issuer: Issuer) -> None:
    sentence = "The issuer has no key with the id that the ID token names."

    assert refusal(issuer, issuer.token_naming("unknown")) == sentence


@pytest.mark.parametrize("changes", [{"exp": -30}, {"nbf": 30}, {"iat": 30}], ids=str)
def test_clocks_may_differ_by_a_minute(issuer: Issuer, changes: dict[str, object]) -> None:
    assert verifier(issuer).verify(issuer.token(**from_now(changes))).email == EMAIL


def test_a_token_without_a_signature_is_refused(issuer: Issuer) -> None:
    token = jwt.encode(issuer.claims(), "", "none", headers={"kid": "key-1"})

    assert refusal(issuer, token) == "ID tokens must be signed with RS256 or ES256."


def test_the_public_key_is_no_secret_to_sign_with(issuer: Issuer) -> None:
    """The classic confusion: a token signed by HMAC, with the public key, which everybody has, as its secret."""
    head, payload, _ = jwt.encode(issuer.claims(), "0" * 64, "HS256", headers={"kid": "key-1"}).split(".")
    # By hand, since the library refuses such a secret.
    mac = hmac.digest(issuer.public_pem, f"{head}.{payload}".encode(), "sha256")
    signature = base64.urlsafe_b64encode(mac).rstrip(b"=").decode()

    assert refusal(issuer, f"{head}.{payload}.{signature}") == "ID tokens must be signed with RS256 or ES256."


def test_a_signature_of_another_key_is_refused(issuer: Issuer) -> None:
    assert refusal(issuer, Issuer(URL).token()) == "The signature of the ID token is wrong."


def test_an_algorithm_that_is_not_that_of_the_key_is_refused(issuer: Issuer) -> None:
    assert refusal(issuer, Issuer(URL, "ES256").token()) == "The key of the ID token is not for ES256."


@pytest.mark.parametrize("text", ["", "a", "a.b.c", "....", "é.é.é", "x" * 20_000])
def test_what_is_no_token_is_refused(issuer: Issuer, text: str) -> None:
    assert refusal(issuer, text)


def test_a_token_whose_signature_cloud_run_has_removed_is_refused_with_a_way_out(issuer: Issuer) -> None:
    head, payload, _ = issuer.token().split(".")

    assert "X-Serverless-Authorization" in refusal(issuer, f"{head}.{payload}.SIGNATURE_REMOVED_BY_GOOGLE")


@pytest.mark.parametrize("is_verified", [None, False, "true", 1])
def test_an_address_that_the_issuer_has_not_verified_does_not_count(issuer: Issuer, is_verified: object) -> None:
    identity = verifier(issuer).verify(issuer.token(email_verified=is_verified))

    assert (identity.email, identity.name) == ("", "sub:4711")


@pytest.mark.parametrize("subject", ["", "a\nb", "\x1b[31m", "x" * 256])
def test_a_subject_that_would_spoil_a_log_is_refused(issuer: Issuer, subject: str) -> None:
    assert "not printable" in refusal(issuer, issuer.token(sub=subject))


def test_an_address_that_would_spoil_a_log_does_not_count(issuer: Issuer) -> None:
    assert verifier(issuer).verify(issuer.token(email="a\x1b@example.org")).email == ""


def test_a_discovery_document_of_another_issuer_is_not_believed(issuer: Issuer) -> None:
    documents = {f"{URL}/.well-known/openid-configuration": {"issuer": "https://evil.example", "jwks_uri": "x"}}

    with pytest.raises(IssuerUnavailable, match="of another issuer"):
        Discovery(URL, documents.__getitem__, lambda: 0.0).keys()


def proxy(issuer: Issuer) -> oidc.Issuer:
    assert issuer.algorithm == "ES256"
    return identity_aware_proxy("/projects/1/global/backendServices/2", lambda url: issuer.keys, lambda: 0.0)


def test_an_assertion_of_the_identity_aware_proxy_counts_without_email_verified() -> None:
    issuer = Issuer(oidc.IAP_ISSUER, "ES256")
    token = issuer.token(aud="/projects/1/global/backendServices/2", email_verified=None)

    assert proxy(issuer).verify(token).email == EMAIL


def test_an_assertion_for_another_backend_is_refused() -> None:
    issuer = Issuer(oidc.IAP_ISSUER, "ES256")

    with pytest.raises(IdTokenRefused, match="another audience"):
        proxy(issuer).verify(issuer.token(aud="/projects/1/global/backendServices/3"))


def test_an_address_of_another_provider_behind_the_proxy_is_nobodys() -> None:
    issuer = Issuer(oidc.IAP_ISSUER, "ES256")
    token = issuer.token(aud="/projects/1/global/backendServices/2", email=f"securetoken.google.com/evil:{EMAIL}")

    assert proxy(issuer).verify(token).email == ""
