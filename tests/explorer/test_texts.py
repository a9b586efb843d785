"""Texts of logs that are hard to read: stack traces, JSON, colours of terminals, and characters that nobody sees."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.query_table import QueryTable
from tests.explorer.conftest import Visit, site_over
from tests.explorer.site import Explorer, Site
from tests.support.servers import RunningEngine

pytestmark = pytest.mark.stack

FRAMES = [
    f"\tat com.example.shop.payment.gateway.HttpGatewayConnectionFactory.open(Factory.java:{n})" for n in range(45)
]
TRACE = "\n".join(["java.lang.IllegalStateException: gateway refused", *FRAMES, "Caused by: java.net.ConnectException"])
DOCUMENT = '{"id": 12345678901234567890, "items": [{"sku": "a"}, {}], "price": 1.10}'
MESSAGES = {
    "trace": TRACE,
    "json": DOCUMENT,
    "colours": "\x1b[1;31mERROR\x1b[0m the card was \x1b[33mdeclined\x1b[m",
    "bidi": "opened invoice\u202efdp.exe",
    "control": "bell\x07 null\x00 escape\x1b]0;title\x07 separator\u2028 tag\U000e0041 return\rx",
    "word": "x" * 3000,
    "emoji": "a family 👨‍👩‍👧 and می‌خواهم",
    "scripts": "支付服务连接数据库超时 — “refused” by\u00a0the ฐานข้อมูล",
    "wall": "words " * 400 + "end",
}


@pytest.fixture(scope="module")
def site(engine: RunningEngine) -> Iterator[Site]:
    table = QueryTable(engine)
    now_ms = int(time.time() * 1000)
    many = {f"attribute.{n:02}": f"value-{n}" for n in range(30)}
    table.store(
        [
            (
                now_ms - 1000 * n,
                {"message": message, "service": f"the-{name}", "level": "error", "attributes": attributes},
            )
            for n, (name, message) in enumerate(MESSAGES.items())
            for attributes in [{**many, "stack": TRACE, "body": DOCUMENT, "evil\u202ename": "evil\u202evalue"}]
        ]
    )
    made = site_over(table)
    yield made
    made.close()
    table.drop()


@pytest.fixture
def explorer(visit: Visit, site: Site) -> Explorer:
    """The page over these logs, once it knows their fields: until then an open log is shown anew, under other names."""
    made = visit(site)
    expect(made.facets.locator("details").filter(has_text=r"evil\u202Ename")).to_be_attached()
    return made


def row(explorer: Explorer, name: str) -> Locator:
    return explorer.rows.filter(has_text=f"the-{name}")


def opened(explorer: Explorer, name: str) -> Locator:
    row(explorer, name).click()
    expect(explorer.detail.locator("h2")).to_contain_text(f"the-{name}")
    return explorer.detail


def test_characters_that_nobody_sees_are_shown_as_escapes_everywhere(explorer: Explorer) -> None:
    expect(row(explorer, "bidi")).to_contain_text(r"opened invoice\u202Efdp.exe")
    detail = opened(explorer, "bidi")
    expect(detail.locator(".message")).to_have_text(r"opened invoice\u202Efdp.exe")
    expect(detail.locator("th").filter(has_text="evil")).to_have_text(r"evil\u202Ename")
    expect(detail.locator("td.value").filter(has_text="evil")).to_have_text(r"evil\u202Evalue")
    expect(detail.get_by_role("button", name=r"Copy evil\u202Ename")).to_be_visible()
    section = explorer.facets.locator("details").filter(has_text=r"evil\u202Ename")
    section.locator("summary").click()
    expect(section.locator("li")).to_contain_text(r"evil\u202Evalue")

    expected = r"bell\u0007 null\u0000 escape\u001B]0;title\u0007 separator\u2028 tag\u{E0041} return\u000Dx"
    expect(row(explorer, "control").locator(".cell-message")).to_have_text(expected)
    expect(row(explorer, "emoji").locator(".cell-message")).to_have_text(MESSAGES["emoji"])
    # Nothing is changed but what is shown.
    opened(explorer, "bidi").get_by_role("button", name="Find this message").click()
    explorer.settled()
    expect(explorer.query).to_have_value('message:"opened invoice\u202efdp.exe"')
    assert explorer.rows.count() == 1


def test_colours_of_terminals_are_left_out(explorer: Explorer) -> None:
    expect(row(explorer, "colours").locator(".cell-message")).to_have_text("ERROR the card was declined")
    expect(opened(explorer, "colours").locator(".message")).to_have_text("ERROR the card was declined")


def test_a_long_message_is_found_by_a_shorter_key(explorer: Explorer) -> None:
    find = explorer.detail.get_by_role("button", name="Find this message")
    opened(explorer, "word")
    expect(find).to_have_count(0)  # no part of a word is one
    for name in ("trace", "wall"):
        explorer.search("")
        opened(explorer, name)
        find.click()
        explorer.settled()

        assert 0 < len(explorer.query.input_value()) < 250
        expect(explorer.rows).to_have_count(1)
        expect(row(explorer, name)).to_be_visible()


def test_a_stack_trace_keeps_its_lines_and_scrolls(explorer: Explorer) -> None:
    expect(row(explorer, "trace").locator(".cell-message")).to_contain_text("refused ⏎ at com.example")
    detail = opened(explorer, "trace")
    message = detail.locator(".message pre")
    lines = len(TRACE.splitlines())

    def height() -> float:
        return float(message.evaluate("(pre) => pre.scrollHeight / parseFloat(getComputedStyle(pre).lineHeight)"))

    assert height() == pytest.approx(lines, abs=1.5)
    assert message.evaluate("(pre) => pre.scrollWidth > pre.clientWidth && pre.tabIndex === 0")
    expect(message.locator("strong")).to_have_text("Caused by: java.net.ConnectException")
    expect(detail.locator(".cause")).to_have_text("Caused by: java.net.ConnectException")
    field = detail.locator("tr").filter(has=explorer.page.locator("th", has_text="stack")).locator("pre")
    assert field.evaluate("(pre) => pre.scrollWidth > pre.clientWidth")

    detail.get_by_role("button", name="Wrap lines").click()
    assert height() > lines * 1.2
    explorer.page.reload()
    explorer.settled()
    expect(detail.get_by_role("button", name="Wrap lines")).to_have_attribute("aria-pressed", "true")


CAUSES = """async (texts) => {
  const { causeOf } = await import("/explorer/any/message_text.js");
  return texts.map(causeOf);
}"""


def test_the_last_cause_of_a_stack_trace_is_lifted_out(scripts: Page) -> None:
    python = 'Traceback (most recent call last):\n  File "a.py", line 1, in f\n    g()\nValueError: no\n'
    java = "x.AError: a\n\tat b\nCaused by: y.BError: b\n\tat c\nCaused by: z.CError: c\n\tat d"

    assert scripts.evaluate(CAUSES, [python, java, "one line", "two\nlines"]) == [
        "ValueError: no",
        "Caused by: z.CError: c",
        "",
        "",
    ]


def test_json_is_indented_on_demand_and_no_number_is_changed(explorer: Explorer) -> None:
    detail = opened(explorer, "json")
    of_attribute = detail.get_by_role("button", name="Pretty JSON of attributes.body")
    expect(of_attribute).to_be_visible()  # once the page knows that "body" alone is the message
    message = detail.locator(".message")
    expect(message).to_have_text(DOCUMENT)
    detail.get_by_role("button", name="Pretty JSON", exact=True).click()
    pretty = message.inner_text()
    assert '"id": 12345678901234567890,' in pretty.splitlines()[1]
    assert '"price": 1.10' in pretty
    assert json.loads(pretty) == json.loads(DOCUMENT)
    of_attribute.click()
    expect(detail.locator("td.value pre").filter(has_text="12345678901234567890")).to_be_visible()
    detail.get_by_role("button", name="Pretty JSON", exact=True).click()
    expect(message).to_have_text(DOCUMENT)


def test_a_log_of_the_context_takes_one_line_until_it_is_opened(explorer: Explorer) -> None:
    detail = opened(explorer, "trace")
    detail.get_by_role("tab", name="Context").click()
    detail.get_by_role("button", name="everything").click()
    lines = detail.locator(".lines li")
    expect(lines).to_have_count(len(MESSAGES))
    assert max(line.bounding_box()["height"] for line in lines.all()) < 40  # type: ignore[index]

    line = lines.filter(has_text="IllegalStateException")
    line.get_by_role("button", name="Whole message").click()
    expect(line.locator("pre")).to_contain_text("Caused by")
    assert line.bounding_box()["height"] > 300  # type: ignore[index]
    line.get_by_role("button", name="Whole message").click()
    expect(line.locator("pre")).to_have_count(0)


def test_what_was_searched_is_marked_in_the_list_and_in_the_detail(explorer: Explorer) -> None:
    explorer.search('"card was" OR declin* OR service:"the-json" OR (gateway -refused)')

    marks = row(explorer, "colours").locator("mark")
    assert marks.all_inner_texts() == ["card was", "declined"]
    expect(row(explorer, "json")).to_be_visible()
    assert row(explorer, "json").locator("mark").count() == 0  # each log has it
    assert opened(explorer, "colours").locator(".message mark").all_inner_texts() == ["card was", "declined"]
    assert opened(explorer, "json").locator("td mark").all_inner_texts() == ["the-json"]


def test_words_of_any_script_are_marked_as_they_are_found(explorer: Explorer) -> None:
    explorer.search('数据库 "by the" ข้อมูล refused')

    expect(row(explorer, "scripts").locator("mark")).to_have_text(["数据库", "refused", "by\u00a0the", "ข้อมูล"])


def test_fields_are_found_by_name_or_value_and_identity_is_last(explorer: Explorer) -> None:
    detail = opened(explorer, "bidi")
    names = detail.locator("th").all_inner_texts()
    assert names[-3:] == ["topic", "partition", "offset"]
    expect(explorer.facets.locator("summary", has_text="topic")).to_be_visible()
    facets = explorer.facets.locator("summary").all_inner_texts()
    assert facets.index("attribute.00") < facets.index("topic")

    detail.get_by_role("searchbox", name="Find a field or value").fill("VALUE-17")
    expect(detail.locator("tr:visible")).to_have_count(1)
    explorer.grid.press("j")  # stays for the next log
    expect(detail.locator("h2")).to_contain_text("the-control")
    expect(detail.locator("tr:visible")).to_have_count(1)
    detail.get_by_role("searchbox", name="Find a field or value").fill("")
    assert detail.locator("tr:visible").count() > 30


def test_the_detail_is_resized_with_pointer_and_keys_and_stays_so(explorer: Explorer) -> None:
    detail = opened(explorer, "bidi")
    handle = explorer.page.get_by_role("separator", name="Width of the log detail")

    def width() -> float:
        box = detail.bounding_box()
        assert box
        return box["width"]

    box = handle.bounding_box()
    assert box
    explorer.page.mouse.move(box["x"] + 4, 400)
    explorer.page.mouse.down()
    explorer.page.mouse.move(800, 400, steps=3)
    explorer.page.mouse.up()
    assert width() == pytest.approx(640, abs=2)
    handle.press("ArrowRight")
    assert width() == pytest.approx(600, abs=2)
    expect(handle).to_have_attribute("aria-valuenow", "600")
    explorer.page.reload()
    explorer.settled()
    assert width() == pytest.approx(600, abs=2)


def test_the_first_click_after_text_was_selected_opens_a_log(explorer: Explorer) -> None:
    cell = row(explorer, "emoji").locator(".cell-message")
    box = cell.bounding_box()
    assert box
    y = box["y"] + box["height"] / 2
    explorer.page.mouse.move(box["x"] + 2, y)
    explorer.page.mouse.down()
    explorer.page.mouse.move(box["x"] + 80, y, steps=4)
    explorer.page.mouse.up()
    assert explorer.evaluate("getSelection().toString().length") > 3
    expect(explorer.detail).to_be_hidden()  # selecting opens nothing

    explorer.page.mouse.click(box["x"] + 40, y)
    expect(explorer.detail).to_be_visible()
