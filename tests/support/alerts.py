"""Loads Prometheus's rules for tests."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from local.paths import ROOT

RULE_FILES = sorted((ROOT / "prometheus/rules").glob("*.yaml"))
RULE_TESTS = sorted((ROOT / "prometheus/tests").glob("*.yaml"))


class Rule(NamedTuple):
    """One rule. `name` is the alert or the recorded series."""

    name: str
    is_alert: bool
    expression: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]

    def __str__(self) -> str:
        return self.name


def load(path: Path) -> dict[str, Any]:
    """Load a file of rules or of their tests."""
    content: dict[str, Any] = yaml.safe_load(path.read_text())
    return content


def rules() -> list[Rule]:
    """All rules of all files."""
    raw = [rule for path in RULE_FILES for group in load(path)["groups"] for rule in group["rules"]]
    return [
        Rule(
            rule.get("alert") or rule["record"],
            "alert" in rule,
            rule["expr"],
            rule.get("labels", {}),
            rule.get("annotations", {}),
        )
        for rule in raw
    ]
