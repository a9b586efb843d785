"""Prometheus's rules: what promtool, our own metrics and the runbooks make of them."""

import re
from pathlib import Path

import pytest

from local.paths import ROOT
from tests.support.alerts import RULE_FILES, RULE_TESTS, Rule, load, rules
from tests.support.programs import find_program, run_program
from tests.support.promql import asked_series, exposed_series

RULES = rules()
ALERTS = [rule for rule in RULES if rule.is_alert]
RECORDED = [rule for rule in RULES if not rule.is_alert]
RUNBOOKS = (ROOT / "docs/runbooks.md").read_text()

# Prometheus makes it itself, for each target.
OF_PROMETHEUS = {"up"}

needs_promtool = pytest.mark.skipif(
    find_program("promtool") is None, reason="promtool is not installed (Debian: prometheus)"
)
each_alert = pytest.mark.parametrize("alert", ALERTS, ids=str)


@needs_promtool
def test_promtool_has_nothing_to_say() -> None:
    run_program("promtool", "check", "rules", "--lint-fatal", *RULE_FILES)


@needs_promtool
@pytest.mark.parametrize("path", RULE_TESTS, ids=lambda path: path.stem)
def test_alerts_fire_when_they_should_and_not_otherwise(path: Path) -> None:
    assert "SUCCESS" in run_program("promtool", "test", "rules", path)


def test_names_are_used_once() -> None:
    names = [rule.name for rule in RULES]
    assert len(set(names)) == len(names) > 15


@each_alert
def test_an_alert_is_tested_firing_and_not_firing(alert: Rule) -> None:
    cases = [
        case
        for path in RULE_TESTS
        for test in load(path)["tests"]
        for case in test.get("alert_rule_test", [])
        if case["alertname"] == alert.name
    ]
    assert {bool(case.get("exp_alerts")) for case in cases} == {True, False}


@each_alert
def test_an_alert_says_how_urgent_it_is_and_what_to_do(alert: Rule) -> None:
    assert alert.labels["severity"] in ("critical", "warning")
    assert set(alert.annotations) == {"summary", "description", "runbook"}
    assert alert.annotations["runbook"] == f"docs/runbooks.md#{_anchor(alert.name)}"
    assert f"\n### {alert.name}\n" in RUNBOOKS


def test_the_runbooks_are_of_alerts_that_exist() -> None:
    assert set(re.findall(r"^### (\w+)$", RUNBOOKS, re.MULTILINE)) == {alert.name for alert in ALERTS}


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_a_rule_asks_for_series_that_there_are(rule: Rule) -> None:
    asked = asked_series(rule.expression)
    assert asked
    assert asked - exposed_series() - {recorded.name for recorded in RECORDED} <= OF_PROMETHEUS


@pytest.mark.parametrize("recorded", RECORDED, ids=str)
def test_what_is_recorded_is_asked_for(recorded: Rule) -> None:
    assert [alert.name for alert in ALERTS if recorded.name in asked_series(alert.expression)]


def test_promql_of_the_runbooks_asks_for_series_that_there_are() -> None:
    blocks = re.findall(r"^```promql\n(.*?)^```$", RUNBOOKS, re.MULTILINE | re.DOTALL)
    expressions = [line for block in blocks for line in block.splitlines()]
    assert len(expressions) > 15
    known = exposed_series() | {recorded.name for recorded in RECORDED} | OF_PROMETHEUS
    assert {series for expression in expressions for series in asked_series(expression)} - known == set()


def _anchor(heading: str) -> str:
    """As GitHub makes it of a heading that is one word."""
    return heading.lower()
