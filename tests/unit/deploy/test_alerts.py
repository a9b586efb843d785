"""Prometheus's rules, checked against promtool, our metrics and the runbooks."""

import re
from pathlib import Path

import pytest

from local.paths import ROOT
from tests.support.alerts import RULE_FILES, RULE_TESTS, Rule, load, rules
from tests.support.programs import find_program, run_program
from tests.support.promql import exposed_series, series_in

RULES = rules()
ALERTS = [rule for rule in RULES if rule.is_alert]
RECORDED = [rule for rule in RULES if not rule.is_alert]
RUNBOOKS = (ROOT / "docs/runbooks.md").read_text()

# Prometheus creates it itself, for each target.
OF_PROMETHEUS = {"up"}

needs_promtool = pytest.mark.skipif(
    find_program("promtool") is None, reason="promtool is not installed (Debian: prometheus)"
)
each_alert = pytest.mark.parametrize("alert", ALERTS, ids=str)


@needs_promtool
def test_promtool_reports_no_problems() -> None:
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
def test_an_alert_has_a_severity_and_a_runbook(alert: Rule) -> None:
    assert alert.labels["severity"] in ("critical", "warning")
    assert set(alert.annotations) == {"summary", "description", "runbook"}
    assert alert.annotations["runbook"] == f"docs/runbooks.md#{_anchor(alert.name)}"
    assert f"\n### {alert.name}\n" in RUNBOOKS


def test_every_runbook_has_an_alert() -> None:
    assert set(re.findall(r"^### (\w+)$", RUNBOOKS, re.MULTILINE)) == {alert.name for alert in ALERTS}


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_a_rule_uses_existing_series(rule: Rule) -> None:
    names = series_in(rule.expression)
    assert names
    assert names - exposed_series() - {recorded.name for recorded in RECORDED} <= OF_PROMETHEUS


@pytest.mark.parametrize("recorded", RECORDED, ids=str)
def test_recorded_series_are_used(recorded: Rule) -> None:
    assert [alert.name for alert in ALERTS if recorded.name in series_in(alert.expression)]


def test_promql_of_the_runbooks_uses_existing_series() -> None:
    blocks = re.findall(r"^```promql\n(.*?)^```$", RUNBOOKS, re.MULTILINE | re.DOTALL)
    expressions = [line for block in blocks for line in block.splitlines()]
    assert len(expressions) > 15
    known = exposed_series() | {recorded.name for recorded in RECORDED} | OF_PROMETHEUS
    assert {series for expression in expressions for series in series_in(expression)} - known == set()


def _anchor(heading: str) -> str:
    """GitHub's anchor of a heading of one word."""
    return heading.lower()
