"""Pages of other sites in a real browser: they cannot read a log, have a query run, or use the local engine."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from clickhouse_connect import get_client
from playwright.sync_api import Browser, Page

from app.api.origin import OriginGuard
from app.api.request_head import RequestHead
from tests.explorer.conftest import new_context
from tests.explorer.site import PATIENCE_MS, Site
from tests.fakes import ScriptedReader
from tests.query.results import result_of
from tests.support.query_application import query_application
from tests.support.servers import RunningEngine

pytestmark = pytest.mark.stack

READ = "api/v1/logs?query=timeout"
_PATIENCE_MS = 5_000  # for the elements that report no refusal
SECRET = "text of Body"  # of every log of these tests

# Each sends a request to `url` in a way of its own, and ends when the browser has its outcome.
WAYS = {
    "fetch": "fetch(url).then(r => r.text(), () => '')",
    "fetch without CORS": "fetch(url, {mode: 'no-cors'}).then(r => r.text(), () => '')",
    "fetch with credentials": "fetch(url, {credentials: 'include'}).then(r => r.text(), () => '')",
    "a POST of plain text": "fetch(url, {method: 'POST', mode: 'no-cors', body}).then(r => r.text(), () => '')",
    "a POST of JSON, with its preflight": """fetch(url, {method: 'POST', body,
        headers: {'Content-Type': 'application/json', Authorization: 'Bearer x'}}).then(r => r.text(), () => '')""",
    "XMLHttpRequest": """new Promise(done => {
        const request = new XMLHttpRequest();
        request.onloadend = () => done(request.responseText);
        request.open('GET', url);
        request.send();
    })""",
    "a beacon": "(navigator.sendBeacon(url, body), fetch(url, {mode: 'no-cors'}).then(() => '', () => ''))",
    "EventSource": """new Promise(done => {
        const events = new EventSource(url);
        events.onmessage = event => done(event.data);
        events.onerror = () => (events.close(), done(''));
    })""",
    "WebSocket": """new Promise(done => {
        const socket = new WebSocket(url.replace('http', 'ws'));
        socket.onmessage = event => done(event.data);
        socket.onclose = () => done('');
    })""",
    **{
        f"a <{tag}>": f"""new Promise(done => {{
            const element = document.createElement('{tag}');
            Object.assign(element, {{rel: 'stylesheet', {address}: url}});
            element.onload = element.onerror = () => done(read(element));
            document.body.append(element);
        }})"""
        for tag, address in (("img", "src"), ("script", "src"), ("link", "href"), ("iframe", "src"), ("embed", "src"))
    },
    **{
        f"a form by {method} in a frame": f"""new Promise(done => {{
            const frame = document.createElement('iframe'), form = document.createElement('form');
            frame.name = 'target';
            document.body.append(frame, form);
            Object.assign(form, {{method: '{method}', action: url, target: 'target', enctype: 'text/plain'}});
            for (const [name, value] of new URL(url).searchParams) {{
                const field = document.createElement('input');
                Object.assign(field, {{name, value}});
                form.append(field);
            }}
            frame.onload = () => done(read(frame));
            form.submit();
        }})"""
        for method in ("GET", "POST")
    },
}
_SCRIPT = """async ({{url, body}}) => {{
    const read = element => {{
        try {{ return element.contentDocument.documentElement.outerHTML; }} catch {{ return ''; }}
    }};
    const outcome = (async () => await ({way}) ?? '')();
    return await Promise.race([outcome, new Promise(done => setTimeout(done, {patience_ms}, ''))]);
}}"""


class Attacker:
    """A site whose name leads to this machine, like the service."""

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Page)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://evil.example:{self._server.server_port}/"

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>cats</title><body>")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class names it so
        """Nothing."""


class OpenGuard(OriginGuard):
    """What the service would be without its guard."""

    def check(self, head: RequestHead) -> None:
        """Let everything pass."""


class Service:
    """The API over a reader that counts what it is asked."""

    def __init__(self, guard: OriginGuard | None = None) -> None:
        self.reader = ScriptedReader(result_of)
        self.site = Site(lambda is_stopping: query_application(self.reader, guard))


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    made = Service()
    yield made
    made.site.close()


@pytest.fixture(scope="module")
def open_service() -> Iterator[Service]:
    made = Service(OpenGuard(()))
    yield made
    made.site.close()


@pytest.fixture(scope="module")
def attacker(browser: Browser) -> Iterator[tuple[Page, str]]:
    """A browser's page, and the address of another site."""
    made = Attacker()
    context = new_context(browser)
    yield context.new_page(), made.url
    context.close()
    made.close()


@pytest.fixture
def foreign_page(attacker: tuple[Page, str]) -> Page:
    """A page of another site, just opened."""
    page, url = attacker
    page.goto(url)
    return page


def attack(page: Page, way: str, url: str, body: str = "") -> str:
    """What the page could read."""
    return str(page.evaluate(_SCRIPT.format(way=WAYS[way], patience_ms=_PATIENCE_MS), {"url": url, "body": body}))


@pytest.mark.parametrize("way", WAYS)
def test_a_page_of_another_site_reads_nothing_and_has_no_query_run(
    foreign_page: Page, service: Service, way: str
) -> None:
    assert SECRET not in attack(foreign_page, way, service.site.url + READ)
    assert service.reader.statements == []


# A POST and a WebSocket are refused by this path itself.
@pytest.mark.parametrize("way", [way for way in WAYS if "POST" not in way and way != "WebSocket"])
def test_without_the_guard_it_could_have_a_query_run(foreign_page: Page, open_service: Service, way: str) -> None:
    """The attacks of the test above reach a service that lets them in."""
    open_service.reader.statements.clear()

    attack(foreign_page, way, open_service.site.url + READ)

    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not open_service.reader.statements:
        assert time.monotonic() < deadline
        foreign_page.wait_for_timeout(50)


def rebound_page(browser: Browser, url: str) -> Page:
    """A page whose name led elsewhere when it was loaded, and leads to this machine now: DNS rebinding.

    What matters is its origin, which is that of the service under another name. So the refusal itself stands for it,
    without its policy, since the page of an attacker has none.
    """
    page = new_context(browser, bypass_csp=True).new_page()
    page.goto(f"http://rebound.example:{urlsplit(url).port}/ping")
    return page


@pytest.mark.parametrize("path", [READ, "api/v1/openapi.json", "health", "metrics", "explorer/1/main.js"])
def test_a_rebound_name_is_not_answered(browser: Browser, service: Service, path: str) -> None:
    page = rebound_page(browser, service.site.url)

    status, text = page.evaluate("path => fetch(path).then(async r => [r.status, await r.text()])", f"/{path}")

    assert (status, "not known as 'rebound.example" in text) == (421, True)
    assert service.reader.statements == []
    page.context.close()


def test_without_the_guard_a_rebound_name_would_read_logs(browser: Browser, open_service: Service) -> None:
    page = rebound_page(browser, open_service.site.url)

    assert SECRET in attack(page, "fetch", f"http://{urlsplit(page.url).netloc}/{READ}")
    page.context.close()


# The engine of `make run`. That of the tests asks for no password, so that nothing but the guard is in the way.


def table_names(engine: RunningEngine) -> set[str]:
    client = get_client(
        dsn=engine.url.replace("http", "clickhouse+http"), username=engine.user or "default", password=engine.password
    )
    rows = client.query("SELECT name FROM system.tables WHERE database = 'default'").result_rows
    client.close()
    return {row[0] for row in rows}


@pytest.mark.parametrize("way", WAYS)
def test_a_page_of_another_site_changes_nothing_in_the_local_engine(
    foreign_page: Page, engine: RunningEngine, way: str
) -> None:
    name = f"planted_{uuid.uuid4().hex}"
    statement = f"CREATE TABLE default.{name} (a UInt8) ENGINE = Memory"
    by_body = attack(foreign_page, way, f"{engine.url}/", statement)
    by_url = attack(foreign_page, way, f"{engine.url}/?{urlencode({'query': 'SELECT version()'})}", " ")

    assert "ACCESS_DENIED" not in by_body + by_url  # not even the refusal can be read
    assert name not in table_names(engine)


def test_a_rebound_name_reads_nothing_from_the_local_engine(browser: Browser, engine: RunningEngine) -> None:
    page = rebound_page(browser, engine.url)

    for request in ("fetch('/?query=SELECT+1')", "fetch('/', {method: 'POST', body: 'SELECT 1'})"):
        status, text = page.evaluate(f"() => {request}.then(async r => [r.status, await r.text()])")
        assert (status, "rebound.example" in text, "\n1\n" in text) == (403, True, False)
    page.context.close()
