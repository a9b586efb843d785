"""ID tokens of a real issuer over HTTP: discovery, keys, rotation, and an issuer that is down."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from prometheus_client import CollectorRegistry

from app.access.errors import IssuerUnavailable
from app.access.failed_logins import FailedLogins
from app.api.app import create_app
from app.api.authentication import CredentialAuthenticator
from app.api.explorer_routes import explorer_routes
from app.auth_settings import AuthSettings
from app.backends.issuer_documents import fetch_json, post_form
from app.build.oidc import build_oidc
from app.health import Health
from tests.support.issuer import AUDIENCE, EMAIL
from tests.support.issuer_server import IssuerServer


@pytest.fixture
def server() -> Iterator[IssuerServer]:
    made = IssuerServer()
    yield made
    made.close()


def service(server: IssuerServer) -> FlaskClient:
    """The service that trusts the issuer, and has not asked it anything yet."""
    settings = AuthSettings(
        mode="oidc",
        oidc_issuer=server.issuer.url,
        oidc_audiences=f"another, {AUDIENCE}",
        oidc_rights=f"{EMAIL} read\ngroup:shippers ingest",
    )
    parts = build_oidc(settings, "k" * 40, FailedLogins(time.monotonic))
    authenticator = CredentialAuthenticator([*parts.chosen, *parts.added])
    app = create_app(Health(), CollectorRegistry(), explorer_routes(is_open=False), authenticator=authenticator)
    return app.test_client()


def said(client: FlaskClient, token: str) -> tuple[int, str]:
    """The status of a request with a token, and the name of its sender or the reason of the refusal."""
    response = client.get("/api/v1/session", headers={"Authorization": f"Bearer {token}"})
    content = response.json or {}
    return response.status_code, content.get("name") or content["error"]["message"]


def test_a_token_of_the_issuer_counts_with_the_rights_of_its_person(server: IssuerServer) -> None:
    client = service(server)

    assert said(client, server.issuer.token()) == (200, EMAIL)
    assert said(client, server.issuer.token(email="BOB@example.org"))[0] == 403
    shipper = server.issuer.token(email=None, groups=["shippers"])
    assert said(client, shipper) == (403, "sub:4711 may not do this: its token needs the scope read.")


def test_a_refused_token_is_told_why_and_how_to_authenticate(server: IssuerServer) -> None:
    client = service(server)

    assert said(client, server.issuer.token(aud="x")) == (
        401,
        "The ID token is for another audience than this service.",
    )
    response = client.get("/api/v1/session", headers={"Authorization": "Bearer eyJ.a.b"})
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_refused_token_does_not_keep_probes_from_what_needs_no_right(server: IssuerServer) -> None:
    client = service(server)

    assert client.get("/live", headers={"Authorization": "Bearer eyJ.a.b"}).status_code == 200


def test_while_the_issuer_is_down_tokens_are_neither_accepted_nor_refused(server: IssuerServer) -> None:
    client, token = service(server), server.issuer.token()
    server.status = 500

    response = client.get("/api/v1/session", headers={"Authorization": f"Bearer {token}"})
    assert response.status_code == 503
    assert "Retry-After" in response.headers


def test_tokens_count_on_when_the_issuer_goes_down(server: IssuerServer) -> None:
    client = service(server)
    said(client, server.issuer.token())
    server.status = 500

    assert said(client, server.issuer.token()) == (200, EMAIL)


def test_a_sender_without_a_token_is_not_kept_waiting_for_the_issuer(server: IssuerServer) -> None:
    server.status = 500

    assert service(server).get("/api/v1/session").status_code == 401


@pytest.mark.parametrize(
    ("status", "headers", "body", "reason"),
    [
        (302, {"Location": "http://127.0.0.1:1/"}, b"", "responded with status 302"),
        (200, {}, b"<html>", "did not return JSON"),
        (200, {}, b"[]", "did not return a JSON object"),
        (200, {}, b'{"keys": "' + b"x" * 600_000 + b'"}', "returned more than"),
    ],
)
def test_what_is_no_document_of_an_issuer_is_said_with_the_reason(
    server: IssuerServer, status: int, headers: dict[str, str], body: bytes, reason: str
) -> None:
    server.status, server.headers, server.body = status, headers, body

    with pytest.raises(IssuerUnavailable, match=reason):
        fetch_json(f"{server.issuer.url}/keys")


@pytest.mark.parametrize(
    "url", ["http://192.0.2.1/keys", "file:///etc/passwd", "http://localhost.evil.example/", "//x"]
)
def test_keys_are_only_fetched_where_nobody_can_change_them(url: str) -> None:
    with pytest.raises(IssuerUnavailable, match="not an HTTPS address"):
        fetch_json(url)


def test_a_form_is_sent_with_credentials_and_refusals_keep_their_reason(server: IssuerServer) -> None:
    url = f"{server.issuer.url}/token"
    server.issuer.response = (401, {"error": "invalid_client"})

    assert post_form(url, {"code": "a b"}, ("me", "hush")) == (401, {"error": "invalid_client"})
    assert server.issuer.posts == [({"code": "a b"}, ("me", "hush"))]
    server.issuer.response = (502, {})
    assert post_form(url, {}, None) == (502, {})


def test_a_form_is_sent_nowhere_else_and_an_endless_response_is_given_up(server: IssuerServer) -> None:
    server.status, server.headers, server.body = 307, {"Location": f"{server.issuer.url}/other"}, b""
    assert post_form(f"{server.issuer.url}/token", {"code": "x"}, None) == (307, {})

    server.status, server.body = 200, b"x" * 600_000
    with pytest.raises(IssuerUnavailable, match="returned more than"):
        post_form(f"{server.issuer.url}/token", {}, None)
    with pytest.raises(IssuerUnavailable, match="not an HTTPS address"):
        post_form("http://192.0.2.1/token", {"code": "x"}, None)
