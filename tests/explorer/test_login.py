"""Where a token is needed: the page asks for it, goes on to where one wanted to go, and live tail works with it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from prometheus_client import CollectorRegistry

from app.access.identity_rights import read_identity_rights
from app.access.oidc import IAP_ISSUER, identity_aware_proxy
from app.access.tokens import digest_of, new_secret
from app.api.authentication import CredentialAuthenticator
from app.api.id_tokens import by_proxy_assertion
from app.auth_settings import AuthSettings
from app.build.access import AccessParts, build_access
from app.metrics import Metrics
from app.settings import Settings
from tests.e2e.query_table import QueryTable
from tests.explorer.axe import COLOURS, RULES, violations
from tests.explorer.conftest import PATIENT, new_context
from tests.explorer.site import Explorer, Site, Watch
from tests.support.issuer import EMAIL, Issuer
from tests.support.servers import RunningEngine

pytestmark = pytest.mark.stack

SECRET = new_secret()
HIDDEN = "of a service that is hidden"


def protected(table: QueryTable) -> Site:
    """The explorer over a table, for one token, which may see one service."""
    line = f"alice read sha256:{digest_of(SECRET).hex()} only=service:shown"
    settings = Settings(auth=AuthSettings(tokens=line))
    access = build_access(settings, Metrics(CollectorRegistry(), version="0"))
    return Site(partial(table.application, PATIENT, access=access))


@pytest.fixture(scope="module")
def table(engine: RunningEngine) -> Iterator[QueryTable]:
    made = QueryTable(engine)
    now_ms = int(time.time() * 1000)
    made.store(
        [(now_ms - 1000, {"service": "shown", "message": "hello"}), (now_ms, {"service": "x", "message": HIDDEN})]
    )
    yield made
    made.drop()


@pytest.fixture(scope="module")
def site(table: QueryTable) -> Iterator[Site]:
    made = protected(table)
    yield made
    made.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = new_context(browser)
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    made = context.new_page()
    watch = Watch()
    watch.look_at(made)
    yield made
    # Statuses other than those of a refused login would be errors of the page.
    assert [said for said in watch.complaints if "/login" not in said] == []


def log_in(page: Page, secret: str = SECRET) -> None:
    page.get_by_label("Token").fill(secret)
    page.get_by_role("button", name="Log in").click()


def logged_in(page: Page, site: Site, address: str = "") -> Explorer:
    page.goto(f"{site.url}{address}")
    log_in(page)
    return Explorer(page, site.url, Watch()).settled()


def test_one_is_asked_for_a_token_and_goes_on_to_where_one_wanted(page: Page, site: Site) -> None:
    explorer = logged_in(page, site, "?query=message%3Ahello&start=now-1h")

    assert page.url == f"{site.url}?query=message%3Ahello&start=now-1h"
    expect(explorer.rows).to_have_count(1)
    expect(page.get_by_text("alice")).to_be_visible()
    assert explorer.evaluate("document.cookie") == ""


def test_a_wrong_token_is_refused_on_the_page_which_keeps_where_one_wanted_to_go(page: Page, site: Site) -> None:
    page.goto(f"{site.url}?query=hello")
    log_in(page, new_secret())
    expect(page.get_by_role("alert")).to_have_text("This token is not valid: it is unknown, revoked or expired.")
    expect(page.get_by_label("Token")).to_be_focused()
    log_in(page)

    Explorer(page, site.url, Watch()).settled()
    assert page.url == f"{site.url}?query=hello"


def test_live_tail_works_and_shows_what_the_token_may_see(page: Page, site: Site, table: QueryTable) -> None:
    explorer = logged_in(page, site)
    with page.expect_response("**/logs/tail*"):  # it has begun
        page.get_by_role("button", name="Live").click()
    explorer.settled()
    now_ms = int(time.time() * 1000)
    table.store([(now_ms, {"service": "x", "message": HIDDEN}), (now_ms, {"service": "shown", "message": "followed"})])

    expect(explorer.rows.filter(has_text="followed")).to_have_count(1)
    expect(explorer.rows.filter(has_text=HIDDEN)).to_have_count(0)


def test_after_logging_out_nothing_is_shown(page: Page, site: Site) -> None:
    logged_in(page, site)
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_label("Token")).to_be_visible()
    page.goto(site.url)

    expect(page.get_by_label("Token")).to_be_visible()


def test_a_page_whose_session_has_ended_asks_again(page: Page, context: BrowserContext, site: Site) -> None:
    explorer = logged_in(page, site, "?query=hello")
    page.wait_for_load_state("networkidle")  # what is still asked for, such as the facets, would find out by itself
    context.clear_cookies()
    explorer.query.press("Enter")

    expect(page.get_by_label("Token")).to_be_visible()
    log_in(page)
    assert explorer.settled().state == {"query": "hello"}


def assert_accessible(page: Page) -> None:
    """In both widths and themes."""
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            assert violations(page, RULES if scheme == "light" else COLOURS) == [], (width, scheme)


def test_axe_finds_no_violations_on_the_login_nor_where_one_is_logged_in(page: Page, site: Site) -> None:
    page.goto(f"{site.url}login")
    assert_accessible(page)
    log_in(page, "wrong")
    expect(page.get_by_role("alert")).to_be_visible()
    assert_accessible(page)
    log_in(page)
    Explorer(page, site.url, Watch()).settled()
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    expect(page.locator(".is-stale:visible")).to_have_count(0)  # until then it is grey
    assert_accessible(page)


@pytest.mark.parametrize("path", ["login", "logout"])
def test_a_page_of_another_site_can_log_nobody_in_or_out(page: Page, site: Site, path: str) -> None:
    logged_in(page, site)
    other = page.context.new_page()
    field = f'<input name="token" value="{SECRET}"><button>Win</button>'
    form = f'<form method="post" action="{site.url}{path}">{field}</form>'
    other.route("http://evil.example/", lambda route: route.fulfill(body=form, content_type="text/html"))
    other.goto("http://evil.example/")
    with other.expect_response(f"{site.url}{path}") as response:
        other.get_by_role("button").click()

    assert response.value.status == 403
    page.reload()
    Explorer(page, site.url, Watch()).settled()
    expect(page.get_by_role("button", name="Log out")).to_be_visible()


IAP_AUDIENCE = "/projects/1/global/backendServices/2"


@pytest.fixture(scope="module")
def google() -> Issuer:
    return Issuer(IAP_ISSUER, "ES256")


@pytest.fixture(scope="module")
def site_behind_proxy(table: QueryTable, google: Issuer) -> Iterator[Site]:
    """The explorer behind the Identity-Aware Proxy, without tokens."""
    proxy = identity_aware_proxy(IAP_AUDIENCE, lambda url: google.keys, time.monotonic)
    rights = read_identity_rights("@example.org read only=service:shown")
    access = AccessParts(CredentialAuthenticator([by_proxy_assertion(proxy, rights)]), is_open=False)
    made = Site(partial(table.application, PATIENT, access=access))
    yield made
    made.close()


def test_behind_the_identity_aware_proxy_nobody_logs_in_or_out(
    page: Page, context: BrowserContext, site_behind_proxy: Site, google: Issuer
) -> None:
    assertion = google.token(aud=IAP_AUDIENCE, email_verified=None)
    context.set_extra_http_headers({"X-Goog-IAP-JWT-Assertion": assertion})
    page.goto(site_behind_proxy.url)
    explorer = Explorer(page, site_behind_proxy.url, Watch()).settled()

    expect(page.get_by_text(EMAIL)).to_be_visible()
    expect(page.get_by_role("button", name="Log out")).to_be_hidden()
    expect(explorer.rows.filter(has_text="hello")).to_have_count(1)
    expect(explorer.rows.filter(has_text=HIDDEN)).to_have_count(0)


def test_around_the_identity_aware_proxy_one_is_told_why_nothing_is_shown(page: Page, site_behind_proxy: Site) -> None:
    page.goto(site_behind_proxy.url)

    expect(page.get_by_text("You are not signed in")).to_be_visible()
