"""Narrowing a search: by the most frequent values, by a field of a log, and by columns."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.query_table import QueryTable
from tests.explorer.conftest import Visit, site_over
from tests.explorer.site import Explorer, Site
from tests.support.servers import RunningEngine

pytestmark = pytest.mark.stack


def facet(explorer: Explorer, name: str) -> Locator:
    return explorer.facets.locator("details").filter(has=explorer.page.locator("summary", has_text=name)).first


def counts(section: Locator) -> dict[str, int]:
    expect(section.locator("li").first).to_be_visible()
    return {
        item.locator(".text").inner_text(): int(item.locator(".count").inner_text().replace(",", ""))
        for item in section.locator("li").all()
    }


def test_values_are_counted(explorer: Explorer, sample_table: QueryTable) -> None:
    since_ms = (time.time() - 3600) * 1000
    logs = [log.event for log in sample_table.logs if log.time_ms >= since_ms]

    assert counts(facet(explorer, "level")) == pytest.approx(Counter(e["level"].upper() for e in logs), abs=20)
    assert counts(facet(explorer, "service")) == pytest.approx(Counter(e["service"] for e in logs), abs=20)
    facet(explorer, "host").locator("summary").click()
    assert counts(facet(explorer, "host")) == pytest.approx(Counter(e["host"] for e in logs), abs=20)


def test_a_value_is_filtered_for_and_out_and_neither_with_one_click_each(explorer: Explorer) -> None:
    facet(explorer, "service").get_by_role("button", name="checkout").first.click()
    explorer.settled()
    assert explorer.query.input_value() == "service:checkout"
    assert set(explorer.cells("service")) == {"checkout"}

    facet(explorer, "level").get_by_role("button", name="Without level INFO").click()
    explorer.settled()
    assert explorer.query.input_value() == "service:checkout -level:INFO"
    assert "INFO" not in explorer.cells("level")

    pressed = facet(explorer, "service").locator('button[aria-pressed="true"]')
    expect(pressed).to_contain_text("checkout")
    pressed.click()
    explorer.settled()
    assert explorer.query.input_value() == "-level:INFO"


def test_another_value_is_chosen_instead_with_one_click(explorer: Explorer) -> None:
    facet(explorer, "service").get_by_role("button", name="checkout").first.click()
    explorer.settled()
    others = counts(facet(explorer, "service"))
    facet(explorer, "service").get_by_role("button", name="search").first.click()
    explorer.settled()

    assert others.keys() == {"checkout", "payment-service", "search"}
    assert explorer.query.input_value() == "service:search"
    assert set(explorer.cells("service")) == {"search"}


def test_an_active_filter_is_listed_and_undone_where_it_is_not_among_the_busiest(explorer: Explorer) -> None:
    section = facet(explorer, "user_id")
    section.locator("summary").click()
    busiest = counts(section).keys()
    rare = next(str(user) for user in range(50) if str(user) not in busiest)
    for query, name, then in (
        (f"timeout user_id:{rare}", rare, "timeout"),
        (f'user_id:"{rare}"', rare, ""),
        (f"-user_id:{rare}", f"user_id {rare} again", ""),
        ("level:error", "ERROR", ""),
        ("user_id:nobody", "nobody", ""),
    ):
        explorer.search(query)
        expect(explorer.page.locator(".is-stale:visible")).to_have_count(0)  # the values are those of this search
        part = facet(explorer, "level" if "level" in query else "user_id")
        button = part.get_by_role("button", name=name) if "again" in name else part.locator(f'[data-value="{name}"]')
        button.click()
        explorer.settled()
        expect(explorer.query).to_have_value(then)


def test_opened_filters_stay_open_for_the_next_visit(explorer: Explorer) -> None:
    for name in ("host", "route", "service"):  # the last is open at first
        facet(explorer, name).locator("summary").click()
    expect(facet(explorer, "route").locator("li")).to_have_count(4)
    explorer.page.reload()
    explorer.settled()

    expect(facet(explorer, "host").locator("li")).to_have_count(3)
    expect(facet(explorer, "route").locator("li")).to_have_count(4)
    expect(facet(explorer, "service").locator("li").first).to_be_hidden()


def test_unsent_text_is_applied_when_a_filter_is_chosen(explorer: Explorer) -> None:
    explorer.query.fill("timeout")
    facet(explorer, "service").get_by_role("button", name="checkout").first.click()
    explorer.settled()

    assert explorer.state == {"query": "timeout service:checkout"}


def test_attributes_of_the_logs_are_offered_too(explorer: Explorer) -> None:
    section = facet(explorer, "route")
    section.locator("summary").click()

    assert counts(section).keys() == {"/r0", "/r1", "/r2", "/r3"}


def test_what_a_receipt_says_comes_behind_what_the_log_does(explorer: Explorer) -> None:
    names = ("log.receiver.name", "log.receiver.time", "route")
    fields: list[dict[str, object]] = [{"name": name, "logs": 9, "values": []} for name in names]
    explorer.page.route("**/api/v1/fields?*", lambda route: route.fulfill(json={"rows": fields}))

    explorer.page.reload()
    explorer.settled()

    expect(explorer.facets.locator("summary").nth(4)).to_have_text("route")
    expect(explorer.facets.locator("summary").nth(5)).to_have_text("log.receiver.name")


def test_a_field_of_a_log_is_filtered_for_and_out(explorer: Explorer) -> None:
    detail = explorer.open_log()
    detail.get_by_role("button", name="No logs with this http.status_code").click()
    explorer.settled()
    assert explorer.query.input_value().startswith("-http.status_code:")

    detail.get_by_role("button", name="Only logs with this route").click()
    explorer.settled()
    assert explorer.total > 0
    assert "route:" in explorer.query.input_value()


def test_columns_are_added_and_removed(explorer: Explorer) -> None:
    explorer.page.get_by_role("button", name="Columns", exact=True).click()
    explorer.page.get_by_label("Find a field").fill("rou")
    explorer.page.get_by_label("route", exact=True).check()
    explorer.page.get_by_label("Find a field").fill("severity")
    explorer.page.get_by_label("severity_number").check()
    explorer.page.keyboard.press("Escape")
    explorer.settled()

    assert set(explorer.cells("route")) <= {"/r0", "/r1", "/r2", "/r3"}
    numbers = {"DEBUG": "5", "INFO": "9", "WARN": "13", "ERROR": "17"}
    assert explorer.cells("severity_number") == [numbers[level] for level in explorer.cells("level")]
    assert explorer.state["columns"] == "level,service,message,route,severity_number"

    explorer.page.get_by_role("columnheader", name="route").hover()
    explorer.page.get_by_role("button", name="Remove the column route").click()
    assert explorer.state["columns"] == "level,service,message,severity_number"
    explorer.open_log().get_by_role("button", name="Column partition").click()
    assert set(explorer.cells("partition")) == {"0"}
    assert alignment(explorer, "partition") == alignment(explorer, "severity_number") == "right"
    assert alignment(explorer, "message") == "start"


def alignment(explorer: Explorer, column: str) -> str:
    names = explorer.state["columns"].split(",")
    cell = explorer.rows.first.locator(f":scope > :nth-child({names.index(column) + 2})")
    return str(cell.evaluate("(cell) => getComputedStyle(cell).textAlign"))


ODD = [
    *("a b", 'say "no"', "back\\slash", "(paren)", "a:b", "*", "star*", "-minus", "!bang", "AND", "TO", "äöü", "🙂"),
    *(">5", "[1 TO 2]", "a,b", "line\nbreak", "tab\there", "' OR 1=1 --", "</script>", "%2F", "100%", "  ", "#?&="),
]


@pytest.fixture(scope="module")
def odd_site(engine: RunningEngine) -> Iterator[Site]:
    """Logs with odd values and names of attributes."""
    table = QueryTable(engine)
    now_ms = int(time.time()) * 1000
    values = [{"message": f"odd {n}", "service": value, "attributes": {"odd": value}} for n, value in enumerate(ODD)]
    names = [{"message": f"named {n}", "attributes": {f"n {value}": "yes"}} for n, value in enumerate(ODD)]
    table.store([(now_ms - n, event) for n, event in enumerate(values + names)])
    site = site_over(table)
    yield site
    site.close()
    table.drop()


FOUND = """async ([name, value, isOut]) => {
  const { withFilter } = await import("/explorer/any/query_text.js");
  const query = withFilter("", name, value, { isOut });
  const answer = await (await fetch(`/api/v1/logs?${new URLSearchParams({ query, limit: 1000 })}`)).json();
  return answer.rows ? answer.rows.map((row) => row.message) : [query, answer.error.message];
}"""


def test_a_filter_finds_its_value_and_its_field_however_odd_they_are(visit: Visit, odd_site: Site) -> None:
    explorer = visit(odd_site)

    for number, value in enumerate(ODD):
        assert explorer.evaluate(FOUND, ["odd", value, False]) == [f"odd {number}"], value
        others = explorer.evaluate(FOUND, ["odd", value, True])
        assert len(others) == 2 * len(ODD) - 1, value
        assert f"odd {number}" not in others
        assert explorer.evaluate(FOUND, [f"n {value}", "yes", False]) == [f"named {number}"], value


def test_filters_are_set_and_removed_in_any_query(scripts: Page) -> None:
    changed = scripts.evaluate(
        """async () => {
          const { withFilter, withoutFilter, withoutField, filterOf } = await import("/explorer/any/query_text.js");
          return [
            withFilter("a OR b", "x", "1"),
            withFilter("(a OR b)", "x", "1"),
            withFilter("-x:1 y", "x", "1"),
            withFilter("y x:1", "x", "1", { isOut: true }),
            withFilter("x:1", "x", "1"),
            withFilter('"a OR b"', "x", "1"),
            withFilter("t:[1 TO 2] ", "x", "a b"),
            withoutFilter('a x:"a b" c', "x", "a b"),
            withoutFilter("-x:1", "x", "1", { isOut: true }),
            filterOf("a x:1", "x", "1"),
            filterOf("a -x:1", "x", "1"),
            filterOf("a (x:1)", "x", "1"),
            filterOf("a OR x:1", "x", "1"),
            withFilter("x:2 y", "x", "1"),
            withFilter("x:>2 x:(2 OR 3) x:2* x:[1 TO 2]", "x", "1"),
            withFilter("message:a", "message", "b"),
            withFilter("!x:1", "x", "1"),
            withFilter("NOT x:1", "x", "1"),
            withFilter("a ||b", "x", "1"),
            withFilter("a OR(b c)", "x", "1"),
            withFilter("a AND b", "x", "1"),
            withoutFilter("a AND x:1", "x", "1"),
            filterOf("NOT x:1", "x", "1"),
            filterOf("+x:1", "x", "1"),
            withFilter("n:([1 TO 5] OR [7 TO 9]) -x:1", "x", "1"),
            withFilter("a [b -x:1", "x", "1"),
            withoutField('a x:"1 2" -x:>3 b', "x"),
            withoutField("a OR x:1", "x"),
          ];
        }"""
    )

    assert changed == [
        "(a OR b) x:1",
        "(a OR b) x:1",
        "x:1 y",
        "y -x:1",
        "x:1",
        '"a OR b" x:1',
        't:[1 TO 2] x:"a b"',
        "a c",
        "",
        *(1, -1, 0, 0),
        "x:1 y",
        "x:>2 x:(2 OR 3) x:2* x:[1 TO 2] x:1",
        "message:a message:b",
        "x:1",
        "NOT x:1 x:1",
        "(a ||b) x:1",
        "(a OR(b c)) x:1",
        "a AND b x:1",
        "a AND x:1",
        *(0, 1),
        "n:([1 TO 5] OR [7 TO 9]) x:1",
        "a [b x:1",
        "a b",
        "a OR x:1",
    ]


@pytest.mark.parametrize(
    ("query", "field", "text", "start"),
    [
        ("|", "", "", 0),
        ("serv|", "", "serv", 0),
        ("a serv|", "", "serv", 2),
        ("service:pay|", "service", "pay", 8),
        ("-service:pay|", "service", "pay", 9),
        ("NOT (a OR service:pay|", "service", "pay", 18),
        ("level:(warn OR er|", "level", "er", 15),
        ("level:(warn) er|", "", "er", 13),
        ('service:"pay m|', "service", "pay m", 8),
        ('"a b" x|', "", "x", 6),
        (r"a\:b:c|", "a:b", "c", 5),
        ("url:http://x|", "url", "http://x", 4),
    ],
)
def test_the_word_being_typed_is_known(scripts: Page, query: str, field: str, text: str, start: int) -> None:
    caret = query.index("|")
    script = """async ([query, caret]) => (await import("/explorer/any/query_text.js")).wordAt(query, caret)"""

    word = scripts.evaluate(script, [query.replace("|", ""), caret])

    assert (word["field"], word["text"], word["start"]) == (field, text, start)
