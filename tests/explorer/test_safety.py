"""Content of logs is only text to the page, and the page contacts only the service."""

from __future__ import annotations

import time
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from tests.e2e.query_table import QueryTable
from tests.explorer.conftest import Visit, site_over
from tests.explorer.site import Explorer, Site
from tests.support.servers import RunningEngine

pytestmark = pytest.mark.stack

ATTACKS = [
    "<img src=x onerror=\"window.hacked='img'\">",
    "<script>window.hacked='script'</script>",
    "\"><svg onload=window.hacked='svg'>",
    "javascript:window.hacked='link'",
    "'-window.hacked='quote'-'",
    "{{constructor.constructor('window.hacked=1')()}}",
    "</textarea><iframe srcdoc=\"<script>parent.hacked='frame'</script>\">",
    "<style>*{display:none}</style>",
]


def attack(number: int, text: str) -> dict[str, object]:
    """A log with the attack in every field and field name."""
    return {
        **dict.fromkeys(("service", "message", "user_id", "trace_id", "span_id", "host", "level"), text),
        "response_time_ms": text,  # is no number: it ends up in ParseError
        "attributes": {text: text, f"number.{number}": text},
    }


@pytest.fixture(scope="module")
def site(engine: RunningEngine) -> Iterator[Site]:
    table = QueryTable(engine)
    now_ms = int(time.time()) * 1000
    table.store([(now_ms - number * 1000, attack(number, text)) for number, text in enumerate(ATTACKS)])
    made = site_over(table)
    yield made
    made.close()
    table.drop()


def assert_unharmed(explorer: Explorer) -> None:
    assert explorer.evaluate("window.hacked") is None
    harm = "body img, body iframe, body script, body style, [onerror], [onload], a[href^=javascript]"
    assert explorer.page.locator(harm).count() == 0


COLUMNS = "?columns=level,service,message,user_id,trace_id,host,parse_error"


def test_no_field_of_a_log_becomes_anything_but_text(visit: Visit, site: Site) -> None:
    explorer = visit(site, COLUMNS)
    for number, text in enumerate(ATTACKS):
        explorer.search("")
        expect(explorer.rows).to_have_count(len(ATTACKS))
        assert text in explorer.cells("message")
        detail = explorer.open_log(number)
        expect(detail.locator(".message")).to_have_text(text)
        assert_unharmed(explorer)

        detail.get_by_role("tab", name="Context").click()
        expect(detail.locator(".lines li").first).to_contain_text(text)
        detail.get_by_role("tab", name="Trace").click()
        expect(detail.locator(".lines li").first).to_contain_text(text)
        detail.get_by_role("tab", name="How it was read").click()
        expect(detail.locator("tr").filter(has_text="message").locator("q")).to_have_text(text)
        assert_unharmed(explorer)

        # As columns, filters and facets, by name and by value.
        detail.get_by_role("tab", name="Fields").click()
        detail.get_by_role("button", name=f"Column {text}", exact=True).click()
        detail.get_by_role("button", name=f"Only logs with this number.{number}", exact=True).click()
        explorer.settled()
        expect(explorer.rows).to_have_count(1)
        title = explorer.page.locator("summary").filter(has=explorer.page.get_by_text(text, exact=True))
        section = explorer.facets.locator("details").filter(has=title)
        section.locator("summary").click()
        expect(section.locator("li").first).to_contain_text(text)
        explorer.page.locator("#columns").click()
        expect(explorer.page.get_by_label(text, exact=True).first).to_be_checked()
        explorer.page.keyboard.press("Escape")
        assert_unharmed(explorer)


def test_no_suggestion_becomes_anything_but_text(visit: Visit, site: Site) -> None:
    explorer = visit(site, COLUMNS)
    for text in ATTACKS:
        explorer.query.fill("service:")
        expect(explorer.suggestions.get_by_role("option").filter(has_text=text).first).to_be_visible()
        explorer.query.fill(text[:8])
        explorer.page.wait_for_timeout(300)
        assert_unharmed(explorer)


def test_no_query_in_an_address_becomes_anything_but_text(visit: Visit, site: Site) -> None:
    explorer = visit(site)
    for text in ATTACKS:
        explorer.open("?" + urlencode(dict.fromkeys(("query", "columns", "start", "log", "tab"), text)))

        assert_unharmed(explorer)


def test_scripts_from_elsewhere_or_in_the_page_are_not_run(explorer: Explorer) -> None:
    """The last line of defence, if text ever were taken for HTML."""
    found = explorer.evaluate(
        """async () => {
          const violations = [];
          document.addEventListener("securitypolicyviolation", (event) => violations.push(event.effectiveDirective));
          let isRefused = false;
          try {
            document.body.insertAdjacentHTML("beforeend", "<img src=x onerror='window.hacked=1'>");
          } catch {
            isRefused = true;
          }
          const script = document.createElement("script");
          try {
            script.textContent = "window.hacked = 2";
            document.body.append(script);
          } catch {
            /* refused as well */
          }
          await fetch("http://192.0.2.1/").catch(() => {});
          await new Promise((done) => setTimeout(done, 100));
          return [isRefused, window.hacked ?? null, violations.includes("connect-src")];
        }"""
    )

    assert found == [True, None, True]
    # The console logged the violations, as expected; nothing was sent.
    assert explorer.watch.complaints
    explorer.watch.complaints.clear()
    explorer.watch.hosts.discard("192.0.2.1")
