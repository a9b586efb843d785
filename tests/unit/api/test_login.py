"""Signing in with a token: the page, the cookie, and where it leads."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient
from prometheus_client import CollectorRegistry
from werkzeug.test import TestResponse

from app.access.failed_logins import FailedLogins
from app.access.principal import Right
from app.access.sessions import Sessions
from app.access.tokens import Token, Tokens, digest_of, new_secret
from app.api.app import create_app
from app.api.authentication import CredentialAuthenticator, by_token
from app.api.explorer_routes import explorer_routes
from app.api.login import Login
from app.api.login_page import own_path
from app.api.origin import OriginGuard
from app.api.token_login import TokenLogin
from app.health import Health
from app.logging_setup import ACCESS
from tests.support.token_secrets import secret_of

READER, SHIPPER = secret_of("reader"), secret_of("shipper")
NOW = datetime(2026, 12, 1, tzinfo=UTC)
OVER_TLS = "https://localhost"  # as the server passes it on from a trusted proxy: tests/unit/http/test_proxies.py
OVER_HTTP = "http://localhost"


class Site:
    """The service with two tokens, one of which may read."""

    def __init__(self, allowed_hosts: Collection[str] = ()) -> None:
        self.tokens = Tokens(
            [
                Token("alice", (Right.READ,), digest_of(READER)),
                Token("shipper", (Right.INGEST,), digest_of(SHIPPER)),
            ]
        )
        sessions = Sessions("k" * 40, lambda name: self.tokens.named(name, NOW), 3600, NOW.timestamp)
        self.login = Login(tokens=TokenLogin(sessions, self._of_secret, FailedLogins(lambda: 0.0, max_failures=3)))
        authenticator = CredentialAuthenticator([by_token(self._of_secret), self.login.identify])
        routes = explorer_routes(self.login, is_open=False)
        guard = OriginGuard(allowed_hosts)
        app = create_app(Health(), CollectorRegistry(), routes, authenticator=authenticator, guard=guard)
        self.client: FlaskClient = app.test_client(use_cookies=False)

    def _of_secret(self, secret: str) -> Token | None:
        return self.tokens.of_secret(secret, NOW)

    def log_in(
        self, secret: str, address: str = "/login", base: str = OVER_HTTP, headers: Mapping[str, str] = {}
    ) -> TestResponse:
        return self.client.post(address, data={"token": secret}, base_url=base, headers=dict(headers), buffered=True)

    def session(self, cookie: str, base: str = OVER_HTTP) -> TestResponse:
        return self.client.get("/api/v1/session", base_url=base, headers={"Cookie": cookie})


@pytest.fixture
def site() -> Site:
    return Site()


def cookie_of(response: TestResponse) -> str:
    return response.headers["Set-Cookie"].partition(";")[0]


def test_a_token_becomes_a_session(site: Site) -> None:
    response = site.log_in(READER)

    assert (response.status_code, response.headers["Location"]) == (303, "/")
    assert site.session(cookie_of(response)).json == {"name": "alice", "can_log_out": True}


def test_neither_scripts_nor_other_sites_can_use_the_cookie(site: Site) -> None:
    attributes = set(site.log_in(READER).headers["Set-Cookie"].split("; ")[1:])

    assert {"HttpOnly", "SameSite=Strict", "Path=/"} < attributes
    assert "Secure" not in attributes  # a browser would not send it over HTTP
    assert not any(attribute.startswith("Domain") for attribute in attributes)


def test_behind_tls_the_cookie_is_for_this_host_over_tls_only(site: Site) -> None:
    response = site.log_in(READER, base=OVER_TLS)

    assert cookie_of(response).startswith("__Host-")
    assert "Secure" in response.headers["Set-Cookie"].split("; ")
    assert site.session(cookie_of(response), OVER_TLS).status_code == 200


def test_behind_tls_a_cookie_that_another_host_could_have_set_does_not_count(site: Site) -> None:
    assert site.session(cookie_of(site.log_in(READER)), OVER_TLS).status_code == 401


def test_a_client_cannot_say_itself_that_it_speaks_tls(site: Site) -> None:
    assert "Secure" not in site.log_in(READER, headers={"X-Forwarded-Proto": "https"}).headers["Set-Cookie"]


def test_one_logs_in_through_the_proxy_of_gcloud() -> None:
    """`gcloud run services proxy` changes the host, and adds a token whose signature Cloud Run removes; the browser is
    at localhost. https://github.com/GoogleCloudPlatform/cloud-run-proxy"""
    site, cloud_run = Site(["*"]), "https://log-analytics-abc-ew.a.run.app"
    proxied = {
        "Origin": "http://localhost:8080",
        "Sec-Fetch-Site": "same-origin",
        "X-Serverless-Authorization": "Bearer e30.e30.SIGNATURE_REMOVED_BY_GOOGLE",
    }
    response = site.log_in(READER, base=cloud_run, headers=proxied)
    headers = {**proxied, "Cookie": cookie_of(response)}

    assert (response.status_code, response.headers["Location"]) == (303, "/")
    assert site.client.get("/api/v1/session", base_url=cloud_run, headers=headers).status_code == 200


def test_the_secret_is_not_in_the_cookie_nor_in_the_page(site: Site) -> None:
    assert READER not in site.log_in(READER).headers["Set-Cookie"]
    assert (wrong := READER[:-1] + "!") not in site.log_in(wrong).text


def test_a_session_ends_with_its_token(site: Site) -> None:
    cookie = cookie_of(site.log_in(READER))
    site.tokens = Tokens([])

    assert site.session(cookie).status_code == 401


def test_logging_out_takes_the_cookie_and_leads_to_the_login(site: Site) -> None:
    response = site.client.post("/logout", headers={"Cookie": cookie_of(site.log_in(READER))})

    assert (response.status_code, response.headers["Location"]) == (303, "/login")
    assert "Expires=Thu, 01 Jan 1970" in response.headers["Set-Cookie"]


@pytest.mark.parametrize(
    ("secret", "message"),
    [
        (secret_of("unknown"), "This token is not valid: it is unknown, revoked or expired."),
        ("", "This token is not valid: it is unknown, revoked or expired."),
        (SHIPPER, "This token may not read logs: it needs the scope read."),
    ],
)
def test_a_token_that_does_not_fit_is_refused_on_the_page(site: Site, secret: str, message: str) -> None:
    response = site.log_in(secret, "/login?next=/%3Fquery%3Dx")

    assert response.status_code == 403
    assert re.findall(r'<p id="failure" class="failure" role="alert">(.*)</p>', response.text) == [message]
    assert "Set-Cookie" not in response.headers


def test_many_wrong_tokens_from_one_address_must_wait(site: Site) -> None:
    for _ in range(3):
        assert site.log_in(new_secret()).status_code == 403
    response = site.log_in(READER)

    assert (response.status_code, response.headers["Retry-After"]) == (429, "60")
    assert "Set-Cookie" not in response.headers
    other = site.client.post("/login", data={"token": READER}, environ_base={"REMOTE_ADDR": "192.0.2.1"})
    assert other.status_code == 303


def test_logins_are_logged_by_name_and_without_the_secret(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", ACCESS)
    for secret in (READER, SHIPPER, new_secret()):
        site.log_in(secret)

    lines = [record.__dict__["fields"]["access"] for record in caplog.records if record.name == ACCESS]
    assert [(line["operation"], line["principal"], line["status"]) for line in lines] == [
        ("post_login", "alice", 303),
        ("post_login", "shipper", 403),
        ("post_login", "anonymous", 403),
    ]
    assert READER not in repr(lines)


def test_a_token_in_the_address_is_not_taken(site: Site) -> None:
    assert site.client.post(f"/login?token={READER}", data={}).status_code == 403
    assert site.client.get(f"/login?token={READER}").headers.get("Set-Cookie") is None


@pytest.mark.parametrize("path", ["/login", "/logout"])
@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}],
    ids=str,
)
def test_no_other_site_can_log_anybody_in_or_out(site: Site, path: str, headers: dict[str, str]) -> None:
    navigation = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    response = site.client.post(path, data={"token": READER}, headers={**navigation, **headers})

    assert response.status_code == 403
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize("address", ["/?query=level%3Aerror&live=1", "/api/v1/docs", "/"])
def test_one_goes_on_to_where_one_wanted(site: Site, address: str) -> None:
    response = site.client.post("/login", query_string={"next": address}, data={"token": READER})

    assert response.headers["Location"] == address


@pytest.mark.parametrize(
    "address",
    [
        *("https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)"),
        *("evil.example", "", " //evil.example", "/\t/evil.example", "/\n/evil.example", "/\r\nSet-Cookie: a=b", "/é"),
        *(
            "/login",
            "/login?next=/",
            "/login/oidc",
            "/login/oidc/callback?code=x",
            "http:evil.example",
            "/ /evil.example",
        ),
    ],
)
def test_one_never_goes_on_to_another_site(address: str) -> None:
    assert own_path(address) == "/"


def test_the_page_has_the_policy_of_the_explorer(site: Site) -> None:
    page = site.client.get("/login")

    assert page.headers["Content-Security-Policy"] == site.client.get("/").headers["Content-Security-Policy"]
    assert page.headers["Cache-Control"] == "no-store"
    files = re.findall(r'"(/explorer/[^"]+)"', page.text)
    assert files
    for path in files:
        assert site.client.get(path).status_code == 200


def test_the_explorer_knows_whether_one_can_log_in(site: Site) -> None:
    assert "<body data-session data-login>" in site.client.get("/").text


def test_where_everything_is_open_there_is_no_login() -> None:
    client = create_app(Health(), CollectorRegistry(), explorer_routes()).test_client()

    assert "<body>" in client.get("/").text
    assert [client.get(path).status_code for path in ("/login", "/api/v1/session")] == [404, 404]
