"""What is said of our own settings."""

import pytest

from app.doctor.findings import Level
from app.doctor.settings_checks import check_settings
from app.settings import ClickHouseSettings, KafkaSettings, Settings
from tests.unit.doctor.healthy import about


@pytest.mark.parametrize(("insert_secs", "level"), [(9.9, Level.OK), (10, Level.WARNING), (30, Level.WARNING)])
def test_an_insert_must_end_before_its_sender_counts_as_dead(insert_secs: float, level: Level) -> None:
    settings = Settings(
        kafka=KafkaSettings(session_timeout_secs=10), clickhouse=ClickHouseSettings(insert_timeout_secs=insert_secs)
    )

    finding = about("time-outs", check_settings(settings, []))

    assert finding.level is level
    assert finding.advice == ("" if level is Level.OK else "Set CLICKHOUSE_INSERT_TIMEOUT_SECS below 10")


def test_a_variable_without_effect_is_told() -> None:
    finding = about("names", check_settings(Settings(), ["KAFA_TOPIC is not a setting."]))

    assert (finding.level, finding.found) == (Level.WARNING, "KAFA_TOPIC is not a setting")


def test_without_such_variables_all_is_well() -> None:
    assert about("names", check_settings(Settings(), [])).level is Level.OK
