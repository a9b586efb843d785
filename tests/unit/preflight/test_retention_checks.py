"""Findings about retention per service."""

from typing import Any

import pytest

from app.preflight.findings import Level
from app.preflight.probes import Unknown
from app.preflight.retention_checks import check_retention_rules
from app.retention_settings import RetentionSettings
from app.settings import Settings
from tests.unit.preflight.healthy import clickhouse


def settings(**retention: Any) -> Settings:
    return Settings(retention=RetentionSettings(**retention))


RULES = {"days_by_service": "debug-*:3,payments:14"}


def test_the_rules_are_shown() -> None:
    [finding] = check_retention_rules(clickhouse(), settings(**RULES))

    assert finding.level is Level.OK
    assert "debug-* 3 days, payments 14 days, removed every 3600 s" in str(finding)
    assert list(check_retention_rules(clickhouse(), settings())) == []


def test_rules_that_nobody_applies_are_a_warning() -> None:
    [finding] = check_retention_rules(clickhouse(), settings(**RULES, interval_secs=0))

    assert finding.level is Level.WARNING
    assert "RETENTION_INTERVAL_SECS=0" in str(finding)


@pytest.mark.parametrize(
    ("privileges", "words"),
    [
        (
            {"ALTER DELETE ON logs.logs": False, "SELECT ON logs.logs_removed": True},
            "-> GRANT ALTER DELETE ON logs.logs",
        ),
        (Unknown("denied"), "could not be checked: denied"),
    ],
)
def test_missing_privileges_are_a_warning(privileges: object, words: str) -> None:
    [_, finding] = check_retention_rules(clickhouse(privileges_to_remove=privileges), settings(**RULES))

    assert finding.level is Level.WARNING
    assert words in str(finding)
