"""Checks whether a backup and Kafka together have every log: what came after the backup must still be in Kafka."""

from collections.abc import Iterator, Mapping
from typing import Final

from app.preflight.findings import Finding, ok, warning
from app.preflight.probes import KafkaProbe, Topic
from app.settings import Settings

_HOUR_MS: Final = 3600 * 1000
_TIME_TO_RESTORE_HOURS: Final = 24.0  # until somebody has noticed, decided and restored


def check_backups(probe: KafkaProbe, settings: Settings) -> Iterator[Finding]:
    """A finding for each topic whose configuration is known; none without CLICKHOUSE_BACKUP_INTERVAL_HOURS."""
    interval_hours = settings.clickhouse.backup_interval_hours
    if interval_hours is None:
        return
    for name, topic in [(settings.kafka.topic, probe.topic), *sorted(probe.more.items())]:
        if isinstance(topic, Topic) and isinstance(topic.configs, Mapping):
            yield _check_topic(name, int(topic.configs.get("retention.ms", "-1")), interval_hours)


def _check_topic(name: str, kept_ms: int, interval_hours: float) -> Finding:
    needed = interval_hours + _TIME_TO_RESTORE_HOURS
    if 0 <= kept_ms < needed * _HOUR_MS:
        return warning(
            "backups",
            f"one every {interval_hours:g} h, and topic {name} keeps records {kept_ms / _HOUR_MS:g} h: what came after"
            " a backup may be gone from Kafka when it is restored",
            f"retention.ms of {needed * _HOUR_MS:.0f} or more ({needed:g} h), or back up more often",
        )
    return ok("backups", f"one every {interval_hours:g} h; topic {name} keeps what comes after it")
