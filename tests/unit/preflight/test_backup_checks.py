"""Findings about backups and what Kafka keeps."""

import pytest

from app.preflight.backup_checks import check_backups
from app.preflight.findings import Level
from app.preflight.probes import Unknown
from app.settings import ClickHouseSettings, Settings
from tests.unit.preflight.healthy import kafka, topic, topic_with

HOUR_MS = 3600 * 1000


def with_interval(hours: float | None) -> Settings:
    return Settings(clickhouse=ClickHouseSettings(backup_interval_hours=hours))


@pytest.mark.parametrize(
    ("kept_ms", "level"),
    [(48 * HOUR_MS, Level.OK), (-1, Level.OK), (48 * HOUR_MS - 1, Level.WARNING), (0, Level.WARNING)],
)
def test_kafka_must_keep_records_for_a_day_longer_than_the_interval(kept_ms: int, level: Level) -> None:
    probe = kafka(topic=topic_with(retention_ms=str(kept_ms)))

    [finding] = check_backups(probe, with_interval(24))

    assert finding.level is level


def test_the_warning_says_what_retention_is_needed() -> None:
    [finding] = check_backups(kafka(topic=topic_with(retention_ms=str(24 * HOUR_MS))), with_interval(168))

    assert "topic logs keeps records 24 h" in str(finding)
    assert "retention.ms of 691200000 or more (192 h)" in str(finding)


def test_every_topic_that_is_read_has_its_own() -> None:
    probe = kafka(more={"audit": topic_with(retention_ms="1000"), "other": Unknown("denied")})

    assert [finding.level for finding in check_backups(probe, with_interval(24))] == [Level.OK, Level.WARNING]


@pytest.mark.parametrize("probe", [kafka(topic=None), kafka(topic=topic(configs=Unknown("denied")))])
def test_what_is_unknown_is_reported_elsewhere(probe: object) -> None:
    assert not list(check_backups(probe, with_interval(24)))  # type: ignore[arg-type]  # of parametrize


def test_without_backups_nothing_is_said() -> None:
    assert not list(check_backups(kafka(), with_interval(None)))
