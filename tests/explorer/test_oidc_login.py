"""Signing in at an issuer in a real browser: there and back, the live tail, and out again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial

import pytest
from playwright.sync_api import Browser, Page, expect
from prometheus_client import CollectorRegistry

from app.access.tokens import digest_of, new_secret
from app.auth_settings import AuthSettings
from app.build.access import build_access
from app.metrics import Metrics
from app.settings import Settings
from local.ports import free_port
from tests.e2e.query_table import QueryTable
from tests.explorer.axe import RULES, violations
from tests.explorer.conftest import PATIENT, new_context
from tests.explorer.site import Explorer, Site, Watch
from tests.support.issuer import EMAIL
from tests.support.issuer_server import IssuerServer
from tests.support.servers import RunningEngine
from tests.support.sign_in_issuer import CLIENT_ID, CLIENT_SECRET

pytestmark = pytest.mark.stack

HIDDEN = "of a service that is hidden"


@pytest.fixture(scope="module")
def table(engine: RunningEngine) -> Iterator[QueryTable]:
    made = QueryTable(engine)
    now_ms = int(time.time() * 1000)
    made.store([(now_ms, {"service": "shown", "message": "hello"}), (now_ms, {"service": "x", "message": HIDDEN})])
    yield made
    made.drop()


@pytest.fixture(scope="module")
def issuer() -> Iterator[IssuerServer]:
    """An issuer that is another site, so that cookies are sent as in the world outside."""
    made = IssuerServer("localhost")
    yield made
    made.close()


@pytest.fixture(scope="module")
def site(table: QueryTable, issuer: IssuerServer) -> Iterator[Site]:
    """The explorer, for one token and for a person, who may see one service."""
    port = free_port()
    auth = {
        "mode": "oidc",
        "tokens": f"alice read sha256:{digest_of(new_secret()).hex()}",
        "oidc_issuer": issuer.issuer.url,
        "oidc_client_id": CLIENT_ID,
        "oidc_client_secret": CLIENT_SECRET,
        "oidc_rights": f"{EMAIL} read only=service:shown",
        "oidc_name": "Example",
        "public_url": f"http://127.0.0.1:{port}",
    }
    settings = Settings(auth=AuthSettings.model_validate(auth))
    access = build_access(settings, Metrics(CollectorRegistry(), version="0"))
    made = Site(partial(table.application, PATIENT, access=access), port)
    yield made
    made.close()


@pytest.fixture
def page(browser: Browser, issuer: IssuerServer) -> Iterator[Page]:
    issuer.issuer.claims_of_next = {}
    context = new_context(browser)
    made = context.new_page()
    watch = Watch()
    watch.look_at(made)
    yield made
    context.close()
    assert [said for said in watch.complaints if "/login/oidc/callback" not in said] == []


def sign_in(page: Page) -> None:
    page.get_by_role("link", name="Sign in with Example").click()
    page.get_by_role("link", name=f"Continue as {EMAIL}").click()


def test_one_signs_in_follows_the_logs_and_logs_out(page: Page, site: Site, table: QueryTable) -> None:
    page.goto(f"{site.url}?query=message%3A*&start=now-1h")
    sign_in(page)
    explorer = Explorer(page, site.url, Watch()).settled()

    assert page.url == f"{site.url}?query=message%3A*&start=now-1h"
    expect(page.get_by_text(EMAIL)).to_be_visible()
    expect(explorer.rows).to_have_count(1)
    assert explorer.evaluate("document.cookie") == ""

    with page.expect_response("**/logs/tail*"):  # it has begun
        page.get_by_role("button", name="Live").click()
    explorer.settled()
    now_ms = int(time.time() * 1000)
    table.store([(now_ms, {"service": "x", "message": HIDDEN}), (now_ms, {"service": "shown", "message": "followed"})])
    expect(explorer.rows.filter(has_text="followed")).to_have_count(1)
    expect(explorer.rows.filter(has_text=HIDDEN)).to_have_count(0)

    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("link", name="Sign in with Example")).to_be_visible()
    page.goto(site.url)
    expect(page.get_by_role("link", name="Sign in with Example")).to_be_visible()


def test_the_first_page_after_the_issuer_has_the_session(page: Page, site: Site) -> None:
    page.goto(f"{site.url}login?next=/api/v1/session")
    sign_in(page)

    expect(page.get_by_text(EMAIL)).to_be_visible()


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_axe_finds_no_violations_with_a_link_to_the_issuer_nor_where_it_ends(
    page: Page, site: Site, issuer: IssuerServer, width: int, scheme: str
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(f"{site.url}login")
    assert violations(page, RULES) == []
    issuer.issuer.claims_of_next = {"email": "eve@evil.example"}
    sign_in(page)
    expect(page.get_by_role("alert")).to_contain_text("eve@evil.example may not read logs here")

    assert violations(page, RULES) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
