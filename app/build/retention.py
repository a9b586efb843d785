"""The component that removes what the rules of services no longer keep, beside the role `ingest`."""

from collections.abc import Callable, Set
from functools import partial
from typing import Final

from app.build.maintenance import removable_rows
from app.component import Component, Repeating
from app.domain.records import Partition
from app.health import Health
from app.maintenance.passes import RetentionPasses
from app.maintenance.removal import Waiting
from app.metrics import Metrics
from app.settings import Settings
from app.telemetry.retention import RetentionTelemetry

_FIRST_SECS: Final = 60.0  # an instance that has just started has other things to do


def build_retention(settings: Settings, metrics: Metrics, partitions: Callable[[], Set[Partition]]) -> Component:
    """The component: a pass every RETENTION_INTERVAL_SECS, by the instance that reads the first partition."""
    health = Health()
    first = Partition(settings.kafka.topic, 0)
    interval_secs = settings.retention.interval_secs
    passes = RetentionPasses(
        partial(removable_rows, settings),
        settings.retention.rules,
        RetentionTelemetry(metrics, health),
        is_ours=lambda: first in partitions(),
        interval_secs=interval_secs,
        waiting=Waiting(),
    )
    return Repeating("retention", passes.run, health, first_secs=min(_FIRST_SECS, interval_secs))
