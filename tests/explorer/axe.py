"""Rules of accessibility, checked by axe."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RULES: dict[str, object] = {
    "runOnly": {"type": "tag", "values": _TAGS},
    "resultTypes": ["violations"],  # passing checks need no details
    # The search box is a combobox that takes several lines. HTML allows that role to <input> only, which takes one.
    "rules": {"aria-allowed-role": {"enabled": False}},
}
COLOURS: dict[str, object] = {"runOnly": ["color-contrast"], "resultTypes": ["violations"]}
"""All that another theme changes."""
_RUN = "(options) => axe.run(document, options).then(({ violations }) => violations)"


def violations(page: Page, options: dict[str, object]) -> list[str]:
    """The elements that break a rule, and which."""
    if page.evaluate("typeof axe") == "undefined":  # half a megabyte, once for each page
        page.evaluate(Axe().axe_script)
    return [
        f"{violation['id']} ({violation['impact']}): {node['html'][:120]}"
        for violation in page.evaluate(_RUN, options)
        for node in violation["nodes"]
    ]
