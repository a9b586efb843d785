"""Findings about the settings."""

import pytest

from app.pipeline.delivery import MARGIN_SECS
from app.preflight.findings import Level
from app.preflight.settings_checks import check_settings
from app.settings import ClickHouseSettings, KafkaSettings, Settings
from tests.unit.preflight.healthy import about


@pytest.mark.parametrize(
    ("deadline_secs", "level"), [(11.9, Level.OK), (12, Level.WARNING), (12.1, Level.WARNING), (30, Level.WARNING)]
)
def test_a_lease_should_end_before_its_owner_counts_as_dead(deadline_secs: float, level: Level) -> None:
    finding = about("timeouts", check_settings(settings_of(deadline_secs, session_secs=15), [], margin_secs=3))

    assert finding.level is level


def test_the_advice_names_values_that_will_do() -> None:
    finding = about("timeouts", check_settings(settings_of(30, session_secs=15), [], margin_secs=3))

    assert finding.found.startswith("insert deadline 30 s, session 15 s, poll interval 300 s: ")
    assert finding.advice == "Set CLICKHOUSE_INSERT_DEADLINE_SECS below 12, or KAFKA_SESSION_TIMEOUT_SECS above 33"


def test_the_settings_as_shipped_are_well() -> None:
    assert about("timeouts", check_settings(Settings(), [], margin_secs=MARGIN_SECS)).level is Level.OK


def settings_of(deadline_secs: float, *, session_secs: float) -> Settings:
    return Settings(
        kafka=KafkaSettings(session_timeout_secs=session_secs),
        clickhouse=ClickHouseSettings(insert_deadline_secs=deadline_secs),
    )


def test_a_variable_without_effect_is_reported() -> None:
    finding = about("names", check_settings(Settings(), ["KAFA_TOPIC is not a setting."], margin_secs=3))

    assert (finding.level, finding.found) == (Level.WARNING, "KAFA_TOPIC is not a setting")


def test_without_such_variables_all_is_well() -> None:
    assert about("names", check_settings(Settings(), [], margin_secs=3)).level is Level.OK
