"""Signing in at an issuer: the way there and back, and every way in which somebody could cheat on it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from prometheus_client import CollectorRegistry
from werkzeug.test import TestResponse

from app.access import oidc
from app.access.discovery import Discovery
from app.access.errors import IssuerUnavailable
from app.access.failed_logins import FailedLogins
from app.access.identity_rights import read_identity_rights
from app.access.person_sessions import PersonSessions
from app.access.sign_in import Attempts, Client, SignIn
from app.access.signing_keys import SigningKeys
from app.api.admission import Admission
from app.api.app import create_app
from app.api.authentication import CredentialAuthenticator
from app.api.explorer_routes import explorer_routes
from app.api.login import Login
from app.api.login_page import IssuerLink
from app.api.oidc_login import OidcLogin
from app.health import Health
from app.http.line_budget import LineBudget
from app.logging_setup import ACCESS
from tests.support.issuer import EMAIL
from tests.support.sign_in_issuer import CLIENT_ID, CLIENT_SECRET, SignInIssuer

URL = "https://issuer.example"
REDIRECT = "https://logs.example.org/login/oidc/callback"
NOW = 1_800_000_000.0
HOUR = 3600.0
RIGHTS = "@example.org read\ngroup:ops read\ngroup:shippers ingest"
SIGN_IN, SESSION = "log_analytics_sign_in", "log_analytics_session"
NOT_BEGUN = "This sign-in was not begun in this browser, or has ended: sign in again."


class Site:
    """The service at which people of one domain may read, and a browser, which keeps cookies."""

    def __init__(
        self, issuer: SignInIssuer, *, secret: str = CLIENT_SECRET, key: str = "k" * 40, rights: str = RIGHTS
    ) -> None:
        self.now = NOW
        self.issuer = issuer
        discovery = Discovery(issuer.url, issuer.document, lambda: self.now)
        verifier = oidc.Issuer(issuer.url, (CLIENT_ID,), SigningKeys(discovery.keys, lambda: self.now))
        way = OidcLogin(
            SignIn(Client(CLIENT_ID, secret, REDIRECT), verifier, discovery, issuer.post),
            Attempts(key, lambda: self.now),
            PersonSessions(key, issuer.url, read_identity_rights(rights), HOUR, lambda: self.now),
            FailedLogins(lambda: self.now, max_failures=3),
            Admission(8, wait_secs=0),
            LineBudget(lambda: self.now),
        )
        login = Login(issuer=way, link=IssuerLink("Example", "https://logs.example.org/login/oidc"))
        authenticator = CredentialAuthenticator([login.identify])
        routes = explorer_routes(login, is_open=False)
        self.client = create_app(Health(), CollectorRegistry(), routes, authenticator=authenticator).test_client()

    def begin(self, next_path: str = "/") -> str:
        """Follows the link of the login page; returns the address of the issuer."""
        response = self.client.get("/login/oidc", query_string={"next": next_path})
        assert response.status_code == 303
        return response.headers["Location"]

    def come_back(self, query: str) -> TestResponse:
        return self.client.get(f"/login/oidc/callback?{query}")

    def sign_in(self, next_path: str = "/", claims: Mapping[str, object] = {}) -> TestResponse:
        """The whole way."""
        self.issuer.claims_of_next = dict(claims)
        return self.come_back(self.issuer.approve(self.begin(next_path)))

    def cookie(self, name: str) -> str | None:
        found = self.client.get_cookie(name)
        return found.value if found else None

    def session(self) -> tuple[int, object]:
        response = self.client.get("/api/v1/session")
        return response.status_code, response.json


@pytest.fixture(scope="module")
def shared() -> SignInIssuer:
    return SignInIssuer(URL)


@pytest.fixture
def issuer(shared: SignInIssuer) -> SignInIssuer:
    shared.metadata, shared.claims_of_next, shared.posts, shared.response = {}, {}, [], None
    return shared


@pytest.fixture
def site(issuer: SignInIssuer) -> Site:
    return Site(issuer)


def said(response: TestResponse) -> str:
    """The message on the page."""
    return "".join(re.findall(r'<p id="failure" class="failure" role="alert">(.*)</p>', response.text))


def refused(site: Site, response: TestResponse, status: int = 403) -> str:
    """The message of a sign-in that was refused, which leaves no session."""
    assert response.status_code == status
    assert site.cookie(SESSION) is None
    assert site.session()[0] == 401
    return said(response)


def test_who_signs_in_has_a_session_with_the_rights_of_that_person(site: Site) -> None:
    response = site.sign_in()

    assert response.status_code == 200
    assert site.session() == (200, {"name": EMAIL, "can_log_out": True})
    assert site.cookie(SIGN_IN) is None


def test_the_browser_is_led_to_the_issuer_with_pkce_state_and_nonce(site: Site) -> None:
    sent = [dict(parse_qsl(urlsplit(site.begin()).query)) for _ in range(2)]

    fixed = {"response_type": "code", "client_id": CLIENT_ID, "redirect_uri": REDIRECT, "scope": "openid email"}
    assert sent[0].items() >= {**fixed, "code_challenge_method": "S256"}.items()
    for name in ("state", "nonce", "code_challenge"):
        assert len({request[name] for request in sent}) == 2
        assert min(len(request[name]) for request in sent) >= 43


def test_a_query_of_the_endpoint_is_kept(issuer: SignInIssuer) -> None:
    issuer.metadata = {"authorization_endpoint": f"{URL}/authorize?tenant=1"}

    assert Site(issuer).begin().startswith(f"{URL}/authorize?tenant=1&response_type=code&")


def test_the_cookies_are_unreadable_for_scripts_and_that_of_the_session_is_strict(site: Site) -> None:
    begun = site.client.get("/login/oidc").headers["Set-Cookie"]
    set_at_end = [text for text in site.sign_in().headers.getlist("Set-Cookie") if text.startswith(f"{SESSION}=")]

    assert {"HttpOnly", "SameSite=Lax", "Path=/"} < set(begun.split("; "))
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} < set(set_at_end[0].split("; "))


def test_one_goes_on_from_a_page_of_this_service_as_the_cookie_is_strict(site: Site) -> None:
    response = site.sign_in("/api/v1/logs.csv?query=level%3Aerror&start=now-1h")

    assert 'content="0; url=/api/v1/logs.csv?query=level%3Aerror&amp;start=now-1h"' in response.text
    assert "Location" not in response.headers


@pytest.mark.parametrize(
    "address", ["https://evil.example", "//evil.example", "/\\evil.example", '/"><script>', "/" + "x" * 2_000]
)
def test_one_never_goes_on_to_another_site(site: Site, address: str) -> None:
    text = site.sign_in(address).text

    assert "evil.example" not in text
    assert "<script" not in text
    assert 'content="0; url=/' in text


def test_an_answer_without_a_begun_sign_in_is_refused_so_that_nobody_is_logged_in_as_another(
    site: Site, issuer: SignInIssuer
) -> None:
    attacker = Site(issuer)
    query = issuer.approve(attacker.begin())

    assert refused(site, site.come_back(query)) == NOT_BEGUN
    site.begin()
    assert refused(site, site.come_back(query)) == NOT_BEGUN
    assert issuer.posts == []


def test_an_answer_that_does_not_fit_leaves_the_sign_in_that_was_begun(site: Site, issuer: SignInIssuer) -> None:
    address = site.begin()

    assert refused(site, site.come_back("state=x&code=y")) == NOT_BEGUN
    site.come_back(issuer.approve(address))
    assert site.session()[0] == 200


def test_the_same_answer_does_not_count_twice(site: Site, issuer: SignInIssuer) -> None:
    address = site.begin()
    query, kept = issuer.approve(address), site.cookie(SIGN_IN)
    site.come_back(query)
    site.client.delete_cookie(SESSION)

    assert refused(site, site.come_back(query)) == NOT_BEGUN
    assert len(issuer.posts) == 1
    assert kept is not None
    site.client.set_cookie(SIGN_IN, kept)  # even with a copy of the cookie: the issuer takes no code twice
    assert refused(site, site.come_back(query)) == "The issuer did not accept the sign-in: invalid_grant."


def test_a_code_of_another_sign_in_is_refused_by_pkce(site: Site, issuer: SignInIssuer) -> None:
    stolen = dict(parse_qsl(issuer.approve(Site(issuer).begin())))["code"]

    query = issuer.approve(site.begin(), code=stolen)
    assert refused(site, site.come_back(query)) == "The issuer did not accept the sign-in: invalid_grant."


def test_a_sign_in_ends_after_ten_minutes(site: Site, issuer: SignInIssuer) -> None:
    query = issuer.approve(site.begin())
    site.now += 600

    assert refused(site, site.come_back(query)) == NOT_BEGUN


def test_a_cookie_that_another_has_signed_begins_nothing(site: Site, issuer: SignInIssuer) -> None:
    other = Site(issuer, key="another" * 8)
    query = issuer.approve(other.begin())
    site.client.set_cookie(SIGN_IN, other.cookie(SIGN_IN) or "")

    assert refused(site, site.come_back(query)) == NOT_BEGUN


def test_the_cookie_of_a_sign_in_is_no_session(site: Site) -> None:
    site.begin()
    site.client.set_cookie(SESSION, site.cookie(SIGN_IN) or "")

    assert site.session()[0] == 401


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        ({"nonce": "another"}, "The ID token answers another sign-in than this one."),
        ({"nonce": None}, "The ID token answers another sign-in than this one."),
        ({"nonce": 7}, "The ID token answers another sign-in than this one."),
        ({"aud": "another"}, "The ID token is for another audience than this service."),
        ({"aud": [CLIENT_ID, "another"]}, "The ID token was made for another client than this service."),
        ({"azp": "another"}, "The ID token was made for another client than this service."),
        ({"iss": "https://evil.example"}, "The ID token is of another issuer."),
        ({"iat": 1, "exp": 2}, "The ID token has expired."),
    ],
    ids=str,
)
def test_an_id_token_of_another_sign_in_issuer_client_or_time_is_refused(
    site: Site, claims: dict[str, object], message: str
) -> None:
    assert refused(site, site.sign_in(claims=claims)) == message


@pytest.mark.parametrize("claims", [{"aud": [CLIENT_ID]}, {"aud": [CLIENT_ID, "api"], "azp": CLIENT_ID}], ids=str)
def test_an_id_token_for_several_counts_if_it_was_made_for_this_client(site: Site, claims: dict[str, object]) -> None:
    assert site.sign_in(claims=claims).status_code == 200


def test_an_answer_of_another_issuer_is_refused_before_its_code_is_sent_anywhere(
    site: Site, issuer: SignInIssuer
) -> None:
    query = issuer.approve(site.begin(), iss="https://evil.example")

    assert refused(site, site.come_back(query)) == "This answer is of another issuer."
    assert issuer.posts == []


def test_an_issuer_that_always_names_itself_must_do_so(issuer: SignInIssuer) -> None:
    issuer.metadata = {"authorization_response_iss_parameter_supported": True}
    site = Site(issuer)

    assert refused(site, site.come_back(issuer.approve(site.begin(), iss=None))) == "This answer is of another issuer."


def test_other_issuers_need_not_name_themselves(site: Site, issuer: SignInIssuer) -> None:
    assert site.come_back(issuer.approve(site.begin(), iss=None)).status_code == 200


@pytest.mark.parametrize(
    ("error", "description", "message"),
    [
        ("access_denied", "x", "The sign-in was cancelled or denied at the issuer."),
        (
            "<b>",
            "<script>alert(1)</script>\x1b[31m",
            "The issuer has answered with the error &lt;b&gt; (&lt;script&gt;alert(1)&lt;/script&gt;[31m).",
        ),
    ],
)
def test_an_error_of_the_issuer_is_shown_as_text(
    site: Site, issuer: SignInIssuer, error: str, description: str, message: str
) -> None:
    query = issuer.approve(site.begin(), code=None, error=error, error_description=description)

    assert refused(site, site.come_back(query)) == message


def test_an_error_that_anybody_made_up_is_not_shown(site: Site) -> None:
    site.begin()

    assert "call me" not in site.come_back(urlencode({"error": "x", "error_description": "call me"})).text


def test_a_person_without_the_right_to_read_is_told_so(site: Site) -> None:
    assert refused(site, site.sign_in(claims={"email": "eve@evil.example"})) == (
        "eve@evil.example may not read logs here: no line of AUTH_OIDC_RIGHTS says so."
    )
    assert "sub:4711 may not read" in refused(site, site.sign_in(claims={"email": None, "groups": ["shippers"]}))
    assert "sub:4711 may not read" in refused(site, site.sign_in(claims={"email_verified": False}))


def random_groups(count: int) -> list[str]:
    """Names that cannot be compressed."""
    return [secrets.token_hex(12) for _ in range(count)]


def test_groups_without_rights_take_no_room_in_the_cookie(site: Site) -> None:
    site.sign_in(claims={"email": None, "groups": ["ops", *random_groups(300)]})

    assert site.session() == (200, {"name": "sub:4711", "can_log_out": True})


def test_a_cookie_that_browsers_would_drop_is_not_set(issuer: SignInIssuer) -> None:
    groups = random_groups(300)
    site = Site(issuer, rights="\n".join(f"group:{group} read" for group in groups))

    assert "You are in more groups with rights than a cookie has room for" in refused(
        site, site.sign_in(claims={"groups": groups})
    )


def test_a_session_ends_with_its_time(site: Site) -> None:
    site.sign_in()
    cookie = site.cookie(SESSION) or ""
    site.now += HOUR
    site.client.set_cookie(SESSION, cookie)

    assert site.session()[0] == 401


def test_a_session_of_another_issuer_does_not_count(site: Site) -> None:
    other = Site(SignInIssuer("https://other.example"))
    other.sign_in()
    site.client.set_cookie(SESSION, other.cookie(SESSION) or "")

    assert site.session()[0] == 401


def test_logging_out_ends_the_session_in_this_browser(site: Site) -> None:
    site.sign_in()
    site.client.post("/logout")

    assert site.session()[0] == 401


@pytest.mark.parametrize("place", ["cross-site", "same-site"])
def test_a_page_of_another_site_begins_no_sign_in(site: Site, place: str) -> None:
    link = {"Sec-Fetch-Site": place, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    response = site.client.get("/login/oidc?next=/%3Fquery%3Dx", headers=link)

    assert (response.status_code, response.headers["Location"]) == (303, "/login?next=%2F%3Fquery%3Dx")
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize(
    ("methods", "form", "credentials"),
    [
        (None, {}, (CLIENT_ID, "hush%3A+a+%2Bsecret")),
        (["client_secret_post", "client_secret_basic"], {}, (CLIENT_ID, "hush%3A+a+%2Bsecret")),
        (["client_secret_post"], {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}, None),
    ],
)
def test_the_secret_is_sent_as_the_issuer_takes_it(
    issuer: SignInIssuer, methods: list[str] | None, form: dict[str, str], credentials: tuple[str, str] | None
) -> None:
    issuer.metadata = {"token_endpoint_auth_methods_supported": methods} if methods else {}

    assert Site(issuer).sign_in().status_code == 200
    sent, used = issuer.posts[0]
    assert {name: value for name, value in sent.items() if name.startswith("client_")} == form
    assert used == credentials


def test_a_public_client_sends_no_secret(issuer: SignInIssuer) -> None:
    assert Site(issuer, secret="").sign_in().status_code == 200
    sent, used = issuer.posts[0]
    assert (sent["client_id"], used) == (CLIENT_ID, None)
    assert "client_secret" not in sent


@pytest.mark.parametrize(
    ("status", "body", "shown", "message"),
    [
        (401, {"error": "invalid_client"}, 403, "The issuer did not accept the sign-in: invalid_client."),
        (200, {"access_token": "x"}, 403, "The issuer has sent no ID token: is openid one of AUTH_OIDC_SCOPES?"),
        (500, {}, 503, "The issuer cannot be reached now: try again later. The log of this service has the reason."),
    ],
)
def test_a_token_endpoint_that_fails_is_reported(
    site: Site, issuer: SignInIssuer, status: int, body: dict[str, str], shown: int, message: str
) -> None:
    issuer.response = (status, body)

    assert refused(site, site.sign_in(), shown) == message


def test_while_the_issuer_is_down_nobody_is_led_to_it(site: Site, issuer: SignInIssuer) -> None:
    def away(url: str) -> dict[str, object]:
        raise IssuerUnavailable(f"{url} cannot be reached")

    issuer.document = away  # type: ignore[method-assign]
    try:
        response = Site(issuer).client.get("/login/oidc")
    finally:
        del issuer.document
    assert response.status_code == 503
    assert URL not in said(response)


def test_an_endpoint_that_is_not_https_is_not_used(issuer: SignInIssuer) -> None:
    issuer.metadata = {"authorization_endpoint": "javascript:alert(1)"}

    assert Site(issuer).client.get("/login/oidc").status_code == 503


def test_many_failed_sign_ins_must_wait(site: Site, issuer: SignInIssuer) -> None:
    for _ in range(3):
        site.come_back(issuer.approve(site.begin(), code="made up"))
    response = site.sign_in()

    assert (response.status_code, response.headers["Retry-After"]) == (429, "60")


def test_the_page_has_a_link_and_no_form_if_there_are_no_tokens(site: Site) -> None:
    page = site.client.get("/login?next=/%3Fquery%3Da%22b").text

    assert 'href="https://logs.example.org/login/oidc?next=%2F%3Fquery%3Da%22b">Sign in with Example</a>' in page
    assert "<form" not in page


def test_a_sign_in_is_logged_by_name_and_without_the_code(
    site: Site, issuer: SignInIssuer, caplog: pytest.LogCaptureFixture
) -> None:
    query = issuer.approve(site.begin())
    caplog.set_level("INFO", ACCESS)
    site.client.get(f"/login/oidc/callback?{query}", buffered=True)

    lines = [vars(record)["fields"]["access"] for record in caplog.records if record.name == ACCESS]
    assert [(line["principal"], line["status"]) for line in lines] == [(EMAIL, 200)]
    code = dict(parse_qsl(query))["code"]
    assert not any(code in f"{vars(record)}" for record in caplog.records)
